"""What people type, and what they are told: one running bot for all of it, each test with its own words."""

import html
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.commands.catalogue import COMMANDS
from bot.commands.usage import Command
from bot.domain import roster
from handlers.delivery import modals as modal_delivery
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from tests.handlers.commanding import ALICE, BOB, LATER, NOBODY, ONE, READER, commanding, told, typed

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


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackServer]:
    async with commanding(tmp_path_factory.mktemp("commands"), ["wasend"], SUBJECTS, WARNING) as played:
        yield played.slack


def why(entry: str) -> str:
    """Give the reason for which an entry is no number."""
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
async def test_an_entry_that_is_no_number_has_the_line_that_it_was_typed_on(
    slack: SlackServer, text: str, where: str
) -> None:
    assert f"• {where}“1.5”: " in await told(slack, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("launch-team", "The numbers are missing."),
        (ONE, "The group is missing"),
        ("“Spring Fair +1 415 555 0100", "a quote that does not end"),
        ("reason: none", "The group is missing"),
        ('"" +1 415 555 0100', "The group is missing"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_is_missing(
    slack: SlackServer, text: str, problem: str
) -> None:
    answer = await told(slack, text)

    assert problem in answer
    assert "`/wa-add &lt;group&gt; &lt;participants…&gt; [invite: yes] [at: 2026-12-01 09:00] [reason: …]`" in answer


async def test_an_unknown_group_gets_the_three_nearest(slack: SlackServer) -> None:
    answer = await told(slack, f"'spring feast s' {ONE}")

    assert "Nothing was done" in answer
    assert set(re.findall("“(Spring [^”]+)”", answer)) == {"Spring Feast", "Spring Feasts", "Spring Fete"}


async def test_a_group_like_no_other_gets_a_hint(slack: SlackServer) -> None:
    assert "`/wa-groups` lists" in await told(slack, f"zzz&lt;!here&gt; {ONE}")


async def test_who_has_no_role_learns_no_names_of_groups(slack: SlackServer) -> None:
    assert "Spring" not in await told(slack, f"spring-fete {ONE}", user=NOBODY)
    assert "WAG" not in await told(slack, f"Twins {ONE}", user=NOBODY)
    assert "Spring" not in await told(slack, "", user=NOBODY, name="/wa-groups")


async def test_who_may_read_learns_the_names_and_may_not_add(slack: SlackServer) -> None:
    assert "Spring Fair" in await told(slack, "spring", user=READER, name="/wa-groups")
    assert "`groups:write`" in await told(slack, f"“Spring Fair” {ONE}", user=READER)


async def test_a_name_of_two_groups_gets_a_choice_and_an_id_chooses(slack: SlackServer) -> None:
    answer = await told(slack, f"Twins {ONE}")
    assert "2 groups are called “Twins”" in answer
    assert "`WAGfive`" in answer
    assert "`WAGsix`" in answer

    assert "Adding 1 person to *Twins*" in await told(slack, f"WAGsix {ONE}")


@pytest.mark.parametrize(
    "quoted", ['"Spring Fair"', "“Spring Fair”", "„Spring Fair“", "‘Spring Fair’", "«Spring Fair»"]
)
async def test_a_name_with_spaces_is_quoted_as_the_keyboard_quotes(slack: SlackServer, quoted: str) -> None:
    assert "Adding 1 person to *Spring Fair*" in await told(slack, f"{quoted} {ONE} reason: we said so")


async def test_a_name_that_slack_escapes_is_found_and_shown_as_it_is(slack: SlackServer) -> None:
    assert "Adding 1 person to *R&amp;D &lt;x&gt;*" in await told(slack, f'"R&amp;D &lt;x&gt;" {ONE}')
    assert "R&amp;D &lt;x&gt;" in await told(slack, "R&amp;D &lt;", name="/wa-groups")


async def test_a_right_to_left_name_is_isolated(slack: SlackServer) -> None:
    assert "to *\u2068קבוצת ההשקה\u2069*." in await told(slack, f"«קבוצת ההשקה» {ONE}")


async def test_what_could_not_be_read_is_named_with_its_reason(slack: SlackServer) -> None:
    entries = ", ".join(f"bogus {n}" for n in range(12))
    answer = await told(slack, f"“Spring Fete” {ONE}, {ONE}, {entries}")

    assert "Adding 1 person" in answer
    assert "1 duplicate ignored" in answer
    assert [line for line in answer.splitlines() if "bogus" in line] == [
        f"• “bogus {n}”: {why(f'bogus {n}')}" for n in range(10)
    ]
    assert "and 2 more" in answer


async def test_nobody_to_add_is_no_request(slack: SlackServer) -> None:
    answer = await told(slack, "“Spring Fete” bogus")

    assert "nothing was done" in answer
    assert f"• “bogus”: {why('bogus')}" in answer


@pytest.mark.parametrize("text", ["help", "", "HELP"])
async def test_help_names_every_command(slack: SlackServer, text: str) -> None:
    answer = await told(slack, text, name="/wa")

    assert re.findall(r"^`(/[^`]+)`  ", answer, re.MULTILINE) == [command.name for command in COMMANDS]
    assert "There's no command" not in answer


async def test_an_unknown_word_gets_the_help_with_what_was_typed(slack: SlackServer) -> None:
    assert (await told(slack, "ad&lt;d x", name="/wa")).startswith("There's no command “ad&lt;d”")


@pytest.mark.parametrize("text", ["add “Spring Fair” +1 415 555 0101", "ADD\n“Spring Fair” +1 415 555 0101"])
async def test_a_verb_after_wa_is_the_command(slack: SlackServer, text: str) -> None:
    assert "Adding 1 person to *Spring Fair*" in await told(slack, text, name="/wa")


async def test_a_verb_alone_opens_the_form_too(slack: SlackServer) -> None:
    assert await told(slack, "add", name="/wa", user=BOB) == ""
    assert slack.open_view(BOB) is not None


async def test_groups_are_listed_with_connection_and_id(slack: SlackServer) -> None:
    assert await told(slack, "fair", name="/wa-groups") == "• *Spring Fair* on `wasend`: `WAGone`"
    assert await told(slack, "groups fair", name="/wa") == "• *Spring Fair* on `wasend`: `WAGone`"


async def test_no_group_is_said(slack: SlackServer) -> None:
    assert await told(slack, "zz&amp;z", name="/wa-groups") == "No group matches “zz&amp;z”."


@pytest.mark.parametrize(
    ("word", "near"),
    [("ad", "/wa-add"), ("setings", "/wa-settings"), ("/wa-grups", "/wa-groups"), ("hepl", "/wa help")],
)
async def test_a_misspelt_command_gets_the_nearest(slack: SlackServer, word: str, near: str) -> None:
    assert f"Did you mean `{near}`?" in await told(slack, f"{word} x", name="/wa")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.verb])
