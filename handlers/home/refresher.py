"""Draws pages again when what they show has changed: not for every change, and in the order of the changes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from bot.tasks import stop

MAX_CONCURRENT = 4
"""How many pages are drawn at the same time."""

log = structlog.get_logger(__name__)


class Refresher:
    """Draws a person's page at most every few seconds; the last drawing shows the last state.

    Args:
        draw: reads what there is to show to a person, and shows it.
        every: seconds from one drawing to the next, where nobody waits for it.
        clock: gives the time in seconds, on any scale.
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
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._drawn_at: dict[str, float] = {}
        self._wished: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def request(self, user_id: str) -> None:
        """Draw a person's page soon, once for all wishes until then."""
        self._wished.add(user_id)
        if user_id not in self._tasks:
            self._tasks[user_id] = asyncio.create_task(self._later(user_id))

    async def draw_now(self, user_id: str) -> None:
        """Draw the page of a person who waits for it. Never raises: it is drawn again at the next change."""
        async with self._turns[user_id], self._gate:
            self._wished.discard(user_id)
            try:
                await self._draw(user_id)
            except Exception:
                log.warning("page_not_drawn", user=user_id, exc_info=True)
            self._drawn_at[user_id] = self._clock()

    def forget(self, user_id: str) -> None:
        """Drop what is known of a person who looks no more."""
        self._wished.discard(user_id)
        self._drawn_at.pop(user_id, None)
        if user_id not in self._tasks and not self._turns[user_id].locked():
            del self._turns[user_id]

    async def aclose(self) -> None:
        """Draw nothing any more."""
        await stop(self._tasks.values())

    async def _later(self, user_id: str) -> None:
        try:
            while user_id in self._wished:
                await asyncio.sleep(self._drawn_at.get(user_id, -self._every) + self._every - self._clock())
                if user_id in self._wished:
                    await self.draw_now(user_id)
        finally:
            del self._tasks[user_id]
