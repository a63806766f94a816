"""The audit journal: entries are appended, never changed, in the transaction of the change that they record."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import (
    Connection,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

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
from bot.domain.requests import RequestState
from bot.storage import statements
from bot.storage.database import Store, reads, writes
from bot.storage.rows import item_from_row, request_from_row
from bot.storage.tables import audit, audit_head, decisions, participants, requests, schedules
from providers.base import Verdict

log = structlog.get_logger(__name__)

PAGE_SIZE = 1000
"""Rows in one read, so that a journal of any length needs little memory."""

_LOCKED_HEAD = text(
    "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :genesis)"
    " ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING seq, hash"
)
"""Returns the end of the chain, and on PostgreSQL blocks appends of other transactions until this one ends."""
_APPEND = insert(audit)
_MOVE_HEAD = update(audit_head).values(seq=bindparam("last_seq"), hash=bindparam("last_hash"))


def append_entries(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries within a transaction. Call it last in there, or two transactions can block each other."""
    if not entries:
        return
    row = connection.execute(_LOCKED_HEAD, {"genesis": GENESIS}).one()
    head, rows = ChainHead(row.seq, row.hash), list[dict[str, Any]]()
    for entry in entries:
        sealed = seal(entry, head)
        head = ChainHead(sealed.seq, sealed.hash)
        rows.append({name: getattr(sealed, name) for name in AuditRow.__slots__})
    connection.execute(_APPEND, rows)
    connection.execute(_MOVE_HEAD, {"last_seq": head.seq, "last_hash": head.hash})


def verdict_entries(
    connection: Connection, request_id: str, verdicts: Mapping[int, Verdict], at: datetime
) -> list[AuditEntry]:
    """Build the entries of the verdicts, by position, that differ from the stored ones. Call it before storing them."""
    if not verdicts:
        return []
    request = request_from_row(connection.execute(statements.GET, {"request": request_id}).one())
    page = {"request": request_id, "start": min(verdicts), "end": max(verdicts) + 1}
    rows = connection.execute(statements.PAGE, page)
    entries = []
    for person in map(item_from_row, rows):
        kept = (person.outcome, person.evidence, person.provider_code, person.provider_message)
        verdict = verdicts.get(person.position)
        if verdict and kept != (verdict.outcome, verdict.evidence, verdict.provider_code, verdict.provider_message):
            entries.append(verdict_entry(request, person, verdict, at))
    return entries


