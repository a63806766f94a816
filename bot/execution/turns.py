"""A lock whose holders take turns: a person with many requests doesn't delay a person with one."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Grants a lock to one holder at a time: to each waiting person in turn, and to one person's in their order."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, person: str) -> AsyncIterator[None]:
        """Wait for the next turn of a person, and hold the lock during the block."""
        if self._held:
            await self._wait(person)
        self._held = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, person: str) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._pass_on()  # the turn was granted in the same moment
            raise

    def _pass_on(self) -> None:
        """Grant the lock to the first of the next person, and let that person wait for the others' turns."""
        self._held = False
        while self._waiting and not self._held:
            person, waiting = self._waiting.popitem(last=False)
            while waiting and not self._held:
                future = waiting.popleft()
                if not future.done():  # otherwise it was cancelled
                    self._held = True
                    future.set_result(None)
            if waiting:
                self._waiting[person] = waiting
