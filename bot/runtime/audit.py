"""The audit journal: entries are added, never changed, in the transaction of the change that they tell of."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import Entry, Kind, canonical, command_refused, configured, judged, stamp
from bot.domain.chain import GENESIS, Break, Fault, Head, Row, Untold, follow, seal
from bot.domain.groups import KnownGroup
from bot.runtime.database import Database
from bot.runtime.rows import participant_of, request_of
from bot.runtime.tables import audit, audit_head, participants, requests
from bot.runtime.untold import untold
from providers.base import Verdict

log = structlog.get_logger(__name__)

PAGE = 1000
"""Rows that are read at once, so that a journal of any length takes as little memory."""

_LOCKED_HEAD = text(
    "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :genesis)"
    " ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING seq, hash"
)
"""Gives the end of the chain, and on PostgreSQL keeps every other transaction from adding until this one's end."""


async def record(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Add entries within a transaction. Call it last in it: two that wait for each other's rows would never end."""
    if not entries:
        return
    row = (await connection.execute(_LOCKED_HEAD, {"genesis": GENESIS})).one()
    head, rows = Head(row.seq, row.hash), list[dict[str, Any]]()
    for entry in entries:
        sealed = seal(entry, head)
        head = Head(sealed.seq, sealed.hash)
        rows.append({name: getattr(sealed, name) for name in Row.__slots__})
    await connection.execute(insert(audit), rows)
    await connection.execute(update(audit_head).values(seq=head.seq, hash=head.hash))


async def verdict_entries(
    connection: AsyncConnection, request_id: str, verdicts: Mapping[int, Verdict], at: datetime
) -> list[Entry]:
    """Make the entries of verdicts, by position, that differ from those kept; ask before they are written over."""
    if not verdicts:
        return []
    request = request_of((await connection.execute(select(requests).where(requests.c.id == request_id))).one())
    rows = await connection.execute(
        select(participants)
        .where(participants.c.request_id == request_id, participants.c.position.between(min(verdicts), max(verdicts)))
        .order_by(participants.c.position)
    )
    entries = []
    for person in map(participant_of, rows):
        kept = (person.outcome, person.evidence, person.provider_code, person.provider_message)
        verdict = verdicts.get(person.position)
        if verdict and kept != (verdict.outcome, verdict.evidence, verdict.provider_code, verdict.provider_message):
            entries.append(judged(request, person, verdict, at))
    return entries


class Audit:
    """Reads the audit journal, and adds what has no other change to go with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, *entries: Entry) -> None:
        """Add entries in a transaction of their own."""
        async with self._database.write() as connection:
            await record(connection, entries)

    async def refused(
        self, actor: str, operation: str, group: KnownGroup | None, code: str, *, request_id: str = ""
    ) -> None:
        """Add that somebody asked for something, here and now, and was refused it.

        Args:
            actor: the Slack user id of who asked.
            operation: what was asked for, by its verb.
            group: for which group; None: for none in particular.
            code: why it was refused.
            request_id: the id that the request would have got.
        """
        entry = command_refused(
            actor=actor,
            operation=operation,
            connection=group.connection if group else "",
            group_id=group.id if group else "",
            code=code,
            at=datetime.now(UTC),
            request_id=request_id,
        )
        log.info("refused", request=request_id, user=actor, operation=operation, code=code)
        await self.add(entry)

    async def configured(self, summary: Mapping[str, Any]) -> None:
        """Add the configuration with which the bot starts, where it is not the last one that was added.

        Args:
            summary: the part of it that is no secret.
        """
        entry = configured(summary, datetime.now(UTC))
        last = select(audit.c.payload).where(audit.c.kind == Kind.CONFIGURATION).order_by(audit.c.seq.desc()).limit(1)
        async with self._database.write() as connection:
            payload = await connection.scalar(last)
            if payload is None or json.loads(payload)["details"]["digest"] != entry.details["digest"]:
                await record(connection, [entry])

    async def search(
        self,
        *,
        person: str = "",
        group: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        before_seq: int | None = None,
        limit: int = 20,
    ) -> list[Row]:
        """Find rows, the newest first.

        Args:
            person: a Slack user id, an E.164 phone or a LID; rows that name them, as who acted or otherwise.
            group: the provider's id of a group.
            since: the earliest moment, aware.
            until: the first moment that is too late, aware.
            before_seq: only rows before this one, for the next page.
            limit: the most rows to give.
        """
        statement = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if person:
            # There is no index: the journal is read backwards until the page is full, and is written often.
            named = audit.c.payload.contains(canonical(person), autoescape=True)
            statement = statement.where(or_(audit.c.actor == person, named))
        if group:
            statement = statement.where(audit.c.group_id == group)
        if since is not None:
            statement = statement.where(audit.c.at >= stamp(since))
        if until is not None:
            statement = statement.where(audit.c.at < stamp(until))
        if before_seq is not None:
            statement = statement.where(audit.c.seq < before_seq)
        async with self._database.read() as connection:
            return [Row(*row) for row in await connection.execute(statement)]

    async def rows(self, *, since: datetime | None = None, through: int | None = None) -> AsyncIterator[Row]:
        """Give the rows in their order, page after page: those from `since` (aware) on, up to the seq `through`."""
        statement = select(audit).order_by(audit.c.seq).limit(PAGE)
        if since is not None:
            statement = statement.where(audit.c.at >= stamp(since))
        if through is not None:
            statement = statement.where(audit.c.seq <= through)
        page = statement
        while True:
            async with self._database.read() as connection:
                found = [Row(*row) for row in await connection.execute(page)]
            for row in found:
                yield row
            if len(found) < PAGE:
                return
            page = statement.where(audit.c.seq > found[-1].seq)

    async def verify(self) -> Head | Break | Untold:
        """Walk the chain; give its end, or where it is broken first. What is added meanwhile is left out.

        A chain that is whole may be another one, made anew, or one whose rows were taken off its end with the head: so
        it is held against what else the database holds.
        """
        found = await self._walk()
        missing = await untold(self._database) if isinstance(found, Head) else None
        return missing or found

    async def _walk(self) -> Head | Break:
        ends = select(
            select(audit_head.c.seq).scalar_subquery().label("seq"),
            select(audit_head.c.hash).scalar_subquery().label("hash"),
            select(func.max(audit.c.seq)).scalar_subquery().label("last"),
        )
        async with self._database.read() as connection:
            end = (await connection.execute(ends)).one()
        if end.seq is None and end.last is not None:
            return Break(end.last + 1, Fault.REMOVED)  # with the head, and nobody knows how many rows
        kept = Head() if end.seq is None else Head(end.seq, end.hash)
        head = Head()
        async for row in self.rows(through=kept.seq):
            step = follow(head, row)
            if isinstance(step, Break):
                return step
            head = step
        if head.seq < kept.seq:
            return Break(head.seq + 1, Fault.REMOVED)
        if head.hash != kept.hash:
            return Break(head.seq, Fault.CHANGED)
        if (end.last or 0) > kept.seq:
            return Break(kept.seq + 1, Fault.ADDED)
        return head
