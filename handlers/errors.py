"""Errors in a listener: the one place that turns them into an answer where the person acted."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from handlers.answering import Cause, TimelyAck, send
from handlers.clients.profiles import with_names
from handlers.payloads import MalformedPayload
from handlers.views import answers, interim_modals

SEND_TIMEOUT = 2.0
"""Seconds to send the answer after a failure: a click that no listener takes is acknowledged only after that."""

_READ_ONLY = "read_only"
_ACK_DELIVERY = 0.1
"""Seconds until Bolt has sent an acknowledgement: it looks for one every 10 ms."""
_EVENT = "event_callback"
_SUBMISSION = "view_submission"

log = structlog.get_logger(__name__)


class UserError(Exception):
    """What a person asked for can't be done; they are shown why where they acted.

    Args:
        text: the sentences for the person, in mrkdwn.
        field: the name of the form's block that is wrong; empty: the first one.
        reference: the id under which the log and the audit journal have it; empty: none.
    """

    def __init__(self, text: str, *, field: str = "", reference: str = "") -> None:
        super().__init__(text)
        self.text = answers.with_reference(text, reference) if reference else text
        self.field = field


async def read_only(context: AsyncBoltContext, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - Bolt's
    """Mark a listener, as its middleware, as one that changes nothing."""
    mark_read_only(context)
    await next()


def mark_read_only(context: AsyncBoltContext) -> None:
    """Record that the work changes nothing: if it fails, the answer doesn't ask the person to look for an effect."""
    context[_READ_ONLY] = True


def register(app: AsyncApp) -> None:
    """Register the error handler."""

    @app.error
    async def answer_error(
        error: Exception,
        body: dict[str, Any],
        response: BoltResponse | None,
        ack: AsyncAck,
        context: AsyncBoltContext,
    ) -> BoltResponse | None:
        cause = Cause.read(body)
        if isinstance(error, BoltUnhandledRequestError) and isinstance(ack, TimelyAck) and ack.started:
            ack.expire()  # a listener matched and Bolt's own time is over: its answer follows when it is done
            return ack.response
        if isinstance(error, MalformedPayload):
            log.warning("malformed_payload", fields=str(error), surface=cause.command or cause.type, user=cause.person)
            return None if response is None else BoltResponse(status=400, body="")
        text = _text(error, cause, read_only=_READ_ONLY in context)
        field = error.field if isinstance(error, UserError) else ""
        acknowledged = response is None
        if acknowledged:
            await asyncio.sleep(_ACK_DELIVERY)  # Bolt forgets the acknowledgement when this handler ends, sent or not
        elif (answer := cause.acknowledgement(await _shown(context, cause, text), field)) is not None:
            return BoltResponse(status=200, body=answer)
        elif cause.type == _SUBMISSION:
            view = interim_modals.not_submitted(text)
            return BoltResponse(status=200, body={"response_action": "update", "view": view.to_dict()})
        else:
            await ack()
        if cause.person and text:
            await _send(ack, context, cause, text if isinstance(error, UserError) or not cause.is_home else f"⚠️ {text}")
        return None if acknowledged else BoltResponse(status=200, body="")


async def _shown(context: AsyncBoltContext, cause: Cause, text: str) -> str:
    """Return a text as its place shows it: at a field of a form, mentions become names."""
    return await with_names(context.client, text) if cause.type == _SUBMISSION and cause.has_fields else text


def _text(error: Exception, cause: Cause, *, read_only: bool) -> str:
    """Log an error, and return the answer; empty for an event, for which no person waits.

    Messages and forms outlive the version of Rollcall that made them, so a click may have no listener.
    """
    if isinstance(error, UserError):
        return error.text
    surface = cause.command or cause.type or "unknown"
    if isinstance(error, BoltUnhandledRequestError):
        log.warning("no_listener", surface=surface, user=cause.person)
        return "" if cause.type == _EVENT else answers.OUTDATED
    reference = secrets.token_hex(4)
    log.error("listener_failed", reference=reference, surface=surface, user=cause.person, exc_info=error)
    return answers.failure(reference, only_reads=read_only)


async def _send(ack: AsyncAck, context: AsyncBoltContext, cause: Cause, text: str) -> None:
    if isinstance(ack, TimelyAck):
        await ack.announced()
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            if isinstance(ack, TimelyAck) and ack.late and cause.type == _SUBMISSION and not cause.has_fields:
                await ack.show(interim_modals.not_submitted(text))
                return
            await send(context, cause, text)
    except Exception:
        # There is nothing left but the log, which has the reference already.
        log.warning("error_not_answered", user=cause.person, exc_info=True)
