"""Own changes, which the stored member lists may not show yet."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from providers.base import MembershipStatus, Operation, Person
from providers.cache import TTLCache
from providers.identity import same_person_keys

CATCHES_UP = 600.0
"""Seconds after which a list shows a change: ours, the pages say "a few minutes" (x-conventions, consistency)."""

_THEN: Mapping[Operation, MembershipStatus] = MappingProxyType(
    {
        Operation.ADD: MembershipStatus.MEMBER,
        Operation.REMOVE: MembershipStatus.ABSENT,
        Operation.PROMOTE: MembershipStatus.ADMIN,
        Operation.DEMOTE: MembershipStatus.MEMBER,
    }
)
"""How somebody stands to whom it was done."""


class OwnChanges:
    """What was lately done, or may have been, to whom. A list that shows them otherwise may only be late.

    Args:
        clock: gives the time in seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._made = TTLCache[Operation](CATCHES_UP, clock)

    def remember(self, group_id: str, people: Iterable[Person], operation: Operation) -> None:
        """Keep what was done to people; of several things to one person the last."""
        for person in people:
            self._made.set(_key(group_id, person), operation)

    def weigh(self, group_id: str, person: Person, shown: MembershipStatus) -> MembershipStatus:
        """Give how somebody stands who is shown to stand so, as far as that cannot be due to a late list."""
        made = self._made.get(_key(group_id, person))
        if made is None or shown is _THEN[made]:
            return shown
        return MembershipStatus.PRESENT if shown.is_member and _THEN[made].is_member else MembershipStatus.UNKNOWN


def _key(group_id: str, person: Person) -> str:
    return f"{group_id} {min(same_person_keys(person.digits)) if person.phone else person.lid}"
