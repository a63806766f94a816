"""The pace of a sender: each connection's turns, kept in the database, shared by all requests, across restarts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from bot.runtime.database import Database
from bot.runtime.tables import senders


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a connection may send.

    Attributes:
        batch: the most people in one call; the provider's own limit may be lower.
        gap: seconds from one call to the next.
        jitter: the part of the gap by which it varies at random, 0 to 1.
        per_day: the most people in a day (UTC); None for no limit.
    """

    batch: int = 10
    gap: float = 5.0
    jitter: float = 0.3
    per_day: int | None = None


class DayIsFull(Exception):
    """The connection's daily number of people is used up."""


class Sender:
    """Gives the turns of one connection: one call at a time, in the order of asking, so requests take turns.

    Args:
        database: where the next free moment is kept.
        connection: the connection's name.
        pace: how fast.
        rand: gives a number from 0 to 1, for the jitter.
        clock: gives the seconds since 1970.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        database: Database,
        connection: str,
        pace: Pace,
        rand: Callable[[], float] = random.random,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._connection = connection
        self._lock = asyncio.Lock()
        self._rand = rand
        self._clock = clock
        self._sleep = sleep
        self.pace = pace

    @asynccontextmanager
    async def turn(self, people: int) -> AsyncIterator[int]:
        """Wait for this connection's turn, and hold it while people are sent.

        Gives how many may be sent: all `people`, or fewer where the day has no room for more.

        Raises:
            DayIsFull: there is room for nobody.
        """
        async with self._lock:
            wait, granted = await self._reserve(people)
            if wait > 0:
                await self._sleep(wait)
            yield granted

    async def _reserve(self, people: int) -> tuple[float, int]:
        """Reserve the next free moment. Gives the seconds until it comes, and for how many people."""
        now = self._clock()
        today = datetime.fromtimestamp(now, UTC).date().isoformat()
        gap = self.pace.gap * (1 + self.pace.jitter * (2 * self._rand() - 1))
        most = self.pace.gap * (1 + self.pace.jitter)
        mine = senders.c.connection == self._connection
        async with self._database.write() as connection:
            row = (await connection.execute(select(senders).where(mine).with_for_update())).one_or_none()
            used = row.used if row is not None and row.day == today else 0
            granted = people if self.pace.per_day is None else min(people, self.pace.per_day - used)
            if granted <= 0:
                raise DayIsFull(f"{used} of {self.pace.per_day} people were sent today on {self._connection}.")
            # No call is later than now: so more than a gap is a turn that a crash left unused, or a clock set back.
            start = now if row is None else min(max(now, row.free_at), now + most)
            values = {"free_at": start + gap, "day": today, "used": used + granted}
            if row is None:
                await connection.execute(insert(senders).values(connection=self._connection, **values))
            else:
                await connection.execute(update(senders).where(mine).values(**values))
        return float(start - now), granted
