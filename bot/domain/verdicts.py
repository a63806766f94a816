"""Verdicts from what the group shows, and from what is known of earlier submissions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.operations import OPERATIONS, DesiredState
from bot.domain.requests import RequestItem
from providers.base import Cause, Evidence, MembershipStatus, Operation, Outcome, Verdict

_NO_EFFECT = frozenset(Outcome) - {
    Outcome.ADDED,
    Outcome.REMOVED,
    Outcome.PROMOTED,
    Outcome.DEMOTED,
    Outcome.ALREADY_DONE,
    Outcome.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class RecentChange:
    """An operation on a person that was sent recently; `outcome` is None if no answer is stored yet."""

    operation: Operation
    outcome: Outcome | None


def trusted(listed: MembershipStatus, changes: Iterable[RecentChange]) -> MembershipStatus:
    """Return a listed membership status, or unknown if it contradicts a recent change that may have taken effect.

    No provider documents how soon a change shows in its lists (`x-undocumented` of the contracts), so a list that
    contradicts our own recent changes proves nothing.

    >>> trusted(MembershipStatus.ABSENT, [RecentChange(Operation.ADD, Outcome.ADDED)])
    <MembershipStatus.UNKNOWN: 'unknown'>
    """
    states = [OPERATIONS[change.operation].desired for change in changes if change.outcome not in _NO_EFFECT]
    contradicted = any(state.is_met_by(listed) is False for state in states if state)
    return MembershipStatus.UNKNOWN if contradicted else listed


def verdict_from_membership(
    key: str, desired: DesiredState, before: MembershipStatus, now: MembershipStatus
) -> Verdict | None:
    """Return the verdict on a person whom the provider's answer left open, from the group before and now.

    A person who is in the desired state, and may have been before, counts as already done: anything else would claim
    more than the evidence shows. None if the group doesn't show the desired state.
    """
    if desired.is_met_by(now) is not True:
        return None
    if desired.is_met_by(before) is False:
        return Verdict(key, desired.outcome, Evidence.OBSERVED)
    return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)


def already_satisfied(key: str, desired: DesiredState | None, before: MembershipStatus) -> Verdict | None:
    """Return the verdict on a person for whom nothing needs to be sent; None if something does.

    Such a person is in the desired state already, or can't be brought into it.
    """
    if desired is None:
        return None
    if desired.is_met_by(before) is True:
        return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)
    if desired.members_only and before is MembershipStatus.ABSENT:
        return Verdict(key, Outcome.FAILED, Evidence.OBSERVED, "", "They aren't in the group.", Cause.NO_MEMBER)
    return None


def verify_only(p: RequestItem, desired: DesiredState | None, now: MembershipStatus | None) -> Verdict:
    """Return the verdict on a person of a request that only verifies an earlier one, from the group now."""
    now = now or MembershipStatus.UNKNOWN
    if desired and (verdict := verdict_from_membership(p.person.key, desired, p.before, now)):
        return verdict
    if desired and desired.is_met_by(now) is False:
        message = "The group shows that it didn't happen."
        return Verdict(p.person.key, Outcome.FAILED, Evidence.OBSERVED, "", message, Cause.TRANSIENT)
    return Verdict(p.person.key, Outcome.UNKNOWN, Evidence.NONE, "", "Still can't confirm.")


_CALL_OUTCOMES = frozenset({Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.GROUP_FULL, Outcome.NOT_ATTEMPTED})
"""The outcomes that a failed call gives to everyone in it."""


def reconcile_retry(
    verdict: Verdict, desired: DesiredState | None, *, before: MembershipStatus, submissions: int, call_failed: bool
) -> Verdict:
    """Correct a verdict by the person's earlier submissions.

    If a repeated submission finds the person in the desired state, and they weren't before the first one, the first one
    brought it about. If a repeated submission fails as a whole, it says nothing about what the first one did.
    """
    if submissions <= 1:
        return verdict
    if desired and verdict.outcome is Outcome.ALREADY_DONE and desired.is_met_by(before) is False:
        return replace(verdict, outcome=desired.outcome)
    if call_failed and verdict.outcome in _CALL_OUTCOMES:
        return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE)
    return verdict


def unanswered(key: str, submissions: int, message: str, code: str = "", cause: Cause = Cause.UNKNOWN) -> Verdict:
    """Return the verdict on a person without an answer: not attempted, or unknown if they were sent."""
    outcome = Outcome.UNKNOWN if submissions else Outcome.NOT_ATTEMPTED
    return Verdict(key, outcome, provider_code=code, provider_message=message, cause=cause)
