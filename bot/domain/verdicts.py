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
    """Somebody was sent to the provider with an operation; `outcome` None: no answer is kept yet."""

    operation: Operation
    outcome: Outcome | None


def trusted(listed: MembershipStatus, changes: Iterable[RecentChange]) -> MembershipStatus:
    """Tell how somebody stands by a list, unknown where it contradicts what was, or may have been, done to them.

    >>> believed(Standing.ABSENT, [Change(Operation.ADD, Outcome.ADDED)])
    <Standing.UNKNOWN: 'unknown'>
    """
    states = [OPERATIONS[change.operation].desired for change in changes if change.outcome not in _NO_EFFECT]
    contradicted = any(state.is_met_by(listed) is False for state in states if state)
    return MembershipStatus.UNKNOWN if contradicted else listed


def verdict_from_membership(
    key: str, aim: DesiredState, before: MembershipStatus, now: MembershipStatus
) -> Verdict | None:
    """Judge a person who was submitted and about whom the provider said nothing, from the group before and now.

    Someone who is as wanted now, and of whom nobody knows whether they were before, counts as already done: to say
    that it was brought about would be better than the evidence. None where reading back cannot tell.
    """
    if aim.is_met_by(now) is not True:
        return None
    if aim.is_met_by(before) is False:
        return Verdict(key, aim.outcome, Evidence.OBSERVED)
    return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)


def already_satisfied(key: str, aim: DesiredState | None, before: MembershipStatus) -> Verdict | None:
    """Judge a person for whom nothing needs to be sent: as wanted already, or nobody that this could be done to."""
    if aim is None:
        return None
    if aim.is_met_by(before) is True:
        return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)
    if aim.members_only and before is MembershipStatus.ABSENT:
        return Verdict(key, Outcome.FAILED, Evidence.OBSERVED, "", "They are not in the group.", Cause.NO_MEMBER)
    return None


def verify_only(p: RequestItem, aim: DesiredState | None, now: MembershipStatus | None) -> Verdict:
    """Judge a person of a request that only looks: what an earlier request did to them, as the group tells it now."""
    now = now or MembershipStatus.UNKNOWN
    if aim and (verdict := verdict_from_membership(p.person.key, aim, p.before, now)):
        return verdict
    if aim and aim.is_met_by(now) is False:
        words = "The group shows that it did not happen."
        return Verdict(p.person.key, Outcome.FAILED, Evidence.OBSERVED, "", words, Cause.TRANSIENT)
    return Verdict(p.person.key, Outcome.UNKNOWN, Evidence.NONE, "", "The group does not tell.")


_CALL_OUTCOMES = frozenset({Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.GROUP_FULL, Outcome.NOT_ATTEMPTED})
"""Outcomes that a failed call gives to everybody in it."""


def reconcile_retry(
    verdict: Verdict, aim: DesiredState | None, *, before: MembershipStatus, submissions: int, call_failed: bool
) -> Verdict:
    """Correct a verdict by what is known from before it was asked for.

    A repeated submission that finds the person as wanted, though they were not before the first, confirms that the
    first one brought it about. A repeated submission that fails as a whole says nothing about what the first one did.
    """
    if submissions <= 1:
        return verdict
    if aim and verdict.outcome is Outcome.ALREADY_DONE and aim.is_met_by(before) is False:
        return replace(verdict, outcome=aim.outcome)
    if call_failed and verdict.outcome in _CALL_OUTCOMES:
        return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE)
    return verdict


def unanswered(key: str, submissions: int, words: str, code: str = "", cause: Cause = Cause.UNKNOWN) -> Verdict:
    """Judge a person whom no call has answered: not attempted, or unknown where they were sent all the same."""
    outcome = Outcome.UNKNOWN if submissions else Outcome.NOT_ATTEMPTED
    return Verdict(key, outcome, provider_code=code, provider_message=words, cause=cause)
