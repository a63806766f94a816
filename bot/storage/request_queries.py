"""Lists of requests for people, newest first."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from bot.domain.outcomes import RequestSummary, Tally
from bot.domain.requests import RequestState
from bot.storage.database import Store, reads
from bot.storage.rows import request_from_row
from bot.storage.tables import participants, requests
from providers.base import Outcome

IS_NOT_A_PERSON = and_(participants.c.phone == "", participants.c.lid == "")
"""Items that are not people: rejected entries, and things such as a group's subject."""


class RequestQueries(Store):
    """Reads requests with their tallies. Every method is one read."""

    async def newest(
        self,
        *,
        requester: str = "",
        states: Collection[RequestState] = (),
        group_id: str = "",
        before: tuple[float, str] | None = None,
        limit: int = 20,
    ) -> list[RequestSummary]:
        """Return requests, newest first.

        Args:
            requester: the requester's Slack user id; empty for all.
            states: only requests in one of these states; empty for all.
            group_id: only requests about this group; empty for all.
            before: where the last page ended: `asked_at` in seconds since 1970 and the id of its last request.
            limit: the maximum number of requests.
        """
        statement = select(requests).order_by(requests.c.asked_at.desc(), requests.c.id.desc()).limit(limit)
        if requester:
            statement = statement.where(requests.c.requester == requester)
        if states:
            statement = statement.where(requests.c.state.in_(states))
        if group_id:
            statement = statement.where(requests.c.group_id == group_id)
        if before is not None:
            at, id_ = before
            older = or_(requests.c.asked_at < at, and_(requests.c.asked_at == at, requests.c.id < id_))
            statement = statement.where(older)
        return await self._summaries(statement)

    async def by_ids(self, ids: Collection[str]) -> list[RequestSummary]:
        """Return the requests with these ids, as far as they exist."""
        return await self._summaries(select(requests).where(requests.c.id.in_(ids)))

    async def followups_of(self, request_id: str) -> list[RequestSummary]:
        """Return the requests that follow from this one, newest first."""
        statement = select(requests).where(requests.c.parent == request_id).order_by(requests.c.asked_at.desc())
        return await self._summaries(statement)

    @reads
    def _summaries(self, connection: Connection, statement: Select[Any]) -> list[RequestSummary]:
        found = [request_from_row(row) for row in connection.execute(statement).all()]
        counted = (
            select(
                participants.c.request_id,
                participants.c.outcome,
                func.count(),
                func.count().filter(IS_NOT_A_PERSON),
            )
            .where(participants.c.request_id.in_([request.id for request in found]))
            .group_by(participants.c.request_id, participants.c.outcome)
        )
        rows = connection.execute(counted).all() if found else []
        return [
            RequestSummary(request, tally_from_rows([row[1:] for row in rows if row[0] == request.id]))
            for request in found
        ]


def tally_from_rows(rows: Sequence[Sequence[Any]]) -> Tally:
    """Build a tally of rows: an outcome, the number of items with it, and how many of these are not people."""
    counts = {row[0]: row[1] for row in rows}
    not_people = sum(row[2] for row in rows)
    rejected = sum(row[2] for row in rows if row[0] == Outcome.INVALID)
    by_outcome = tuple((outcome, counts[outcome]) for outcome in Outcome if outcome in counts)
    return Tally(by_outcome, sum(counts.values()), rejected, not_people - rejected)
