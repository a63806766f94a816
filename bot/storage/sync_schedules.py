"""Scheduled syncs: they run once, or repeat until a person ends them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import AuditEntry, schedule_entry
from bot.domain.groups import GroupRef
from bot.domain.sync import SyncMode, SyncSchedule
from bot.storage.audit import append_entries
from bot.storage.database import Database
from bot.storage.requests import withdraw
from bot.storage.rows import source_from_json, source_json
from bot.storage.tables import schedules


class ScheduleResult(Enum):
    """What adding a schedule did. `REPLACED`: it took the place of the group's previous repeated sync."""

    NEW = "new"
    REPLACED = "instead"
    EXISTING = "known"


@dataclass(frozen=True, slots=True)
class EndedSyncs:
    """How many schedules of a group were ended, and how many of their requests were withdrawn."""

    schedules: int
    withdrawn: int = 0


class SyncSchedules:
    """Reads and writes the schedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, schedule: SyncSchedule) -> ScheduleResult:
        """Store a schedule. A group has one repeated sync, and a new one replaces it."""
        async with self._database.write() as connection:
            if await connection.scalar(select(schedules.c.id).where(schedules.c.id == schedule.id)) is not None:
                return ScheduleResult.EXISTING
            repeated = and_(_of_group(schedule.group), schedules.c.every.is_not(None))
            replaced = await _end(connection, repeated) if schedule.every else 0
            await connection.execute(insert(schedules).values(**_row(schedule)))
            await append_entries(connection, [_started(schedule, replaced)])
        return ScheduleResult.REPLACED if replaced else ScheduleResult.NEW

    async def active(self) -> list[SyncSchedule]:
        """Return the active schedules, soonest first."""
        statement = select(schedules).where(schedules.c.next_at.is_not(None)).order_by(schedules.c.next_at)
        async with self._database.read() as connection:
            return [_schedule(row) for row in await connection.execute(statement)]

    async def claim_due(self, now: datetime) -> list[SyncSchedule]:
        """Claim the schedules that are due at `now` (aware), and return them, soonest first.

        Until its run is completed, no other replica can claim a schedule, unless this one is fenced.
        """
        free = schedules.c.replica.in_(("", self._database.replica))
        statement = update(schedules).where(schedules.c.next_at <= now.timestamp(), free)
        claim = statement.values(replica=self._database.replica).returning(schedules)
        async with self._database.write() as connection:
            claimed = [_schedule(row) for row in await connection.execute(claim)]
        return sorted(claimed, key=lambda schedule: schedule.next_at)

    async def next_at(self) -> float | None:
        """Return when the next schedule is due, in seconds since 1970; None if none is."""
        async with self._database.read() as connection:
            soonest: float | None = await connection.scalar(select(func.min(schedules.c.next_at)))
        return soonest

    async def complete_run(
        self, schedule: SyncSchedule, now: datetime, *, request: str = "", failed: bool = False
    ) -> None:
        """Move a schedule to its next run after `now`, if there is one. Missed runs are skipped.

        Args:
            schedule: the schedule as it was read when it was due.
            now: the end of the run, aware.
            request: the id of the request that the run made; empty if none.
            failed: whether the run failed.
        """
        failures = schedule.failed + 1 if failed else 0
        given_up = failed and schedule.gives_up
        following: float | None = None
        if schedule.every is not None and not given_up:
            missed = max(0, (now - schedule.next_at) // schedule.every)
            following = (schedule.next_at + (missed + 1) * schedule.every).timestamp()
        this_run = and_(
            schedules.c.id == schedule.id, schedules.c.run == schedule.run, schedules.c.next_at.is_not(None)
        )
        values: dict[str, Any] = {"run": schedule.run + 1, "next_at": following, "failed": failures, "replica": ""}
        values |= {"request": request} if request else {}
        async with self._database.write() as connection:
            result = await connection.execute(update(schedules).where(this_run).values(**values))
            if given_up and result.rowcount:
                await append_entries(connection, [_ended(schedule.group, "", 1)])

    async def end(self, group: GroupRef, user_id: str) -> EndedSyncs:
        """End the active schedules of a group on behalf of a user, and withdraw their requests that haven't begun."""
        last_requests = select(schedules.c.request).where(_of_group(group), schedules.c.next_at.is_not(None))
        async with self._database.write() as connection:
            made = [id_ for id_ in await connection.scalars(last_requests) if id_]
            ended = await _end(connection, _of_group(group))
            withdrawn = sum([await withdraw(connection, request_id, user_id) for request_id in made])
            if ended:
                await append_entries(connection, [_ended(group, user_id, ended)])
        return EndedSyncs(ended, withdrawn)


def _of_group(group: GroupRef) -> ColumnElement[bool]:
    return and_(schedules.c.connection == group.connection, schedules.c.group_id == group.id)


async def _end(connection: AsyncConnection, condition: ColumnElement[bool]) -> int:
    """End the active schedules that match. Return their number."""
    result = await connection.execute(
        update(schedules).where(condition, schedules.c.next_at.is_not(None)).values(next_at=None)
    )
    return result.rowcount


def _ended(group: GroupRef, user_id: str, ended: int) -> AuditEntry:
    return schedule_entry(
        actor=user_id,
        connection=group.connection,
        group_id=group.id,
        at=datetime.now(UTC),
        details={"ended": ended},
    )


def _started(schedule: SyncSchedule, replaced: int) -> AuditEntry:
    every = None if schedule.every is None else int(schedule.every.total_seconds())
    details = {
        "started": schedule.id,
        "list": schedule.source.name,
        "mode": schedule.mode.value,
        "every": every,
        "reason": schedule.reason,
        "replaced": replaced,
    }
    return schedule_entry(
        actor=schedule.requester,
        connection=schedule.connection,
        group_id=schedule.group_id,
        at=datetime.now(UTC),
        details=details,
    )


def _row(schedule: SyncSchedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "connection": schedule.connection,
        "group_id": schedule.group_id,
        "requester": schedule.requester,
        "channel": schedule.channel,
        "source": json.dumps(source_json(schedule.source)),
        "mode": schedule.mode,
        "reason": schedule.reason,
        "every": None if schedule.every is None else schedule.every.total_seconds(),
        "run": schedule.run,
        "next_at": schedule.next_at.timestamp(),
        "request": schedule.request,
        "failed": schedule.failed,
    }


def _schedule(row: Row[Any]) -> SyncSchedule:
    return SyncSchedule(
        id=row.id,
        connection=row.connection,
        group_id=row.group_id,
        requester=row.requester,
        channel=row.channel,
        source=source_from_json(json.loads(row.source)),
        mode=SyncMode(row.mode),
        reason=row.reason,
        every=None if row.every is None else timedelta(seconds=row.every),
        next_at=datetime.fromtimestamp(row.next_at, UTC),
        run=row.run,
        request=row.request,
        failed=row.failed,
    )
