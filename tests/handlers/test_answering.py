"""Answers reach the person, and no server but Slack's: when a listener is late, and when a payload is odd."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_bolt.async_app import AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Connection, select, update
from structlog.typing import EventDict

from bot.storage.tables import drafts
from handlers import answering, errors
from handlers.views import answers, submitted_view
from handlers.views.text import without_markup
from sandbox.http import serve
from sandbox.slack import payloads
from sandbox.slack.server import SlackServer
from tests.app import MORE_ROLES, RunningApp, approval_rule, running_app
from tests.handlers.catching import catching
from tests.slack_ui import ALICE, BOB, CHANNEL, ephemeral_texts, modal_text, modal_title, open_modal

APPROVAL = approval_rule("add", min_participants=2)
BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "slow", "text": {"type": "plain_text", "text": "Slow"}}],
    }
]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, rules=MORE_ROLES + APPROVAL) as app:
        yield app


@asynccontextmanager
async def locked(app: RunningApp) -> AsyncIterator[Callable[[], None]]:
    """Lock the database for all writers, and yield what releases it."""
    file = app.folder / "rollcall.db"
    connection = sqlite3.connect(file, isolation_level=None, timeout=30, check_same_thread=False)
    try:
        # In a thread: a writer of the bot, which runs in this event loop, may have to end first.
        await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")
        yield connection.rollback
    finally:
        connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "ACK_WITHIN", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_a_command_is_answered_after_a_database_lock(app: RunningApp) -> None:
    slack = app.slack
    async with locked(app) as release:
        ack = await slack.command(ALICE, CHANNEL, "/wa-add", "wasend-team +1 415 555 0201")
        assert ack.ok
        assert ephemeral_texts(slack, ALICE) == [answers.CHECKING]
        assert "othing was done" not in answers.CHECKING
        release()
        await slack.wait_for(lambda: len(ephemeral_texts(slack, ALICE)) > 1)

    await app.finished()
    assert "14155550201" in app.members()
    _, answer = ephemeral_texts(slack, ALICE)
    assert answer.startswith("Adding 1 person")
    assert "wasend-team" in answer


@pytest.mark.usefixtures("impatient")
async def test_an_approval_is_answered_after_a_database_lock(app: RunningApp) -> None:
    slack = app.slack
    waiting = await app.add_people("14155550202", "14155550203")
    await waiting.labels("approval", "Approve")
    async with locked(app) as release:
        await waiting.click(BOB, "Approve", "approval")
        await slack.wait_for(lambda: ephemeral_texts(slack, BOB))
        assert ephemeral_texts(slack, BOB) == [answers.CHECKING]
        release()
        await slack.wait_for(lambda: len(ephemeral_texts(slack, BOB)) > 1)

    await waiting.done()
    assert {"14155550202", "14155550203"} <= app.members()
    assert ephemeral_texts(slack, BOB) == [answers.CHECKING, answers.APPROVAL_COUNTED]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("closed", [False, True], ids=["form open", "form closed"])
async def test_a_denial_is_answered_after_a_database_lock(app: RunningApp, closed: bool) -> None:
    slack = app.slack
    waiting = await app.add_people("14155550204", "14155550205")
    view = await waiting.open(BOB, "Deny", "approval")
    async with locked(app) as release:
        ack = await slack.submit(BOB, view, {"Reason": "Not now"})
        assert ack.ok
        assert ack.body["errors"] == {submitted_view.REASON_BLOCK: without_markup(answers.CHECKING)}
        if closed:
            await slack.close_view(BOB, view)
        release()
        if closed:
            direct = await slack.wait_for(lambda: slack.messages(f"D0{BOB[3:]}"))
            assert "Your form was submitted" in str(direct[-1]["blocks"])
        else:
            await slack.wait_for(lambda: modal_title(slack, BOB) == "Submitted")

    assert "Denied" in await waiting.text("approval", "enied")
    assert ephemeral_texts(slack, BOB) == []


@pytest.mark.usefixtures("impatient")
async def test_a_preview_is_answered_after_a_database_lock(app: RunningApp) -> None:
    slack = app.slack
    await slack.command(ALICE, CHANNEL, "/wa-add")
    form = open_modal(app.slack, ALICE).body["id"]
    fields = {"Group": "wasend-team · wasend", "Numbers": "+1 415 555 0206"}
    assert (await slack.submit(ALICE, form, fields)).ok
    await slack.wait_for(lambda: modal_title(slack) == "Preview")
    before = ephemeral_texts(slack, ALICE)
    async with locked(app) as release:
        ack = await slack.submit(ALICE, open_modal(slack).body["id"])
        assert ack.ok
        assert answers.CHECKING in str(open_modal(app.slack, ALICE).body["blocks"])
        release()
        await slack.wait_for(lambda: modal_title(slack) == "Submitted")

    await app.finished()
    (answer,) = ephemeral_texts(slack, ALICE)[len(before) :]
    assert answer.startswith("Adding 1 person")


@pytest.mark.usefixtures("impatient")
async def test_a_preview_that_fails_late_says_so_in_place(app: RunningApp) -> None:
    slack = app.slack
    await slack.command(ALICE, CHANNEL, "/wa-add")
    fields = {"Group": "wasend-team · wasend", "Numbers": "+1 415 555 0207"}
    assert (await slack.submit(ALICE, open_modal(slack).body["id"], fields)).ok
    await slack.wait_for(lambda: modal_title(slack) == "Preview")

    def lengthen(connection: Connection) -> None:
        body = json.loads(str(connection.scalar(select(drafts.c.body))))
        body["details"] = json.dumps({**json.loads(body["details"]), "text": "x" * 4_000})
        connection.execute(update(drafts).values(body=json.dumps(body)))

    await app.database.write(lengthen)  # makes the draft one that is refused, which the journal records
    async with locked(app) as release:
        assert (await slack.submit(ALICE, open_modal(slack).body["id"])).ok
        assert modal_title(slack) == "Working on it…"
        release()
        await slack.wait_for(lambda: modal_title(slack) != "Working on it…")

    assert modal_title(slack) == "Not submitted"
    assert "has 4,000 characters" in modal_text(slack)
    assert ephemeral_texts(slack, ALICE) == []


class Slow(Exception):
    """What breaks in a listener that is late already."""


@pytest.fixture
async def slow(slack: SlackServer) -> AsyncIterator[tuple[AsyncApp, asyncio.Event]]:
    """Serve an app whose listeners fail, but not before the event is set."""
    app, go = (
        AsyncApp(
            signing_secret=slack.signing_secret,
            token=slack.bot_token,
            before_authorize=answering.prepare(slack.api_url, lambda _: AsyncRespond(response_url=None)),
            raise_error_for_unhandled_request=True,
        ),
        asyncio.Event(),
    )
    app.client.base_url = slack.api_url

    async def listener() -> None:
        await go.wait()
        raise Slow

    app.command("/wa-add")(listener)
    app.action("slow")(listener)
    answering.register(app)
    errors.register(app)

    @app.middleware
    async def passing(next: Any) -> None:  # noqa: A002 - Bolt's name; the bot has a middleware too, which returns nothing
        await next()

    async with serve(app.server(path="/slack/events").web_app) as url:
        slack.deliverer.request_url = f"{url}/slack/events"
        yield app, go


async def assert_fails(slack: SlackServer, go: asyncio.Event, log: list[EventDict]) -> None:
    """Let the listener fail; check that Alice saw that it takes longer, and then the failure with its reference."""
    go.set()
    await slack.wait_for(lambda: len(ephemeral_texts(slack)) > 1)
    checking, failure = ephemeral_texts(slack)
    assert checking == answers.CHECKING
    (reference,) = re.findall(r"Reference: `(\w{8})`", failure)
    assert [e["reference"] for e in log if e["event"] == "listener_failed"] == [reference]
    assert "nothing_listens" not in [e["event"] for e in log]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("surface", ["command", "button"])
async def test_a_late_listener_that_fails_says_so(
    slack: SlackServer,
    client: AsyncWebClient,
    slow: tuple[AsyncApp, asyncio.Event],
    log: list[EventDict],
    surface: str,
) -> None:
    if surface == "command":
        assert (await slack.command(ALICE, CHANNEL, "/wa-add", "x")).ok
    else:
        posted = await client.chat_postMessage(channel=CHANNEL, text="Slow?", blocks=BUTTONS)
        assert (await slack.click(ALICE, CHANNEL, str(posted["ts"]), "Slow")).ok
    await assert_fails(slack, slow[1], log)


async def test_a_listener_that_bolt_abandons_is_not_taken_for_another_versions(
    slack: SlackServer, slow: tuple[AsyncApp, asyncio.Event], log: list[EventDict]
) -> None:
    app, go = slow
    for listener in app._async_listeners:  # Bolt's `ack_timeout` is an option of functions only
        listener.ack_timeout = 1
    assert (await slack.command(ALICE, CHANNEL, "/wa-add", "x")).ok
    await assert_fails(slack, go, log)


@pytest.mark.parametrize("socket_mode", [False, True], ids=["HTTP", "Socket Mode"])
async def test_a_foreign_response_url_is_never_called_and_the_person_is_answered(
    tmp_path: Path, log: list[EventDict], socket_mode: bool
) -> None:
    async with catching() as catcher, running_app(tmp_path, socket_mode=socket_mode) as app:
        port = urlsplit(catcher.url).port
        foreign = [
            catcher.url,
            f"http://hooks.slack.com@127.0.0.1:{port}/caught",
            f"http://127.0.0.1:{port}/.slack.com/caught",
            "https://hooks.slack.com.invalid/x",
            "https://hooksslack.com.invalid/.slack.com/",
            "http://hooks.slack.com/x",
            "file:///etc/hostname",
            "",
            7,
        ]
        slack = app.slack
        await app.add_people("wasend-team +1 415 555 0198")
        await app.finished()
        button = await app.message_with_button("Export CSV")
        room, before, calls = slack.workspace.channels[CHANNEL], ephemeral_texts(slack, ALICE), len(slack.calls)
        action = {"type": "button", "action_id": "stop_request", "block_id": "b", "value": "RGONE"}
        for number, url in enumerate(foreign, len(before) + 1):
            payload = payloads.message_action(slack.workspace, ALICE, room, button, action, response_url="")
            await slack.deliverer.deliver("interactive", {**payload, "response_url": url})
            await slack.wait_for(lambda number=number: len(ephemeral_texts(slack, ALICE)) == number)  # type: ignore[misc]

    assert catcher.caught == []
    assert all("This request no longer exists." in text for text in ephemeral_texts(slack, ALICE)[len(before) :])
    assert "response_url" not in [call.method for call in slack.calls[calls:]]
    assert [e["event"] for e in log if "response_url" in e["event"]] == ["foreign_response_url"] * len(foreign)
    assert [e for e in log if "exc_info" in e] == []
