"""The decisions on a request: from reading the votes to moving on is one transaction, so two clicks are one."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.access import Actor, Allowed, Role, Target, check_capability
from bot.domain.approvals import (
    Accepted,
    Approval,
    ApprovalRule,
    ApprovalState,
    Choice,
    RefusalCode,
    Refused,
    Vote,
    cast_vote,
    eligible_approvers,
)
from bot.domain.audit import refused_click_entry, transition_entry, vote_entry
from bot.domain.groups import GroupCatalog
from bot.domain.requests import Request, RequestState
from bot.storage.audit import append_entries
from bot.storage.database import Database
from bot.storage.requests import locked_request, transition
from bot.storage.tables import decisions, requests
from providers.base import Capability

_APPROVAL_STATES = {
    RequestState.WAITING: ApprovalState.WAITING,
    RequestState.APPROVED: ApprovalState.APPROVED,
    RequestState.RUNNING: ApprovalState.APPROVED,
    RequestState.DONE: ApprovalState.APPROVED,
    RequestState.DENIED: ApprovalState.DENIED,
    RequestState.EXPIRED: ApprovalState.EXPIRED,
    RequestState.WITHDRAWN: ApprovalState.WITHDRAWN,
}


class Votes:
    """Reads and takes decisions.

    Args:
        database: where they are kept.
        roles: who may decide.
        catalog: the groups of the configuration: the globs of roles match their aliases; None: it names none.
    """

    def __init__(
        self,
        database: Database,
        roles: Sequence[Role],
        catalog: GroupCatalog | None = None,
    ) -> None:
        self._database = database
        self._roles = roles
        self._catalog = catalog or GroupCatalog()

    async def for_request(self, request_id: str) -> tuple[Vote, ...]:
        """Give a request's votes, oldest first."""
        async with self._database.read() as connection:
            return await _votes(connection, request_id)

    async def cast(self, request_id: str, actor: Actor, choice: Choice, reason: str = "") -> Accepted | Refused:
        """Count a click and move the request on when it decides, or refuse it with the reason."""
        at = datetime.now(UTC)
        async with self._database.write() as connection:
            request = await locked_request(connection, request_id)
            judged = await self._judge(connection, request, actor, Vote(actor.user_id, choice, at, reason))
            if isinstance(judged, Refused):
                return await _refuse(connection, request_id, request, judged, actor=actor.user_id, action=choice)
            request, result = judged
            mine = decisions.c.request_id == request_id, decisions.c.user_id == actor.user_id
            await connection.execute(delete(decisions).where(*mine))  # a denial or an override takes its place
            values = {"choice": choice, "at": at.timestamp(), "reason": reason}
            await connection.execute(insert(decisions).values(request_id=request_id, user_id=actor.user_id, **values))
            if result.approval.state is not ApprovalState.WAITING:
                await transition(connection, request_id, RequestState(result.approval.state))
            await append_entries(connection, [vote_entry(request, result.approval.votes[-1], result.approval.state)])
            return result

    async def check(self, request_id: str, actor: Actor, choice: Choice) -> Refused | None:
        """Tell why a click would not count, before a reason is asked for; that is kept. None where it would."""
        asked = Vote(actor.user_id, choice, datetime.now(UTC), "to be asked for")
        async with self._database.write() as connection:
            request = await locked_request(connection, request_id)
            judged = await self._judge(connection, request, actor, asked)
            if isinstance(judged, Refused):
                return await _refuse(connection, request_id, request, judged, actor=actor.user_id, action=choice)
        return None

    async def withdraw(self, request_id: str, actor: Actor) -> Refused | None:
        """Withdraw what has not begun, for who asked for it; what waits for its time, for whoever may stop it.

        None where that is done now; who did it stands in `Request.stopped_by`.
        """
        user_id = actor.user_id
        async with self._database.write() as connection:
            request = await locked_request(connection, request_id)
            if refused := self._not_theirs(request, actor):
                return await _refuse(connection, request_id, request, refused, actor=user_id, action="withdraw")
            if request is None or not await transition(connection, request_id, RequestState.WITHDRAWN):
                refused = Refused(RefusalCode.CLOSED, _too_late(request))
                return await _refuse(connection, request_id, request, refused, actor=user_id, action="withdraw")
            await connection.execute(update(requests).where(requests.c.id == request_id).values(stopped_by=user_id))
            await append_entries(
                connection, [transition_entry(request, RequestState.WITHDRAWN, datetime.now(UTC), user_id)]
            )
        return None

    def may_stop(self, request: Request, actor: Actor) -> bool:
        """Tell whether somebody may end what is approved or runs: who asked, and `approve` or `admin` for the group."""
        return actor.user_id == request.requester or any(
            isinstance(check_capability(actor, capability, self._target(request), self._roles), Allowed)
            for capability in (Capability.APPROVE, Capability.ADMIN)
        )

    def _not_theirs(self, request: Request | None, actor: Actor) -> Refused | None:
        if request is None or actor.user_id == request.requester:
            return None
        if request.state is RequestState.WAITING:
            words = "Only who asked for a request can withdraw it. Who may decide on it can deny it."
            return Refused(RefusalCode.NOT_REQUESTER, words)
        if self.may_stop(request, actor):
            return None
        words = "Only who asked for a request, or has `approve` or `admin` for this group, can withdraw it."
        return Refused(RefusalCode.NOT_REQUESTER, words)

    def eligible_approvers(self, request: Request) -> tuple[str, ...]:
        """Give the ids of the users and user groups who may decide on a request; nobody where it needs no approval."""
        if request.rule is None:
            return ()
        return eligible_approvers(request.rule, self._target(request), request.requester, self._roles)

    async def _judge(
        self, connection: AsyncConnection, request: Request | None, actor: Actor, cast: Vote
    ) -> tuple[Request, Accepted] | Refused:
        """Judge a vote on a request by those kept so far, without keeping it."""
        if request is None or request.rule is None or request.state is RequestState.RECEIVED:
            return Refused(RefusalCode.CLOSED, "This request does not wait for a decision; nothing was done.")
        approval = self._approval(request, request.rule, await _votes(connection, request.id))
        result = cast_vote(approval, actor, cast.choice, cast.at, self._roles, reason=cast.reason)
        return result if isinstance(result, Refused) else (request, result)

    def _target(self, request: Request) -> Target:
        alias = self._catalog.get(request.group).alias
        return Target((alias, request.group_id) if alias else (request.group_id,))

    def _approval(self, request: Request, rule: ApprovalRule, votes: tuple[Vote, ...]) -> Approval:
        target = self._target(request)
        state = _APPROVAL_STATES[request.state]
        return Approval(request.requester, target, rule, request.asked_at, votes, state, request.stopped_by)


def _too_late(request: Request | None) -> str:
    state = f"{request.state} already" if request else "gone"
    stop = " *Stop* on its message ends it." if request and request.state is RequestState.RUNNING else ""
    return f"This request is {state}; it cannot be withdrawn any more.{stop}"


async def _votes(connection: AsyncConnection, request_id: str) -> tuple[Vote, ...]:
    rows = await connection.execute(
        select(decisions).where(decisions.c.request_id == request_id).order_by(decisions.c.at)
    )
    return tuple(Vote(row.user_id, Choice(row.choice), datetime.fromtimestamp(row.at, UTC), row.reason) for row in rows)


async def _refuse(
    connection: AsyncConnection, request_id: str, request: Request | None, refused: Refused, *, actor: str, action: str
) -> Refused:
    """Keep in the audit journal that a click changed nothing."""
    at = datetime.now(UTC)
    entry = refused_click_entry(request_id, request, actor=actor, action=action, code=refused.code, at=at)
    await append_entries(connection, [entry])
    return refused
