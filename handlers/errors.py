"""Answers what no listener answered: the person sees a reference that also stands in the log."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from handlers.answering import Cause, TimelyAck, send
from handlers.views import answers

WITHIN = 2.0
"""Seconds to send the answer after a failure: a click that no listener takes is acknowledged only after that."""

_ONLY_READS = "only_reads"
_UNTIL_SENT = 0.1
_EVENT = "event_callback"

log = structlog.get_logger(__name__)


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
        ack: AsyncAck,
        context: AsyncBoltContext,
    ) -> BoltResponse | None:
        cause = Cause.read(body)
        if isinstance(error, BoltUnhandledRequestError) and isinstance(ack, TimelyAck) and ack.started:
            ack.expire()  # a listener matched and Bolt's own time is over: what it does is answered when it is done
            return ack.response
        text = _words(error, cause, only_reads=_ONLY_READS in context)
        acknowledged = response is None
        if acknowledged:
            # Bolt forgets the acknowledgement when this handler ends, sent or not; it looks for one every 10 ms.
            await asyncio.sleep(_UNTIL_SENT)
        elif (answer := cause.acknowledgement(text)) is not None:
            return BoltResponse(status=200, body=answer)
        else:
            await ack()
        if cause.person and text:
            await _tell(ack, context, cause, text)
        return None if acknowledged else BoltResponse(status=200, body="")


def _words(error: Exception, cause: Cause, *, only_reads: bool) -> str:
    """Log what happened, and give what the person is told; nothing for an event, which nobody waits for.

    Messages and forms outlive the version of Rollcall that made them, so a click may come that nothing listens to.
    """
    surface = cause.command or cause.type or "unknown"
    if isinstance(error, BoltUnhandledRequestError):
        log.warning("nothing_listens", surface=surface, user=cause.person)
        return "" if cause.type == _EVENT else answers.OUTDATED
    reference = secrets.token_hex(4)
    log.error("listener_failed", reference=reference, surface=surface, user=cause.person, exc_info=error)
    return answers.failure(reference, only_reads=only_reads)


async def _tell(ack: AsyncAck, context: AsyncBoltContext, cause: Cause, text: str) -> None:
    if isinstance(ack, TimelyAck):
        await ack.announced()
    try:
        async with asyncio.timeout(WITHIN):
            await send(context, cause, f"⚠️ {text}" if cause.is_home else text)
    except Exception:
        # There is nothing behind the last resort but the log, which has the reference already.
        log.warning("failure_not_told", user=cause.person, exc_info=True)
