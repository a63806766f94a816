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
    Outcome.CONFIRMED,
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


def outcome_from(desired: DesiredState, *, was_met: bool | None) -> Outcome:
    """Return the outcome of a person who is in the desired state now, by whether they were before; None if unknown.

    Being in it now proves nothing about the past: then the outcome is `CONFIRMED`.
    """
    if was_met is None:
        return Outcome.CONFIRMED
    return Outcome.ALREADY_DONE if was_met else desired.outcome


def verdict_from_membership(
    key: str, desired: DesiredState, now: MembershipStatus, *, was_met: bool | None
) -> Verdict | None:
    """Return the verdict on a person whom the provider's answer left open, from the group before and now.

    None if the group doesn't show the desired state.
    """
    if desired.is_met_by(now) is not True:
        return None
    return Verdict(key, outcome_from(desired, was_met=was_met), Evidence.OBSERVED)


@dataclass(frozen=True, slots=True)
class Look:
    """What a member list showed about one person, at one time.

    Attributes:
        status: the person's status. `HIDDEN` if the person may be one of the members who are known only by a LID.
        hidden: the LIDs of those members; None if the list can't be compared with an earlier one.
        lid: the person's LID, if the list shows it.
    """

    status: MembershipStatus = MembershipStatus.UNKNOWN
    hidden: frozenset[str] | None = None
    lid: str = ""


def compare(before: Look, now: Look) -> tuple[MembershipStatus, MembershipStatus]:
    """Return a person's status before and now, as far as two looks together prove it.

    A person who is visible now was hidden before only if their LID was hidden then; if the list doesn't show it, only
    if a hidden LID is gone. A person who was visible is hidden now only if there is a new hidden LID.

    >>> hidden = frozenset({"1@lid"})
    >>> compare(Look(MembershipStatus.HIDDEN, hidden), Look(MembershipStatus.MEMBER, hidden))[0]
    <MembershipStatus.ABSENT: 'absent'>
    """
    was, is_now = before.status, now.status
    if was is MembershipStatus.HIDDEN and now.status.is_member and before.hidden is not None:
        if now.lid:
            was = MembershipStatus.PRESENT if now.lid in before.hidden else MembershipStatus.ABSENT
        elif now.hidden is not None and before.hidden <= now.hidden:
            was = MembershipStatus.ABSENT
    if (
        is_now is MembershipStatus.HIDDEN
        and before.status.is_member
        and before.hidden is not None
        and now.hidden is not None
        and now.hidden <= before.hidden
    ):
        is_now = MembershipStatus.ABSENT
    return was, is_now


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


def verify_only(p: RequestItem, desired: DesiredState, now: MembershipStatus, *, late: str) -> Verdict:
    """Return the verdict on a person of a request that only verifies an earlier one, from the group now.

    Args:
        p: the person, with the status before the earlier request.
        desired: the state that the earlier request wanted.
        now: the status now.
        late: why the list may not show what happened; empty if it would.
    """
    if verdict := verdict_from_membership(p.person.key, desired, now, was_met=desired.is_met_by(p.before)):
        return verdict
    if desired.is_met_by(now) is False and not late:
        message = "The group shows that it didn't happen."
        return Verdict(p.person.key, Outcome.FAILED, Evidence.OBSERVED, "", message, Cause.TRANSIENT)
    return Verdict(p.person.key, Outcome.UNKNOWN, Evidence.NONE, "", late or "Still can't confirm.")


_CALL_OUTCOMES = frozenset({Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.GROUP_FULL, Outcome.NOT_ATTEMPTED})
"""The outcomes that a failed call gives to everyone in it."""


def reconcile(
    verdict: Verdict, desired: DesiredState | None, *, was_met: bool | None, submissions: int, call_failed: bool
) -> Verdict:
    """Correct a verdict by the person's status before the first submission, and by their earlier submissions.

    If the provider only says that the person is in the desired state now, the status before shows whether that is new.
    The same if it says after a repeated submission that they were in it before: the first one may have caused it. If a
    repeated submission fails as a whole, it says nothing about what the first one did.
    """
    is_repeated = submissions > 1
    if desired and (verdict.outcome is Outcome.CONFIRMED or (is_repeated and verdict.outcome is Outcome.ALREADY_DONE)):
        return replace(verdict, outcome=outcome_from(desired, was_met=was_met))
    if is_repeated and call_failed and verdict.outcome in _CALL_OUTCOMES:
        return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE)
    return verdict


def unanswered(key: str, submissions: int, message: str, code: str = "", cause: Cause = Cause.UNKNOWN) -> Verdict:
    """Return the verdict on a person without an answer: not attempted, or unknown if they were sent."""
    outcome = Outcome.UNKNOWN if submissions else Outcome.NOT_ATTEMPTED
    return Verdict(key, outcome, provider_code=code, provider_message=message, cause=cause)
