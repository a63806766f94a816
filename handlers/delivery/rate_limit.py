"""How often a request may post and update messages, within Slack's limits for a channel."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

MINUTE = 60.0
MAX_PER_MINUTE = 20
"""Maximum messages and updates of one request per minute."""
MAX_UPDATES_PER_MINUTE = 5
"""Maximum progress updates per minute: the rest is reserved for the results of 1,000 people."""
MIN_UPDATE_INTERVAL = 2.0
"""Minimum seconds between two progress updates."""


class MessageRateLimit:
    """Counts the messages of each request in the last minute.

    Args:
        clock: returns the time in seconds, on any scale.
        sleep: waits for seconds of that scale.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._posted: dict[str, deque[float]] = {}
        self._updated: dict[str, deque[float]] = {}

    async def acquire(self, request_id: str) -> None:
        """Wait until the request may post or update its next message, and count it."""
        while len(posted := self._recent(self._posted, request_id)) >= MAX_PER_MINUTE:
            await self._sleep(posted[0] + MINUTE - self._clock())
        posted.append(self._clock())

    def try_acquire_update(self, request_id: str) -> bool:
        """Return whether a progress update may be sent now, and count it if so."""
        posted = self._recent(self._posted, request_id)
        updated = self._recent(self._updated, request_id)
        if len(posted) >= MAX_PER_MINUTE or len(updated) >= MAX_UPDATES_PER_MINUTE:
            return False
        if updated and self._clock() - updated[-1] < MIN_UPDATE_INTERVAL:
            return False
        posted.append(self._clock())
        updated.append(self._clock())
        return True

    def forget(self, request_id: str) -> None:
        """Drop the counts of a request that has ended."""
        self._posted.pop(request_id, None)
        self._updated.pop(request_id, None)

    def _recent(self, counts: dict[str, deque[float]], request_id: str) -> deque[float]:
        times = counts.setdefault(request_id, deque())
        while times and self._clock() - times[0] >= MINUTE:
            times.popleft()
        return times
