"""A cache whose entries expire: number checks, listed numbers, the phones of LIDs."""

from collections.abc import Callable
from typing import Generic, TypeVar

DAY_SECONDS = 24 * 3600.0
MAX_ENTRIES = 100_000

Value = TypeVar("Value")


class TTLCache(Generic[Value]):
    """Values by key, each for a limited time. The oldest are dropped when there are too many.

    Args:
        ttl: seconds for which a value is valid.
        clock: returns the time in seconds, from any start.
        max_entries: the maximum number of values.
    """

    def __init__(self, ttl: float, clock: Callable[[], float], *, max_entries: int = MAX_ENTRIES) -> None:
        self._ttl = ttl
        self._clock = clock
        self._max_entries = max_entries
        self._entries: dict[str, tuple[float, Value]] = {}

    def get(self, key: str) -> Value | None:
        """Return the value of `key`, or None if there is none or it has expired."""
        since, value = self._entries.get(key, (float("-inf"), None))
        return value if self._clock() < since + self._ttl else None

    def set(self, key: str, value: Value) -> None:
        """Store `value` from now on."""
        now = self._clock()
        self._entries.pop(key, None)
        while self._entries and (len(self._entries) >= self._max_entries or self._oldest() + self._ttl <= now):
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (now, value)

    def discard(self, key: str) -> None:
        """Remove `key`, if it is there."""
        self._entries.pop(key, None)

    def _oldest(self) -> float:
        return next(iter(self._entries.values()))[0]
