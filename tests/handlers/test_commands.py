"""What people type and how it is answered: one running bot for all tests, each with its own words."""

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from structlog.typing import EventDict

from bot.commands.catalogue import COMMANDS
from bot.commands.usage import Command
from bot.domain import roster
from handlers.modals import open as modal_opening
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from tests.app import app_slack, module_app
from tests.slack_ui import ALICE, BOB, CAROL, DAVE, LATER, PHONE, command, type_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUBJECTS = {
    "WAGone": "Spring Fair",
    "WAGtwo": "Spring Fete",
    "WAGthree": "Spring Feast",
    "WAGfour": "Spring Feasts",
    "WAGfive": "Twins",
    "WAGsix": "Twins",
    "WAGseven": "R&D <x>",
    "WAGeight": "קבוצת ההשקה",
    "WAGten": "Kept",
    "WAGnine": "🎉 Party 🎉",
}
WARNING = """
[groups.guarded]
connection = "wasend"
id = "WAGten"
warning = "Ask <Ann> first"
"""


app = module_app(groups=SUBJECTS, rules=WARNING, operators=())
slack = app_slack


def why(entry: str) -> str:
    """Return the reason why an entry isn't a number."""
    (rejected,) = roster.parse(entry).rejected
    return rejected.reason


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("wasend-team +1 415 555 0100, 1.5", ""),
        ("wasend-team\n+1 415 555 0100\n1.5", "line 3, "),
        ("wasend-team +1 415 555 0100,\n\n1.5\nreason: new", "line 3, "),
        ("“wasend-team”\n\n 1.5, +1 415 555 0100", "line 3, "),
    ],
)
async def test_an_unreadable_entry_is_shown_with_its_line(slack: SlackServer, text: str, where: str) -> None:
    assert f"• {where}“1.5”: " in await command(slack, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("launch-team", "The numbers are missing."),
        (PHONE, "The group is missing"),
        ("“Spring Fair +1 415 555 0100", "an opening quote without a closing one"),
        ("reason: none", "The group is missing"),
        ('"" +1 415 555 0100', "The group is missing"),
    ],
)
async def test_an_incomplete_command_is_answered_with_its_usage(slack: SlackServer, text: str, problem: str) -> None:
    answer = await command(slack, text)

    assert problem in answer
    assert "`/wa-add &lt;group&gt; &lt;participants…&gt; [invite: yes] [at: tomorrow 9am] [reason: …]`" in answer


async def test_an_unknown_group_gets_the_three_nearest(slack: SlackServer) -> None:
    answer = await command(slack, f"'spring feast s' {PHONE}")

    assert "Nothing was done" in answer
    assert set(re.findall("“(Spring [^”]+)”", answer)) == {"Spring Feast", "Spring Feasts", "Spring Fete"}


async def test_a_group_like_no_other_gets_a_hint(slack: SlackServer) -> None:
    assert "`/wa-groups` lists" in await command(slack, f"zzz&lt;!here&gt; {PHONE}")


async def test_a_person_without_a_role_sees_no_group_names(slack: SlackServer) -> None:
    assert "Spring" not in await command(slack, f"spring-fete {PHONE}", user=CAROL)
    assert "WAG" not in await command(slack, f"Twins {PHONE}", user=CAROL)
    assert "Spring" not in await command(slack, "", user=CAROL, name="/wa-groups")


async def test_a_reader_sees_group_names_and_cannot_add(slack: SlackServer) -> None:
    assert "Spring Fair" in await command(slack, "spring", user=DAVE, name="/wa-groups")
    assert "`groups:write`" in await command(slack, f"“Spring Fair” {PHONE}", user=DAVE)


async def test_a_name_of_two_groups_gets_a_choice_and_an_id_chooses(slack: SlackServer) -> None:
    answer = await command(slack, f"Twins {PHONE}")
    assert "2 groups are called “Twins”" in answer
    assert "`WAGfive`" in answer
    assert "`WAGsix`" in answer

    assert "Adding 1 person to *Twins*" in await command(slack, f"WAGsix {PHONE}")


@pytest.mark.parametrize(
    "quoted", ['"Spring Fair"', "“Spring Fair”", "„Spring Fair“", "‘Spring Fair’", "«Spring Fair»"]
)
async def test_a_name_with_spaces_is_quoted_as_the_keyboard_quotes(slack: SlackServer, quoted: str) -> None:
    assert "Adding 1 person to *Spring Fair*" in await command(slack, f"{quoted} {PHONE} reason: we said so")


