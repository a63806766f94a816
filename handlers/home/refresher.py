"""Redraws pages when their content changes: at a limited rate, and in the order of the changes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from bot.tasks import stop

MAX_CONCURRENT = 4
"""Maximum pages that are drawn at the same time."""

log = structlog.get_logger(__name__)


class Refresher:
    """Draws a person's page at most every few seconds. The last drawing shows the last state.

    Args:
        draw: reads the page of a Slack user id, and shows it.
        every: the minimum seconds between two drawings that a change causes.
        clock: returns the time in seconds, on any scale.
    """

    def __init__(
        self,
        draw: Callable[[str], Awaitable[None]],
        *,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._draw = draw
        self._every = every
        self._clock = clock
        self._gate = asyncio.Semaphore(MAX_CONCURRENT)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._drawn_at: dict[str, float] = {}
        self._pending: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def request(self, user_id: str) -> None:
        """Draw a person's page soon, once for all requests until then."""
        self._pending.add(user_id)
        if user_id not in self._tasks:
            self._tasks[user_id] = asyncio.create_task(self._draw_pending(user_id))

    async def draw_now(self, user_id: str) -> None:
        """Draw the page of a person who waits for it. Never raises: the next change draws it again."""
        async with self._locks[user_id], self._gate:
            self._pending.discard(user_id)
            try:
                await self._draw(user_id)
            except Exception:
                log.warning("page_not_drawn", user=user_id, exc_info=True)
            self._drawn_at[user_id] = self._clock()

    def forget(self, user_id: str) -> None:
        """Drop the state of a person who left the page."""
        self._pending.discard(user_id)
        self._drawn_at.pop(user_id, None)
        if user_id not in self._tasks and not self._locks[user_id].locked():
            del self._locks[user_id]

    async def aclose(self) -> None:
        """Stop drawing."""
        await stop(self._tasks.values())

    async def _draw_pending(self, user_id: str) -> None:
        try:
            while user_id in self._pending:
                await asyncio.sleep(self._drawn_at.get(user_id, -self._every) + self._every - self._clock())
                if user_id in self._pending:
                    await self.draw_now(user_id)
        finally:
            del self._tasks[user_id]
