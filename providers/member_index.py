"""A group's members as far as they are known, searchable by phone and by LID."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from providers.base import MembershipReading, MembershipStatus, Person
from providers.identity import person_keys


@dataclass(frozen=True, slots=True)
class MemberKey:
    """What is known of a person: the LID, every variant of the phone in digits (either may be missing), the role."""

    lid: str = ""
    phones: frozenset[str] = frozenset()
    status: MembershipStatus = MembershipStatus.PRESENT

    @classmethod
    def of(cls, person: Person) -> "MemberKey":
        """Return the key of a person to look for."""
        return cls(person.lid, person_keys(person.phone))


class MemberIndex:
    """Members by LID and by phone: a look-up takes constant time.

    Only the keys are kept, so a list of a hundred thousand members can be added as it arrives.

    Args:
        members: the members.
        complete: whether these are all members of the group; without the others no absence is certain.
    """

    def __init__(self, members: Iterable[MemberKey] = (), *, complete: bool = True) -> None:
        self._by_lid: dict[str, MembershipStatus] = {}
        self._by_phone: dict[str, MembershipStatus] = {}
        self._lid_of_phone: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._without_lid = self._without_both = self._is_uncertain = False
        self._complete = complete
        for member in members:
            self.add(member)

    def add(self, member: MemberKey) -> None:
        """Add a member."""
        if member.lid:
            self._by_lid[member.lid] = member.status
        self._by_phone.update(dict.fromkeys(member.phones, member.status))
        if member.lid and member.phones:
            self._lid_of_phone.update(dict.fromkeys(member.phones, member.lid))
        if member.lid and not member.phones:
            self._hidden.add(member.lid)
        self._without_lid |= not member.lid
        self._without_both |= not member.phones and not member.lid
        self._is_uncertain |= member.status is MembershipStatus.UNKNOWN

    def find(self, person: MemberKey) -> MembershipStatus:
        """Return the status of a person. `ABSENT` only if every member of the group could be compared."""
        if person.lid in self._by_lid:
            return self._by_lid[person.lid]
        for phone in person.phones:
            if phone in self._by_phone:
                return self._by_phone[phone]
        uncertain = (
            not self._complete
            or self._without_both
            or (bool(self._hidden) and not person.lid)
            or (self._without_lid and not person.phones)
        )
        return MembershipStatus.UNKNOWN if uncertain else MembershipStatus.ABSENT

    def read(self, people: Mapping[str, MemberKey]) -> MembershipReading:
        """Return the reading of people, given by `Person.key`."""
        comparable = self._complete and not self._without_both and not self._is_uncertain
        statuses = {key: self.find(person) for key, person in people.items()}
        if comparable and self._hidden:
            statuses |= {
                key: MembershipStatus.HIDDEN
                for key, status in statuses.items()
                if status is MembershipStatus.UNKNOWN and people[key].phones
            }
        lids = {key: lid for key, person in people.items() if (lid := self._lid(person))}
        return MembershipReading(statuses, frozenset(self._hidden) if comparable else None, lids)

    def _lid(self, person: MemberKey) -> str:
        """Return the LID of a listed person; empty if it isn't known."""
        if person.lid in self._by_lid:
            return person.lid
        return next((self._lid_of_phone[phone] for phone in person.phones if phone in self._lid_of_phone), "")


def status_of_flags(*, is_admin: bool | None, is_super_admin: bool | None) -> MembershipStatus:
    """Return the status of a listed member by the two admin flags; `PRESENT` if they don't give the role."""
    if is_admin or is_super_admin:
        return MembershipStatus.ADMIN
    return MembershipStatus.PRESENT if is_admin is None else MembershipStatus.MEMBER
