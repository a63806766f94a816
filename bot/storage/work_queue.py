"""The work queue: requests that need the engine, and reminders and expiries that are due."""

from collections.abc import Collection
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
MAX_WORK = 20
"""How much work is read at a time: what becomes due meanwhile and comes first need not wait for the rest."""


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


@dataclass(frozen=True, slots=True)
class Due:
    """What is due at a time.

    Attributes:
        work: the work that the engine does not have yet, `MAX_WORK` at most: decided requests first, then the new
            ones of each requester and connection in turn.
        reminders: the reminders of waiting requests.
        expired: whether the time for the approval of a request is over.
        next_at: when the next request expires, runs or needs a reminder, in seconds since 1970; None if none does.
    """

    work: list[DueWork]
    reminders: list[DueReminder]
    expired: bool
    next_at: float | None


class WorkQueue(Store):
    """Reads and marks due work. Every method is one transaction; all times are in seconds since 1970."""

    @reads
    def due(self, connection: Connection, now: float) -> Due:
        """Return what is due at `now`."""
        ready = select(requests.c.id, requests.c.state).where(
            requests.c.state.in_(WORK_STATES),
            requests.c.dispatched != requests.c.state,
            or_(requests.c.state != RequestState.APPROVED, requests.c.run_at.is_(None), requests.c.run_at <= now),
        )
        is_new = requests.c.state == RequestState.RECEIVED
        number = func.row_number().over(
            partition_by=(is_new, requests.c.requester, requests.c.connection), order_by=requests.c.asked_at
        )
        work = connection.execute(ready.order_by(is_new, number, requests.c.asked_at).limit(MAX_WORK))
        waiting = select(requests).where(requests.c.state == RequestState.WAITING)
        reminders = connection.execute(waiting.where(requests.c.remind_at <= now))
        return Due(
            [DueWork(row.id, RequestState(row.state)) for row in work],
            [DueReminder(request_from_row(row), row.reminders) for row in reminders],
            connection.execute(waiting.where(requests.c.expires_at <= now).limit(1)).first() is not None,
            _next_at(connection, now),
        )

    @writes
    def mark_dispatched(self, connection: Connection, work: Collection[DueWork]) -> None:
        """Record that the engine has this work."""
        for state in {due.state for due in work}:
            ids = [due.request_id for due in work if due.state is state]
            connection.execute(update(requests).where(requests.c.id.in_(ids)).values(dispatched=state))

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

    @writes
    def mark_reminded(self, connection: Connection, reminder: DueReminder, next_at: float | None) -> None:
        """Record that the engine has this reminder, and when the next one is due; None for no other."""
        connection.execute(
            update(requests)
            .where(requests.c.id == reminder.request.id, requests.c.reminders == reminder.number)
            .values(reminders=reminder.number + 1, remind_at=next_at)
        )


def _next_at(connection: Connection, now: float) -> float | None:
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
