"""The votes on a request. Reading, casting and moving the request is one transaction, so no vote counts twice."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from bot.domain.access import Actor, Allowed, Capability, Role, Target, check_capability
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
from bot.domain.audit import refused_click_entry, vote_entry
from bot.domain.groups import GroupCatalog
from bot.domain.requests import Request, RequestState
from bot.storage.audit import append_entries
from bot.storage.database import Database, Store, reads, writes
from bot.storage.requests import locked_request, transition, withdraw
from bot.storage.tables import decisions

_APPROVAL_STATES = {
    RequestState.WAITING: ApprovalState.WAITING,
    RequestState.APPROVED: ApprovalState.APPROVED,
    RequestState.RUNNING: ApprovalState.APPROVED,
    RequestState.DONE: ApprovalState.APPROVED,
    RequestState.DENIED: ApprovalState.DENIED,
    RequestState.EXPIRED: ApprovalState.EXPIRED,
    RequestState.WITHDRAWN: ApprovalState.WITHDRAWN,
}


class Votes(Store):
    """Reads, checks and casts votes.

    Args:
        database: the database.
        roles: who may approve.
        catalog: the groups of the configuration, whose aliases the globs of roles match; None if it names none.
    """

    def __init__(
        self,
        database: Database,
        roles: Sequence[Role],
        catalog: GroupCatalog | None = None,
    ) -> None:
        super().__init__(database)
        self._roles = roles
        self._catalog = catalog or GroupCatalog()

    @reads
    def for_request(self, connection: Connection, request_id: str) -> tuple[Vote, ...]:
        """Return a request's votes, oldest first."""
        return _votes(connection, request_id)

    @writes
    def cast(
        self, connection: Connection, request_id: str, actor: Actor, choice: Choice, reason: str = ""
    ) -> Accepted | Refused:
        """Cast a vote, and move the request if that decides it; or refuse the vote with the reason."""
        at = datetime.now(UTC)
        request = locked_request(connection, request_id)
        judged = self._judge(connection, request, actor, Vote(actor.user_id, choice, at, reason))
        if isinstance(judged, Refused):
            return _refuse(connection, request_id, request, judged, actor=actor.user_id, action=choice)
        request, result = judged
        mine = decisions.c.request_id == request_id, decisions.c.user_id == actor.user_id
        connection.execute(delete(decisions).where(*mine))  # a denial or an override replaces an earlier vote
        values = {"choice": choice, "at": at.timestamp(), "reason": reason}
        connection.execute(insert(decisions).values(request_id=request_id, user_id=actor.user_id, **values))
        if result.approval.state is not ApprovalState.WAITING:
            transition(connection, request_id, RequestState(result.approval.state))
        append_entries(connection, [vote_entry(request, result.approval.votes[-1], result.approval.state)])
        return result

    @writes
    def check(self, connection: Connection, request_id: str, actor: Actor, choice: Choice) -> Refused | None:
        """Return why a vote would be refused, and audit that; None if it would count."""
        vote = Vote(actor.user_id, choice, datetime.now(UTC), "to be asked for")
        request = locked_request(connection, request_id)
        judged = self._judge(connection, request, actor, vote)
        if isinstance(judged, Refused):
            return _refuse(connection, request_id, request, judged, actor=actor.user_id, action=choice)
        return None

    @writes
    def withdraw(self, connection: Connection, request_id: str, actor: Actor) -> Refused | None:
        """Withdraw a request that has not started. Return None if that is done, otherwise why not.

        The requester may always do that; a person who may stop the request may do it once the request is approved.
        `Request.stopped_by` then names the person.
        """
        user_id = actor.user_id
        request = locked_request(connection, request_id)
        if refused := self._may_not_withdraw(request, actor):
            return _refuse(connection, request_id, request, refused, actor=user_id, action="withdraw")
        if not withdraw(connection, request_id, user_id):
            refused = Refused(RefusalCode.CLOSED, _too_late(request))
            return _refuse(connection, request_id, request, refused, actor=user_id, action="withdraw")
        return None

    def may_stop(self, request: Request, actor: Actor) -> bool:
        """Return whether a person may stop an approved or running request.

        The requester may, and everyone with `approve` or `admin` for the group.
        """
        return actor.user_id == request.requester or any(
            isinstance(check_capability(actor, capability, self._target(request), self._roles), Allowed)
            for capability in (Capability.APPROVE, Capability.ADMIN)
        )

    def _may_not_withdraw(self, request: Request | None, actor: Actor) -> Refused | None:
        if request is None or actor.user_id == request.requester:
            return None
        if request.state is RequestState.WAITING:
            reason = "Only the requester can withdraw a request. An approver can deny it."
            return Refused(RefusalCode.NOT_REQUESTER, reason)
        if self.may_stop(request, actor):
            return None
        reason = "Only the requester, or a person with `approve` or `admin` for this group, can withdraw this request."
        return Refused(RefusalCode.NOT_REQUESTER, reason)

    def eligible_approvers(self, request: Request) -> tuple[str, ...]:
        """Return the ids of the users and user groups who may approve a request; none if it needs no approval."""
        if request.rule is None:
            return ()
        return eligible_approvers(request.rule, self._target(request), request.requester, self._roles)

    def _judge(
        self, connection: Connection, request: Request | None, actor: Actor, vote: Vote
    ) -> tuple[Request, Accepted] | Refused:
        """Check a vote against the stored ones, without storing it."""
        if request is None or request.rule is None or request.state is RequestState.RECEIVED:
            return Refused(RefusalCode.CLOSED, "This request isn't waiting for a decision. Nothing was done.")
        approval = self._approval(request, request.rule, _votes(connection, request.id))
        result = cast_vote(approval, actor, vote.choice, vote.at, self._roles, reason=vote.reason)
        return result if isinstance(result, Refused) else (request, result)

    def _target(self, request: Request) -> Target:
        alias = self._catalog.get(request.group).alias
        return Target((alias, request.group_id) if alias else (request.group_id,))

    def _approval(self, request: Request, rule: ApprovalRule, votes: tuple[Vote, ...]) -> Approval:
        target = self._target(request)
        state = _APPROVAL_STATES[request.state]
        return Approval(request.requester, target, rule, request.asked_at, votes, state, request.stopped_by)


def _too_late(request: Request | None) -> str:
    state = f"already {request.state}" if request else "gone"
    stop = " Use *Stop* on its message." if request and request.state is RequestState.RUNNING else ""
    return f"This request is {state} and can't be withdrawn.{stop}"


def _votes(connection: Connection, request_id: str) -> tuple[Vote, ...]:
    rows = connection.execute(select(decisions).where(decisions.c.request_id == request_id).order_by(decisions.c.at))
    return tuple(Vote(row.user_id, Choice(row.choice), datetime.fromtimestamp(row.at, UTC), row.reason) for row in rows)


def _refuse(
    connection: Connection, request_id: str, request: Request | None, refused: Refused, *, actor: str, action: str
) -> Refused:
    """Append to the audit journal that a click was refused."""
    at = datetime.now(UTC)
    entry = refused_click_entry(request_id, request, actor=actor, action=action, code=refused.code, at=at)
    append_entries(connection, [entry])
    return refused
