"""The pace of a sender: each connection's turns, kept in the database, shared by all requests, across restarts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from bot.domain.send_limits import Cooldown, SendLimits
from bot.storage.database import Database
from bot.storage.tables import senders
from providers.base import MAX_COOLDOWN


class DailyLimitReached(Exception):
    """The connection's daily number of people is used up."""


class CoolingDown(Exception):
    """The account sends nothing for a while; `rest` says until when and why."""

    def __init__(self, rest: Cooldown) -> None:
        super().__init__(f"The sender rests until {rest.until:%Y-%m-%d %H:%M} UTC: {rest.reason}")
        self.cooldown = rest


class Throttle:
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
        pace: SendLimits,
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
        self.limits = pace

    @asynccontextmanager
    async def slot(self, people: int) -> AsyncIterator[int]:
        """Wait for this connection's turn, and hold it while people are sent.

        Gives how many may be sent: all `people`, or fewer where the day has no room for more. A call about the group
        itself is about 0 people, and is not kept back by a full day.

        Raises:
            DayIsFull: there is room for nobody.
            SenderRests: the account was limited, restricted or lost a while ago, or while this turn was waited for.
        """
        async with self._lock:
            wait, granted = await self._reserve(people)
            if wait > 0:
                await self._sleep(wait)
            yield granted

    async def cool_down(self, seconds: float, reason: str) -> None:
        """Send nothing for `seconds`, for no request; a longer rest that was ordered before stays."""
        until = self._clock() + seconds
        mine = senders.c.connection == self._connection
        async with self._database.write() as connection:
            row = (await connection.execute(select(senders).where(mine).with_for_update())).one_or_none()
            if row is None:
                values = {"free_at": self._clock(), "day": "", "used": 0}
                await connection.execute(insert(senders).values(connection=self._connection, **values))
            if row is None or row.rests_until < until or self._rest_of(row.rests_until, "") is None:
                await connection.execute(update(senders).where(mine).values(rests_until=until, rests_for=reason))

    async def remaining_today(self) -> int | None:
        """Tell how many people may still be sent on this day (UTC); None where there is no limit."""
        if self.limits.per_day is None:
            return None
        today = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        mine = senders.c.connection == self._connection, senders.c.day == today
        async with self._database.read() as connection:
            used: int | None = await connection.scalar(select(senders.c.used).where(*mine))
        return max(0, self.limits.per_day - (used or 0))

    async def cooldown(self) -> Cooldown | None:
        """Tell until when the account rests, None where it does not."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(senders).where(senders.c.connection == self._connection))
            ).one_or_none()
        return None if row is None else self._rest_of(row.rests_until, row.rests_for)

    def _rest_of(self, until: float, reason: str) -> Cooldown | None:
        """Read a row's rest; None where it is over, or further ahead than any rest that is ordered now."""
        now = self._clock()
        return Cooldown(datetime.fromtimestamp(until, UTC), reason) if now < until <= now + MAX_COOLDOWN else None

    async def _reserve(self, people: int) -> tuple[float, int]:
        """Reserve the next free moment. Gives the seconds until it comes, and for how many people."""
        now = self._clock()
        today = datetime.fromtimestamp(now, UTC).date().isoformat()
        gap = self.limits.gap * (1 + self.limits.jitter * (2 * self._rand() - 1))
        most = self.limits.gap * (1 + self.limits.jitter)
        mine = senders.c.connection == self._connection
        async with self._database.write() as connection:
            row = (await connection.execute(select(senders).where(mine).with_for_update())).one_or_none()
            if row is not None and (rest := self._rest_of(row.rests_until, row.rests_for)):
                raise CoolingDown(rest)
            used = row.used if row is not None and row.day == today else 0
            granted = people if self.limits.per_day is None else max(0, min(people, self.limits.per_day - used))
            if people and not granted:
                raise DailyLimitReached(
                    f"{used} of {self.limits.per_day} people were sent today on {self._connection}."
                )
            # No call is later than now: so more than a gap is a turn that a crash left unused, or a clock set back.
            start = now if row is None else min(max(now, row.free_at), now + most)
            values = {"free_at": start + gap, "day": today, "used": used + granted}
            if row is None:
                await connection.execute(insert(senders).values(connection=self._connection, **values))
            else:
                await connection.execute(update(senders).where(mine).values(**values))
        return float(start - now), granted
