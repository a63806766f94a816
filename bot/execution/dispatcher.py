"""Hands due work from the database to the engine: immediately when woken, otherwise every few seconds, and at start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from bot.domain.approvals import next_reminder_at
from bot.domain.requests import RequestState
from bot.execution.engine import Engine
from bot.storage.work_queue import WorkQueue

_WORKFLOWS = {
    RequestState.RECEIVED: "open",
    RequestState.APPROVED: "carry_out",
    RequestState.DENIED: "close",
    RequestState.EXPIRED: "close",
    RequestState.WITHDRAWN: "close",
}
"""The workflow that each state needs, by its stored name (`Workflow.durable`)."""

_BURST_FACTOR = 5
"""How many times longer the pause between two starts is while more requests arrive."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Starts what is due. The database says what that is, so a crash between two statements loses nothing.

    Args:
        queue: the due work.
        engine: runs the work; starting the same work twice starts one workflow.
        interval: seconds between two reads of the queue when the dispatcher isn't woken.
        start_interval: seconds from one start to the next, and longer while more requests arrive: a burst is carried
            out a little later, so that its acknowledgements stay quick.
    """

    def __init__(self, queue: WorkQueue, engine: Engine, *, interval: float = 5.0, start_interval: float = 0.1) -> None:
        self._queue = queue
        self._engine = engine
        self._interval = interval
        self._start_interval = start_interval
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Read the queue now: something was written."""
        self._awake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Dispatch while the block runs; at its end, what has been started to dispatch is finished first."""
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
                await self._dispatch(now)
                wait = await self._until_next(now)
            except Exception:
                log.exception("dispatch_failed")
                wait = self._interval
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _dispatch(self, now: float) -> None:
        await self._queue.expire(now)
        await self._remind(now)
        for due in await self._queue.due(now):
            if self._stopping:
                return
            try:
                await self._engine.start(_WORKFLOWS[due.state], due.request_id)
                await self._queue.mark_dispatched(due)
            except Exception:
                log.exception("start_failed", request=due.request_id)
            await asyncio.sleep(self._start_interval * (_BURST_FACTOR if self._awake.is_set() else 1))

    async def _remind(self, now: float) -> None:
        for reminder in await self._queue.reminders_due(now):
            request = reminder.request
            try:
                await self._engine.start("remind", request.id, reminder.number)
                at = datetime.fromtimestamp(now, UTC)
                following = (
                    next_reminder_at(request.rule, request.asked_at, reminder.number, at) if request.rule else None
                )
                await self._queue.mark_reminded(reminder, following.timestamp() if following else None)
            except Exception:
                log.exception("reminder_failed", request=request.id)

    async def _until_next(self, now: float) -> float:
        next_at = await self._queue.next_due_at(now)
        return self._interval if next_at is None else min(self._interval, max(0.0, next_at - time.time()))
