"""What a request would do, before it is made: who is new, how long it takes, whose approval it needs."""

import asyncio
from collections.abc import Mapping

import structlog

from bot.domain.drafts import Preview, RequestDraft
from bot.domain.operations import OPERATIONS
from bot.domain.outcomes import already_satisfied
from bot.execution.connections import Connection
from bot.services.submission import Submissions
from providers.base import Group, MembershipStatus, Operation, ProviderError

EXPECTED_CALL_SECONDS = 1.0
"""Seconds that one call is taken to last; how long it really does, nobody knows before."""

log = structlog.get_logger(__name__)


class PreviewService:
    """Makes previews.

    Args:
        intake: knows access and rules.
        lines: the connections.
    """

    def __init__(self, intake: Submissions, lines: Mapping[str, Connection]) -> None:
        self._intake = intake
        self._lines = lines

    async def build(self, draft: RequestDraft, *, max_wait: float) -> Preview:
        """Look at the group for at most `within` seconds, and tell what the draft would do. Changes nothing."""
        line = self._lines[draft.group.connection]
        people = draft.roster.people
        standing, group = await _read(line, draft, max_wait)
        aim = OPERATIONS[draft.operation].desired
        stands = {p: standing.get(p.key, MembershipStatus.UNKNOWN) for p in people}
        settled = {p for p in people if already_satisfied(p.key, aim, stands[p])}
        absent = tuple(p for p in people if p in settled and stands[p] is MembershipStatus.ABSENT)
        to_do = tuple(p for p in people if p not in settled)
        left, rest = await line.throttle.remaining_today(), await line.throttle.cooldown()
        return Preview(
            to_change=to_do,
            already=tuple(p for p in people if p in settled and stands[p] is not MembershipStatus.ABSENT),
            absent=absent,
            rejected=draft.roster.rejected,
            duplicates=draft.roster.duplicates,
            group_was_read=bool(standing) or not people or not draft.group.id or aim is None,
            over_capacity=_over(line, draft, len(to_do), group),
            seconds=_seconds(line, draft.operation, len(to_do)),
            remaining_today=left,
            cooldown=rest,
            rule=self._intake.approval_rule(draft),
        )


async def _read(
    line: Connection, draft: RequestDraft, within: float
) -> tuple[Mapping[str, MembershipStatus], Group | None]:
    """Read how people stand, and the group for its size; either may be missing where the provider is slow or fails."""
    if not draft.group.id or not OPERATIONS[draft.operation].desired:
        return {}, None
    look = asyncio.create_task(line.provider.membership(draft.group.id, draft.roster.people))
    size = asyncio.create_task(line.provider.group(draft.group.id)) if OPERATIONS[draft.operation].joins else None
    tasks = [task for task in (look, size) if task]
    _, late = await asyncio.wait(tasks, timeout=within)
    for task in late:
        task.cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    for error in told:
        if isinstance(error, BaseException) and not isinstance(error, ProviderError | asyncio.CancelledError):
            raise error
    standing = told[0] if isinstance(told[0], Mapping) else {}
    group = told[1] if size and isinstance(told[1], Group) else None
    return standing, group


def _over(line: Connection, draft: RequestDraft, joining: int, group: Group | None) -> int:
    if not OPERATIONS[draft.operation].joins:
        return 0
    most = line.provider.capacity
    size = (group.size if group else None) or 0
    return max(0, size + joining - most) if most else 0


def _seconds(line: Connection, operation: Operation, people: int) -> float:
    calls = -(-people // line.max_batch(operation))
    return max(0, calls - 1) * line.throttle.limits.gap + calls * EXPECTED_CALL_SECONDS
