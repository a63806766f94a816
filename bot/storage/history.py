"""What was done to people a while ago, as the journal tells it."""

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.history import RecentChange
from bot.domain.requests import Request, RequestState
from bot.storage.tables import participants, requests
from providers.base import Operation, Outcome
from providers.identity import person_keys


async def recent_changes(connection: AsyncConnection, request: Request, since: float) -> dict[str, list[RecentChange]]:
    """Give whom other requests sent to the provider for the same group, by every key that the person may have.

    Args:
        connection: reads.
        request: the one that wants to know.
        since: seconds since 1970; who was answered before is left out, who is not answered yet is not.
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
    changes: dict[str, list[RecentChange]] = {}
    for row in await connection.execute(union_all(answered, under_way)):
        change = RecentChange(Operation(row.operation or Operation.ADD), Outcome(row.outcome) if row.outcome else None)
        for key in person_keys(row.phone, row.lid):
            changes.setdefault(key, []).append(change)
    return changes
