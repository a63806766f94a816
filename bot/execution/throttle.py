"""The throttle of a connection: when it may send next, kept in the database for all requests and across restarts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.requests import Request
from bot.domain.send_limits import Cooldown, SendLimits
from bot.execution.turns import Turns
from bot.storage.database import Database
from bot.storage.postgres import ReplicaFenced
from bot.storage.requests import RequestStore
from bot.storage.tables import senders
from providers.base import MAX_COOLDOWN

HELD_POLL_INTERVAL = 0.2
"""Seconds between two looks whether another replica's call has ended."""
MAX_HOLD = 900.0
"""Seconds after which the call of another replica counts as ended, if that replica could not record its end."""

log = structlog.get_logger(__name__)
_NEW_ROW = text(
    "INSERT INTO senders (connection, free_at, day, used) VALUES (:connection, 0, '', 0)"
    " ON CONFLICT (connection) DO NOTHING"
)
"""Adds a connection's row, unless another replica has just done so."""

STOPPED = "The request was stopped before this person was sent."


class SlotUnavailable(Exception):
    """There is no slot, so nothing may be sent. The message is for people."""


class DailyLimitReached(SlotUnavailable):
    """The connection's daily number of people is used up."""


class CoolingDown(SlotUnavailable):
    """The account sends nothing for a while."""

    def __init__(self, cooldown: Cooldown) -> None:
        super().__init__(f"Paused until {cooldown.until:%Y-%m-%d %H:%M} UTC: {cooldown.reason}")
        self.cooldown = cooldown


class Stopped(SlotUnavailable):
    """The request was stopped while it waited for its slot."""


class Throttle:
    """Grants the slots of one connection: one call at a time, to each requester in turn.

    Args:
        database: stores the next free moment.
        connection: the connection's name.
        limits: how fast it may send.
        rand: returns a number from 0 to 1, for the jitter.
        clock: returns the seconds since 1970.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        database: Database,
        connection: str,
        limits: SendLimits,
        rand: Callable[[], float] = random.random,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limits = limits
        self._database = database
        self._connection = connection
        self._mine = senders.c.connection == connection
        self._turns = Turns()
        self._rand = rand
        self._clock = clock
        self._sleep = sleep

    @asynccontextmanager
    async def slot(self, people: int, requester: str = "") -> AsyncIterator[int]:
        """Wait for the next slot of this connection, and hold it during the block.

        Yield how many people may be sent: all `people`, or fewer if the day has no room for more. A call about the
        group itself counts 0 people and is not delayed by a used-up day. The requesters whose calls wait take turns.

        Raises:
            DailyLimitReached: there is room for no one.
            CoolingDown: the account was limited, restricted or lost, now or while this call waited for its slot.
        """
        async with self._turns.turn(requester):
            while (reserved := await self._database.write(partial(self._reserve, people=people))) is None:
                await self._sleep(HELD_POLL_INTERVAL)
            try:
                wait, granted = reserved
                if wait > 0:
                    await self._sleep(wait)
                yield granted
            finally:
                await self._release()

    async def cool_down(self, seconds: float, reason: str) -> None:
        """Send nothing for `seconds`, for any request. A longer cooldown that has begun already stays."""
        until = self._clock() + seconds

        def rest(connection: Connection) -> None:
            row = self._locked_row(connection)
            if row.rests_until < until or self._active_cooldown(row.rests_until, "") is None:
                connection.execute(update(senders).where(self._mine).values(rests_until=until, rests_for=reason))

        await self._database.write(rest)

    async def remaining_today(self) -> int | None:
        """Return how many people may still be sent today (UTC), None if there is no limit."""
        if self.limits.per_day is None:
            return None
        today = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        statement = select(senders.c.used).where(self._mine, senders.c.day == today)
        used: int | None = await self._database.read(lambda connection: connection.scalar(statement))
        return max(0, self.limits.per_day - (used or 0))

    async def cooldown(self) -> Cooldown | None:
        """Return the cooldown that the account is in, None if it may send."""
        statement = select(senders).where(self._mine)
        row = await self._database.read(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else self._active_cooldown(row.rests_until, row.rests_for)

    def _active_cooldown(self, until: float, reason: str) -> Cooldown | None:
        """Return a row's cooldown, None if it is over, or ends later than any cooldown that is ordered now."""
        now = self._clock()
        return Cooldown(datetime.fromtimestamp(until, UTC), reason) if now < until <= now + MAX_COOLDOWN else None

    def _reserve(self, connection: Connection, people: int) -> tuple[float, int] | None:
        """Reserve the next slot. Return the seconds until it begins, and for how many people it is.

        Return None if another replica has a call in progress.
        """
        now = self._clock()
        today = datetime.fromtimestamp(now, UTC).date().isoformat()
        gap = self.limits.gap * (1 + self.limits.jitter * (2 * self._rand() - 1))
        max_gap = self.limits.gap * (1 + self.limits.jitter)
        row = self._locked_row(connection)
        if cooldown := self._active_cooldown(row.rests_until, row.rests_for):
            raise CoolingDown(cooldown)
        if self._is_held_elsewhere(row, now):
            return None
        used = row.used if row.day == today else 0
        granted = people if self.limits.per_day is None else max(0, min(people, self.limits.per_day - used))
        if people and not granted:
            raise DailyLimitReached(f"{used} of {self.limits.per_day} people were sent today on {self._connection}.")
        # The last call is in the past, so a wait of more than a gap is a slot that a crash left unused, or a
        # clock that was set back.
        start = min(max(now, row.free_at), now + max_gap)
        values = {"free_at": start + gap, "day": today, "used": used + granted, "replica": self._database.replica}
        connection.execute(update(senders).where(self._mine).values(**values))
        return float(start - now), granted

    def _locked_row(self, connection: Connection) -> Row[Any]:
        """Return the row of this connection, locked until the end of the transaction, and add it if it is missing."""
        locked = select(senders).where(self._mine).with_for_update()
        if (row := connection.execute(locked).one_or_none()) is None:
            connection.execute(_NEW_ROW, {"connection": self._connection})
            row = connection.execute(locked).one()
        return row

    def _is_held_elsewhere(self, row: Row[Any], now: float) -> bool:
        """Return whether another replica has a call in progress."""
        return row.replica not in {"", self._database.replica} and now < row.free_at + MAX_HOLD

    async def _release(self) -> None:
        """Record the end of this replica's call. On SQLite there are no others that wait for it."""
        mine = senders.c.replica == self._database.replica
        if self._database.replica:
            try:
                released = update(senders).where(self._mine, mine).values(replica="")
                await self._database.write(lambda connection: connection.execute(released))
            except (SQLAlchemyError, ReplicaFenced):
                log.warning("slot_not_released", connection=self._connection, exc_info=True)


@asynccontextmanager
async def send_slot(store: RequestStore, throttle: Throttle, request: Request, people: int) -> AsyncIterator[int]:
    """Hold a slot for a request, and yield how many people it may send. Raises `SlotUnavailable`."""
    async with throttle.slot(people, request.requester) as granted:
        if (await store.get(request.id)).stopped_by:  # it may have been stopped while it waited
            raise Stopped(STOPPED)
        yield granted