async def test_each_command_is_explained(slack: SlackServer, command: Command) -> None:
    answer = await told(slack, f"help {command.verb}", name="/wa")

    assert answer.startswith(f"*{command.name}*: {command.summary}")
    assert [usage for usage in command.usage_lines if f"`{html.escape(usage, quote=False)}`" not in answer] == []
    assert [option.name for option in command.options if f"`{option.name}:`" not in answer] == []


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.opens_form])
async def test_a_misread_command_shows_how_it_goes(slack: SlackServer, command: Command) -> None:
    answer = await told(slack, "“Spring", name=command.name)

    assert "a quote that does not end" in answer
    assert [usage for usage in command.usage_lines if f"`{html.escape(usage, quote=False)}`" not in answer] == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/wa-add “Spring Fete” +1 415 555 0100 reson: new", "There is no “reson:” here. Did you mean `reason:`?"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: maybe", "`invite:` is yes or no."),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: yess", "`invite:` is yes or no. Did you mean `yes`?"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite:", "`invite:` is yes or no."),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: noon", "“noon” isn't a valid date and time"),
        ("/wa-add “Spring Fete” +1 415 555 0100 at:", "`at:` has no value."),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: 2020-01-01 09:00", "is in the past"),
        ("/wa-add “Spring Fete” +1 415 555 0100 at: 9999-01-01", "more than a year away"),
        ("/wa-add “Spring Fete” +1 415 555 0100 invite: yes invite: no", "`invite:` is there twice."),
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
        ("/wa-sync “Spring Fete” frm: Twins", "There is no “frm:” here. Did you mean `from:`?"),
        ("/wa-sync “Spring Fete” of", "Did you mean `off`?"),
        ("/wa-sync “Spring Fete” from: Twins every: 1m", "`every:` is a time such as 24h"),
        ("/wa-sync “Spring Fete” from: nowhere", "“nowhere” is neither a WhatsApp group nor a Slack user group."),
        ("/wa-group “Nowhere", "a quote that does not end"),
        ("/wa-group nowhere at all", "There's no group called “nowhere at all”"),
        ("/wa-requests nowhere", "There's no group called “nowhere”"),
        ("/wa-requests waitng", "There's no group called “waitng”. Nothing was done. `/wa-groups` lists"),
        ("/wa-requests waitng", "`/wa-requests waiting` is a list, if you meant that."),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(slack: SlackServer, line: str, problem: str) -> None:
    answer = await typed(slack, line)

    assert problem in answer
    assert not any(word in answer for word in ("Adding", "Scheduled", "Request sent"))


