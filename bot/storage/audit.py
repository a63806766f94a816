"""The audit journal: entries are added, never changed, in the transaction of the change that they tell of."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import (
    AuditEntry,
    EntryKind,
    canonical_json,
    configuration_entry,
    format_timestamp,
    refused_command_entry,
    verdict_entry,
)
from bot.domain.audit_chain import GENESIS, AuditGaps, AuditRow, ChainBreak, ChainFault, ChainHead, seal, verify_next
from bot.domain.groups import KnownGroup
from bot.storage.audit_gaps import find_gaps
from bot.storage.database import Database
from bot.storage.rows import item_from_row, request_from_row
from bot.storage.tables import audit, audit_head, participants, requests
from providers.base import Verdict

log = structlog.get_logger(__name__)

PAGE_SIZE = 1000
"""Rows that are read at once, so that a journal of any length takes as little memory."""

_LOCKED_HEAD = text(
    "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :genesis)"
    " ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING seq, hash"
)
"""Gives the end of the chain, and on PostgreSQL keeps every other transaction from adding until this one's end."""


async def append_entries(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Add entries within a transaction. Call it last in it: two that wait for each other's rows would never end."""
    if not entries:
        return
    row = (await connection.execute(_LOCKED_HEAD, {"genesis": GENESIS})).one()
    head, rows = ChainHead(row.seq, row.hash), list[dict[str, Any]]()
    for entry in entries:
        sealed = seal(entry, head)
        head = ChainHead(sealed.seq, sealed.hash)
        rows.append({name: getattr(sealed, name) for name in AuditRow.__slots__})
    await connection.execute(insert(audit), rows)
    await connection.execute(update(audit_head).values(seq=head.seq, hash=head.hash))


async def verdict_entries(
    connection: AsyncConnection, request_id: str, verdicts: Mapping[int, Verdict], at: datetime
) -> list[AuditEntry]:
    """Make the entries of verdicts, by position, that differ from those kept; ask before they are written over."""
    if not verdicts:
        return []
    request = request_from_row((await connection.execute(select(requests).where(requests.c.id == request_id))).one())
    rows = await connection.execute(
        select(participants)
        .where(participants.c.request_id == request_id, participants.c.position.between(min(verdicts), max(verdicts)))
        .order_by(participants.c.position)
    )
    entries = []
    for person in map(item_from_row, rows):
        kept = (person.outcome, person.evidence, person.provider_code, person.provider_message)
        verdict = verdicts.get(person.position)
        if verdict and kept != (verdict.outcome, verdict.evidence, verdict.provider_code, verdict.provider_message):
            entries.append(verdict_entry(request, person, verdict, at))
    return entries


class AuditJournal:
    """Reads the audit journal, and adds what has no other change to go with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, *entries: AuditEntry) -> None:
        """Add entries in a transaction of their own."""
        async with self._database.write() as connection:
            await append_entries(connection, entries)

    async def record_refusal(
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
        entry = refused_command_entry(
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

    async def record_configuration(self, summary: Mapping[str, Any]) -> None:
        """Add the configuration with which the bot starts, where it is not the last one that was added.

        Args:
            summary: the part of it that is no secret.
        """
        entry = configuration_entry(summary, datetime.now(UTC))
        last = (
            select(audit.c.payload).where(audit.c.kind == EntryKind.CONFIGURATION).order_by(audit.c.seq.desc()).limit(1)
        )
        async with self._database.write() as connection:
            payload = await connection.scalar(last)
            if payload is None or json.loads(payload)["details"]["digest"] != entry.details["digest"]:
                await append_entries(connection, [entry])

    async def search(
        self,
        *,
        person: str = "",
        group: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        before_seq: int | None = None,
        limit: int = 20,
    ) -> list[AuditRow]:
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
            named = audit.c.payload.contains(canonical_json(person), autoescape=True)
            statement = statement.where(or_(audit.c.actor == person, named))
        if group:
            statement = statement.where(audit.c.group_id == group)
        if since is not None:
            statement = statement.where(audit.c.at >= format_timestamp(since))
        if until is not None:
            statement = statement.where(audit.c.at < format_timestamp(until))
        if before_seq is not None:
            statement = statement.where(audit.c.seq < before_seq)
        async with self._database.read() as connection:
            return [AuditRow(*row) for row in await connection.execute(statement)]

    async def rows(self, *, since: datetime | None = None, through: int | None = None) -> AsyncIterator[AuditRow]:
        """Give the rows in their order, page after page: those from `since` (aware) on, up to the seq `through`."""
        statement = select(audit).order_by(audit.c.seq).limit(PAGE_SIZE)
        if since is not None:
            statement = statement.where(audit.c.at >= format_timestamp(since))
        if through is not None:
            statement = statement.where(audit.c.seq <= through)
        page = statement
        while True:
            async with self._database.read() as connection:
                found = [AuditRow(*row) for row in await connection.execute(page)]
            for row in found:
                yield row
            if len(found) < PAGE_SIZE:
                return
            page = statement.where(audit.c.seq > found[-1].seq)

    async def verify(self) -> ChainHead | ChainBreak | AuditGaps:
        """Walk the chain; give its end, or where it is broken first. What is added meanwhile is left out.

        A chain that is whole may be another one, made anew, or one whose rows were taken off its end with the head: so
        it is held against what else the database holds.
        """
        found = await self._walk()
        missing = await find_gaps(self._database) if isinstance(found, ChainHead) else None
        return missing or found

    async def _walk(self) -> ChainHead | ChainBreak:
        ends = select(
            select(audit_head.c.seq).scalar_subquery().label("seq"),
            select(audit_head.c.hash).scalar_subquery().label("hash"),
            select(func.max(audit.c.seq)).scalar_subquery().label("last"),
        )
        async with self._database.read() as connection:
            end = (await connection.execute(ends)).one()
        if end.seq is None and end.last is not None:
            return ChainBreak(end.last + 1, ChainFault.REMOVED)  # with the head, and nobody knows how many rows
        kept = ChainHead() if end.seq is None else ChainHead(end.seq, end.hash)
        head = ChainHead()
        async for row in self.rows(through=kept.seq):
            step = verify_next(head, row)
            if isinstance(step, ChainBreak):
                return step
            head = step
        if head.seq < kept.seq:
            return ChainBreak(head.seq + 1, ChainFault.REMOVED)
        if head.hash != kept.hash:
            return ChainBreak(head.seq, ChainFault.CHANGED)
        if (end.last or 0) > kept.seq:
            return ChainBreak(kept.seq + 1, ChainFault.ADDED)
        return head
