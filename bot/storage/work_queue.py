"""The work queue: requests that need the engine, and reminders and expiries that are due."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, or_, select, update

from bot.domain.audit import transition_entry
from bot.domain.requests import Request, RequestState
from bot.storage.audit import append_entries
from bot.storage.database import Store, reads, writes
from bot.storage.rows import request_from_row
from bot.storage.tables import requests

WORK_STATES = (
    RequestState.RECEIVED,
    RequestState.APPROVED,
    RequestState.DENIED,
    RequestState.EXPIRED,
    RequestState.WITHDRAWN,
)
"""The states in which the engine has work to do."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work that the engine does not have yet."""

    request_id: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class DueReminder:
    """A reminder of a waiting request. `number` counts from 0."""

    request: Request
    number: int


class WorkQueue(Store):
    """Reads and marks due work. Every method is one transaction; all times are in seconds since 1970."""

    @reads
    def due(self, connection: Connection, now: float) -> list[DueWork]:
        """Return the work that is due at `now` and that the engine does not have yet, oldest first."""
        statement = select(requests.c.id, requests.c.state).where(
            requests.c.state.in_(WORK_STATES),
            requests.c.dispatched != requests.c.state,
            or_(requests.c.state != RequestState.APPROVED, requests.c.run_at.is_(None), requests.c.run_at <= now),
        )
        rows = connection.execute(statement.order_by(requests.c.asked_at)).all()
        return [DueWork(row.id, RequestState(row.state)) for row in rows]

    @writes
    def mark_dispatched(self, connection: Connection, due: DueWork) -> None:
        """Record that the engine has this work."""
        connection.execute(update(requests).where(requests.c.id == due.request_id).values(dispatched=due.state))

    @writes
    def expire(self, connection: Connection, now: float) -> None:
        """Expire the requests whose time for approval is over at `now`."""
        rows = connection.execute(
            update(requests)
            .where(requests.c.state == RequestState.WAITING, requests.c.expires_at <= now)
            .values(state=RequestState.EXPIRED)
            .returning(requests)
        )
        at = datetime.fromtimestamp(now, UTC)
        append_entries(connection, [transition_entry(request_from_row(row), RequestState.EXPIRED, at) for row in rows])

    @reads
    def next_due_at(self, connection: Connection, now: float) -> float | None:
        """Return when the first request after `now` expires, runs or needs a reminder; None if none does."""
        undecided = requests.c.state.in_((RequestState.RECEIVED, RequestState.WAITING))
        times = (
            (requests.c.expires_at, undecided),
            (requests.c.remind_at, undecided),
            (requests.c.run_at, requests.c.state.in_((RequestState.RECEIVED, RequestState.APPROVED))),
        )
        soonest = [
            connection.scalar(select(func.min(column)).where(condition, column > now)) for column, condition in times
        ]
        return min((at for at in soonest if at is not None), default=None)

    @reads
    def reminders_due(self, connection: Connection, now: float) -> list[DueReminder]:
        """Return the reminders of waiting requests that are due at `now`."""
        statement = select(requests).where(requests.c.state == RequestState.WAITING, requests.c.remind_at <= now)
        rows = connection.execute(statement).all()
        return [DueReminder(request_from_row(row), row.reminders) for row in rows]

    @writes
    def mark_reminded(self, connection: Connection, reminder: DueReminder, next_at: float | None) -> None:
        """Record that the engine has this reminder, and when the next one is due; None for no other."""
        connection.execute(
            update(requests)
            .where(requests.c.id == reminder.request.id, requests.c.reminders == reminder.number)
            .values(reminders=reminder.number + 1, remind_at=next_at)
        )
