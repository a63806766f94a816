import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox.slack import payloads
from sandbox.slack.chat import texts
from sandbox.slack.delivery import Delivery
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message
from tests.handlers.commanding import ALICE, BOB, ELSEWHERE, LATER, LAUNCH, NOBODY, READER, commanding

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOT = "<@U0ROLLCALL>"
DIRECT = "D0ALICE"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackServer]:
    async with commanding(tmp_path_factory.mktemp("mentions"), ["twochat"], {"WAGone": "Spring Fair"}) as played:
        yield played.slack


async def heard(slack: SlackServer, text: str, *, user: str = ALICE, thread: str = "") -> Message:
    """Write a message into the channel, and wait for the answer that only its writer sees."""
    before = len(slack.ephemerals(user))
    await slack.say(user, LAUNCH, text, thread)
    await slack.wait_for(lambda: len(slack.ephemerals(user)) > before)
    return slack.ephemerals(user)[before]


def parents(slack: SlackServer, channel: str = LAUNCH) -> list[Message]:
    named = [m for m in slack.messages(channel) if "metadata" in m]
    return [m for m in named if m["metadata"]["event_payload"]["name"] == "parent"]


def events(slack: SlackServer) -> list[Delivery]:
    return [delivery for delivery in slack.deliveries if delivery.kind == "events_api"]


async def test_people_are_added_from_a_thread_and_the_answer_leads_to_the_request(slack: SlackServer) -> None:
    above = await slack.say(BOB, LAUNCH, "Who joins?")
    count = len(parents(slack))

    answer = await heard(
        slack,
        f"{BOT} add twochat-team <tel:+14155550100|+1 415 555 0100> at: {LATER} reason: asked &amp; told",
        thread=above["ts"],
    )

    assert "Scheduled: add 1 person to *twochat-team*" in answer["text"]
    assert answer["thread_ts"] == above["ts"]
    (posted,) = parents(slack)[count:]
    assert f"archives/{LAUNCH}/p{posted['ts'].replace('.', '')}|The request" in answer["text"]
    assert "asked &amp; told" in posted["text"]
    assert "thread_ts" not in posted or posted["thread_ts"] == posted["ts"]


async def test_an_event_that_slack_delivers_again_is_one_request_and_one_answer(slack: SlackServer) -> None:
    count = len(parents(slack))
    answer = await heard(slack, f"{BOT} remove twochat-team +1 415 555 0177 at: {LATER}")
    told = len(slack.ephemerals(ALICE))

    for _ in range(2):
        assert (await slack.redeliver(events(slack)[-1])).ok
    await heard(slack, f"{BOT} help")

    assert events(slack)[-2].retry_num == 2
    assert "Scheduled: remove 1 person" in answer["text"]
    assert len(parents(slack)) == count + 1
    assert len(slack.ephemerals(ALICE)) == told + 1


async def test_a_delivery_that_overtakes_the_first_one_waits_for_it(slack: SlackServer) -> None:
    count, told = len(parents(slack)), len(slack.ephemerals(ALICE))
    event = {"type": "app_mention", "user": ALICE, "channel": LAUNCH, "ts": slack.workspace.new_ts()}
    words = {"text": f"{BOT} add twochat-team +1 415 555 0176 at: {LATER}"}
    payload = payloads.event(slack.workspace, event | words)

    first = slack.deliverer.deliver("events_api", payload)
    again = slack.deliverer.deliver("events_api", payload, retry_num=1, retry_reason="http_timeout")
    deliveries = await asyncio.gather(first, again)
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > told)

    assert [delivery.ack and delivery.ack.ok for delivery in deliveries] == [True, True]
    assert len(parents(slack)) == count + 1
    assert len(slack.ephemerals(ALICE)) == told + 1


