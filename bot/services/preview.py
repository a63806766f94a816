"""What a request would do, before it is submitted: who is new, how long it takes, whose approval it needs."""

import asyncio
from collections.abc import Mapping

import structlog

from bot.domain.operations import OPERATIONS
from bot.domain.requests import Preview, RequestDraft
from bot.domain.verdicts import already_satisfied
from bot.execution.connections import Connection
from bot.services.submission import Submissions
from providers.base import Group, MembershipStatus, Operation, ProviderError

log = structlog.get_logger(__name__)


class PreviewService:
    """Builds previews.

    Args:
        submissions: finds the approval rule of a draft.
        connections: the connections, by name.
    """

    def __init__(self, submissions: Submissions, connections: Mapping[str, Connection]) -> None:
        self._submissions = submissions
        self._connections = connections

    async def build(self, draft: RequestDraft, *, max_wait: float) -> Preview:
        """Return what a draft would do. Reads the group for at most `max_wait` seconds, and changes nothing."""
        connection = self._connections[draft.group.connection]
        people = draft.roster.people
        membership, group = await _read(connection, draft, max_wait)
        desired = OPERATIONS[draft.operation].desired
        status = {p: membership.get(p.key, MembershipStatus.UNKNOWN) for p in people}
        satisfied = {p for p in people if already_satisfied(p.key, desired, status[p])}
        to_change = tuple(p for p in people if p not in satisfied)
        return Preview(
            to_change=to_change,
            already=tuple(p for p in people if p in satisfied and status[p] is not MembershipStatus.ABSENT),
            absent=tuple(p for p in people if p in satisfied and status[p] is MembershipStatus.ABSENT),
            rejected=draft.roster.rejected,
            duplicates=draft.roster.duplicates,
            group_was_read=bool(membership) or not people or not draft.group.id or desired is None,
            over_capacity=_over_capacity(connection, draft, len(to_change), group),
            seconds=_seconds(connection, draft.operation, len(to_change)),
            remaining_today=await connection.throttle.remaining_today(),
            cooldown=await connection.throttle.cooldown(),
            rule=self._submissions.approval_rule(draft),
        )


async def _read(
    connection: Connection, draft: RequestDraft, max_wait: float
) -> tuple[Mapping[str, MembershipStatus], Group | None]:
    """Read the membership of people, and the group for its size. Either is missing if the provider is slow or fails."""
    if not draft.group.id or not OPERATIONS[draft.operation].desired:
        return {}, None
    membership = asyncio.create_task(connection.provider.membership(draft.group.id, draft.roster.people))
    joins = OPERATIONS[draft.operation].joins
    size = asyncio.create_task(connection.provider.group(draft.group.id)) if joins else None
    tasks = [task for task in (membership, size) if task]
    _, late = await asyncio.wait(tasks, timeout=max_wait)
    for task in late:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, ProviderError | asyncio.CancelledError):
            raise result
    members = results[0] if isinstance(results[0], Mapping) else {}
    group = results[1] if size and isinstance(results[1], Group) else None
    return members, group


def _over_capacity(connection: Connection, draft: RequestDraft, joining: int, group: Group | None) -> int:
    if not OPERATIONS[draft.operation].joins:
        return 0
    capacity = connection.provider.capacity
    size = (group.size if group else None) or 0
    return max(0, size + joining - capacity) if capacity else 0


def _seconds(connection: Connection, operation: Operation, people: int) -> float:
    return connection.seconds_for(-(-people // connection.max_batch(operation)))
