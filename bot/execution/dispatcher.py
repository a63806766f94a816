"""Hands work from the journal to the engine: at once when woken, at the latest some seconds later, also at start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from bot.domain.approvals import next_reminder_at
from bot.domain.requests import RequestState
from bot.execution.engine import Engine
from bot.storage.requests import RequestStore

_WORKFLOWS = {
    RequestState.RECEIVED: "open",
    RequestState.APPROVED: "carry_out",
    RequestState.DENIED: "close",
    RequestState.EXPIRED: "close",
    RequestState.WITHDRAWN: "close",
}

_BURST = 5
"""How much further apart starts are while more requests arrive."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Level-triggered: what is due stands in the journal, so a crash between two lines loses nothing.

    Args:
        journal: tells what is due.
        engine: gets it; the same work twice is the same workflow.
        every: seconds between two looks when nobody wakes it.
        between_starts: seconds from one start to the next, and longer while more requests arrive: a burst is carried
            out a little later, so that its acknowledgements stay quick.
    """

    def __init__(
        self, journal: RequestStore, engine: Engine, *, every: float = 5.0, between_starts: float = 0.1
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._every = every
        self._between_starts = between_starts
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Tell it that something was written to the journal."""
        self._awake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hand over while the block runs; at its end, what is under way is finished first."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._stopping = True
            self.wake()
            await task

    async def _run(self) -> None:
        while not self._stopping:
            self._awake.clear()
            try:
                now = time.time()
                await self._hand_over(now)
                wait = await self._until_next(now)
            except Exception:
                log.exception("dispatch_failed")
                wait = self._every
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _hand_over(self, now: float) -> None:
        await self._journal.expire(now)
        await self._remind(now)
        for due in await self._journal.due(now):
            if self._stopping:
                return
            try:
                await self._engine.start(_WORKFLOWS[due.state], due.request_id)
                await self._journal.mark_dispatched(due)
            except Exception:
                log.exception("not_handed_over", request=due.request_id)
            await asyncio.sleep(self._between_starts * (_BURST if self._awake.is_set() else 1))

    async def _remind(self, now: float) -> None:
        for reminder in await self._journal.reminders_due(now):
            try:
                request = await self._journal.get(reminder.request_id)
                await self._engine.start("remind", reminder.request_id, reminder.number)
                rule, at = request.rule, datetime.fromtimestamp(now, UTC)
                following = next_reminder_at(rule, request.asked_at, reminder.number, at) if rule else None
                await self._journal.mark_reminded(reminder, following.timestamp() if following else None)
            except Exception:
                log.exception("not_reminded", request=reminder.request_id)

    async def _until_next(self, now: float) -> float:
        moment = await self._journal.next_due_at(now)
        return self._every if moment is None else min(self._every, max(0.0, moment - time.time()))
