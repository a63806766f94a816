"""The journal: every request, its people, decisions and postings, durable before anything is acknowledged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.outcomes import Tally
from bot.domain.requests import FOLLOWS, Participant, Request, State
from bot.runtime.arrivals import Arrivals
from bot.runtime.database import Database
from bot.runtime.rows import participant_of, participant_row, request_of, request_row
from bot.runtime.tables import participants, requests
from providers.base import Evidence, Outcome, Presence, Verdict

_NAMES_NOBODY = and_(participants.c.phone == "", participants.c.lid == "")
WORK = (State.RECEIVED, State.APPROVED, State.DENIED, State.EXPIRED)
"""The states in which the engine has something to do."""


@dataclass(frozen=True, slots=True)
class Due:
    """Work that the engine does not have yet."""

    request_id: str
    state: State


class Journal:
    """Reads and writes requests and their people. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrivals = Arrivals(database)

    async def create(self, request: Request, people: Sequence[Participant]) -> bool:
        """Write a new request with its people. False when the request was there already: nothing is changed."""
        return await self._arrivals.write(request_row(request), [participant_row(request.id, p) for p in people])

    async def request(self, request_id: str) -> Request:
        """Read one request. Raises `LookupError` when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(requests).where(requests.c.id == request_id))).one_or_none()
        if row is None:
            raise LookupError(f"no request {request_id}")
        return request_of(row)

    async def advance(self, request_id: str, state: State) -> bool:
        """Move a request on to `state`. False when it was not in a state from which that may follow."""
        async with self._database.write() as connection:
            return await advance(connection, request_id, state)

    async def await_approval(self, request_id: str) -> None:
        """Let a request wait for approval, where a rule asks for it."""
        async with self._database.write() as connection:
            await connection.execute(
                update(requests)
                .where(requests.c.id == request_id, requests.c.state == State.RECEIVED, requests.c.rule.is_not(None))
                .values(state=State.WAITING)
            )

    async def due(self) -> list[Due]:
        """Give the work that the engine does not have yet."""
        statement = select(requests.c.id, requests.c.state).where(
            requests.c.state.in_(WORK), requests.c.dispatched != requests.c.state
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.order_by(requests.c.asked_at))).all()
        return [Due(row.id, State(row.state)) for row in rows]

    async def dispatched(self, due: Due) -> None:
        """Keep that the engine has this work now."""
        async with self._database.write() as connection:
            await connection.execute(
                update(requests).where(requests.c.id == due.request_id).values(dispatched=due.state)
            )

    async def expire(self, now: float) -> None:
        """Expire the requests whose time for approval is over at `now`, in seconds since 1970."""
        async with self._database.write() as connection:
            await connection.execute(
                update(requests)
                .where(requests.c.state == State.WAITING, requests.c.expires_at <= now)
                .values(state=State.EXPIRED)
            )

    async def next_expiry(self, now: float) -> float | None:
        """Give when the first request after `now` expires that waits, or will wait in a moment; None: none.

        Both are in seconds since 1970.
        """
        statement = select(func.min(requests.c.expires_at)).where(
            requests.c.state.in_((State.RECEIVED, State.WAITING)), requests.c.expires_at > now
        )
        async with self._database.read() as connection:
            soonest: float | None = await connection.scalar(statement)
        return soonest

    async def people(self, request_id: str) -> list[Participant]:
        """Read everybody of a request, in the order of the roster."""
        return await self._select(participants.c.request_id == request_id)

    async def page(self, request_id: str, start: int, length: int) -> list[Participant]:
        """Read `length` people of a request from position `start` on."""
        return await self._select(
            and_(
                participants.c.request_id == request_id,
                participants.c.position >= start,
                participants.c.position < start + length,
            )
        )

    async def open_people(self, request_id: str) -> list[Participant]:
        """Read those of a request who have no outcome yet."""
        return await self._select(and_(participants.c.request_id == request_id, participants.c.outcome.is_(None)))

    async def chunk(self, request_id: str, number: int) -> list[Participant]:
        """Read those of a chunk who have no outcome yet."""
        return await self._select(
            and_(
                participants.c.request_id == request_id,
                participants.c.chunk == number,
                participants.c.outcome.is_(None),
            )
        )

    async def with_outcome(self, request_id: str, outcome: Outcome) -> list[Participant]:
        """Read those of a request who have this outcome."""
        return await self._select(and_(participants.c.request_id == request_id, participants.c.outcome == outcome))

    async def tally(self, request_id: str) -> Tally:
        """Count a request's outcomes."""
        statement = (
            select(participants.c.outcome, func.count(), func.count().filter(_NAMES_NOBODY))
            .where(participants.c.request_id == request_id)
            .group_by(participants.c.outcome)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        counts: dict[str | None, int] = {row[0]: row[1] for row in rows}
        rejected = sum(row[2] for row in rows)
        return Tally(tuple((o, counts[o]) for o in Outcome if o in counts), sum(counts.values()), rejected)

    async def looked(self, request_id: str, before: Mapping[int, Presence], chunks: Mapping[int, int]) -> None:
        """Keep who was in the group before anything was sent, and in which chunk each of the others goes.

        Args:
            request_id: the request.
            before: by position. Those who were present are answered: already done.
            chunks: the chunk's number by position.
        """
        rows = [{"at_position": p, "before": presence, "chunk": chunks.get(p)} for p, presence in before.items()]
        present = [p for p, presence in before.items() if presence is Presence.PRESENT]
        async with self._database.write() as connection:
            await _update_people(connection, request_id, rows)
            done = Verdict("", Outcome.ALREADY_DONE, Evidence.OBSERVED)
            await _update_people(connection, request_id, _verdict_rows(dict.fromkeys(present, done)))

    async def submitted(self, request_id: str, positions: Sequence[int]) -> None:
        """Count that these people are about to be sent to the provider, before they are."""
        async with self._database.write() as connection:
            await connection.execute(
                update(participants)
                .where(participants.c.request_id == request_id, participants.c.position.in_(positions))
                .values(submissions=participants.c.submissions + 1)
            )

    async def judge(self, request_id: str, verdicts: Mapping[int, Verdict]) -> None:
        """Keep verdicts, by position."""
        async with self._database.write() as connection:
            await _update_people(connection, request_id, _verdict_rows(verdicts))

    async def _select(self, condition: Any) -> list[Participant]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(participants).where(condition).order_by(participants.c.position))
            return [participant_of(row) for row in rows]


async def advance(connection: AsyncConnection, request_id: str, state: State) -> bool:
    """Move a request on to `state` within a transaction. False when that may not follow."""
    before = [s for s, after in FOLLOWS.items() if state in after]
    result = await connection.execute(
        update(requests).where(requests.c.id == request_id, requests.c.state.in_(before)).values(state=state)
    )
    return bool(result.rowcount)


async def locked_request(connection: AsyncConnection, request_id: str) -> Request | None:
    """Read a request within a transaction, and keep every other transaction from changing it until the end."""
    row = (
        await connection.execute(select(requests).where(requests.c.id == request_id).with_for_update())
    ).one_or_none()
    return None if row is None else request_of(row)


async def _update_people(connection: AsyncConnection, request_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
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


def _verdict_rows(verdicts: Mapping[int, Verdict]) -> list[dict[str, Any]]:
    at = time.time()
    return [
        {
            "at_position": position,
            "outcome": verdict.outcome,
            "evidence": verdict.evidence,
            "provider_code": verdict.provider_code,
            "provider_message": verdict.provider_message,
            "at": at,
        }
        for position, verdict in verdicts.items()
    ]
