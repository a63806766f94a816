"""The decisions on a request: from reading the votes to moving on is one transaction, so two clicks are one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.access import Actor, Role, Target
from bot.domain.approvals import (
    Accepted,
    Approval,
    ApprovalRule,
    ApprovalState,
    Choice,
    Refused,
    RefusedFor,
    Vote,
    vote,
)
from bot.domain.requests import Request, State
from bot.runtime.database import Database
from bot.runtime.journal import advance, locked_request
from bot.runtime.tables import decisions

_APPROVAL_STATES = {
    State.WAITING: ApprovalState.WAITING,
    State.APPROVED: ApprovalState.APPROVED,
    State.RUNNING: ApprovalState.APPROVED,
    State.DONE: ApprovalState.APPROVED,
    State.DENIED: ApprovalState.DENIED,
    State.EXPIRED: ApprovalState.EXPIRED,
}


class Decisions:
    """Reads and takes decisions.

    Args:
        database: where they are kept.
        roles: who may decide.
        aliases: of the groups that have one, by connection and id: a role's globs mean these.
    """

    def __init__(
        self,
        database: Database,
        roles: Sequence[Role],
        aliases: Mapping[tuple[str, str], str] = MappingProxyType({}),
    ) -> None:
        self._database = database
        self._roles = roles
        self._aliases = aliases

    async def of(self, request_id: str) -> tuple[Vote, ...]:
        """Give a request's votes, oldest first."""
        async with self._database.read() as connection:
            return await _votes(connection, request_id)

    async def vote(self, request_id: str, actor: Actor, choice: Choice) -> Accepted | Refused:
        """Count a click and move the request on when it decides, or refuse it with the reason."""
        at = datetime.now(UTC)
        async with self._database.write() as connection:
            request = await locked_request(connection, request_id)
            if request is None or request.rule is None or request.state is State.RECEIVED:
                return Refused(RefusedFor.OVER, "This request does not wait for a decision; nothing was done.")
            approval = self._approval(request, request.rule, await _votes(connection, request_id))
            result = vote(approval, actor, choice, at, self._roles)
            if isinstance(result, Refused):
                return result
            await connection.execute(
                insert(decisions).values(request_id=request_id, user_id=actor.user_id, choice=choice, at=at.timestamp())
            )
            if result.approval.state is not ApprovalState.WAITING:
                await advance(connection, request_id, State(result.approval.state))
            return result

    def _approval(self, request: Request, rule: ApprovalRule, votes: tuple[Vote, ...]) -> Approval:
        alias = self._aliases.get((request.connection, request.group_id))
        target = Target((alias, request.group_id) if alias else (request.group_id,))
        return Approval(request.requester, target, rule, request.asked_at, votes, _APPROVAL_STATES[request.state])


async def _votes(connection: AsyncConnection, request_id: str) -> tuple[Vote, ...]:
    rows = await connection.execute(
        select(decisions).where(decisions.c.request_id == request_id).order_by(decisions.c.at)
    )
    return tuple(Vote(row.user_id, Choice(row.choice), datetime.fromtimestamp(row.at, UTC)) for row in rows)
