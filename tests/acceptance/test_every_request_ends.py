"""Whatever Slack refuses or answers wrongly, a request ends, and its thread points to nothing that doesn't exist."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.domain.requests import RequestState
from bot.storage.request_queries import RequestQueries
from sandbox.providers.world import Disposition
from sandbox.slack.errors import SlackFault
from sandbox.slack.workspace import Message
from tests.app import RunningApp
from tests.bot.storage.processes import until
from tests.slack_ui import ALICE, CHANNEL, PRIVATE, click_last_answer, labels_of, named_messages

DIRECT = "D0ALICE"
MANY = ", ".join(f"+1415555{n}" for n in range(1000, 1025))
TWO = "+14155550201, +14155550202"


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


async def named(app: RunningApp, name: str, channel: str = CHANNEL) -> Message:
    """Wait for the bot's message with this name."""
    return await app.slack.wait_for(lambda: next(iter(named_messages(app.slack, name, channel)), None))


async def done(app: RunningApp) -> None:
    """Wait until the one request is done, also if no message says so."""
    queries = RequestQueries(app.database)
    await until(partial(queries.newest, states=(RequestState.DONE,)))


def given_up(log: list[EventDict]) -> list[str]:
    """Return the references of the steps that were given up."""
    return [str(entry["reference"]) for entry in log if entry["event"] == "step_given_up"]


def fault(app: RunningApp, method: str, error: str = "", **more: Any) -> None:
    app.slack.faults.append(SlackFault(method, error=error, times=-1, **more))


async def test_half_an_emoji_in_a_text_is_sent_as_a_replacement_character(app: RunningApp) -> None:
    await app.slack.say(ALICE, CHANNEL, "<@U0ROLLCALL> send wasend-team See you at nine \ud83d")
    await app.slack.wait_for(lambda: app.slack.ephemerals(ALICE))
    assert "Sending a message" in await click_last_answer(app.slack, "Send")
    summary = await named(app, "summary")

    assert "1 of 1" in summary["text"]
    sent = [call.body for call in app.provider().calls if call.method == "POST" and "nine" in str(call.body)]
    assert "See you at nine \ufffd" in str(sent)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("files.getUploadURLExternal", "missing_scope"),
        ("files.getUploadURLExternal", "unknown_method"),
        ("files.completeUploadExternal", "file_uploads_disabled"),
        ("files.completeUploadExternal", "storage_limit_reached"),
    ],
)
async def test_a_refused_file_leaves_a_summary_that_says_so(
    app: RunningApp, log: list[EventDict], method: str, error: str
) -> None:
    fault(app, method, error)
    await app.add(f"wasend-team {MANY}", channel=PRIVATE)
    thread = await app.finished(channel=PRIVATE)

    summary = await named(app, "summary", PRIVATE)
    assert "25 of 25 added" in summary["text"]
    assert "The file with the results couldn't be uploaded. Press Export CSV to get it." in summary["text"]
    assert "Export CSV" in labels_of(summary)
    assert app.slack.files == []
    assert "attached" not in str(thread)
    assert given_up(log) == []


async def test_an_upload_that_names_no_file_ends_with_a_message_and_a_reference(
    app: RunningApp, log: list[EventDict]
) -> None:
    fault(app, "files.completeUploadExternal", body='{"ok": true, "files": []}')
    await app.add(f"wasend-team {MANY}", channel=PRIVATE)
    await app.finished(channel=PRIVATE)

    failed = await named(app, "failed-csv", PRIVATE)
    (reference,) = given_up(log)
    assert "Rollcall couldn't upload the file with the results" in failed["text"]
    assert reference in failed["text"]
    assert "Press Export CSV to get it." in (await named(app, "summary", PRIVATE))["text"]


@pytest.mark.parametrize(
    "body", ['{"ok": true}', '{"ok": true, "channel": []}', '{"ok": true, "channel": "C0LAUNCH"}', "[]"]
)
async def test_a_malformed_channel_counts_as_public(app: RunningApp, log: list[EventDict], body: str) -> None:
    fault(app, "conversations.info", body=body)
    app.world().put_person("14155550201", Disposition.NO_ACCOUNT)
    await app.add(f"wasend-team {TWO}", channel=PRIVATE)
    thread = await app.finished(channel=PRIVATE)

    assert "+1 415 ••• 0201  ❓ not on WhatsApp" in str(thread)
    assert given_up(log) == []


async def test_an_answer_without_ts_is_found_in_the_channel(app: RunningApp) -> None:
    fault(app, "chat.postMessage", body='{"ok": true, "channel": "C0LAUNCH"}', when="after")
    await app.add(f"wasend-team {TWO}")
    thread = await app.finished()

    assert [m["metadata"]["event_payload"]["name"] for m in thread] == ["parent", "summary"]


async def test_answers_without_ts_that_cannot_be_found_end_the_request(app: RunningApp, log: list[EventDict]) -> None:
    fault(app, "chat.postMessage", body='{"ok": true}')
    await app.add(f"wasend-team {TWO}")
    await done(app)

    assert len(app.members()) == 2
    assert given_up(log)


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "invalid_blocks_format", "some_new_error"])
async def test_refused_blocks_are_posted_as_text(app: RunningApp, error: str) -> None:
    fault(app, "chat.postMessage", error, contains='"blocks"')
    fault(app, "chat.update", error, contains='"blocks": "[{')
    await app.add(f"wasend-team {TWO}")
    await app.finished()

    assert "2 of 2 added" in (await named(app, "summary"))["text"]


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "is_archived", "access_denied"])
async def test_a_channel_that_refuses_everything_is_answered_in_direct_messages(app: RunningApp, error: str) -> None:
    fault(app, "chat.postMessage", error, contains=CHANNEL)
    await app.add(f"wasend-team {TWO}")

    assert "2 of 2 added" in (await named(app, "summary", DIRECT))["text"]


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "token_revoked", "unknown_method"])
async def test_a_bot_that_may_post_nothing_still_does_the_work(app: RunningApp, error: str) -> None:
    for method in ("chat.postMessage", "chat.update", "conversations.open"):
        fault(app, method, error)
    await app.add(f"wasend-team {TWO}")
    await done(app)

    assert len(app.members()) == 2


@pytest.mark.parametrize(
    "error",
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "team_added_to_org"],
)
async def test_slacks_passing_errors_are_retried(app: RunningApp, error: str) -> None:
    for method in ("chat.postMessage", "chat.update", "files.getUploadURLExternal"):
        app.slack.faults.append(SlackFault(method, error=error, times=2, skip=1))
    await app.add(f"wasend-team {MANY}", channel=PRIVATE)
    await app.finished(channel=PRIVATE)

    assert "25 of 25 added" in (await named(app, "summary", PRIVATE))["text"]
    assert len(app.slack.files) == 1
