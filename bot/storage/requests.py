"""The store of requests and their people. A request is durable before it is acknowledged."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, union_all, update

from bot.domain.audit import transition_entry
from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem, RequestState
from bot.domain.verdicts import RecentChange
from bot.storage import statements
from bot.storage.audit import append_entries, verdict_entries
from bot.storage.database import Database, Store, reads, writes
from bot.storage.request_queries import tally_from_rows
from bot.storage.request_writer import RequestWriter
from bot.storage.rows import item_from_row, request_from_row
from bot.storage.tables import participants, requests
from providers.base import MembershipStatus, Operation, Outcome, Verdict
from providers.identity import person_keys


class RequestStore(Store):
    """Reads and writes requests and their people. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._writer = RequestWriter(database)

    async def create(self, request: Request, people: Sequence[RequestItem], *, max_open: int | None = None) -> bool:
        """Write a new request with its people. Return False, and change nothing, if the request exists already.

        Args:
            request: the request.
            people: its items.
            max_open: the maximum number of requests of its requester that haven't ended; None for no limit.

        Raises:
            TooManyOpen: the requester would have more; nothing is written.
        """
        return await self._writer.write(request, people, max_open)

    @reads
    def get(self, connection: Connection, request_id: str) -> Request:
        """Return a request. Raises `LookupError` if there is none."""
        row = connection.execute(statements.GET, {"request": request_id}).one_or_none()
        if row is None:
            raise LookupError(f"no request {request_id}")
        return request_from_row(row)

    @writes
    def transition(self, connection: Connection, request_id: str, state: RequestState) -> bool:
        """Move a request to `state`. Return False if its current state doesn't allow that."""
        return transition(connection, request_id, state)

    @writes
    def hold_if_required(self, connection: Connection, request_id: str) -> RequestState:
        """Hold a new request that needs an approval, or has a time to run at. Return its state."""
        new = requests.c.id == request_id, requests.c.state == RequestState.RECEIVED
        connection.execute(
            update(requests).where(*new, requests.c.rule.is_not(None)).values(state=RequestState.WAITING)
        )
        connection.execute(
            update(requests).where(*new, requests.c.run_at.is_not(None)).values(state=RequestState.APPROVED)
        )
        state: str = connection.execute(select(requests.c.state).where(requests.c.id == request_id)).scalar_one()
        return RequestState(state)

    @writes
    def stop(self, connection: Connection, request_id: str, user_id: str) -> bool:
        """Stop a running request before its next call. Return False if it isn't running, or was stopped already."""
        running = requests.c.state == RequestState.RUNNING, requests.c.stopped_by == ""
        rows = connection.execute(
            update(requests).where(requests.c.id == request_id, *running).values(stopped_by=user_id).returning(requests)
        )
        stopped = [transition_entry(request_from_row(r), "stopped", datetime.now(UTC), user_id) for r in rows]
        append_entries(connection, stopped)
        return bool(stopped)

    @writes
    def set_group_id(self, connection: Connection, request_id: str, group_id: str) -> None:
        """Record the id of the group that a request created."""
        connection.execute(update(requests).where(requests.c.id == request_id).values(group_id=group_id))

    async def items(self, request_id: str) -> list[RequestItem]:
        """Return all items of a request, in the order of the roster."""
        return await self._select(statements.ITEMS, request=request_id)

    async def items_page(self, request_id: str, start: int, length: int) -> list[RequestItem]:
        """Return up to `length` items of a request, from position `start` on."""
        return await self._select(statements.PAGE, request=request_id, start=start, end=start + length)

    async def unanswered_items(self, request_id: str) -> list[RequestItem]:
        """Return the items of a request that have no outcome yet."""
        return await self._select(statements.UNANSWERED, request=request_id)

    async def batch_items(self, request_id: str, number: int) -> list[RequestItem]:
        """Return the items of a batch that have no outcome yet."""
        return await self._select(statements.BATCH, request=request_id, batch=number)

    async def items_with_outcome(self, request_id: str, outcome: Outcome) -> list[RequestItem]:
        """Return the items of a request that have this outcome."""
        return await self._select(statements.WITH_OUTCOME, request=request_id, outcome=outcome)

    @reads
    def recent_changes(self, connection: Connection, request: Request, since: float) -> dict[str, list[RecentChange]]:
        """Return what other requests sent to the provider for the same group, by each of the person's keys.

        Args:
            connection: the connection.
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
        rows = connection.execute(union_all(answered, under_way)).all()
        changes: dict[str, list[RecentChange]] = {}
        for row in rows:
            outcome = Outcome(row.outcome) if row.outcome else None
            change = RecentChange(Operation(row.operation or Operation.ADD), outcome)
            for key in person_keys(row.phone, row.lid):
                changes.setdefault(key, []).append(change)
        return changes

    @reads
    def tally(self, connection: Connection, request_id: str) -> Tally:
        """Count a request's outcomes."""
        rows = connection.execute(statements.TALLY, {"request": request_id}).all()
        return tally_from_rows(rows)

    @writes
    def save_plan(
        self,
        connection: Connection,
        request_id: str,
        before: Mapping[int, MembershipStatus],
        batches: Mapping[int, int],
        verdicts: Mapping[int, Verdict],
        *,
        hidden: frozenset[str] | None = None,
    ) -> None:
        """Record, by position, the plan of a request before anything is sent.

        Args:
            connection: the connection.
            request_id: the request.
            before: the membership of people.
            batches: the batch number of the people who are to be sent.
            verdicts: the verdicts on people for whom nothing needs to be sent.
            hidden: the LIDs of the group's members without a known phone; None if unknown.
        """
        rows = [{"at_position": p, "before": status, "chunk": batches.get(p)} for p, status in before.items()]
        _update_items(connection, request_id, rows)
        if hidden:
            values = {"hidden": json.dumps(sorted(hidden))}
            connection.execute(update(requests).where(requests.c.id == request_id).values(values))
        _save_verdicts(connection, request_id, verdicts)

    @writes
    def mark_submitted(self, connection: Connection, request_id: str, positions: Sequence[int]) -> None:
        """Count a submission of these people, before they are sent to the provider."""
        connection.execute(statements.SUBMITTED, {"request": request_id, "positions": positions})

    @writes
    def mark_invite_started(self, connection: Connection, request_id: str, position: int) -> None:
        """Count an invite to this person, before it is sent."""
        connection.execute(
            update(participants)
            .where(participants.c.request_id == request_id, participants.c.position == position)
            .values(invited=participants.c.invited + 1)
        )

    @writes
    def save_verdicts(self, connection: Connection, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
        """Record verdicts, by position."""
        _save_verdicts(connection, request_id, verdicts)

    @reads
    def _select(self, connection: Connection, /, statement: Select[Any], **values: object) -> list[RequestItem]:
        return [item_from_row(row) for row in connection.execute(statement, values)]


def transition(connection: Connection, request_id: str, state: RequestState) -> bool:
    """Move a request to `state` within a transaction. Return False if its current state doesn't allow that."""
    return bool(connection.execute(statements.TRANSITION[state], {"request": request_id}).rowcount)


def withdraw(connection: Connection, request_id: str, user_id: str) -> bool:
    """Withdraw a request within a transaction, and audit that. Return False if it has begun or is over."""
    request = locked_request(connection, request_id)
    if request is None or not transition(connection, request_id, RequestState.WITHDRAWN):
        return False
    connection.execute(update(requests).where(requests.c.id == request_id).values(stopped_by=user_id))
    append_entries(connection, [transition_entry(request, RequestState.WITHDRAWN, datetime.now(UTC), user_id)])
    return True


def locked_request(connection: Connection, request_id: str) -> Request | None:
    """Return a request and lock it: no other transaction can change it until the end of this one."""
    row = connection.execute(statements.LOCK, {"request": request_id}).one_or_none()
    return None if row is None else request_from_row(row)


def _update_items(connection: Connection, request_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update the item at each row's `at_position`. All rows name the same columns."""
    if not rows:
        return
    columns = rows[0].keys() - {"at_position"}
    statement = (
        update(participants)
        .where(participants.c.request_id == request_id, participants.c.position == bindparam("at_position"))
        .values({column: bindparam(column) for column in columns})
    )
    connection.execute(statement, rows)


def _save_verdicts(connection: Connection, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
    """Record verdicts, by position, and append the new ones to the audit journal."""
    at = datetime.now(UTC)
    entries = verdict_entries(connection, request_id, verdicts, at)
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
    _update_items(connection, request_id, rows)
    append_entries(connection, entries)
