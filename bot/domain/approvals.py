"""Approvals: which requests need one, who may decide, and how votes lead to one final state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.access import Actor, Allowed, Capability, Role, Target, check_capability
from providers.base import Operation

_OWN = "You can't decide on your own request. You can withdraw it."


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """When an approval is needed, and who may give it.

    Attributes:
        operations: the operations that need it.
        groups: globs on the group's names.
        min_participants: the minimum number of people for which it is needed.
        approvers: the names of the roles that may decide.
        quorum: the number of different approvers that are needed.
        expires_after: how long after it was made a request expires.
        remind_after: how long after that the approvers are reminded; each following wait is twice as long.
    """

    operations: frozenset[Operation]
    groups: tuple[str, ...]
    min_participants: int
    approvers: tuple[str, ...]
    quorum: int
    expires_after: timedelta
    remind_after: timedelta | None = None


class Choice(StrEnum):
    """The choice of an approver."""

    APPROVE = "approve"
    DENY = "deny"
    OVERRIDE = "override"


class ApprovalState(StrEnum):
    """The state of an approval; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote: the person, the choice, the time and the reason."""

    user_id: str
    choice: Choice
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A requested approval; `withdrawn_by` is a Slack user id, empty if it wasn't withdrawn."""

    requester: str
    target: Target
    rule: ApprovalRule
    asked_at: datetime
    votes: tuple[Vote, ...] = ()
    state: ApprovalState = ApprovalState.WAITING
    withdrawn_by: str = ""

    @property
    def expires_at(self) -> datetime:
        """The time at which it expires."""
        return self.asked_at + self.rule.expires_after


class RefusalCode(StrEnum):
    """Why a click doesn't count."""

    CLOSED = "over"
    OWN_REQUEST = "own_request"
    NOT_AN_APPROVER = "not_an_approver"
    ALREADY_COUNTED = "counted_already"
    NO_REASON = "no_reason"
    NOT_REQUESTER = "not_yours"
    NO_ELIGIBLE_APPROVER = "nobody_can_decide"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The click counts; `approval` is the approval after it."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Refused:
    """The click doesn't count.

    Attributes:
        reason: the sentence for the person.
        ended: the approval, if it had ended before.
        eligible_approvers: the ids of the users and user groups who can still decide, if this person can't.
    """

    code: RefusalCode
    reason: str
    ended: Approval | None = None
    eligible_approvers: tuple[str, ...] | None = None


def rule_for(
    operation: Operation, target: Target, participants: int, rules: Sequence[ApprovalRule]
) -> ApprovalRule | None:
    """Return the first rule that matches; None if no approval is needed."""
    for rule in rules:
        if operation in rule.operations and participants >= rule.min_participants and target.matches(rule.groups):
            return rule
    return None


def cast_vote(
    approval: Approval, actor: Actor, choice: Choice, at: datetime, roles: Sequence[Role], *, reason: str = ""
) -> Accepted | Refused:
    """Count a click, or refuse it: one denial denies, and approval needs the rule's quorum of different people.

    A person who approved may still deny while the request waits. An override approves alone: it needs `admin` in a
    role that covers the group, and a reason.
    """
    approval = expire(approval, at)
    if approval.state is not ApprovalState.WAITING:
        reason = f"This request is already {approval.state}. Your click changed nothing."
        return Refused(RefusalCode.CLOSED, reason, approval)
    if actor.user_id == approval.requester:
        return Refused(RefusalCode.OWN_REQUEST, _OWN)
    if choice is Choice.OVERRIDE:
        if refused := _override_refusal(approval, actor, roles, reason):
            return refused
    elif not any(actor.has_role(role) for role in _approving_roles(approval.rule, approval.target, roles)):
        return _not_an_approver(approval, roles)
    if choice is Choice.APPROVE and any(v.user_id == actor.user_id for v in approval.votes):
        return Refused(RefusalCode.ALREADY_COUNTED, "Your vote is already counted. The request needs another approver.")
    others = tuple(v for v in approval.votes if v.user_id != actor.user_id)
    votes = (*others, Vote(actor.user_id, choice, at, reason))
    return Accepted(replace(approval, votes=votes, state=_state(approval.rule, votes)))


