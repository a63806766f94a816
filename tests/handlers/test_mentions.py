import asyncio
from typing import Any

import pytest

from sandbox.slack import payloads
from sandbox.slack.chat import texts
from sandbox.slack.delivery import Delivery
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message
from tests.app import app_slack, module_app
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, DAVE, ELSEWHERE, LATER, click_last_answer, named_messages

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOT = "<@U0ROLLCALL>"
DIRECT = "D0ALICE"


app = module_app(["twochat"], groups={"WAGone": "Spring Fair"}, operators=())
slack = app_slack


async def mention(slack: SlackServer, text: str, *, user: str = ALICE, thread: str = "") -> Message:
    """Write a message into the channel, and wait for the answer that only its writer sees."""
    before = len(slack.ephemerals(user))
    await slack.say(user, CHANNEL, text, thread)
    await slack.wait_for(lambda: len(slack.ephemerals(user)) > before)
    return slack.ephemerals(user)[before]


def events(slack: SlackServer) -> list[Delivery]:
    return [delivery for delivery in slack.deliveries if delivery.kind == "events_api"]


async def test_a_mention_in_a_thread_links_to_its_request(slack: SlackServer) -> None:
    above = await slack.say(BOB, CHANNEL, "Who joins?")
    count = len(named_messages(slack, "parent"))

    answer = await mention(
        slack,
        f"{BOT} add twochat-team <tel:+14155550100|+1 415 555 0100> at: {LATER} reason: moved &amp; new",
        thread=above["ts"],
    )

    assert "Scheduled: add 1 person to *twochat-team*" in answer["text"]
    assert answer["thread_ts"] == above["ts"]
    (posted,) = named_messages(slack, "parent")[count:]
    assert (
        f"archives/{CHANNEL}/p{posted['ts'].replace('.', '')}?thread_ts={above['ts']}&cid={CHANNEL}|Open the request"
        in answer["text"]
    )
    assert "moved &amp; new" in posted["text"]
    assert posted["thread_ts"] == above["ts"]


async def test_a_redelivered_event_is_one_request(slack: SlackServer) -> None:
    count = len(named_messages(slack, "parent"))
    answer = await mention(slack, f"{BOT} remove twochat-team +1 415 555 0177 at: {LATER}")
    count_before = len(slack.ephemerals(ALICE))

    for _ in range(2):
        assert (await slack.redeliver(events(slack)[-1])).ok
    await mention(slack, f"{BOT} help")

    assert events(slack)[-2].retry_num == 2
    assert "Scheduled: remove 1 person" in answer["text"]
    assert len(named_messages(slack, "parent")) == count + 1
    assert len(slack.ephemerals(ALICE)) == count_before + 1


async def test_concurrent_deliveries_are_one_request(slack: SlackServer) -> None:
    count, count_before = len(named_messages(slack, "parent")), len(slack.ephemerals(ALICE))
    event = {"type": "app_mention", "user": ALICE, "channel": CHANNEL, "ts": slack.workspace.new_ts()}
    words = {"text": f"{BOT} add twochat-team +1 415 555 0176 at: {LATER}"}
    payload = payloads.event(slack.workspace, event | words)

    first = slack.deliverer.deliver("events_api", payload)
    again = slack.deliverer.deliver("events_api", payload, retry_num=1, retry_reason="http_timeout")
    deliveries = await asyncio.gather(first, again)
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > count_before)

    assert [delivery.ack and delivery.ack.ok for delivery in deliveries] == [True, True]
    assert len(named_messages(slack, "parent")) == count + 1
    assert len(slack.ephemerals(ALICE)) == count_before + 1


async def test_the_same_message_as_another_event_is_the_same_request(slack: SlackServer) -> None:
    await mention(slack, f"{BOT} add twochat-team +1 415 555 0178 at: {LATER}")
    count, count_before = len(named_messages(slack, "parent")), len(slack.ephemerals(ALICE))

    await slack.event(dict(events(slack)[-1].payload["event"]) | {"edited": {"user": ALICE, "ts": "1.0"}})
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > count_before)

    assert "this message was already submitted as request" in slack.ephemerals(ALICE)[-1]["text"]
    assert len(named_messages(slack, "parent")) == count


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
async def test_a_mention_is_parsed_as_a_command(slack: SlackServer, words: str, answer: str) -> None:
    count = len(named_messages(slack, "parent"))

    assert answer in (await mention(slack, BOT + words))["text"]
    assert len(named_messages(slack, "parent")) == count


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
async def test_formatting_around_a_mentioned_command_is_ignored(slack: SlackServer, words: str) -> None:
    answer = await mention(slack, f"{words} <tel:+14155550163|+1 415 555 0163> at: {LATER}")

    assert "Scheduled: add 1 person" in answer["text"]


@pytest.mark.parametrize("mark", ["`", "```", "*"])
async def test_a_command_that_was_pasted_as_the_help_shows_it_is_carried_out(slack: SlackServer, mark: str) -> None:
    command = f"add twochat-team +1 415 555 0164 at: {LATER}"

    assert "Scheduled: add 1 person" in (await mention(slack, f"{BOT} {mark}{command}{mark}"))["text"]
    assert "Scheduled: add 1 person" in (await mention(slack, f"{mark}{BOT} {command}{mark}"))["text"]


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
    count = len(named_messages(slack, "parent"))

    answer = await mention(slack, f"{BOT} {words}")
    await mention(slack, f"{BOT} help")

    assert "one message takes one command. Write each command" in answer["text"]
    assert len(named_messages(slack, "parent")) == count


