"""A group's members as far as they are known, and whether somebody is among them."""

from collections.abc import Iterable
from dataclasses import dataclass

from providers.base import Presence


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a person: the LID, and every form of the phone in digits; both may be missing."""

    lid: str = ""
    phones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Roll:
    """Members by LID and by phone; `without_…` tells that some members cannot be compared so."""

    lids: frozenset[str]
    phones: frozenset[str]
    without_phone: bool
    without_lid: bool
    without_both: bool

    @classmethod
    def of(cls, members: Iterable[Known]) -> "Roll":
        """Call the roll once, so that looking for many people costs one look each."""
        known = list(members)
        return cls(
            lids=frozenset(member.lid for member in known if member.lid),
            phones=frozenset().union(*(member.phones for member in known)),
            without_phone=any(not member.phones for member in known),
            without_lid=any(not member.lid for member in known),
            without_both=any(not member.lid and not member.phones for member in known),
        )

    def find(self, person: Known) -> Presence:
        """Tell whether the person is a member; absent only where every member could be compared."""
        if person.lid in self.lids or person.phones & self.phones:
            return Presence.PRESENT
        unseen = (
            self.without_both or (self.without_phone and not person.lid) or (self.without_lid and not person.phones)
        )
        return Presence.UNKNOWN if unseen else Presence.ABSENT
