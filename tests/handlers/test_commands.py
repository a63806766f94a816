"""What people type and fill in, and what they are told: one running bot for all of it, each test with its own words."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot import app
from bot.domain import roster
from bot.settings import load
from handlers import commands
from sandbox.scene import scene
from sandbox.slack.faults import Fault
from sandbox.slack.seed import UserGroup
from sandbox.slack.server import SlackServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE, BOB, NOBODY, READER = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
LAUNCH, ELSEWHERE, DIRECT = "C0LAUNCH", "C0ELSEWHERE", "D0ALICE"
ONE = "+1 415 555 0100"
SUBJECTS = {
    "WAGone": "Spring Fair",
    "WAGtwo": "Spring Fete",
    "WAGthree": "Spring Feast",
    "WAGfour": "Spring Feasts",
    "WAGfive": "Twins",
    "WAGsix": "Twins",
    "WAGseven": "R&D <x>",
    "WAGeight": "קבוצת ההשקה",
    **{f"WAGbulk{n}": f"Bulk {n:02}" for n in range(25)},
}


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """Let no test of another module decide what this one's bot logs to."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackServer]:
    """Run the bot against a workspace in which Carol has no role, and against one provider with many groups."""
    folder: Path = tmp_path_factory.mktemp("commands")
    async with scene(["twochat"]) as played:
        for group_id, subject in SUBJECTS.items():
            played.providers["twochat"].world.put_group(group_id, subject)
        played.slack.workspace.groups["S0OPERATORS"] = UserGroup("S0OPERATORS", "operators", "Operators", ())
        config = folder / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{folder}/rollcall.db"))
        async with app.running(load(config, played.environment())) as url:
            played.slack.request_url = f"{url}/slack/events"
            yield played.slack
        assert played.slack.oddities == []


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


async def told(
    slack: SlackServer, text: str, *, user: str = ALICE, name: str = "/wa-add", channel: str = LAUNCH
) -> str:
    """Type a command, and give the answer that only this person sees; empty where there is none."""
    before = len(slack.ephemerals(user))
    ack = await slack.command(user, channel, name, text)
    assert ack.ok, ack
    answers = slack.ephemerals(user)[before:]
    assert len(answers) <= 1
    return str(answers[0]["text"]) if answers else ""


async def opened(slack: SlackServer, *, user: str = ALICE, channel: str = LAUNCH) -> str:
    assert await told(slack, "", user=user, channel=channel) == ""
    view = slack.open_view(user)
    assert view is not None
    return str(view.body["id"])


def errors(slack: SlackServer, user: str = ALICE) -> dict[str, str]:
    view = slack.open_view(user)
    assert view is not None
    return view.errors


def why(entry: str) -> str:
    """Give the reason for which an entry is no number."""
    (rejected,) = roster.parse(entry).rejected
    return rejected.reason


def filled(group: str = "Spring Fair · twochat", numbers: str = ONE) -> dict[str, Any]:
    return {"Group": group, "Numbers": numbers}


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
    assert "`/wa-add &lt;group&gt; &lt;numbers, …&gt; [reason: …]`" in answer


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
    assert await slack.suggest(NOBODY, await opened(slack, user=NOBODY), "Group", "") == []


async def test_who_may_read_learns_the_names_and_may_not_add(slack: SlackServer) -> None:
    assert "Spring Fair" in await told(slack, "spring", user=READER, name="/wa-groups")
    assert "`groups:write`" in await told(slack, f"“Spring Fair” {ONE}", user=READER)


async def test_a_name_of_two_groups_gets_a_choice_and_an_id_chooses(slack: SlackServer) -> None:
    answer = await told(slack, f"Twins {ONE}")
    assert "Several groups are called “Twins”" in answer
    assert "`WAGfive`" in answer
    assert "`WAGsix`" in answer

    assert "Taken: add 1 person to *Twins*" in await told(slack, f"WAGsix {ONE}")


@pytest.mark.parametrize(
    "quoted", ['"Spring Fair"', "“Spring Fair”", "„Spring Fair“", "‘Spring Fair’", "«Spring Fair»"]
)
async def test_a_name_with_spaces_is_quoted_as_the_keyboard_quotes(slack: SlackServer, quoted: str) -> None:
    assert "Taken: add 1 person to *Spring Fair*" in await told(slack, f"{quoted} {ONE} reason: we said so")


async def test_a_name_that_slack_escapes_is_found_and_shown_as_it_is(slack: SlackServer) -> None:
    assert "Taken: add 1 person to *R&amp;D &lt;x&gt;*" in await told(slack, f'"R&amp;D &lt;x&gt;" {ONE}')
    assert "R&amp;D &lt;x&gt;" in await told(slack, "R&amp;D &lt;", name="/wa-groups")


async def test_a_right_to_left_name_is_isolated(slack: SlackServer) -> None:
    assert "to *\u2068קבוצת ההשקה\u2069*." in await told(slack, f"«קבוצת ההשקה» {ONE}")


async def test_what_could_not_be_read_is_named_with_its_reason(slack: SlackServer) -> None:
    entries = ", ".join(f"bogus {n}" for n in range(12))
    answer = await told(slack, f"“Spring Fete” {ONE}, {ONE}, {entries}")

    assert "Taken: add 1 person" in answer
    assert "1 entry named somebody twice" in answer
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

    assert re.findall(r"^`(/\S+)", answer, re.MULTILINE) == ["/wa", "/wa-add", "/wa-groups"]
    assert "do not know" not in answer