async def test_a_name_that_slack_escapes_is_found_and_shown_as_it_is(slack: SlackServer) -> None:
    assert "Adding 1 person to *R&amp;D &lt;x&gt;*" in await command(slack, f'"R&amp;D &lt;x&gt;" {PHONE}')
    assert "R&amp;D &lt;x&gt;" in await command(slack, "R&amp;D &lt;", name="/wa-groups")


async def test_a_right_to_left_name_is_isolated(slack: SlackServer) -> None:
    assert "to *\u2068קבוצת ההשקה\u2069*." in await command(slack, f"«קבוצת ההשקה» {PHONE}")


async def test_unreadable_entries_are_listed_with_their_reason(slack: SlackServer) -> None:
    entries = ", ".join(f"bogus {n}" for n in range(12))
    answer = await command(slack, f"“Spring Fete” {PHONE}, {PHONE}, {entries}")

    assert "Adding 1 person" in answer
    assert "1 duplicate ignored" in answer
    assert [line for line in answer.splitlines() if "bogus" in line] == [
        f"• “bogus {n}”: {why(f'bogus {n}')}" for n in range(10)
    ]
    assert "and 2 more" in answer


async def test_a_command_without_usable_numbers_makes_no_request(slack: SlackServer) -> None:
    answer = await command(slack, "“Spring Fete” bogus")

    assert "Nothing was done." in answer
    assert f"• “bogus”: {why('bogus')}" in answer


@pytest.mark.parametrize("text", ["help", "", "HELP"])
async def test_help_names_every_command(slack: SlackServer, text: str) -> None:
    answer = await command(slack, text, name="/wa")

    assert re.findall(r"^`(/[^`]+)`  ", answer, re.MULTILINE) == [spec.name for spec in COMMANDS]
    assert "There's no command" not in answer


async def test_an_unknown_verb_gets_the_help(slack: SlackServer) -> None:
    assert (await command(slack, "ad&lt;d x", name="/wa")).startswith("There's no command “ad&lt;d”")


@pytest.mark.parametrize("text", ["add “Spring Fair” +1 415 555 0101", "ADD\n“Spring Fair” +1 415 555 0101"])
async def test_a_verb_after_wa_is_the_command(slack: SlackServer, text: str) -> None:
    assert "Adding 1 person to *Spring Fair*" in await command(slack, text, name="/wa")


async def test_a_verb_alone_opens_the_form_too(slack: SlackServer) -> None:
    assert await command(slack, "add", name="/wa", user=BOB) == ""
    assert slack.open_view(BOB) is not None


async def test_groups_are_listed_with_connection_and_id(slack: SlackServer) -> None:
    assert await command(slack, "fair", name="/wa-groups") == "• *Spring Fair* on `wasend`: `WAGone`"
    assert await command(slack, "groups fair", name="/wa") == "• *Spring Fair* on `wasend`: `WAGone`"


async def test_a_search_without_a_match_says_so(slack: SlackServer) -> None:
    assert await command(slack, "zz&amp;z", name="/wa-groups") == "No group matches “zz&amp;z”."


@pytest.mark.parametrize(
    ("word", "near"),
    [("ad", "/wa-add"), ("setings", "/wa-settings"), ("/wa-grups", "/wa-groups"), ("hepl", "/wa help")],
)
async def test_a_misspelt_command_gets_the_nearest(slack: SlackServer, word: str, near: str) -> None:
    assert f"Did you mean `{near}`?" in await command(slack, f"{word} x", name="/wa")


@pytest.mark.parametrize("spec", [c for c in COMMANDS if c.verb])
async def test_each_command_is_explained(slack: SlackServer, spec: Command) -> None:
    answer = await command(slack, f"help {spec.verb}", name="/wa")

    assert answer.startswith(f"*{spec.name}*: {spec.summary}")
    assert [usage for usage in spec.usage_lines if f"`{html.escape(usage, quote=False)}`" not in answer] == []
    assert [option.name for option in spec.options if f"`{option.name}:`" not in answer] == []


