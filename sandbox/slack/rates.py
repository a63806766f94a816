"""Slack's rate limits: a window for each method, and one message a second for each channel.

Source: https://docs.slack.dev/apis/web-api/rate-limits (tiers 1 to 4: 1+, 20+, 50+, 100+ calls a minute).
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}


class Rates:
    """Counts calls in sliding windows; off until `enforced` is set.

    Args:
        clock: gives the current time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.enforced = False
        self._now = clock
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def wait(self, method: str, tier: int, channel: str | None = None) -> int:
        """Count a call and give 0, or give the whole seconds to wait when it is one too many (it is not counted).

        Args:
            method: the Web API method.
            tier: 1 to 4; 0 for the special limit of `chat.postMessage`.
            channel: where a message goes, when it is one.
        """
        if not self.enforced:
            return 0
        if tier:
            return self._take(method, PER_MINUTE[tier], 60.0)
        return self._take(f"{method} {channel}", 1, 1.0)

    def _take(self, key: str, most: int, window: float) -> int:
        calls, now = self._calls[key], self._now()
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0
