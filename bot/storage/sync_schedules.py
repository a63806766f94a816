"""Scheduled syncs: they run once, or repeat until a person ends them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from bot.domain.audit import AuditEntry, schedule_entry
from bot.domain.groups import GroupRef
from bot.domain.sync import SyncMode, SyncSchedule
from bot.storage.audit import append_entries
from bot.storage.database import Store, reads, writes
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


class SyncSchedules(Store):
    """Reads and writes the schedules."""

    @writes
    def add(self, connection: Connection, schedule: SyncSchedule) -> ScheduleResult:
        """Store a schedule. A group has one repeated sync, and a new one replaces it."""
        if connection.scalar(select(schedules.c.id).where(schedules.c.id == schedule.id)) is not None:
            return ScheduleResult.EXISTING
        repeated = and_(_of_group(schedule.group), schedules.c.every.is_not(None))
        replaced = _end(connection, repeated) if schedule.every else 0
        connection.execute(insert(schedules).values(**_row(schedule)))
        append_entries(connection, [_started(schedule, replaced)])
        return ScheduleResult.REPLACED if replaced else ScheduleResult.NEW

    @reads
    def active(self, connection: Connection) -> list[SyncSchedule]:
        """Return the active schedules, soonest first."""
        statement = select(schedules).where(schedules.c.next_at.is_not(None)).order_by(schedules.c.next_at)
        return [_schedule(row) for row in connection.execute(statement)]

    @writes
    def claim_due(self, connection: Connection, now: datetime) -> list[SyncSchedule]:
        """Claim the schedules that are due at `now` (aware), and return them, soonest first.

        Until its run is completed, no other replica can claim a schedule, unless this one is fenced.
        """
        free = schedules.c.replica.in_(("", self.database.replica))
        statement = update(schedules).where(schedules.c.next_at <= now.timestamp(), free)
        claim = statement.values(replica=self.database.replica).returning(schedules)
        claimed = [_schedule(row) for row in connection.execute(claim)]
        return sorted(claimed, key=lambda schedule: schedule.next_at)

    @reads
    def next_at(self, connection: Connection) -> float | None:
        """Return when the next schedule is due, in seconds since 1970; None if none is."""
        soonest: float | None = connection.scalar(select(func.min(schedules.c.next_at)))
        return soonest

    @writes
    def complete_run(
        self, connection: Connection, schedule: SyncSchedule, now: datetime, *, request: str = "", failed: bool = False
    ) -> None:
        """Move a schedule to its next run after `now`, if there is one. Missed runs are skipped.

        Args:
            connection: the connection.
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
        result = connection.execute(update(schedules).where(this_run).values(**values))
        if given_up and result.rowcount:
            append_entries(connection, [_ended(schedule.group, "", 1)])

    @writes
    def end(self, connection: Connection, group: GroupRef, user_id: str) -> EndedSyncs:
        """End the active schedules of a group on behalf of a user, and withdraw their requests that haven't begun."""
        last_requests = select(schedules.c.request).where(_of_group(group), schedules.c.next_at.is_not(None))
        made = [id_ for id_ in connection.scalars(last_requests) if id_]
        ended = _end(connection, _of_group(group))
        withdrawn = sum(withdraw(connection, request_id, user_id) for request_id in made)
        if ended:
            append_entries(connection, [_ended(group, user_id, ended)])
        return EndedSyncs(ended, withdrawn)


def _of_group(group: GroupRef) -> ColumnElement[bool]:
    return and_(schedules.c.connection == group.connection, schedules.c.group_id == group.id)


def _end(connection: Connection, condition: ColumnElement[bool]) -> int:
    """End the active schedules that match. Return their number."""
    result = connection.execute(
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
