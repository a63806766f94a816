"""When the messages of running requests are updated: soon after each change, and not too often."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.tasks import stop

FIRST_DELAY = 0.2
"""Seconds from a change to its update. A request that ends sooner needs none."""
INTERVAL = 4.0
"""Seconds between two updates of one request: what is shown is at most 5 seconds old."""
INTERVAL_PER_REQUEST = 1.2
"""The same for each running request if there are many: chat.update allows about 50 calls a minute (tier 3)."""
UPDATE_TIMEOUT = 10.0
"""Seconds for one update."""

log = structlog.get_logger(__name__)


class ProgressUpdates:
    """Calls `update` with the id of each running request that has changed, one call at a time for each request.

    A change during the interval is shown at the end of it, and a failed update is repeated.

    Args:
        update: updates the messages of a request.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self, update: Callable[[str], Awaitable[None]], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._update = update
        self._sleep = sleep
        self._changed: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def changed(self, request_id: str) -> None:
        """Update a request soon."""
        self._changed.add(request_id)
        if request_id not in self._tasks:
            self._tasks[request_id] = asyncio.create_task(self._run(request_id))

    async def show(self, request_id: str) -> None:
        """Update a request now. Raises what `update` raises."""
        async with self._lock(request_id):
            self._changed.discard(request_id)
            await self._update(request_id)

    async def end(self, request_id: str) -> None:
        """Update a request no longer, and wait for an update that is being made."""
        self._changed.discard(request_id)
        async with self._lock(request_id):
            task = self._tasks.pop(request_id, None)
        if task is not None:
            await stop([task])
        self._locks.pop(request_id, None)

    async def aclose(self) -> None:
        """Stop all updates."""
        await stop(self._tasks.values())

    async def _run(self, request_id: str) -> None:
        await self._sleep(FIRST_DELAY)
        while request_id in self._changed:
            try:
                async with asyncio.timeout(UPDATE_TIMEOUT):
                    await self.show(request_id)
            except Exception:
                log.warning("progress_not_shown", request=request_id, exc_info=True)
                self._changed.add(request_id)
            await self._sleep(max(INTERVAL, INTERVAL_PER_REQUEST * len(self._tasks)))
        self._tasks.pop(request_id, None)

    def _lock(self, request_id: str) -> asyncio.Lock:
        return self._locks.setdefault(request_id, asyncio.Lock())
