"""The simulated WhatsApp behind a simulated provider: people with dispositions, groups, and what truly happened."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Disposition(StrEnum):
    """How WhatsApp answers when this person is added to a group."""

    OPEN = "open"
    PRIVATE = "private"
    NO_ACCOUNT = "no_account"
    RECENTLY_LEFT = "recently_left"
    BLOCKED = "blocked"


class Effect(StrEnum):
    """What an add truly did to a person; the yardstick for every verdict."""

    ADDED = "added"
    ALREADY_MEMBER = "already_member"
    PRIVATE = "private"
    NO_ACCOUNT = "no_account"
    RECENTLY_LEFT = "recently_left"
    BLOCKED = "blocked"
    GROUP_FULL = "group_full"
    AWAITS_ADMIN = "awaits_admin"


_REFUSALS = {
    Disposition.PRIVATE: Effect.PRIVATE,
    Disposition.NO_ACCOUNT: Effect.NO_ACCOUNT,
    Disposition.RECENTLY_LEFT: Effect.RECENTLY_LEFT,
    Disposition.BLOCKED: Effect.BLOCKED,
}


@dataclass(slots=True)
class Human:
    """A person: the phone in digits without `+`, the LID's user part, and how they answer an add."""

    phone: str
    lid: str
    disposition: Disposition = Disposition.OPEN


@dataclass(slots=True)
class Membership:
    """A person's place in a group; `since` is the world's time at which it began."""

    phone: str
    role: str = "member"
    since: float = 0.0


@dataclass(slots=True)
class SimGroup:
    """A group. `account_is_admin` tells whether the provider account may change it."""

    id: str
    subject: str
    members: dict[str, Membership] = field(default_factory=dict)
    awaiting: dict[str, float] = field(default_factory=dict)
    capacity: int = 1024
    account_is_admin: bool = True
    joins_need_approval: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that truly happened to one person in one group."""

    at: float
    group_id: str
    phone: str
    effect: Effect


class World:
    """Everything one simulated provider knows. Phones are digits without `+`.

    Args:
        read_lag: seconds until a change shows in member lists (late reads); 0 for at once.
        clock: gives the current time in seconds.
    """

    def __init__(self, *, read_lag: float = 0.0, clock: Callable[[], float] = time.time) -> None:
        self.people: dict[str, Human] = {}
        self.groups: dict[str, SimGroup] = {}
        self.events: list[Event] = []
        self.read_lag = read_lag
        self.now = clock
        self._by_lid: dict[str, str] = {}

    def human(self, phone: str) -> Human:
        """Give the person with this phone; someone never heard of is made, open to being added."""
        if phone not in self.people:
            self.put_human(phone, Disposition.OPEN)
        return self.people[phone]

    def put_human(self, phone: str, disposition: Disposition) -> Human:
        """Make a person or change how they answer. The LID is drawn from the phone and holds none of its digits' order.

        The same phone always gets the same LID, so that runs can be repeated.
        """
        lid = str((int(phone) * 2_654_435_761) % 10**14 + 10**14)
        human = Human(phone, lid, disposition)
        self.people[phone] = human
        self._by_lid[lid] = phone
        return human

    def phone_of_lid(self, lid: str) -> str | None:
        """Give the phone behind a LID's user part, None when nobody has it."""
        return self._by_lid.get(lid)

    def put_group(self, group_id: str, subject: str, members: Iterable[str] = (), **attributes: object) -> SimGroup:
        """Make a group with these members, who have been in it for ever."""
        group = SimGroup(group_id, subject)
        for name, value in attributes.items():
            setattr(group, name, value)
        for phone in members:
            self.human(phone)
            group.members[phone] = Membership(phone)
        self.groups[group_id] = group
        return group

    def add(self, group_id: str, phone: str) -> Effect:
        """Add one person as WhatsApp would, keep what happened, and give it."""
        effect = self._add(self.groups[group_id], self.human(phone))
        self.events.append(Event(self.now(), group_id, phone, effect))
        return effect

    def visible_members(self, group_id: str) -> list[Membership]:
        """Give the members that a stored member list shows now; changes younger than `read_lag` are missing."""
        horizon = self.now() - self.read_lag
        return [m for m in self.groups[group_id].members.values() if m.since <= horizon]

    def _add(self, group: SimGroup, human: Human) -> Effect:
        if human.phone in group.members:
            return Effect.ALREADY_MEMBER
        if human.disposition in _REFUSALS:
            return _REFUSALS[human.disposition]
        if len(group.members) >= group.capacity:
            return Effect.GROUP_FULL
        if group.joins_need_approval:
            group.awaiting[human.phone] = self.now()
            return Effect.AWAITS_ADMIN
        group.members[human.phone] = Membership(human.phone, since=self.now())
        return Effect.ADDED