def reminder_at(rule: ApprovalRule, asked_at: datetime, number: int) -> datetime | None:
    """Return when reminder `number` (from 0) of a request is due: each wait is twice as long as the one before.

    None if the rule has no reminders, or if the request expires before.
    """
    if rule.remind_after is None:
        return None
    at = asked_at + rule.remind_after * (2 ** (number + 1) - 1)
    return at if at < asked_at + rule.expires_after else None


def next_reminder_at(rule: ApprovalRule, asked_at: datetime, number: int, now: datetime) -> datetime | None:
    """Return when the reminder after `number` is due, if any. Reminders due before `now` (aware) are skipped.

    After a downtime, one reminder is sent in place of all that were missed.
    """
    while (at := reminder_at(rule, asked_at, number + 1)) is not None and at <= now:
        number += 1
    return at


def eligible_approvers(rule: ApprovalRule, target: Target, requester: str, roles: Sequence[Role]) -> tuple[str, ...]:
    """Return the ids of the users and user groups who may decide, without the requester, in a fixed order."""
    members = frozenset[str]().union(*(role.members for role in _approving_roles(rule, target, roles)))
    return tuple(sorted(members - {requester}))


def expire(approval: Approval, now: datetime) -> Approval:
    """Return the approval as it is at `now` (aware): expired if it still waits after its time."""
    if approval.state is ApprovalState.WAITING and now >= approval.expires_at:
        return replace(approval, state=ApprovalState.EXPIRED)
    return approval


def no_eligible_approver(rule: ApprovalRule, target: Target, requester: str, roles: Sequence[Role]) -> Refused | None:
    """Return why a request could never be approved: the quorum exceeds the eligible approvers, without the requester.

    None if it could be, or if a user group (ids begin with `S`) may have the missing approver.
    """
    members = eligible_approvers(rule, target, requester, roles)
    if len(members) >= rule.quorum or any(member.startswith("S") for member in members):
        return None
    names = " or ".join(f"`{name}`" for name in rule.approvers)
    needed = "1 approval" if rule.quorum == 1 else f"{rule.quorum} approvals"
    available = "no one" if not members else "only 1 person" if len(members) == 1 else f"only {len(members)} people"
    return Refused(
        RefusalCode.NO_ELIGIBLE_APPROVER,
        f"This needs {needed} from {names}, and besides you {available} can approve. "
        "Ask a Rollcall administrator to add approvers.",
    )


def _override_refusal(approval: Approval, actor: Actor, roles: Sequence[Role], reason: str) -> Refused | None:
    admin = check_capability(actor, Capability.ADMIN, approval.target, roles)
    if not isinstance(admin, Allowed):
        return Refused(RefusalCode.NOT_AN_APPROVER, admin.text)
    if not reason.strip():
        return Refused(RefusalCode.NO_REASON, "An override needs a reason. Everyone will see it.")
    return None


def _not_an_approver(approval: Approval, roles: Sequence[Role]) -> Refused:
    names = " or ".join(f"`{name}`" for name in approval.rule.approvers)
    reason = f"Only {names} can decide on requests for this group."
    voted = {v.user_id for v in approval.votes}
    ids = eligible_approvers(approval.rule, approval.target, approval.requester, roles)
    remaining = tuple(id_ for id_ in ids if id_ not in voted)
    return Refused(RefusalCode.NOT_AN_APPROVER, reason, eligible_approvers=remaining)


def _state(rule: ApprovalRule, votes: Sequence[Vote]) -> ApprovalState:
    if any(v.choice is Choice.DENY for v in votes):
        return ApprovalState.DENIED
    if any(v.choice is Choice.OVERRIDE for v in votes):
        return ApprovalState.APPROVED
    return ApprovalState.APPROVED if len(votes) >= rule.quorum else ApprovalState.WAITING


def _approving_roles(rule: ApprovalRule, target: Target, roles: Sequence[Role]) -> list[Role]:
    """Return the roles whose members may decide: named by the rule, with `approve`, and covering the group."""
    return [
        role
        for role in roles
        if role.name in rule.approvers and Capability.APPROVE in role.capabilities and target.matches(role.groups)
    ]
