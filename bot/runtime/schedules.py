"""The syncs that are to run: once, or again and again until somebody ends them."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from bot.domain.audit import Entry, scheduled
from bot.domain.sync import Source, SyncMode
from bot.runtime.audit import record
from bot.runtime.database import Database
from bot.runtime.rows import source_of
from bot.runtime.tables import schedules


@dataclass(frozen=True, slots=True)
class Schedule:
    """A sync that is to run at `next_at` (aware), and then `every` so often; None: once."""

    id: str
    connection: str
    group_id: str
    requester: str
    channel: str
    source: Source
    mode: SyncMode
    reason: str
    every: timedelta | None
    next_at: datetime
    run: int = 0


class Schedules:
    """Reads and writes the schedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, schedule: Schedule) -> bool:
        """Keep a schedule. False when it was kept already: nothing is changed."""
        async with self._database.write() as connection:
            known = await connection.scalar(select(schedules.c.id).where(schedules.c.id == schedule.id))
            if known is None:
                await connection.execute(insert(schedules).values(**_row(schedule)))
                await record(connection, [_started(schedule)])
        return known is None

    async def active(self) -> list[Schedule]:
        """Give those that go on, the soonest first."""
        statement = select(schedules).where(schedules.c.next_at.is_not(None)).order_by(schedules.c.next_at)
        async with self._database.read() as connection:
            return [_schedule(row) for row in await connection.execute(statement)]

    async def due(self, now: datetime) -> list[Schedule]:
        """Give those whose time has come at `now` (aware)."""
        return [schedule for schedule in await self.active() if schedule.next_at <= now]

    async def next_at(self) -> float | None:
        """Give when the next one is due, in seconds since 1970; None: none."""
        async with self._database.read() as connection:
            soonest: float | None = await connection.scalar(select(func.min(schedules.c.next_at)))
        return soonest

    async def done(self, schedule: Schedule, now: datetime) -> None:
        """Move a schedule on to its next run after `now` (aware), if any; runs that were missed are left out."""
        following: float | None = None
        if schedule.every is not None:
            missed = max(0, (now - schedule.next_at) // schedule.every)
            following = (schedule.next_at + (missed + 1) * schedule.every).timestamp()
        async with self._database.write() as connection:
            await connection.execute(
                update(schedules)
                .where(schedules.c.id == schedule.id, schedules.c.run == schedule.run, schedules.c.next_at.is_not(None))
                .values(run=schedule.run + 1, next_at=following)
            )

    async def end(self, connection_name: str, group_id: str, user_id: str) -> int:
        """End the schedules of a group, for somebody. Gives how many went on until now."""
        async with self._database.write() as connection:
            result = await connection.execute(
                update(schedules)
                .where(
                    schedules.c.connection == connection_name,
                    schedules.c.group_id == group_id,
                    schedules.c.next_at.is_not(None),
                )
                .values(next_at=None)
            )
            if result.rowcount:
                told = {"ended": result.rowcount}
                at = datetime.now(UTC)
                entry = scheduled(actor=user_id, connection=connection_name, group_id=group_id, at=at, details=told)
                await record(connection, [entry])
        return result.rowcount


def _started(schedule: Schedule) -> Entry:
    every = None if schedule.every is None else int(schedule.every.total_seconds())
    told = {
        "started": schedule.id,
        "list": schedule.source.name,
        "mode": schedule.mode.value,
        "every": every,
        "reason": schedule.reason,
    }
    return scheduled(
        actor=schedule.requester,
        connection=schedule.connection,
        group_id=schedule.group_id,
        at=datetime.now(UTC),
        details=told,
    )


def _row(schedule: Schedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "connection": schedule.connection,
        "group_id": schedule.group_id,
        "requester": schedule.requester,
        "channel": schedule.channel,
        "source": json.dumps(asdict(schedule.source)),
        "mode": schedule.mode,
        "reason": schedule.reason,
        "every": None if schedule.every is None else schedule.every.total_seconds(),
        "run": schedule.run,
        "next_at": schedule.next_at.timestamp(),
    }


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        connection=row.connection,
        group_id=row.group_id,
        requester=row.requester,
        channel=row.channel,
        source=source_of(json.loads(row.source)),
        mode=SyncMode(row.mode),
        reason=row.reason,
        every=None if row.every is None else timedelta(seconds=row.every),
        next_at=datetime.fromtimestamp(row.next_at, UTC),
        run=row.run,
    )
