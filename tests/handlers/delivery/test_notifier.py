"""The thread of a request, through the poster into a simulated Slack."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Capability, Role
from bot.domain.approvals import Choice
from bot.domain.groups import GroupCatalog
from bot.domain.outcomes import Tally
from bot.domain.requests import RequestItem, RequestState
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.stores import Stores
from bot.storage.votes import Votes
from handlers.clients import SlackClients
from handlers.delivery.approvers import ApproverNotifier
from handlers.delivery.notifier import NotifierOptions, RequestEvents, SlackNotifier
from handlers.delivery.permalinks import Permalinks
from handlers.delivery.poster import Poster
from providers.base import Action
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message, UserGroup
from tests.handlers.samples import RULE, changed, mix
from tests.slack_ui import labels_of

LAUNCH, ELSEWHERE, APPROVALS, DIRECT = "C0LAUNCH", "C0ELSEWHERE", "C0APPROVALS", "D0ALICE"
PRIVATE = "C0PRIVATE"
OPERATORS = "S0OPERATORS"  # Alice and Carol
LEAD = Role("lead", frozenset({"U02BOB", "U0GONE", OPERATORS}), frozenset({Capability.APPROVE}))
ADMIN = Role("owner", frozenset({"U04DAVE"}), frozenset({Capability.ADMIN}))
WAITING = changed(state=RequestState.WAITING, rule=RULE)


@pytest.fixture
def thread(poster: Poster, database: Database, client: AsyncWebClient) -> SlackNotifier:
    return notifier_for(poster, database, client)


def notifier_for(
    poster: Poster,
    database: Database,
    client: AsyncWebClient,
    approvals_channel: str = "",
    *,
    shorten_numbers: bool = True,
) -> SlackNotifier:
    stores = Stores.of(database, [LEAD])
    slack = SlackClients.of(client, [LEAD], shorten_numbers=shorten_numbers)
    approvers = ApproverNotifier(poster, stores.votes, slack.user_groups, slack.channels)
    options = NotifierOptions({"support": frozenset(Action)}, {"support": "Wasend"}, GroupCatalog(), approvals_channel)
    return SlackNotifier(
        poster, stores, approvers, Permalinks(client, stores.postings), RequestEvents(), options=options
    )


async def notify_all(thread: SlackNotifier, people: Sequence[RequestItem], channel: str = LAUNCH) -> None:
    """Speak as the workflow does for a request that needs no approval, every word twice, as after a crash."""
    done = changed(state=RequestState.DONE, channel=channel)
    tally = Tally.of(p.outcome for p in people)
    for _ in range(2):
        await thread.open(changed(channel=channel), Tally.of([None] * len(people)))
        if tally.total:
            await thread.post_results(done, people)
            await thread.finish(done, people)


def replies(slack: SlackServer, channel: str = LAUNCH) -> list[Message]:
    """Return the replies of the channel's one thread."""
    parent, *others = slack.thread(channel, slack.messages(channel)[0]["ts"])
    assert [parent, *others] == slack.messages(channel)
    return others


async def test_a_small_request_makes_two_messages(slack: SlackServer, thread: SlackNotifier) -> None:
    await notify_all(thread, mix(4))

    (reply,) = replies(slack)
    assert "4 of 4 are in the group" in reply["text"]
    assert "✅ Done: 4 of 4 are in the group." in slack.messages(LAUNCH)[0]["text"]
    assert slack.files == []


async def test_a_large_request_in_private_makes_three_messages(slack: SlackServer, thread: SlackNotifier) -> None:
    await notify_all(thread, mix(101), PRIVATE)

    reply, file = replies(slack, PRIVATE)
    assert [f["name"] for f in file["files"]] == ["RABCDEFGHIJKLMNOP.csv"]
    assert "of 101 are in the group" in reply["text"]
    (upload,) = slack.files
    assert upload.content is not None
    assert upload.content.count(b"\r\n") == 102


async def test_a_public_channel_gets_no_file_with_full_numbers(slack: SlackServer, thread: SlackNotifier) -> None:
    await notify_all(thread, mix(21))

    assert slack.files == []
    assert [bool(m.get("files")) for m in replies(slack)] == [False]
    assert "Export CSV" in labels_of(replies(slack)[-1])
    assert "in this thread" not in str(replies(slack))


async def test_direct_messages_have_one_thread(slack: SlackServer, thread: SlackNotifier) -> None:
    await notify_all(thread, mix(21), channel="C0GONE")

    assert [bool(m.get("files")) for m in replies(slack, DIRECT)] == [False, True]


async def test_in_a_public_channel_not_joined_only_the_file_goes_to_direct_messages(
    slack: SlackServer, poster: Poster, database: Database, client: AsyncWebClient
) -> None:
    full = notifier_for(poster, database, client, shorten_numbers=False)
    await notify_all(full, mix(21), channel=ELSEWHERE)

    assert len(replies(slack, ELSEWHERE)) == 1
    (file,) = slack.messages(DIRECT)
    assert "RABCDEFGHIJKLMNOP" in file["text"]


async def test_a_question_goes_to_the_channel_for_approvals(
    slack: SlackServer, poster: Poster, database: Database, client: AsyncWebClient
) -> None:
    thread = notifier_for(poster, database, client, APPROVALS)
    await thread.open(WAITING, Tally.of([None]))
    await thread.show_approval(WAITING, Tally.of([None]))
    await thread.show_approval(changed(state=RequestState.DENIED, rule=RULE), Tally.of([None]))
    await thread.close(changed(state=RequestState.DENIED, rule=RULE), Tally.of([None]))

    (card,) = slack.messages(APPROVALS)
    (ending,) = replies(slack)
    assert "Denied" in card["text"]
    assert f"/archives/{LAUNCH}/p" in card["text"]
    assert f"|Request> `{WAITING.id}` in <#{LAUNCH}>" in card["text"]
    assert not any(block["type"] == "actions" for block in card["blocks"])
    assert "Nothing was sent" in ending["text"]