async def test_an_unknown_word_gets_the_help_with_what_was_typed(slack: SlackServer) -> None:
    assert (await told(slack, "ad&lt;d x", name="/wa")).startswith("I do not know “ad&lt;d”")


@pytest.mark.parametrize("text", ["add “Spring Fair” +1 415 555 0101", "ADD\n“Spring Fair” +1 415 555 0101"])
async def test_a_verb_after_wa_is_the_command(slack: SlackServer, text: str) -> None:
    assert "Taken: add 1 person to *Spring Fair*" in await told(slack, text, name="/wa")


async def test_wa_add_alone_opens_the_form(slack: SlackServer) -> None:
    assert await told(slack, "add", name="/wa", user=BOB) == ""
    assert slack.open_view(BOB) is not None


async def test_groups_are_listed_with_connection_and_id(slack: SlackServer) -> None:
    assert await told(slack, "fair", name="/wa-groups") == "• *Spring Fair* on `twochat`: `WAGone`"
    assert await told(slack, "groups fair", name="/wa") == "• *Spring Fair* on `twochat`: `WAGone`"


async def test_a_long_list_of_groups_is_cut(slack: SlackServer) -> None:
    answer = await told(slack, "bulk", name="/wa-groups")

    assert answer.count("• *Bulk") == 20
    assert "and 5 more" in answer


async def test_no_group_is_said(slack: SlackServer) -> None:
    assert await told(slack, "zz&amp;z", name="/wa-groups") == "I know no group that matches “zz&amp;z”."


@pytest.mark.parametrize("error", ["expired_trigger_id", "exchanged_trigger_id", "hang"])
async def test_a_form_that_comes_too_late_is_said(
    slack: SlackServer, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "TO_OPEN", 0.2)
    slack.faults.append(Fault("views.open", error=error))

    assert "did not open the form in time; nothing was done" in await told(slack, "")


async def test_a_form_that_fails_is_a_failure_with_a_reference(slack: SlackServer, log: list[EventDict]) -> None:
    slack.faults.append(Fault("views.open", error="internal_error"))
    answer = await told(slack, "")

    (entry,) = [entry for entry in log if entry["event"] == "listener_failed"]
    assert f"Reference: `{entry['reference']}`" in answer


async def test_a_submitted_form_is_answered_in_its_channel(slack: SlackServer) -> None:
    view_id = await opened(slack)
    before = len(slack.ephemerals(ALICE))
    assert (await slack.submit(ALICE, view_id, filled())).ok
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > before)

    assert "Taken: add 1 person to *Spring Fair*" in slack.ephemerals(ALICE)[-1]["text"]
    assert slack.workspace.ephemerals[-1].channel == LAUNCH
    assert slack.open_view(ALICE) is None


async def test_where_the_bot_is_not_a_submitted_form_is_answered_in_direct_messages(slack: SlackServer) -> None:
    view_id = await opened(slack, channel=ELSEWHERE)
    assert (await slack.submit(ALICE, view_id, filled())).ok
    taken = await slack.wait_for(lambda: [m for m in slack.messages(DIRECT) if m["text"].startswith("Taken")])

    assert "add 1 person to *Spring Fair*" in taken[0]["text"]


async def test_an_answer_that_does_not_get_through_leaves_the_request_as_it_is(
    slack: SlackServer, log: list[EventDict]
) -> None:
    view_id = await opened(slack)
    before = len(slack.messages(LAUNCH))
    slack.faults.append(Fault("chat.postEphemeral", error="fatal_error"))
    slack.faults.append(Fault("chat.postMessage", contains="Taken", error="fatal_error"))
    assert (await slack.submit(ALICE, view_id, filled())).ok
    await slack.wait_for(lambda: len(slack.messages(LAUNCH)) > before)

    await slack.wait_for(lambda: "taken_not_told" in [entry["event"] for entry in log])
    assert "listener_failed" not in [entry["event"] for entry in log]


async def test_a_form_without_a_usable_number_says_why_at_the_field(slack: SlackServer) -> None:
    view_id = await opened(slack)
    await slack.submit(ALICE, view_id, filled(numbers="bogus \x07& co"))
    assert errors(slack) == {"add_numbers": f"No entry is a number that can be used. “bogus & co”: {why('bogus & co')}"}

    await slack.submit(ALICE, view_id, {"Numbers": ","})
    assert errors(slack) == {"add_numbers": "Type at least one number."}


async def test_a_form_for_a_group_that_is_gone_says_so_at_the_field(slack: SlackServer) -> None:
    view_id = await opened(slack)
    view = slack.open_view(ALICE)
    assert view is not None
    gone = {"text": {"type": "plain_text", "text": "Gone"}, "value": "twochat WAGgone"}
    view.typed["add_group", "group_select"] = {"type": "external_select", "selected_option": gone}
    await slack.submit(ALICE, view_id, {"Numbers": ONE})

    assert errors(slack) == {"add_group": "This group is gone; choose another one."}


async def test_a_form_of_somebody_without_the_right_says_so_without_marks(slack: SlackServer) -> None:
    view_id = await opened(slack, user=READER)
    await slack.submit(READER, view_id, filled())

    (said,) = errors(slack, READER).values()
    assert "needs the capability groups:write" in said
    assert "`" not in said