class AuditJournal(Store):
    """Reads the audit journal, and appends entries that belong to no other change."""

    @writes
    def add(self, connection: Connection, *entries: AuditEntry) -> None:
        """Append entries in a transaction of their own."""
        append_entries(connection, entries)

    async def record_refusal(
        self, actor: str, operation: str, group: KnownGroup | None, code: str, *, request_id: str = ""
    ) -> None:
        """Append that a command was refused now.

        Args:
            actor: the Slack user id of the person.
            operation: the operation's verb.
            group: the group, None for none in particular.
            code: the reason.
            request_id: the id that the request would have had.
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
        log.info("command_refused", request=request_id, user=actor, operation=operation, code=code)
        await self.add(entry)

    @writes
    def record_configuration(self, connection: Connection, summary: Mapping[str, Any]) -> None:
        """Append the configuration that the bot starts with, unless it is the one appended last.

        Args:
            connection: the connection.
            summary: the configuration without its secrets.
        """
        entry = configuration_entry(summary, datetime.now(UTC))
        last = (
            select(audit.c.payload).where(audit.c.kind == EntryKind.CONFIGURATION).order_by(audit.c.seq.desc()).limit(1)
        )
        payload = connection.scalar(last)
        if payload is None or json.loads(payload)["details"]["digest"] != entry.details["digest"]:
            append_entries(connection, [entry])

    @reads
    def search(
        self,
        connection: Connection,
        *,
        person: str = "",
        group: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        before_seq: int | None = None,
        limit: int = 20,
    ) -> list[AuditRow]:
        """Return rows, newest first.

        Args:
            connection: the connection.
            person: a Slack user id, an E.164 phone or a LID: rows that name this person, as the actor or otherwise.
            group: the provider's id of a group.
            since: the earliest time, aware.
            until: the end of the time, exclusive, aware.
            before_seq: only rows before this one, for the next page.
            limit: the maximum number of rows.
        """
        statement = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if person:
            # No index: the journal is read backwards only until the page is full, and is written often.
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
        return [AuditRow(*row) for row in connection.execute(statement)]

    async def rows(self, *, since: datetime | None = None, through: int | None = None) -> AsyncIterator[AuditRow]:
        """Yield the rows in order, from `since` (aware) on, up to the seq `through`."""
        statement = select(audit).order_by(audit.c.seq).limit(PAGE_SIZE)
        if since is not None:
            statement = statement.where(audit.c.at >= format_timestamp(since))
        if through is not None:
            statement = statement.where(audit.c.seq <= through)
        page = statement
        while True:
            found = await self._page(page)
            for row in found:
                yield row
            if len(found) < PAGE_SIZE:
                return
            page = statement.where(audit.c.seq > found[-1].seq)

    @reads
    def _page(self, connection: Connection, page: Select[Any]) -> list[AuditRow]:
        return [AuditRow(*row) for row in connection.execute(page)]

    async def verify(self) -> ChainHead | ChainBreak | AuditGaps:
        """Check the chain. Return its end, or the first place where it is broken. Rows appended meanwhile are ignored.

        An intact chain may still be a new one, or one whose last rows were removed together with the head. It is
        also compared with the other tables: the gaps are what these hold and the journal does not.
        """
        found = await self._check_chain()
        gaps = await self._find_gaps() if isinstance(found, ChainHead) else None
        return gaps or found

    async def _check_chain(self) -> ChainHead | ChainBreak:
        ends = select(
            select(audit_head.c.seq).scalar_subquery().label("seq"),
            select(audit_head.c.hash).scalar_subquery().label("hash"),
            select(func.max(audit.c.seq)).scalar_subquery().label("last"),
        )
        end = await self.database.read(lambda connection: connection.execute(ends).one())
        if end.seq is None and end.last is not None:
            return ChainBreak(end.last + 1, ChainFault.REMOVED)  # with the head, and an unknown number of rows
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

    @reads
    def _find_gaps(self, connection: Connection) -> AuditGaps:
        """Count what has no row of its own in the journal, though both are written in one transaction.

        It is one statement, so it sees one moment, and the bot may write meanwhile. Each part reads its tables once.
        """
        statement = select(
            _requests_missing(), _decisions_missing(), _verdicts_missing(), _ends_missing(), _syncs_missing()
        )
        return AuditGaps(*connection.execute(statement).one())


def _requests_missing() -> ScalarSelect[int]:
    recorded = select(audit.c.request_id).where(audit.c.kind == EntryKind.REQUEST)
    return select(func.count()).where(requests.c.id.not_in(recorded)).scalar_subquery()


def _decisions_missing() -> ScalarSelect[int]:
    recorded = select(audit.c.request_id, audit.c.actor).where(audit.c.kind == EntryKind.DECISION).distinct().subquery()
    same = and_(decisions.c.request_id == recorded.c.request_id, decisions.c.user_id == recorded.c.actor)
    kept = decisions.outerjoin(recorded, same)
    return select(func.count()).select_from(kept).where(recorded.c.request_id.is_(None)).scalar_subquery()


def _verdicts_missing() -> ScalarSelect[int]:
    """Count by request: each row records one verdict, and a verdict that changed has several rows."""
    answered = participants.c.outcome.is_not(None), participants.c.at.is_not(None)
    kept = select(participants.c.request_id, func.count().label("n")).where(*answered)
    kept_by = kept.group_by(participants.c.request_id).subquery()
    recorded = select(audit.c.request_id, func.count().label("n")).where(audit.c.kind == EntryKind.VERDICT)
    recorded_by = recorded.group_by(audit.c.request_id).subquery()
    missing = kept_by.c.n - func.coalesce(recorded_by.c.n, 0)
    both = kept_by.outerjoin(recorded_by, kept_by.c.request_id == recorded_by.c.request_id)
    return select(func.coalesce(func.sum(missing), 0)).select_from(both).where(missing > 0).scalar_subquery()


def _ends_missing() -> ScalarSelect[int]:
    recorded = select(audit.c.request_id).where(audit.c.kind == EntryKind.STATE)
    ended = or_(requests.c.state.in_((RequestState.EXPIRED, RequestState.WITHDRAWN)), requests.c.stopped_by != "")
    return select(func.count()).where(ended, requests.c.id.not_in(recorded)).scalar_subquery()


def _syncs_missing() -> ScalarSelect[int]:
    named = literal('"started":"') + cast(schedules.c.id, String) + '"'
    recorded = select(audit.c.seq).where(audit.c.kind == EntryKind.SCHEDULE, audit.c.payload.contains(named)).exists()
    return select(func.count()).select_from(schedules).where(~recorded).scalar_subquery()