async def test_an_override_is_announced_in_the_thread_and_below_the_card(
    slack: SlackServer, poster: Poster, database: Database, client: AsyncWebClient
) -> None:
    thread, journal = notifier_for(poster, database, client, APPROVALS), RequestStore(database)
    await journal.create(changed(id="ROVER", rule=RULE, asked_at=datetime.now(UTC)), [])
    await journal.hold_if_required("ROVER")
    await thread.open(await journal.get("ROVER"), Tally.of([None]))
    await thread.show_approval(await journal.get("ROVER"), Tally.of([None]))
    await Votes(database, [ADMIN]).cast("ROVER", Actor("U04DAVE"), Choice.OVERRIDE, "the approvers are away")
    for _ in range(2):
        await thread.show_approval(await journal.get("ROVER"), Tally.of([None]))

    card, override = slack.messages(APPROVALS)
    assert "Approval overridden" in card["text"]
    assert override["thread_ts"] == card["ts"]
    for message in (override, *replies(slack)):
        assert ">the approvers are away" in message["text"]


@pytest.mark.parametrize("channel", ["", LAUNCH, "C0GONE"])
async def test_without_a_channel_for_approvals_the_thread_has_the_question(
    slack: SlackServer, poster: Poster, database: Database, client: AsyncWebClient, channel: str
) -> None:
    thread = notifier_for(poster, database, client, channel)
    await thread.open(WAITING, Tally.of([None]))
    await thread.show_approval(WAITING, Tally.of([None]))

    (card,) = replies(slack)
    assert any(block["type"] == "actions" for block in card["blocks"])
    assert slack.messages(DIRECT) == []


@pytest.mark.parametrize("channel", [DIRECT, "C0GONE"])
async def test_each_approver_gets_a_card_in_direct_messages(
    slack: SlackServer, poster: Poster, database: Database, client: AsyncWebClient, channel: str
) -> None:
    thread = notifier_for(poster, database, client)
    waiting, denied = (
        changed(state=s, rule=RULE, channel=channel) for s in (RequestState.WAITING, RequestState.DENIED)
    )
    await thread.open(waiting, Tally.of([None]))
    for _ in range(2):
        await thread.show_approval(waiting, Tally.of([None]))
        await thread.remind(waiting, 0)

    for room in ("D0BOB", "D0CAROL"):
        asked, reminder = slack.messages(room)
        assert labels_of(asked) == ["Approve", "Deny", "Details"]
        assert "Home tab" in asked["text"]
        assert "Reminder 1" in reminder["text"]
    _, card = slack.messages(DIRECT)  # who asked is not asked, nor reminded
    assert "Withdraw" in labels_of(card)

    slack.workspace.groups[OPERATORS] = UserGroup(OPERATORS, "operators", "Operators", ("U01ALICE",))
    await notifier_for(poster, database, client).show_approval(denied, Tally.of([None]))
    for room in ("D0BOB", "D0CAROL"):  # also for an approver who has lost the role
        assert "Denied" in slack.messages(room)[0]["text"]
        assert labels_of(slack.messages(room)[0]) == []


@pytest.mark.parametrize(
    ("voter", "mentioned"),
    [("U02BOB", "<!subteam^S0OPERATORS> <@U0GONE> Reminder"), ("U03CAROL", "<@U02BOB> <@U0GONE> Reminder")],
)
@pytest.mark.parametrize("channel", [LAUNCH, DIRECT])
async def test_an_approver_who_voted_is_not_reminded(
    slack: SlackServer, thread: SlackNotifier, database: Database, voter: str, mentioned: str, channel: str
) -> None:
    asked = changed(id="RVOTED", rule=RULE, channel=channel, asked_at=datetime.now(UTC))
    journal, tally = RequestStore(database), Tally.of([None])
    await journal.create(asked, [])
    await journal.hold_if_required(asked.id)
    waiting = await journal.get(asked.id)
    await thread.open(waiting, tally)
    await thread.show_approval(waiting, tally)
    await Votes(database, [LEAD]).cast(asked.id, Actor(voter, frozenset({OPERATORS})), Choice.APPROVE)
    await thread.remind(waiting, 0)
    await thread.close(changed(id=asked.id, rule=RULE, channel=channel, state=RequestState.EXPIRED), tally)

    reminded = [m["text"] for room in (LAUNCH, "D0BOB", "D0CAROL") for m in slack.messages(room)]
    assert sum("Reminder 1" in text for text in reminded) == 1
    if channel == LAUNCH:
        assert any(text.startswith(mentioned) for text in reminded)
    else:
        assert len(slack.messages("D0BOB" if voter == "U02BOB" else "D0CAROL")) == 1
    assert "Expired with 1 of 2 approvals. Nothing was sent" in slack.messages(channel)[-1]["text"]


async def test_a_deleted_parent_does_not_stop_the_rest(
    slack: SlackServer, thread: SlackNotifier, client: AsyncWebClient
) -> None:
    people = mix(2)
    await thread.open(changed(), Tally.of([None] * 2))
    await client.chat_delete(channel=LAUNCH, ts=slack.messages(LAUNCH)[0]["ts"])
    await thread.post_results(changed(state=RequestState.DONE), people)
    await thread.finish(changed(state=RequestState.DONE), people)

    assert slack.messages(LAUNCH) == []
    assert "2 of 2 are in the group" in slack.messages(DIRECT)[-1]["text"]