@pytest.mark.parametrize("rest", [" twochat-team +1 415 555 0165 at: " + LATER, " twochat-team", ""])
async def test_a_file_that_is_not_read_is_not_passed_over_in_silence(slack: SlackServer, rest: str) -> None:
    before = len(slack.ephemerals(ALICE))
    await slack.say(ALICE, CHANNEL, f"{BOT} add{rest}", files=[("a.csv", b"Phone\n+14155550166\n")])
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > before)

    answer = slack.ephemerals(ALICE)[before]
    assert "The file in this message wasn't read. Choose *Add numbers to a group*" in answer["text"]
    assert "The file in this message wasn't read" in "\n".join(texts(answer.get("blocks") or [])) or rest


async def test_a_mention_asks_before_it_sends_a_text(slack: SlackServer) -> None:
    count = len(named_messages(slack, "parent"))
    question = await mention(slack, f"{BOT} send twochat-team Hello")

    assert "Send a message to twochat-team?" in question["text"]
    assert len(named_messages(slack, "parent")) == count
    assert "Sending a message to *twochat-team*" in await click_last_answer(slack, "Send")


async def test_an_edited_mention_changes_nothing(slack: SlackServer) -> None:
    await mention(slack, f"{BOT} add twochat-team +1 415 555 0167 at: {LATER}")
    count, count_before = len(named_messages(slack, "parent")), len(slack.ephemerals(ALICE))
    event = dict(events(slack)[-1].payload["event"])

    await slack.event(event | {"text": f"{BOT} add twochat-team +1 415 555 0168", "edited": {"user": ALICE, "ts": "1"}})
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > count_before)

    answer = slack.ephemerals(ALICE)[-1]["text"]
    assert "editing it doesn't change the request. Send a new message" in answer
    assert "|Open the request>" in answer
    assert len(named_messages(slack, "parent")) == count


async def test_an_unreadable_mention_runs_after_an_edit(slack: SlackServer) -> None:
    await mention(slack, f"{BOT} add twochat-taem +1 415 555 0169 at: {LATER}")
    count_before, event = len(slack.ephemerals(ALICE)), dict(events(slack)[-1].payload["event"])

    edited = {"text": f"{BOT} add twochat-team +1 415 555 0169 at: {LATER}", "edited": {"user": ALICE, "ts": "1"}}
    await slack.event(event | edited)
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > count_before)

    assert "Scheduled: add 1 person" in slack.ephemerals(ALICE)[-1]["text"]


async def test_a_mention_inside_a_sentence_does_nothing(slack: SlackServer) -> None:
    count = len(named_messages(slack, "parent"))

    answer = await mention(slack, f"I asked {BOT} add twochat-team +1 415 555 0100")

    assert "doesn't begin with the mention. Mention me" in answer["text"]
    assert len(named_messages(slack, "parent")) == count


@pytest.mark.parametrize(("user", "reason"), [(CAROL, "You don't have access yet"), (DAVE, "your roles don't have")])
async def test_a_mention_without_permission_is_refused(slack: SlackServer, user: str, reason: str) -> None:
    answer = await mention(slack, f"{BOT} add twochat-team +1 415 555 0100", user=user)

    assert reason in answer["text"]


async def test_an_answer_offers_to_open_the_form(slack: SlackServer) -> None:
    answer = await mention(slack, f"{BOT} add")

    assert (await slack.click(ALICE, CHANNEL, answer["ts"], "Open the form")).ok

    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    assert view.body["title"]["text"] == "Add to a group"


async def test_direct_messages_need_no_mention(slack: SlackServer) -> None:
    await slack.say(ALICE, DIRECT, f"add twochat-team +1 415 555 0179 at: {LATER}")

    answer = await slack.wait_for(lambda: next((m for m in slack.messages(DIRECT) if "Scheduled: " in m["text"]), None))
    assert "Open the request" in answer["text"]
    assert len(named_messages(slack, "parent", DIRECT)) == 1


async def test_an_edit_in_direct_messages_counts_if_nothing_was_submitted(slack: SlackServer) -> None:
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
    await slack.wait_for(lambda: said("editing it doesn't change the request"))
    assert len(slack.messages(DIRECT)) == count + 1


async def test_outside_its_channels_the_bot_answers_directly(slack: SlackServer) -> None:
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
    event = {"type": "message", "channel_type": "im", "channel": "D0DAVE", "user": DAVE, "text": "help", "ts": "9.1"}
    before = len(slack.messages("D0DAVE"))

    assert (await slack.event({k: v for k, v in (event | changed).items() if v is not None})).ok
    await slack.say(DAVE, "D0DAVE", "help")
    await slack.wait_for(lambda: len(slack.messages("D0DAVE")) > before + 1)

    assert len(slack.messages("D0DAVE")) == before + 2
