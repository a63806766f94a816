"""Every message is posted once, and never nowhere: Slack's answers are lost, its channels closed, on purpose."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.storage.database import Database
from bot.storage.postings import Posting, Postings
from handlers.delivery.poster import Destination, OutgoingFile, Poster
from handlers.views.blocks import Message
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from tests.handlers.samples import REQUEST

LAUNCH, ELSEWHERE, DIRECT = "C0LAUNCH", "C0ELSEWHERE", "D0ALICE"
SAYS = Message("Add 1 person to launch-team", [{"type": "section", "text": {"type": "mrkdwn", "text": "*Add*"}}])
CSV = OutgoingFile("R.csv", "request_id\r\nR\r\n", "The results")
CLOSED = (
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "restricted_action_thread_only_channel",
    "no_permission",
)

Act = Callable[[Poster, Destination], Awaitable[Posting]]


async def a_message(poster: Poster, place: Destination) -> Posting:
    return await poster.post(REQUEST, "parent", SAYS, place)


async def a_file(poster: Poster, place: Destination) -> Posting:
    return await poster.upload(REQUEST, "csv", CSV, place)


METHODS = {"message": (a_message, "chat.postMessage"), "file": (a_file, "files.completeUploadExternal")}


@pytest.fixture(params=METHODS)
def act(request: pytest.FixtureRequest) -> Act:
    return METHODS[request.param][0]


@pytest.fixture(autouse=True)
def _private(slack: SlackServer) -> None:
    """Make the channel that the bot is not in a private one: it can post to public ones from outside."""
    room = slack.workspace.channels[ELSEWHERE]
    room.info = replace(room.info, kind="groups")


@pytest.fixture
def method(act: Act) -> str:
    return next(method for known, method in METHODS.values() if known is act)


@pytest.fixture(params=["channel", "thread"])
async def place(request: pytest.FixtureRequest, client: AsyncWebClient) -> Destination:
    """A channel, or a thread in it, with more than one page of other messages."""
    parent = await client.chat_postMessage(channel=LAUNCH, text="others speak")
    ts = str(parent["ts"]) if request.param == "thread" else ""
    for number in range(3):
        await client.chat_postMessage(channel=LAUNCH, text=f"and again {number}", thread_ts=ts or None)
    return Destination(LAUNCH, ts)


@pytest.fixture
def restart(client: AsyncWebClient, database: Database) -> Callable[[], Poster]:
    """Return the poster of the next process, which knows only what is stored."""
    return lambda: Poster(client, Postings(database))


def bot_messages(slack: SlackServer, channel: str) -> list[dict[str, Any]]:
    return [m for m in slack.messages(channel) if m["text"] in (SAYS.text, CSV.comment)]


async def test_a_message_is_posted_once(slack: SlackServer, poster: Poster, act: Act, place: Destination) -> None:
    first = await act(poster, place)
    assert await act(poster, place) == first

    (message,) = bot_messages(slack, LAUNCH)
    assert message.get("thread_ts", "") == place.thread_ts


@pytest.mark.parametrize("error", ["drop", "", "fatal_error"])
async def test_a_lost_answer_does_not_make_a_second_post(
    slack: SlackServer,
    restart: Callable[[], Poster],
    act: Act,
    method: str,
    place: Destination,
    error: str,
) -> None:
    slack.faults.append(SlackFault(method, error=error, when="after"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client makes of a connection that breaks
        await act(restart(), place)
    again = await act(restart(), place)

    (message,) = bot_messages(slack, LAUNCH)
    assert again.ts in (message["ts"], *(file["id"] for file in message.get("files", ())))
    assert await act(restart(), place) == again


async def test_a_message_that_never_reached_slack_is_posted_by_the_next_process(
    slack: SlackServer, restart: Callable[[], Poster], act: Act, method: str, place: Destination
) -> None:
    slack.faults.append(SlackFault(method, error="drop", when="before"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - as above
        await act(restart(), place)
    assert bot_messages(slack, LAUNCH) == []
    await act(restart(), place)

    assert len(bot_messages(slack, LAUNCH)) == 1


async def test_a_message_is_found_among_many_others(
    slack: SlackServer, restart: Callable[[], Poster], act: Act, method: str, place: Destination
) -> None:
    others = {"user": "U02BOB", "text": "busy", **({"thread_ts": place.thread_ts} if place.thread_ts else {})}
    for _ in range(250):
        slack.workspace.post(LAUNCH, others)
    slack.faults.append(SlackFault(method, error="drop", when="after"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - as above
        await act(restart(), place)
    for _ in range(250):
        slack.workspace.post(LAUNCH, others)
    await act(restart(), place)

    assert len(bot_messages(slack, LAUNCH)) == 1


async def test_another_requests_message_is_not_taken_for_ours(
    slack: SlackServer, restart: Callable[[], Poster], poster: Poster
) -> None:
    await poster.post(REQUEST, "summary", SAYS, Destination(LAUNCH))
    slack.faults.append(SlackFault("chat.postMessage", error="drop"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - as above
        await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))
    await restart().post(REQUEST, "parent", SAYS, Destination(LAUNCH))

    assert len(bot_messages(slack, LAUNCH)) == 2


@pytest.mark.parametrize("error", CLOSED)
async def test_a_closed_channel_ends_in_the_requesters_direct_messages(
    slack: SlackServer, poster: Poster, act: Act, method: str, error: str
) -> None:
    slack.faults.append(SlackFault(method, contains=LAUNCH, error=error, times=-1))
    posting = await act(poster, Destination(LAUNCH))

    (message,) = bot_messages(slack, DIRECT)
    assert posting.channel == DIRECT
    assert "thread_ts" not in message
    assert await act(poster, Destination(LAUNCH)) == posting
    assert len(bot_messages(slack, DIRECT)) == 1


@pytest.mark.parametrize("channel", ["C0UNKNOWN", ELSEWHERE])
async def test_a_channel_that_the_bot_is_not_in_ends_in_direct_messages_too(
    slack: SlackServer, poster: Poster, act: Act, channel: str
) -> None:
    await act(poster, Destination(channel))

    assert len(bot_messages(slack, DIRECT)) == 1


async def test_a_file_for_a_public_channel_that_the_bot_has_not_joined_goes_to_the_requester(
    slack: SlackServer, poster: Poster
) -> None:
    room = slack.workspace.channels[ELSEWHERE]
    room.info = replace(room.info, kind="channels")
    parent = await poster.post(REQUEST, "parent", SAYS, Destination(ELSEWHERE))
    await poster.upload(REQUEST, "csv", CSV, Destination(ELSEWHERE, parent.ts))

    assert [m["text"] for m in bot_messages(slack, ELSEWHERE)] == [SAYS.text]
    assert [m["text"] for m in bot_messages(slack, DIRECT)] == [CSV.comment]


async def test_a_lost_answer_in_direct_messages_does_not_make_a_second_post_either(
    slack: SlackServer, restart: Callable[[], Poster], act: Act, method: str
) -> None:
    slack.faults.append(SlackFault(method, contains=DIRECT, error="drop", when="after"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - as above
        await act(restart(), Destination(ELSEWHERE, "1.000001"))
    await act(restart(), Destination(ELSEWHERE, "1.000001"))

    assert len(bot_messages(slack, DIRECT)) == 1


async def test_the_next_place_is_tried_before_direct_messages(slack: SlackServer, poster: Poster) -> None:
    posting = await poster.post(REQUEST, "approval", SAYS, Destination(ELSEWHERE), Destination(LAUNCH))

    assert posting.channel == LAUNCH
    assert len(bot_messages(slack, LAUNCH)) == 1
    assert bot_messages(slack, DIRECT) == []


async def test_a_lost_answer_in_the_next_place_is_looked_for_there(
    slack: SlackServer, restart: Callable[[], Poster]
) -> None:
    places = (Destination(ELSEWHERE), Destination(LAUNCH))
    slack.faults.append(SlackFault("chat.postMessage", contains=LAUNCH, error="drop", when="after"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - as above
        await restart().post(REQUEST, "approval", SAYS, *places)
    posting = await restart().post(REQUEST, "approval", SAYS, *places)

    assert posting.channel == LAUNCH
    assert len(bot_messages(slack, LAUNCH)) == 1


async def test_an_unreachable_requester_is_no_error(slack: SlackServer, poster: Poster, act: Act) -> None:
    slack.faults.append(SlackFault("conversations.open", error="user_disabled", times=-1))
    posting = await act(poster, Destination(ELSEWHERE))

    assert posting.ts == ""
    assert await poster.find(REQUEST, "parent") is None


async def test_an_error_that_may_pass_is_raised(slack: SlackServer, poster: Poster, act: Act, method: str) -> None:
    slack.faults.append(SlackFault(method, error="internal_error"))
    with pytest.raises(SlackApiError):
        await act(poster, Destination(LAUNCH))
    await act(poster, Destination(LAUNCH))

    assert len(bot_messages(slack, LAUNCH)) == 1


async def test_a_message_over_slacks_rate_waits(slack: SlackServer, poster: Poster, act: Act, method: str) -> None:
    slack.faults.append(SlackFault(method, error="ratelimited", retry_after=1))
    await act(poster, Destination(LAUNCH))

    assert [call.status for call in slack.calls if call.method == method] == [429, 200]
    assert len(bot_messages(slack, LAUNCH)) == 1


async def test_the_file_is_the_file(slack: SlackServer, poster: Poster) -> None:
    await poster.upload(REQUEST, "csv", CSV, Destination(LAUNCH))

    (file,) = slack.files
    assert (file.name, file.content) == (CSV.name, CSV.content.encode())


async def test_an_update_changes_a_message_and_keeps_its_name(slack: SlackServer, poster: Poster) -> None:
    posting = await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))
    await poster.update(posting, Message("Done", [{"type": "section", "text": {"type": "mrkdwn", "text": "Done"}}]))

    (message,) = slack.messages(LAUNCH)
    assert message["text"] == "Done"
    assert message["metadata"]["event_payload"] == {"request": REQUEST.id, "name": "parent"}


async def test_an_update_of_a_deleted_message_does_no_harm(
    slack: SlackServer, client: AsyncWebClient, poster: Poster
) -> None:
    posting = await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))
    await client.chat_delete(channel=LAUNCH, ts=posting.ts)
    await poster.update(posting, SAYS)

    assert slack.messages(LAUNCH) == []


async def test_an_update_whose_blocks_slack_refuses_shows_its_text(slack: SlackServer, poster: Poster) -> None:
    posting = await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))
    slack.faults.append(SlackFault("chat.update", error="invalid_blocks"))
    await poster.update(posting, Message("Done", [{"type": "section", "text": {"type": "mrkdwn", "text": "no"}}]))
    (message,) = slack.messages(LAUNCH)
    assert (message["text"], message["blocks"]) == ("Done", [])


async def test_an_update_that_slack_fails_is_raised(slack: SlackServer, poster: Poster) -> None:
    posting = await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))
    slack.faults.append(SlackFault("chat.update", error="internal_error"))
    with pytest.raises(SlackApiError):
        await poster.update(posting, SAYS)


async def test_an_answer_that_is_not_slacks_is_an_error_and_not_a_closed_channel(
    slack: SlackServer, poster: Poster
) -> None:
    slack.faults.append(SlackFault("chat.postMessage", status=502))
    with pytest.raises(SlackApiError):
        await poster.post(REQUEST, "parent", SAYS, Destination(LAUNCH))

    assert bot_messages(slack, DIRECT) == []
