"""How often a request may speak: Slack's patience with a channel, kept for each request."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

MINUTE = 60.0
MAX_PER_MINUTE = 20
"""Messages and updates of one request in one minute."""
MAX_UPDATES_PER_MINUTE = 5
"""Updates of progress in one minute: the rest is kept for the results of 1,000 people."""
MIN_UPDATE_INTERVAL = 2.0
"""Seconds from one update of progress to the next."""


class MessageRateLimit:
    """Counts what each request posted in the last minute.

    Args:
        clock: gives the time in seconds, on any scale.
        sleep: waits for seconds of that scale.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._spoken: dict[str, deque[float]] = {}
        self._updated: dict[str, deque[float]] = {}

    async def acquire(self, request_id: str) -> None:
        """Wait until the request may post or update its next message, and count it."""
        while len(spoken := self._recent(self._spoken, request_id)) >= MAX_PER_MINUTE:
            await self._sleep(spoken[0] + MINUTE - self._clock())
        spoken.append(self._clock())

    def try_acquire_update(self, request_id: str) -> bool:
        """Tell whether an update of progress may go out now, and count it if so."""
        spoken = self._recent(self._spoken, request_id)
        updated = self._recent(self._updated, request_id)
        if len(spoken) >= MAX_PER_MINUTE or len(updated) >= MAX_UPDATES_PER_MINUTE:
            return False
        if updated and self._clock() - updated[-1] < MIN_UPDATE_INTERVAL:
            return False
        spoken.append(self._clock())
        updated.append(self._clock())
        return True

    def forget(self, request_id: str) -> None:
        """Drop what is known of a request that has ended."""
        self._spoken.pop(request_id, None)
        self._updated.pop(request_id, None)

    def _recent(self, book: dict[str, deque[float]], request_id: str) -> deque[float]:
        times = book.setdefault(request_id, deque())
        while times and self._clock() - times[0] >= MINUTE:
            times.popleft()
        return times
