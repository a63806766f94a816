"""Hands due work from the database to the engine: immediately when woken, otherwise every few seconds, and at start."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from bot.domain.approvals import next_reminder_at
from bot.domain.requests import RequestState
from bot.execution.engine import Engine
from bot.storage.work_queue import MAX_WORK, DueReminder, DueWork, WorkQueue
from bot.tasks import OpenRequests, stop

_WORKFLOWS = {
    RequestState.RECEIVED: "open",
    RequestState.APPROVED: "carry_out",
    RequestState.DENIED: "close",
    RequestState.EXPIRED: "close",
    RequestState.WITHDRAWN: "close",
}
"""The workflow that each state needs, by its stored name (`Workflow.durable`)."""

MAX_BEGINNING = 10
"""How many requests begin at the same time: the rest of a large number waits in the queue, where others overtake it."""
MAX_BEGINNING_TIME = 5.0
"""Seconds after which a request no longer counts as beginning."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Starts what is due. The database says what that is, so a crash between two statements loses nothing.

    Args:
        queue: the due work.
        engine: runs the work; starting the same work twice starts one workflow.
        open_requests: Slack's requests, to which the start of work gives way.
        interval: seconds between two reads of the queue when the dispatcher isn't woken.
    """

    def __init__(self, queue: WorkQueue, engine: Engine, open_requests: OpenRequests, *, interval: float = 5.0) -> None:
        self._queue = queue
        self._engine = engine
        self._open_requests = open_requests
        self._interval = interval
        self._awake = asyncio.Event()
        self._places = asyncio.Semaphore(MAX_BEGINNING)
        self._beginning: set[asyncio.Task[None]] = set()
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
            await stop(self._beginning)
            await task

    async def _run(self) -> None:
        while not self._stopping:
            self._awake.clear()
            try:
                wait = await self._dispatch(time.time())
            except Exception:
                log.exception("dispatch_failed")
                wait = self._interval
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _dispatch(self, now: float) -> float:
        """Start what is due at `now`. Return the seconds until the queue is to be read again."""
        due = await self._queue.due(now)
        if due.expired:
            await self._queue.expire(now)
            due = await self._queue.due(now)
        for reminder in due.reminders:
            await self._remind(reminder, datetime.fromtimestamp(now, UTC))
        started = await self._start(due.work)
        if started == MAX_WORK:
            return 0
        return self._interval if due.next_at is None else min(self._interval, max(0.0, due.next_at - time.time()))

    async def _start(self, work: Sequence[DueWork]) -> int:
        """Start work, and return how much was started."""
        started = []
        for due in work:
            await self._open_requests.give_way()
            await self._places.acquire()
            if self._stopping:
                break
            try:
                begun = await self._engine.start(_WORKFLOWS[due.state], due.request_id)
                task = asyncio.create_task(_wait(begun))
                self._beginning.add(task)
                task.add_done_callback(self._free_place)
                started.append(due)
            except Exception:
                self._places.release()
                log.exception("start_failed", request=due.request_id)
        if started:
            await self._queue.mark_dispatched(started)
        return len(started)

    def _free_place(self, task: asyncio.Task[None]) -> None:
        self._beginning.discard(task)
        self._places.release()

    async def _remind(self, reminder: DueReminder, now: datetime) -> None:
        request = reminder.request
        try:
            await self._engine.start("remind", request.id, reminder.number)
            following = next_reminder_at(request.rule, request.asked_at, reminder.number, now) if request.rule else None
            await self._queue.mark_reminded(reminder, following.timestamp() if following else None)
        except Exception:
            log.exception("reminder_failed", request=request.id)


async def _wait(begun: asyncio.Event) -> None:
    """Wait until a request has begun, or has tried for a while: perhaps Slack can't be reached."""
    with suppress(TimeoutError):
        async with asyncio.timeout(MAX_BEGINNING_TIME):
            await begun.wait()