@pytest.mark.parametrize("spec", [c for c in COMMANDS if c.opens_form])
async def test_a_command_that_cannot_be_parsed_shows_its_usage(slack: SlackServer, spec: Command) -> None:
    answer = await command(slack, "“Spring", name=spec.name)

    assert "an opening quote without a closing one" in answer
    assert [usage for usage in spec.usage_lines if f"`{html.escape(usage, quote=False)}`" not in answer] == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/wa-add “Spring Fete” +1 415 555 0100 reson: new", "There's no option “reson:”. Did you mean `reason:`?"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: maybe", "`invite:` is yes or no."),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: yess", "`invite:` is yes or no. Did you mean `yes`?"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite:", "`invite:` is yes or no."),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: soon", "“soon” isn't a valid date and time"),
        ("/wa-add “Spring Fete” +1 415 555 0100 at:", "`at:` has no value."),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: 2020-01-01 09:00", "is in the past"),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: 9999-01-01", "more than a year away"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: yes invite: no", "`invite:` is given twice."),
        ("/wa-create “Fair”", "The numbers are missing."),
        ("/wa-create wasendd “Fair” +1 415 555 0100", "There's no connection “wasendd”. Did you mean `wasend`?"),
        ("/wa-settings “Spring Fete”", "The settings are missing."),
        ("/wa-settings “Spring Fete” lok: on", "Did you mean `lock:`?"),
        ("/wa-settings “Spring Fete” anounce on", "“anounce” isn't a setting. Did you mean `announce:`?"),
        ("/wa-settings “Spring Fete” colour: red", "“colour” isn't a setting."),
        ("/wa-settings “Spring Fete” lock: perhaps", "`lock:` is on or off."),
        ("/wa-settings “Spring Fete” lock: onn", "`lock:` is on or off. Did you mean `on`?"),
        ("/wa-settings “Spring Fete” ephemeral: 2d", "`ephemeral:` is off, 24h, 7d or 90d."),
        ("/wa-settings “Spring Fete” picture: http://example.com/a.jpg", "begins with https://"),
        ("/wa-settings “Spring Fete” name:", "`name:` has no value."),
        ("/wa-invite “Spring Fete” text: Hello", "The numbers are missing."),
        ("/wa-invite “Spring Fete” ---", "The numbers are missing."),
        ("/wa-invite “Spring Fete” rest", "“rest” isn't a phone number. Did you mean `reset`?"),
        ("/wa-invite “Spring Fete” reset text: Hello", "A reset takes only a reason."),
        ("/wa-send “Spring Fete”", "The text is missing."),
        ("/wa-send “Spring Fete” text:", "The text is missing."),
        ("/wa-send “Spring Fete” to: text: Hello", "The numbers are missing."),
        ("/wa-send “Spring Fete” to: -- text: Hello", "The numbers are missing."),
        ("/wa-sync “Spring Fete”", "Name the list to follow"),
        ("/wa-sync “Spring Fete” from: Twins mode: destroy", "`mode:` is add, mirror or report."),
        ("/wa-sync “Spring Fete” from: Twins mode: mirorr", "Did you mean `mirror`?"),
        ("/wa-sync “Spring Fete” frm: Twins", "There's no option “frm:”. Did you mean `from:`?"),
        ("/wa-sync “Spring Fete” of", "Did you mean `off`?"),
        ("/wa-sync “Spring Fete” from: Twins every: 1m", "`every:` is a time such as 24h"),
        ("/wa-sync “Spring Fete” from: nowhere", "“nowhere” is neither a WhatsApp group nor a Slack user group."),
        ("/wa-group “Nowhere", "an opening quote without a closing one"),
        ("/wa-group nowhere at all", "There's no group called “nowhere at all”"),
        ("/wa-requests nowhere", "There's no group called “nowhere”"),
        ("/wa-requests waitng", "There's no group called “waitng”. Nothing was done. `/wa-groups` lists"),
        ("/wa-requests waitng", "`/wa-requests waiting` is a list, if you meant that."),
    ],
)
async def test_a_mistake_is_explained(slack: SlackServer, line: str, problem: str) -> None:
    answer = await type_command(slack, line)

    assert problem in answer
    assert not any(word in answer for word in ("Adding", "Scheduled", "Request sent"))