async def test_the_same_message_as_another_event_is_the_same_request(slack: SlackServer) -> None:
    await heard(slack, f"{BOT} add twochat-team +1 415 555 0178 at: {LATER}")
    count, told = len(parents(slack)), len(slack.ephemerals(ALICE))

    await slack.event(dict(events(slack)[-1].payload["event"]) | {"edited": {"user": ALICE, "ts": "1.0"}})
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > told)

    assert "This request was taken already" in slack.ephemerals(ALICE)[-1]["text"]
    assert len(parents(slack)) == count


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", "Mention me with a command"),
        (" help", "`/wa-add`  Add people"),
        (" help send", "*/wa-send*: Send a text"),
        (" ad twochat-team +14155550100", "Did you mean `/wa-add`?"),
        (" add", "Usage: `/wa-add &lt;group&gt;"),
        (" add twochat-team", "The numbers are missing."),
        (" groups spring", "*Spring Fair*"),
        (" group Spring Fair", "*Spring Fair*"),
    ],
)
async def test_what_follows_the_mention_is_read_as_a_command(slack: SlackServer, words: str, answer: str) -> None:
    count = len(parents(slack))

    assert answer in (await heard(slack, BOT + words))["text"]
    assert len(parents(slack)) == count


@pytest.mark.parametrize(
    "words",
    [
        f"{BOT} {BOT} add twochat-team",
        f"*{BOT}* *add* twochat-team",
        f"{BOT}\u200b: add: twochat-team",
        f"{BOT}\xa0\u200badd\xa0“twochat-team”",
        f"{BOT} add twochat-team <@U0ROLLCALL2>",
    ],
)
async def test_a_command_is_found_whatever_stands_around_it(slack: SlackServer, words: str) -> None:
    answer = await heard(slack, f"{words} <tel:+14155550163|+1 415 555 0163> at: {LATER}")

    assert "Scheduled: add 1 person" in answer["text"]


@pytest.mark.parametrize("mark", ["`", "```", "*"])
async def test_a_command_that_was_pasted_as_the_help_shows_it_is_carried_out(slack: SlackServer, mark: str) -> None:
    command = f"add twochat-team +1 415 555 0164 at: {LATER}"

    assert "Scheduled: add 1 person" in (await heard(slack, f"{BOT} {mark}{command}{mark}"))["text"]
    assert "Scheduled: add 1 person" in (await heard(slack, f"{mark}{BOT} {command}{mark}"))["text"]


@pytest.mark.parametrize(
    "words",
    [
        f"add twochat-team +1 415 555 0161\n{BOT} remove twochat-team +1 415 555 0162",
        f"add twochat-team +1 415 555 0161 {BOT}",
    ],
)
async def test_two_commands_in_one_message_are_refused_before_one_is_taken_for_the_others_people(
    slack: SlackServer, words: str
) -> None:
    count = len(parents(slack))

    answer = await heard(slack, f"{BOT} {words}")
    await heard(slack, f"{BOT} help")

    assert "one message takes one command. Nothing was done" in answer["text"]
    assert len(parents(slack)) == count


@pytest.mark.parametrize("rest", [" twochat-team +1 415 555 0165 at: " + LATER, " twochat-team", ""])
async def test_a_file_that_is_not_read_is_not_passed_over_in_silence(slack: SlackServer, rest: str) -> None:
    before = len(slack.ephemerals(ALICE))
    await slack.say(ALICE, LAUNCH, f"{BOT} add{rest}", files=[("a.csv", b"Phone\n+14155550166\n")])
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > before)

    answer = slack.ephemerals(ALICE)[before]
    assert "I did not read the file of this message: *Add numbers to a group*" in answer["text"]
    assert "I did not read the file" in "\n".join(texts(answer.get("blocks") or [])) or rest


async def test_an_edit_is_told_that_it_changes_nothing(slack: SlackServer) -> None:
    await heard(slack, f"{BOT} add twochat-team +1 415 555 0167 at: {LATER}")
    count, told = len(parents(slack)), len(slack.ephemerals(ALICE))
    event = dict(events(slack)[-1].payload["event"])

    await slack.event(event | {"text": f"{BOT} add twochat-team +1 415 555 0168", "edited": {"user": ALICE, "ts": "1"}})
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > told)

    answer = slack.ephemerals(ALICE)[-1]["text"]
    assert "editing its message changes nothing. Write a new message" in answer
    assert "|The request, with its answers>" in answer
    assert len(parents(slack)) == count


async def test_a_command_that_could_not_be_read_is_carried_out_once_it_is_edited(slack: SlackServer) -> None:
    await heard(slack, f"{BOT} add twochat-taem +1 415 555 0169 at: {LATER}")
    told, event = len(slack.ephemerals(ALICE)), dict(events(slack)[-1].payload["event"])

    edited = {"text": f"{BOT} add twochat-team +1 415 555 0169 at: {LATER}", "edited": {"user": ALICE, "ts": "1"}}
    await slack.event(event | edited)
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > told)

    assert "Scheduled: add 1 person" in slack.ephemerals(ALICE)[-1]["text"]


