"""What an adapter remembers for a while: number checks, and who is behind a LID."""

from collections.abc import Callable
from typing import Generic, TypeVar

DAY_SECONDS = 24 * 3600.0
MAX_ENTRIES = 100_000

Value = TypeVar("Value")


class TTLCache(Generic[Value]):
    """Keeps values by a text, each for some seconds; the oldest go first where there are too many.

    Args:
        lasts: seconds for which a value is taken as still true.
        clock: gives the time in seconds, from any start.
        most: how many values are kept.
    """

    def __init__(self, ttl: float, clock: Callable[[], float], *, max_entries: int = MAX_ENTRIES) -> None:
        self._lasts = ttl
        self._clock = clock
        self._most = max_entries
        self._kept: dict[str, tuple[float, Value]] = {}

    def get(self, key: str) -> Value | None:
        """Give what is remembered under `key`; None where nothing is, or not any more."""
        since, value = self._kept.get(key, (float("-inf"), None))
        return value if self._clock() < since + self._lasts else None

    def set(self, key: str, value: Value) -> None:
        """Remember `value` from now on."""
        now = self._clock()
        self._kept.pop(key, None)
        while self._kept and (len(self._kept) >= self._most or self._oldest() + self._lasts <= now):
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (now, value)

    def discard(self, key: str) -> None:
        """Remember nothing under `key` any more."""
        self._kept.pop(key, None)

    def _oldest(self) -> float:
        return next(iter(self._kept.values()))[0]