async def test_a_group_with_a_warning_says_so_to_who_asks(slack: SlackServer) -> None:
    assert "⚠️ Warning: Ask &lt;Ann&gt; first" in await told(slack, f"guarded {ONE} at: {LATER}")


@pytest.mark.parametrize(("user", "zone"), [(ALICE, "Europe/London"), (BOB, "America/New_York")])
async def test_a_time_is_read_in_the_zone_of_who_types_it(slack: SlackServer, user: str, zone: str) -> None:
    at = datetime.fromisoformat(LATER).replace(tzinfo=ZoneInfo(zone))

    answer = await told(slack, f"“Spring Fete” {ONE} at: {LATER}", user=user)

    assert f"Starts <!date^{int(at.timestamp())}^" in answer


@pytest.mark.parametrize(
    "people", ["“Spring Fete”   +1 415 555 0100 ,  +44 7700 900123", "WAGtwo +14155550100 +447700900123"]
)
async def test_spaces_do_not_matter(slack: SlackServer, people: str) -> None:
    assert "Scheduled: add 2 people to *Spring Fete*" in await told(slack, f"  {people}   at: {LATER}  ")


async def test_an_emoji_in_a_name_is_found_and_shown(slack: SlackServer) -> None:
    assert "to *🎉 Party 🎉*" in await told(slack, f"'🎉 party 🎉' {ONE} at: {LATER}")


async def test_three_thousand_characters_are_taken(slack: SlackServer) -> None:
    numbers = ", ".join(f"+1415555{n:04}" for n in range(200))
    reason = "why " * ((2900 - len(numbers)) // 4)

    assert "Scheduled: add 200 people" in await told(slack, f"WAGtwo {numbers} at: {LATER} reason: {reason}")
    assert "There's no command" in await told(slack, "🎉&lt;" * 500, name="/wa")
    assert "There's no group called" in await told(slack, f"{'קבוצה' * 500} {ONE}")


@pytest.mark.parametrize("line", [f"/wa-add WAGtwo {ONE} at: {LATER}", f"/wa add WAGtwo {ONE} at: {LATER}"])
async def test_a_command_delivered_twice_is_one_request(slack: SlackServer, line: str) -> None:
    name, _, text = line.partition(" ")
    ack = await slack.command(ALICE, "C0LAUNCH", name, text)
    await slack.redeliver(ack)

    first, second = [m["text"] for m in slack.ephemerals(ALICE)[-2:]]
    assert first.startswith("Scheduled: add 1 person")
    assert second.startswith(f"<@{ALICE}> has already requested this")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.verb])
async def test_a_command_alone_opens_its_form_or_its_list(slack: SlackServer, command: Command) -> None:
    before = slack.open_view(BOB)

    answer = await told(slack, " ", name=command.name, user=BOB)

    assert (slack.open_view(BOB) is not before) is command.opens_form
    assert bool(answer) is not command.opens_form


@pytest.mark.parametrize("error", ["expired_trigger_id", "exchanged_trigger_id", "hang"])
async def test_a_form_that_comes_too_late_is_said(
    slack: SlackServer, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modal_delivery, "OPEN_TIMEOUT", 0.2)
    slack.faults.append(SlackFault("views.open", error=error))

    assert "didn't open the form in time, and nothing was done" in await told(slack, "")


async def test_a_form_that_fails_is_a_failure_with_a_reference(slack: SlackServer, log: list[EventDict]) -> None:
    slack.faults.append(SlackFault("views.open", error="internal_error"))
    answer = await told(slack, "")

    (entry,) = [entry for entry in log if entry["event"] == "listener_failed"]
    assert f"Reference: `{entry['reference']}`" in answer
    assert "Nothing was changed" in answer
