"""A group's members as far as they are known, and how somebody stands among them."""

from collections.abc import Iterable
from dataclasses import dataclass

from providers.base import MembershipStatus


@dataclass(frozen=True, slots=True)
class MemberKey:
    """All that is known of a person: the LID, every form of the phone in digits (both may be missing), and the role."""

    lid: str = ""
    phones: frozenset[str] = frozenset()
    status: MembershipStatus = MembershipStatus.PRESENT


class MemberIndex:
    """Members by LID and by phone, so that looking for many people costs one look each.

    Only the names are kept, so a roll of a hundred thousand members can be called while they arrive.
    """

    def __init__(self, members: Iterable[MemberKey] = ()) -> None:
        self._by_lid: dict[str, MembershipStatus] = {}
        self._by_phone: dict[str, MembershipStatus] = {}
        self._without_phone = self._without_lid = self._without_both = False
        for member in members:
            self.add(member)

    def add(self, member: MemberKey) -> None:
        """Take one more member in."""
        if member.lid:
            self._by_lid[member.lid] = member.status
        self._by_phone.update(dict.fromkeys(member.phones, member.status))
        self._without_phone |= not member.phones
        self._without_lid |= not member.lid
        self._without_both |= not member.phones and not member.lid

    def find(self, person: MemberKey) -> MembershipStatus:
        """Tell how the person stands; absent only where every member could be compared."""
        if person.lid in self._by_lid:
            return self._by_lid[person.lid]
        for phone in person.phones:
            if phone in self._by_phone:
                return self._by_phone[phone]
        unseen = (
            self._without_both or (self._without_phone and not person.lid) or (self._without_lid and not person.phones)
        )
        return MembershipStatus.UNKNOWN if unseen else MembershipStatus.ABSENT
