"""Tells whoever listens that a request is shown differently now: the pages and answers that show it too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.domain.requests import Request

Listener = Callable[[Request], None]
"""Is called in the middle of a workflow's step: it returns at once, and never raises."""


class RequestEvents:
    """Passes on what the request's thread shows, in this process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, request: Request) -> None:
        """Tell everybody who listens of a request that began, moved on or ended."""
        for listener in tuple(self._listeners):
            listener(request)

    @contextmanager
    def subscribe(self, listener: Listener) -> Iterator[None]:
        """Let somebody listen while the block runs."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