async def test_words_about_the_bot_are_told_how_to_speak_to_it_and_do_nothing(slack: SlackServer) -> None:
    count = len(parents(slack))

    answer = await heard(slack, f"I asked {BOT} add twochat-team +1 415 555 0100")

    assert "does not begin with that, so I did nothing. Mention me" in answer["text"]
    assert len(parents(slack)) == count


@pytest.mark.parametrize(("user", "reason"), [(NOBODY, "You have no role"), (READER, "your roles do not have")])
async def test_a_person_without_the_right_is_told_why(slack: SlackServer, user: str, reason: str) -> None:
    answer = await heard(slack, f"{BOT} add twochat-team +1 415 555 0100", user=user)

    assert reason in answer["text"]


async def test_where_a_form_is_needed_the_answer_has_a_button_that_opens_it(slack: SlackServer) -> None:
    answer = await heard(slack, f"{BOT} add")

    assert (await slack.click(ALICE, LAUNCH, answer["ts"], "Open the form")).ok

    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    assert view.body["title"]["text"] == "Add to a group"


async def test_in_direct_messages_no_mention_is_needed_and_the_answer_stays(slack: SlackServer) -> None:
    await slack.say(ALICE, DIRECT, f"add twochat-team +1 415 555 0179 at: {LATER}")

    answer = await slack.wait_for(lambda: next((m for m in slack.messages(DIRECT) if "Scheduled: " in m["text"]), None))
    assert "The request, with its answers" in answer["text"]
    assert len(parents(slack, DIRECT)) == 1


async def test_an_edit_in_direct_messages_is_read_where_nothing_was_taken_before(slack: SlackServer) -> None:
    wrong, right = (f"add {group} +1 415 555 0160 at: {LATER}" for group in ("twochat-taem", "twochat-team"))
    message = await slack.say(ALICE, DIRECT, wrong)
    now = {"type": "message", "user": ALICE, "ts": message["ts"], "edited": {"user": ALICE, "ts": "1"}}
    event = {"type": "message", "subtype": "message_changed", "channel": DIRECT, "channel_type": "im", "ts": "2.1"}

    async def edited(before: str, after: str) -> None:
        await slack.event(event | {"message": now | {"text": after}, "previous_message": now | {"text": before}})

    def said(words: str) -> int:
        return sum(words in m["text"] for m in slack.messages(DIRECT))

    taken = said("Scheduled: add 1 person")
    await slack.wait_for(lambda: said("There's no group called “twochat-taem”"))
    await edited(wrong, right)
    await slack.wait_for(lambda: said("Scheduled: add 1 person") > taken)
    count = len(slack.messages(DIRECT))
    await edited(right, right)  # a preview of a link was added
    await edited(right, right.replace("0160", "0159"))
    await slack.wait_for(lambda: said("editing its message changes nothing"))
    assert len(slack.messages(DIRECT)) == count + 1


async def test_where_the_bot_is_no_member_the_answer_comes_directly(slack: SlackServer) -> None:
    await slack.say(BOB, ELSEWHERE, f"{BOT} help")

    await slack.wait_for(lambda: any("Mention me" in m["text"] for m in slack.messages("D0BOB")))


@pytest.mark.parametrize(
    "changed",
    [
        {"bot_id": "B0OTHER"},
        {"bot_id": "B0ROLLCALL", "user": "U0ROLLCALL"},
        {"user": "U0ROLLCALL"},
        {"user": None},
        {"subtype": "message_changed"},
        {"subtype": "bot_message"},
        {"type": "app_mention"},
    ],
)
async def test_bots_and_changes_of_messages_are_never_answered(slack: SlackServer, changed: dict[str, Any]) -> None:
    event = {"type": "message", "channel_type": "im", "channel": "D0DAVE", "user": READER, "text": "help", "ts": "9.1"}
    before = len(slack.messages("D0DAVE"))

    assert (await slack.event({k: v for k, v in (event | changed).items() if v is not None})).ok
    await slack.say(READER, "D0DAVE", "help")
    await slack.wait_for(lambda: len(slack.messages("D0DAVE")) > before + 1)

    assert len(slack.messages("D0DAVE")) == before + 2