async def test_the_requester_sees_the_warning_of_a_group(slack: SlackServer) -> None:
    assert "⚠️ Warning: Ask &lt;Ann&gt; first" in await command(slack, f"guarded {PHONE} at: {LATER}")


@pytest.mark.parametrize(("user", "zone"), [(ALICE, "Europe/London"), (BOB, "America/New_York")])
async def test_a_time_is_in_the_time_zone_of_the_requester(slack: SlackServer, user: str, zone: str) -> None:
    at = datetime.fromisoformat(LATER).replace(tzinfo=ZoneInfo(zone))

    answer = await command(slack, f"“Spring Fete” {PHONE} at: {LATER}", user=user)

    assert f"Starts <!date^{int(at.timestamp())}^" in answer


@pytest.mark.parametrize(("user", "zone"), [(ALICE, "Europe/London"), (BOB, "America/New_York")])
async def test_a_time_in_words_is_echoed_as_understood(slack: SlackServer, user: str, zone: str) -> None:
    day = datetime.now(ZoneInfo(zone)) + timedelta(days=1)
    at = int(day.replace(hour=9, minute=0, second=0, microsecond=0).timestamp())

    answer = await command(slack, f"“Spring Fete” {PHONE} at: tomorrow 9am reason: new", user=user)

    assert f"Starts <!date^{at}^{{date_long_pretty}} {{time}}|" in answer


@pytest.mark.parametrize(
    "people", ["“Spring Fete”   +1 415 555 0100 ,  +44 7700 900123", "WAGtwo +14155550100 +447700900123"]
)
async def test_spaces_do_not_matter(slack: SlackServer, people: str) -> None:
    assert "Scheduled: add 2 people to *Spring Fete*" in await command(slack, f"  {people}   at: {LATER}  ")


async def test_an_emoji_in_a_name_is_found_and_shown(slack: SlackServer) -> None:
    assert "to *🎉 Party 🎉*" in await command(slack, f"'🎉 party 🎉' {PHONE} at: {LATER}")


async def test_three_thousand_characters_are_taken(slack: SlackServer) -> None:
    numbers = ", ".join(f"+1415555{n:04}" for n in range(200))
    reason = "why " * ((2900 - len(numbers)) // 4)

    assert "Scheduled: add 200 people" in await command(slack, f"WAGtwo {numbers} at: {LATER} reason: {reason}")
    assert "There's no command" in await command(slack, "🎉&lt;" * 500, name="/wa")
    assert "There's no group called" in await command(slack, f"{'קבוצה' * 500} {PHONE}")


@pytest.mark.parametrize("line", [f"/wa-add WAGtwo {PHONE} at: {LATER}", f"/wa add WAGtwo {PHONE} at: {LATER}"])
async def test_a_command_delivered_twice_is_one_request(slack: SlackServer, line: str) -> None:
    name, _, text = line.partition(" ")
    ack = await slack.command(ALICE, "C0LAUNCH", name, text)
    await slack.redeliver(ack)

    first, second = [m["text"] for m in slack.ephemerals(ALICE)[-2:]]
    assert first.startswith("Scheduled: add 1 person")
    assert second.startswith(f"<@{ALICE}> has already requested this")


@pytest.mark.parametrize("spec", [c for c in COMMANDS if c.verb])
async def test_a_command_alone_opens_its_form_or_its_list(slack: SlackServer, spec: Command) -> None:
    before = slack.open_view(BOB)

    answer = await command(slack, " ", name=spec.name, user=BOB)

    assert (slack.open_view(BOB) is not before) is spec.opens_form
    assert bool(answer) is not spec.opens_form


@pytest.mark.parametrize("error", ["expired_trigger_id", "exchanged_trigger_id", "hang"])
async def test_a_form_that_opens_too_late_is_an_error(
    slack: SlackServer, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modal_opening, "OPEN_TIMEOUT", 0.2)
    slack.faults.append(SlackFault("views.open", error=error))

    assert "didn't open the form in time, and nothing was done" in await command(slack, "")


async def test_a_form_that_fails_has_a_reference(slack: SlackServer, log: list[EventDict]) -> None:
    slack.faults.append(SlackFault("views.open", error="internal_error"))
    answer = await command(slack, "")

    (entry,) = [entry for entry in log if entry["event"] == "listener_failed"]
    assert f"Reference: `{entry['reference']}`" in answer
    assert "Nothing was changed" in answer
