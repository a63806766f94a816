"""Approvals: which requests need one, who may give it, and how votes lead to one final state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.access import Actor, Allowed, Capability, Role, Target, check_capability
from providers.base import Operation

_OWN = "You asked for this yourself; somebody else has to decide. Until then you can withdraw it."


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """When approval is needed, and by whom.

    Attributes:
        operations: the operations it is for.
        groups: globs on the group's names.
        min_participants: the least number of people for which it is needed.
        approvers: names of the roles that may decide.
        quorum: how many different approvers are needed.
        expires_after: how long after being asked a request expires.
        remind_after: how long after being asked the approvers are reminded; then after twice as long, and so on.
    """

    operations: frozenset[Operation]
    groups: tuple[str, ...]
    min_participants: int
    approvers: tuple[str, ...]
    quorum: int
    expires_after: timedelta
    remind_after: timedelta | None = None


class Choice(StrEnum):
    """What an approver clicks."""

    APPROVE = "approve"
    DENY = "deny"
    OVERRIDE = "override"


class ApprovalState(StrEnum):
    """Where an approval stands; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Vote:
    """Who chose what, when and why."""

    user_id: str
    choice: Choice
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that was asked for; `withdrawn_by` is a Slack user id, empty where nobody withdrew it."""

    requester: str
    target: Target
    rule: ApprovalRule
    asked_at: datetime
    votes: tuple[Vote, ...] = ()
    state: ApprovalState = ApprovalState.WAITING
    withdrawn_by: str = ""

    @property
    def expires_at(self) -> datetime:
        """When it expires."""
        return self.asked_at + self.rule.expires_after


class RefusalCode(StrEnum):
    """Why a click does not count."""

    CLOSED = "over"
    OWN_REQUEST = "own_request"
    NOT_AN_APPROVER = "not_an_approver"
    ALREADY_COUNTED = "counted_already"
    NO_REASON = "no_reason"
    NOT_REQUESTER = "not_yours"
    NO_ELIGIBLE_APPROVER = "nobody_can_decide"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The click counts; this is the approval now."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Refused:
    """The click does not count.

    Attributes:
        reason: the sentence for the person.
        ended: how it had ended, where it was over.
        deciders: the ids of the users and user groups who can still decide, where this person cannot.
    """

    code: RefusalCode
    reason: str
    ended: Approval | None = None
    eligible_approvers: tuple[str, ...] | None = None


def rule_for(
    operation: Operation, target: Target, participants: int, rules: Sequence[ApprovalRule]
) -> ApprovalRule | None:
    """Give the first rule that matches; None when no approval is needed."""
    for rule in rules:
        if operation in rule.operations and participants >= rule.min_participants and target.matches(rule.groups):
            return rule
    return None


def cast_vote(
    approval: Approval, actor: Actor, choice: Choice, at: datetime, roles: Sequence[Role], *, reason: str = ""
) -> Accepted | Refused:
    """Count a click, or refuse it: one denial denies, and approval needs the rule's quorum of different people.

    Who approved may still deny while it waits. An override approves alone: it needs `admin` in a role that covers the
    group, and a reason.
    """
    approval = expire(approval, at)
    if approval.state is not ApprovalState.WAITING:
        words = f"This request is {approval.state} already; your click changed nothing."
        return Refused(RefusalCode.CLOSED, words, approval)
    if actor.user_id == approval.requester:
        return Refused(RefusalCode.OWN_REQUEST, _OWN)
    if choice is Choice.OVERRIDE:
        if refused := _override_refusal(approval, actor, roles, reason):
            return refused
    elif not any(actor.has_role(role) for role in _approving_roles(approval.rule, approval.target, roles)):
        return _not_an_approver(approval, roles)
    if choice is Choice.APPROVE and any(v.user_id == actor.user_id for v in approval.votes):
        return Refused(RefusalCode.ALREADY_COUNTED, "Your vote counts already; it waits for somebody else's.")
    others = tuple(v for v in approval.votes if v.user_id != actor.user_id)
    votes = (*others, Vote(actor.user_id, choice, at, reason))
    return Accepted(replace(approval, votes=votes, state=_state(approval.rule, votes)))


def reminder_at(rule: ApprovalRule, asked_at: datetime, number: int) -> datetime | None:
    """Give when reminder `number` (from 0) of a request is due: each wait is twice as long as the one before.

    None where the rule wants no reminders, and where the request has expired by then.
    """
    if rule.remind_after is None:
        return None
    at = asked_at + rule.remind_after * (2 ** (number + 1) - 1)
    return at if at < asked_at + rule.expires_after else None


def next_reminder_at(rule: ApprovalRule, asked_at: datetime, number: int, now: datetime) -> datetime | None:
    """Give when the reminder after `number` is due, if any: those whose time is over at `now` (aware) are left out.

    After a downtime one reminder makes up for all that were missed.
    """
    while (at := reminder_at(rule, asked_at, number + 1)) is not None and at <= now:
        number += 1
    return at


def eligible_approvers(rule: ApprovalRule, target: Target, requester: str, roles: Sequence[Role]) -> tuple[str, ...]:
    """Give the ids of users and user groups who may decide, the requester left out, in a fixed order."""
    members = frozenset[str]().union(*(role.members for role in _approving_roles(rule, target, roles)))
    return tuple(sorted(members - {requester}))


def expire(approval: Approval, now: datetime) -> Approval:
    """Give the approval as it is at `now` (aware): expired where its time is over and nobody had decided."""
    if approval.state is ApprovalState.WAITING and now >= approval.expires_at:
        return replace(approval, state=ApprovalState.EXPIRED)
    return approval


def no_eligible_approver(rule: ApprovalRule, target: Target, requester: str, roles: Sequence[Role]) -> Refused | None:
    """Tell whether a request could never be approved: fewer possible approvers than the quorum, the requester left out.

    None where it could, and where a user group (ids begin with `S`) may hold the approver who is missing.
    """
    members = eligible_approvers(rule, target, requester, roles)
    if len(members) >= rule.quorum or any(member.startswith("S") for member in members):
        return None
    names = " or ".join(f"`{name}`" for name in rule.approvers)
    return Refused(
        RefusalCode.NO_ELIGIBLE_APPROVER,
        f"This needs {rule.quorum} to approve with the role {names}; besides you, {len(members) or 'nobody'} could. "
        "Ask whoever runs Rollcall to add approvers.",
    )


def _override_refusal(approval: Approval, actor: Actor, roles: Sequence[Role], reason: str) -> Refused | None:
    admin = check_capability(actor, Capability.ADMIN, approval.target, roles)
    if not isinstance(admin, Allowed):
        return Refused(RefusalCode.NOT_AN_APPROVER, admin.reason)
    if not reason.strip():
        return Refused(RefusalCode.NO_REASON, "An override needs a reason, which everybody will see.")
    return None


def _not_an_approver(approval: Approval, roles: Sequence[Role]) -> Refused:
    names = " or ".join(f"`{name}`" for name in approval.rule.approvers)
    words = f"Only {names} can decide on requests for this group."
    voted = {v.user_id for v in approval.votes}
    ids = eligible_approvers(approval.rule, approval.target, approval.requester, roles)
    return Refused(RefusalCode.NOT_AN_APPROVER, words, eligible_approvers=tuple(id_ for id_ in ids if id_ not in voted))


def _state(rule: ApprovalRule, votes: Sequence[Vote]) -> ApprovalState:
    if any(v.choice is Choice.DENY for v in votes):
        return ApprovalState.DENIED
    if any(v.choice is Choice.OVERRIDE for v in votes):
        return ApprovalState.APPROVED
    return ApprovalState.APPROVED if len(votes) >= rule.quorum else ApprovalState.WAITING


def _approving_roles(rule: ApprovalRule, target: Target, roles: Sequence[Role]) -> list[Role]:
    """Give the roles whose members may decide: named by the rule, able to approve, and in charge of the group."""
    return [
        role
        for role in roles
        if role.name in rule.approvers and Capability.APPROVE in role.capabilities and target.matches(role.groups)
    ]
