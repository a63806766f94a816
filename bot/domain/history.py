"""What Rollcall itself did to somebody a while ago, and what a list of members that may be late tells beside it.

No provider says how soon a change shows in its lists (`x-undocumented` of the contracts), so a list that contradicts
our own last doings proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.operations import OPERATIONS
from providers.base import MembershipStatus, Operation, Outcome

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
