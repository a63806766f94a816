"""The store of requests and their people. A request is durable before it is acknowledged."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import transition_entry
from bot.domain.outcomes import Tally
from bot.domain.requests import TRANSITIONS, Request, RequestItem, RequestState
from bot.domain.verdicts import RecentChange
from bot.storage.audit import append_entries, verdict_entries
from bot.storage.database import Database
from bot.storage.request_queries import IS_NOT_A_PERSON, tally_from_rows
from bot.storage.request_writer import RequestWriter
from bot.storage.rows import item_from_row, request_from_row
from bot.storage.tables import participants, requests
from providers.base import MembershipStatus, Operation, Outcome, Verdict
from providers.identity import person_keys


class RequestStore:
    """Reads and writes requests and their people. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = RequestWriter(database)

    async def create(self, request: Request, people: Sequence[RequestItem]) -> bool:
        """Write a new request with its people. Return False, and change nothing, if the request exists already."""
        return await self._writer.write(request, people)

    async def get(self, request_id: str) -> Request:
        """Return a request. Raises `LookupError` if there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(requests).where(requests.c.id == request_id))).one_or_none()
        if row is None:
            raise LookupError(f"no request {request_id}")
        return request_from_row(row)

    async def transition(self, request_id: str, state: RequestState) -> bool:
        """Move a request to `state`. Return False if its current state doesn't allow that."""
        async with self._database.write() as connection:
            return await transition(connection, request_id, state)

    async def hold_if_required(self, request_id: str) -> RequestState:
        """Hold a new request that needs an approval, or has a time to run at. Return its state."""
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
        """Stop a running request before its next call. Return False if it isn't running, or was stopped already."""
        running = requests.c.state == RequestState.RUNNING, requests.c.stopped_by == ""
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(requests)
                .where(requests.c.id == request_id, *running)
                .values(stopped_by=user_id)
                .returning(requests)
            )
            stopped = [transition_entry(request_from_row(r), "stopped", datetime.now(UTC), user_id) for r in rows]
            await append_entries(connection, stopped)
        return bool(stopped)

    async def set_group_id(self, request_id: str, group_id: str) -> None:
        """Record the id of the group that a request created."""
        async with self._database.write() as connection:
            await connection.execute(update(requests).where(requests.c.id == request_id).values(group_id=group_id))

    async def items(self, request_id: str) -> list[RequestItem]:
        """Return all items of a request, in the order of the roster."""
        return await self._select(request_id)

    async def items_page(self, request_id: str, start: int, length: int) -> list[RequestItem]:
        """Return up to `length` items of a request, from position `start` on."""
        return await self._select(
            request_id, participants.c.position >= start, participants.c.position < start + length
        )

    async def unanswered_items(self, request_id: str) -> list[RequestItem]:
        """Return the items of a request that have no outcome yet."""
        return await self._select(request_id, participants.c.outcome.is_(None))

    async def batch_items(self, request_id: str, number: int) -> list[RequestItem]:
        """Return the items of a batch that have no outcome yet."""
        return await self._select(request_id, participants.c.chunk == number, participants.c.outcome.is_(None))

    async def items_with_outcome(self, request_id: str, outcome: Outcome) -> list[RequestItem]:
        """Return the items of a request that have this outcome."""
        return await self._select(request_id, participants.c.outcome == outcome)

    async def recent_changes(self, request: Request, since: float) -> dict[str, list[RecentChange]]:
        """Return what other requests sent to the provider for the same group, by each of the person's keys.

        Args:
            request: the request that asks.
            since: seconds since 1970. People answered earlier are left out; people not answered yet are not.
        """
        sent = (
            select(participants.c.phone, participants.c.lid, participants.c.operation, participants.c.outcome)
            .join(requests, requests.c.id == participants.c.request_id)
            .where(
                requests.c.connection == request.connection,
                requests.c.group_id == request.group_id,
                requests.c.id != request.id,
                participants.c.submissions > 0,
            )
        )
        answered = sent.where(participants.c.at >= since)
        under_way = sent.where(requests.c.state == RequestState.RUNNING, participants.c.outcome.is_(None))
        async with self._database.read() as connection:
            rows = (await connection.execute(union_all(answered, under_way))).all()
        changes: dict[str, list[RecentChange]] = {}
        for row in rows:
            outcome = Outcome(row.outcome) if row.outcome else None
            change = RecentChange(Operation(row.operation or Operation.ADD), outcome)
            for key in person_keys(row.phone, row.lid):
                changes.setdefault(key, []).append(change)
        return changes

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
        batches: Mapping[int, int],
        verdicts: Mapping[int, Verdict],
    ) -> None:
        """Record, by position, the plan of a request before anything is sent.

        Args:
            request_id: the request.
            before: the membership of people.
            batches: the batch number of the people who are to be sent.
            verdicts: the verdicts on people for whom nothing needs to be sent.
        """
        rows = [{"at_position": p, "before": status, "chunk": batches.get(p)} for p, status in before.items()]
        async with self._database.write() as connection:
            await _update_items(connection, request_id, rows)
            await _save_verdicts(connection, request_id, verdicts)

    async def mark_submitted(self, request_id: str, positions: Sequence[int]) -> None:
        """Count a submission of these people, before they are sent to the provider."""
        async with self._database.write() as connection:
            await connection.execute(
                update(participants)
                .where(participants.c.request_id == request_id, participants.c.position.in_(positions))
                .values(submissions=participants.c.submissions + 1)
            )

    async def mark_invite_started(self, request_id: str, position: int) -> None:
        """Count an invite to this person, before it is sent."""
        async with self._database.write() as connection:
            await connection.execute(
                update(participants)
                .where(participants.c.request_id == request_id, participants.c.position == position)
                .values(invited=participants.c.invited + 1)
            )

    async def save_verdicts(self, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
        """Record verdicts, by position."""
        async with self._database.write() as connection:
            await _save_verdicts(connection, request_id, verdicts)

    async def _select(self, request_id: str, *conditions: ColumnElement[bool]) -> list[RequestItem]:
        statement = select(participants).where(participants.c.request_id == request_id, *conditions)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(participants.c.position))
            return [item_from_row(row) for row in rows]


async def transition(connection: AsyncConnection, request_id: str, state: RequestState) -> bool:
    """Move a request to `state` within a transaction. Return False if its current state doesn't allow that."""
    before = [s for s, after in TRANSITIONS.items() if state in after]
    result = await connection.execute(
        update(requests).where(requests.c.id == request_id, requests.c.state.in_(before)).values(state=state)
    )
    return bool(result.rowcount)


async def withdraw(connection: AsyncConnection, request_id: str, user_id: str) -> bool:
    """Withdraw a request within a transaction, and audit that. Return False if it has begun or is over."""
    request = await locked_request(connection, request_id)
    if request is None or not await transition(connection, request_id, RequestState.WITHDRAWN):
        return False
    await connection.execute(update(requests).where(requests.c.id == request_id).values(stopped_by=user_id))
    await append_entries(connection, [transition_entry(request, RequestState.WITHDRAWN, datetime.now(UTC), user_id)])
    return True


async def locked_request(connection: AsyncConnection, request_id: str) -> Request | None:
    """Return a request and lock it: no other transaction can change it until the end of this one."""
    row = (
        await connection.execute(select(requests).where(requests.c.id == request_id).with_for_update())
    ).one_or_none()
    return None if row is None else request_from_row(row)


async def _update_items(connection: AsyncConnection, request_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update the item at each row's `at_position`. All rows name the same columns."""
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
    """Record verdicts, by position, and append the new ones to the audit journal."""
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
