"""What the database holds and the audit journal tells nothing of: the sign of a journal that was cut or emptied."""

from sqlalchemy import ScalarSelect, String, and_, cast, func, literal, or_, select

from bot.domain.audit import EntryKind
from bot.domain.audit_chain import AuditGaps
from bot.domain.requests import RequestState
from bot.storage.database import Database
from bot.storage.tables import audit, decisions, participants, requests, schedules


async def find_gaps(database: Database) -> AuditGaps:
    """Count what has no row of its own in the journal, though both are written in one transaction.

    It is one statement, so it sees one moment, and the bot may write meanwhile. Each part of it reads its tables once.
    """
    statement = select(_requests(), _decisions(), _answers(), _ends(), _syncs())
    async with database.read() as connection:
        return AuditGaps(*(await connection.execute(statement)).one())


def _requests() -> ScalarSelect[int]:
    told = select(audit.c.request_id).where(audit.c.kind == EntryKind.REQUEST)
    return select(func.count()).where(requests.c.id.not_in(told)).scalar_subquery()


def _decisions() -> ScalarSelect[int]:
    told = select(audit.c.request_id, audit.c.actor).where(audit.c.kind == EntryKind.DECISION).distinct().subquery()
    same = and_(decisions.c.request_id == told.c.request_id, decisions.c.user_id == told.c.actor)
    kept = decisions.outerjoin(told, same)
    return select(func.count()).select_from(kept).where(told.c.request_id.is_(None)).scalar_subquery()


def _answers() -> ScalarSelect[int]:
    """Count by request: a row tells of one answer, and of an answer that changed there are several."""
    answered = participants.c.outcome.is_not(None), participants.c.at.is_not(None)
    kept = select(participants.c.request_id, func.count().label("n")).where(*answered)
    kept_by = kept.group_by(participants.c.request_id).subquery()
    told = select(audit.c.request_id, func.count().label("n")).where(audit.c.kind == EntryKind.VERDICT)
    told_by = told.group_by(audit.c.request_id).subquery()
    missing = kept_by.c.n - func.coalesce(told_by.c.n, 0)
    both = kept_by.outerjoin(told_by, kept_by.c.request_id == told_by.c.request_id)
    return select(func.coalesce(func.sum(missing), 0)).select_from(both).where(missing > 0).scalar_subquery()


def _ends() -> ScalarSelect[int]:
    told = select(audit.c.request_id).where(audit.c.kind == EntryKind.STATE)
    ended = or_(requests.c.state.in_((RequestState.EXPIRED, RequestState.WITHDRAWN)), requests.c.stopped_by != "")
    return select(func.count()).where(ended, requests.c.id.not_in(told)).scalar_subquery()


def _syncs() -> ScalarSelect[int]:
    named = literal('"started":"') + cast(schedules.c.id, String) + '"'
    told = select(audit.c.seq).where(audit.c.kind == EntryKind.SCHEDULE, audit.c.payload.contains(named)).exists()
    return select(func.count()).select_from(schedules).where(~told).scalar_subquery()
