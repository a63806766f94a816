"""Answers what no listener answered: the person sees a reference that also stands in the log."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from pydantic import ValidationError
from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.delivery.ephemeral import send_ephemeral
from handlers.payloads import Named, Payload
from handlers.views import answers
from handlers.views.text import without_markup

WITHIN = 2.0
"""Seconds to tell somebody: a click is acknowledged only after that, and is due within 3."""

_ONLY_READS = "only_reads"
_UNTIL_SENT = 0.1
_HOME = "home"
_EVENT = "event_callback"

log = structlog.get_logger(__name__)


class _Block(Payload):
    type: str
    block_id: str = ""


class _Event(Payload):
    user: str = ""
    channel: str = ""
    thread_ts: str = ""


class _Container(Payload):
    thread_ts: str = ""


class _View(Payload):
    type: str = ""
    blocks: tuple[_Block, ...] = ()


class _Body(Payload):
    """What all payloads that a person causes have in common (docs.slack.dev, "Interaction payloads")."""

    type: str = ""
    command: str = ""
    user_id: str = ""
    user: Named | None = None
    channel_id: str = ""
    channel: Named | None = None
    view: _View | None = None
    event: _Event = _Event()
    container: _Container = _Container()

    @property
    def person(self) -> str:
        return self.user.id if self.user else self.user_id or self.event.user

    @property
    def place(self) -> str:
        return self.channel.id if self.channel else self.channel_id or self.event.channel

    @property
    def thread(self) -> str:
        return self.container.thread_ts or self.event.thread_ts

    @property
    def first_input(self) -> str:
        blocks = self.view.blocks if self.view else []
        return next((block.block_id for block in blocks if block.type == "input"), "")


async def read_only(context: AsyncBoltContext, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - Bolt's
    """Mark, as a middleware, what changes nothing: where it breaks, nobody is told that it may have."""
    mark_read_only(context)
    await next()


def mark_read_only(context: AsyncBoltContext) -> None:
    """Mark what is being done as something that changes nothing."""
    context[_ONLY_READS] = True


def register(app: AsyncApp) -> None:
    """Hang the last resort on the app."""

    @app.error
    async def failed(
        error: Exception,
        body: dict[str, Any],
        response: BoltResponse | None,
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> BoltResponse | None:
        caused = _read(body)
        text = _words(error, caused, only_reads=_ONLY_READS in context)
        acknowledged = response is None
        if acknowledged:
            # Bolt forgets the acknowledgement when this handler ends, sent or not; it looks for one every 10 ms.
            await asyncio.sleep(_UNTIL_SENT)
        elif (answer := _answer(caused, text)) is not None:
            return BoltResponse(status=200, body=answer)
        if caused.person and text:
            await _tell(client, context.respond, caused, text)
        return None if acknowledged else BoltResponse(status=200, body="")


def _read(body: dict[str, Any]) -> _Body:
    try:
        return _Body.model_validate(body)
    except ValidationError:
        return _Body()


def _words(error: Exception, caused: _Body, *, only_reads: bool) -> str:
    """Log what happened, and give what the person is told; nothing for an event, which nobody waits for.

    Messages and forms outlive the version of Rollcall that made them, so a click may come that nothing listens to.
    """
    surface = caused.command or caused.type or "unknown"
    if isinstance(error, BoltUnhandledRequestError):
        log.warning("nothing_listens", surface=surface, user=caused.person)
        return "" if caused.type == _EVENT else answers.OUTDATED
    reference = secrets.token_hex(4)
    log.error("listener_failed", reference=reference, surface=surface, user=caused.person, exc_info=error)
    return answers.failure(reference, only_reads=only_reads)


def _answer(caused: _Body, text: str) -> dict[str, Any] | None:
    """Give the acknowledgement that shows the failure where the person looks; None where none can."""
    if caused.command:
        return {"response_type": "ephemeral", "text": text}
    if caused.type == "view_submission" and caused.first_input:
        return {"response_action": "errors", "errors": {caused.first_input: without_markup(text)}}
    if caused.type == "block_suggestion":
        return {"options": []}
    return None


async def _tell(client: AsyncWebClient, respond: AsyncRespond | None, caused: _Body, text: str) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            if respond and caused.view and caused.view.type == _HOME:
                await respond(f"⚠️ {text}")
            else:
                await send_ephemeral(client, caused.person, caused.place, text, thread_ts=caused.thread)
    except Exception:
        # There is nothing behind the last resort but the log, which has the reference already.
        log.warning("failure_not_told", user=caused.person, exc_info=True)
