"""The journal: every request, its people, decisions and postings, durable before anything is acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import transition_entry
from bot.domain.history import RecentChange
from bot.domain.outcomes import Tally
from bot.domain.requests import TRANSITIONS, Request, RequestItem, RequestState
from bot.storage.audit import append_entries, verdict_entries
from bot.storage.database import Database
from bot.storage.history import recent_changes
from bot.storage.request_queries import IS_NOT_A_PERSON, tally_from_rows
from bot.storage.request_writer import RequestWriter
from bot.storage.rows import item_from_row, request_from_row
from bot.storage.tables import participants, requests
from providers.base import MembershipStatus, Outcome, Verdict

WORK_STATES = (
    RequestState.RECEIVED,
    RequestState.APPROVED,
    RequestState.DENIED,
    RequestState.EXPIRED,
    RequestState.WITHDRAWN,
)
"""The states in which the engine has something to do."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work that the engine does not have yet."""

    request_id: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class DueReminder:
    """A reminder of a request that waits; `number` counts from 0."""

    request_id: str
    number: int


class RequestStore:
    """Reads and writes requests and their people. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrivals = RequestWriter(database)

    async def create(self, request: Request, people: Sequence[RequestItem]) -> bool:
        """Write a new request with its people. False when the request was there already: nothing is changed."""
        return await self._arrivals.write(request, people)

    async def get(self, request_id: str) -> Request:
        """Read one request. Raises `LookupError` when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(requests).where(requests.c.id == request_id))).one_or_none()
        if row is None:
            raise LookupError(f"no request {request_id}")
        return request_from_row(row)

    async def transition(self, request_id: str, state: RequestState) -> bool:
        """Move a request on to `state`. False when it was not in a state from which that may follow."""
        async with self._database.write() as connection:
            return await transition(connection, request_id, state)

    async def hold_if_required(self, request_id: str) -> RequestState:
        """Let a request wait for its approval, else for its time, where it has to. Gives the state it is in now."""
        new = requests.c.id == request_id, requests.c.state == RequestState.RECEIVED
        async with self._database.write() as connection:
            await connection.execute(
                update(requests).where(*new, requests.c.rule.is_not(None)).values(state=RequestState.WAITING)
            )
            await connection.execute(
                update(requests).where(*new, requests.c.run_at.is_not(None)).values(state=RequestState.APPROVED)
            )
            state: str = (
                await connection.execute(select(requests.c.state).where(requests.c.id == request_id))
            ).scalar_one()
        return RequestState(state)

    async def stop(self, request_id: str, user_id: str) -> bool:
        """Ask a request that runs to stop before its next call. False when it does not run, or was stopped already."""
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(requests)
                .where(
                    requests.c.id == request_id, requests.c.state == RequestState.RUNNING, requests.c.stopped_by == ""
                )
                .values(stopped_by=user_id)
                .returning(requests)
            )
            stopped = [transition_entry(request_from_row(r), "stopped", datetime.now(UTC), user_id) for r in rows]
            await append_entries(connection, stopped)
        return bool(stopped)

    async def set_group_id(self, request_id: str, group_id: str) -> None:
        """Keep the id of the group that a request has created."""
        async with self._database.write() as connection:
            await connection.execute(update(requests).where(requests.c.id == request_id).values(group_id=group_id))

    async def due(self, now: float) -> list[DueWork]:
        """Give the work that the engine does not have yet and whose time has come at `now` (seconds since 1970)."""
        statement = select(requests.c.id, requests.c.state).where(
            requests.c.state.in_(WORK_STATES),
            requests.c.dispatched != requests.c.state,
            or_(requests.c.state != RequestState.APPROVED, requests.c.run_at.is_(None), requests.c.run_at <= now),
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.order_by(requests.c.asked_at))).all()
        return [DueWork(row.id, RequestState(row.state)) for row in rows]

    async def mark_dispatched(self, due: DueWork) -> None:
        """Keep that the engine has this work now."""
        async with self._database.write() as connection:
            await connection.execute(
                update(requests).where(requests.c.id == due.request_id).values(dispatched=due.state)
            )

    async def expire(self, now: float) -> None:
        """Expire the requests whose time for approval is over at `now`, in seconds since 1970."""
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(requests)
                .where(requests.c.state == RequestState.WAITING, requests.c.expires_at <= now)
                .values(state=RequestState.EXPIRED)
                .returning(requests)
            )
            at = datetime.fromtimestamp(now, UTC)
            await append_entries(
                connection, [transition_entry(request_from_row(row), RequestState.EXPIRED, at) for row in rows]
            )

    async def next_due_at(self, now: float) -> float | None:
        """Give when the first request after `now` expires, runs or is reminded of; None: none.

        Both are in seconds since 1970.
        """
        undecided = requests.c.state.in_((RequestState.RECEIVED, RequestState.WAITING))
        moments = (
            (requests.c.expires_at, undecided),
            (requests.c.remind_at, undecided),
            (requests.c.run_at, requests.c.state.in_((RequestState.RECEIVED, RequestState.APPROVED))),
        )
        async with self._database.read() as connection:
            soonest = [
                await connection.scalar(select(func.min(column)).where(condition, column > now))
                for column, condition in moments
            ]
        return min((moment for moment in soonest if moment is not None), default=None)

    async def reminders_due(self, now: float) -> list[DueReminder]:
        """Give the reminders whose time has come at `now` (seconds since 1970), of requests that wait."""
        statement = select(requests.c.id, requests.c.reminders).where(
            requests.c.state == RequestState.WAITING, requests.c.remind_at <= now
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [DueReminder(row.id, row.reminders) for row in rows]

    async def mark_reminded(self, reminder: DueReminder, next_at: float | None) -> None:
        """Keep that the engine has this reminder, and when the next is due (seconds since 1970; None: none)."""
        async with self._database.write() as connection:
            await connection.execute(
                update(requests)
                .where(requests.c.id == reminder.request_id, requests.c.reminders == reminder.number)
                .values(reminders=reminder.number + 1, remind_at=next_at)
            )

    async def items(self, request_id: str) -> list[RequestItem]:
        """Read everybody of a request, in the order of the roster."""
        return await self._select(participants.c.request_id == request_id)

    async def items_page(self, request_id: str, start: int, length: int) -> list[RequestItem]:
        """Read `length` people of a request from position `start` on."""
        return await self._select(
            and_(
                participants.c.request_id == request_id,
                participants.c.position >= start,
                participants.c.position < start + length,
            )
        )

    async def unanswered_items(self, request_id: str) -> list[RequestItem]:
        """Read those of a request who have no outcome yet."""
        return await self._select(and_(participants.c.request_id == request_id, participants.c.outcome.is_(None)))

    async def batch_items(self, request_id: str, number: int) -> list[RequestItem]:
        """Read those of a chunk who have no outcome yet."""
        return await self._select(
            and_(
                participants.c.request_id == request_id,
                participants.c.chunk == number,
                participants.c.outcome.is_(None),
            )
        )

    async def items_with_outcome(self, request_id: str, outcome: Outcome) -> list[RequestItem]:
        """Read those of a request who have this outcome."""
        return await self._select(and_(participants.c.request_id == request_id, participants.c.outcome == outcome))

    async def recent_changes(self, request: Request, since: float) -> dict[str, list[RecentChange]]:
        """Give by `person_keys` what other requests did to people of the same group, from `since` on (epoch)."""
        async with self._database.read() as connection:
            return await recent_changes(connection, request, since)

    async def tally(self, request_id: str) -> Tally:
        """Count a request's outcomes."""
        statement = (
            select(participants.c.outcome, func.count(), func.count().filter(IS_NOT_A_PERSON))
            .where(participants.c.request_id == request_id)
            .group_by(participants.c.outcome)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return tally_from_rows(rows)

    async def save_plan(
        self,
        request_id: str,
        before: Mapping[int, MembershipStatus],
        chunks: Mapping[int, int],
        verdicts: Mapping[int, Verdict],
    ) -> None:
        """Keep how people stood before anything was sent, by position, and what follows for each.

        Args:
            request_id: the request.
            before: how they stood.
            chunks: the chunk's number of those who are to be sent.
            verdicts: what became of those for whom nothing needs to be sent.
        """
        rows = [{"at_position": p, "before": standing, "chunk": chunks.get(p)} for p, standing in before.items()]
        async with self._database.write() as connection:
            await _update_items(connection, request_id, rows)
            await _save_verdicts(connection, request_id, verdicts)

    async def mark_submitted(self, request_id: str, positions: Sequence[int]) -> None:
        """Count that these people are about to be sent to the provider, before they are."""
        async with self._database.write() as connection:
            await connection.execute(
                update(participants)
                .where(participants.c.request_id == request_id, participants.c.position.in_(positions))
                .values(submissions=participants.c.submissions + 1)
            )

    async def mark_invite_started(self, request_id: str, position: int) -> None:
        """Count that an invite is about to be sent to this person, before it is."""
        async with self._database.write() as connection:
            await connection.execute(
                update(participants)
                .where(participants.c.request_id == request_id, participants.c.position == position)
                .values(invited=participants.c.invited + 1)
            )

    async def save_verdicts(self, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
        """Keep verdicts, by position."""
        async with self._database.write() as connection:
            await _save_verdicts(connection, request_id, verdicts)

    async def _select(self, condition: Any) -> list[RequestItem]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(participants).where(condition).order_by(participants.c.position))
            return [item_from_row(row) for row in rows]


async def transition(connection: AsyncConnection, request_id: str, state: RequestState) -> bool:
    """Move a request on to `state` within a transaction. False when that may not follow."""
    before = [s for s, after in TRANSITIONS.items() if state in after]
    result = await connection.execute(
        update(requests).where(requests.c.id == request_id, requests.c.state.in_(before)).values(state=state)
    )
    return bool(result.rowcount)


async def locked_request(connection: AsyncConnection, request_id: str) -> Request | None:
    """Read a request within a transaction, and keep every other transaction from changing it until the end."""
    row = (
        await connection.execute(select(requests).where(requests.c.id == request_id).with_for_update())
    ).one_or_none()
    return None if row is None else request_from_row(row)


async def _update_items(connection: AsyncConnection, request_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the columns that `rows` name, all the same ones, of the person at each row's `at_position`."""
    if not rows:
        return
    columns = rows[0].keys() - {"at_position"}
    statement = (
        update(participants)
        .where(participants.c.request_id == request_id, participants.c.position == bindparam("at_position"))
        .values({column: bindparam(column) for column in columns})
    )
    await connection.execute(statement, rows)


async def _save_verdicts(connection: AsyncConnection, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
    """Set verdicts, by position, and tell the audit journal of those that are new."""
    at = datetime.now(UTC)
    entries = await verdict_entries(connection, request_id, verdicts, at)
    rows = [
        {
            "at_position": position,
            "outcome": verdict.outcome,
            "evidence": verdict.evidence,
            "provider_code": verdict.provider_code,
            "provider_message": verdict.provider_message,
            "cause": verdict.cause,
            "at": at.timestamp(),
        }
        for position, verdict in verdicts.items()
    ]
    await _update_items(connection, request_id, rows)
    await append_entries(connection, entries)
