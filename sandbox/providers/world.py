"""The simulated WhatsApp behind a simulated provider: people, groups, and a record of what really happened."""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Disposition(StrEnum):
    """How WhatsApp answers when this person is added to a group."""

    OPEN = "open"
    PRIVATE = "private"
    NO_ACCOUNT = "no_account"
    RECENTLY_LEFT = "recently_left"
    BLOCKED = "blocked"


class Effect(StrEnum):
    """What a change really did to a person. Tests compare every verdict with it."""

    ADDED = "added"
    ALREADY_MEMBER = "already_member"
    PRIVATE = "private"
    NO_ACCOUNT = "no_account"
    RECENTLY_LEFT = "recently_left"
    BLOCKED = "blocked"
    GROUP_FULL = "group_full"
    AWAITS_ADMIN = "awaits_admin"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    NOT_A_MEMBER = "not_a_member"
    ALREADY_ADMIN = "already_admin"
    NOT_AN_ADMIN = "not_an_admin"


_REFUSALS = {
    Disposition.PRIVATE: Effect.PRIVATE,
    Disposition.NO_ACCOUNT: Effect.NO_ACCOUNT,
    Disposition.RECENTLY_LEFT: Effect.RECENTLY_LEFT,
    Disposition.BLOCKED: Effect.BLOCKED,
}


@dataclass(slots=True)
class SimPerson:
    """A person: the phone in digits without `+`, the LID's user part, and how WhatsApp answers when they are added."""

    phone: str
    lid: str
    disposition: Disposition = Disposition.OPEN


@dataclass(slots=True)
class Membership:
    """A person's membership of a group.

    Attributes:
        phone: the person's phone.
        role: `member` or `admin`.
        since: when it began, in the world's time.
        former: the role until `role_since`; empty without a change.
        role_since: when the role changed.
        left: when the person left; None for a present member.
    """

    phone: str
    role: str = "member"
    since: float = 0.0
    former: str = ""
    role_since: float = 0.0
    left: float | None = None


@dataclass(slots=True)
class SimGroup:
    """A group. `account_is_admin`: whether the provider's account may change it."""

    id: str
    subject: str
    members: dict[str, Membership] = field(default_factory=dict)
    awaiting: dict[str, float] = field(default_factory=dict)
    capacity: int = 1024
    account_is_admin: bool = True
    joins_need_approval: bool = False
    description: str = ""
    announce_only: bool = False
    locked: bool = False
    ephemeral: int = 0
    picture: str = ""
    invite: str = ""
    left_by_account: bool = False
    gone: list[Membership] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """What happened to one person in one group."""

    at: float
    group_id: str
    phone: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that was sent: `to` is a group's id or a phone in digits."""

    at: float
    to: str
    text: str


class World:
    """Everything one simulated provider knows. Phones are digits without `+`.

    Args:
        read_lag: seconds until a change shows in member lists (late reads); 0: immediately.
        clock: returns the current time in seconds.
    """

    def __init__(self, *, read_lag: float = 0.0, clock: Callable[[], float] = time.time) -> None:
        self.people: dict[str, SimPerson] = {}
        self.groups: dict[str, SimGroup] = {}
        self.events: list[GroupEvent] = []
        self.sent: list[SentText] = []
        self.read_lag = read_lag
        self.now = clock
        self._by_lid: dict[str, str] = {}
        self._canonical: dict[str, str] = {}

    def person(self, phone: str) -> SimPerson:
        """Return the person with this phone; an unknown one is created, open to being added."""
        phone = self.canonical(phone)
        if phone not in self.people:
            self.put_person(phone, Disposition.OPEN)
        return self.people[phone]

    def put_person(self, phone: str, disposition: Disposition, *, also: str = "") -> SimPerson:
        """Create a person, or change how WhatsApp answers for them.

        The LID is computed from the phone, so that runs can be repeated, and does not show the phone.

        Args:
            phone: the form of the number under which WhatsApp has the account.
            disposition: how WhatsApp answers when they are added.
            also: another form of the number, for the same account.
        """
        if also:
            self._canonical[also] = phone
        lid = str((int(phone) * 2_654_435_761) % 10**14 + 10**14)
        human = SimPerson(phone, lid, disposition)
        self.people[phone] = human
        self._by_lid[lid] = phone
        return human

    def canonical(self, phone: str) -> str:
        """Return the form of a number that WhatsApp uses for its account, usually the number itself."""
        return self._canonical.get(phone, phone)

    def phone_of_lid(self, lid: str) -> str | None:
        """Return the phone of a LID's user part; None for an unknown one."""
        return self._by_lid.get(lid)

    def put_group(self, group_id: str, subject: str, members: Iterable[str] = (), **attributes: object) -> SimGroup:
        """Create a group with these members, since time 0."""
        group = SimGroup(group_id, subject)
        for name, value in attributes.items():
            setattr(group, name, value)
        for phone in members:
            self.person(phone)
            group.members[phone] = Membership(phone)
        self.groups[group_id] = group
        return group

    def create_group(self, group_id: str, subject: str, people: Iterable[str]) -> dict[str, Effect]:
        """Create a group now and add people as WhatsApp would. Return the effect for each."""
        self.put_group(group_id, subject)
        return {phone: self.add(group_id, phone) for phone in people}

    def add(self, group_id: str, phone: str) -> Effect:
        """Add one person as WhatsApp would. Record and return the effect."""
        human = self.person(phone)
        return self._record(group_id, human.phone, self._add(self.groups[group_id], human))

    def remove(self, group_id: str, phone: str) -> Effect:
        """Remove one person, if they are a member."""
        group, phone = self.groups[group_id], self.canonical(phone)
        member = group.members.pop(phone, None)
        if member is None:
            return self._record(group_id, phone, Effect.NOT_A_MEMBER)
        member.left = self.now()
        group.gone.append(member)
        return self._record(group_id, phone, Effect.REMOVED)

    def promote(self, group_id: str, phone: str) -> Effect:
        """Promote a member to admin."""
        phone = self.canonical(phone)
        return self._record(group_id, phone, self._set_role(group_id, phone, "admin"))

    def demote(self, group_id: str, phone: str) -> Effect:
        """Demote an admin to member."""
        phone = self.canonical(phone)
        return self._record(group_id, phone, self._set_role(group_id, phone, "member"))

    def send(self, to: str, text: str) -> SentText:
        """Send a text to a group or a phone."""
        sent = SentText(self.now(), to, text)
        self.sent.append(sent)
        return sent

    def invite_of(self, group_id: str) -> str:
        """Return the code of the group's invite link; the first is computed from the group's id."""
        group = self.groups[group_id]
        group.invite = group.invite or self._code(group_id)
        return group.invite

    def reset_invite(self, group_id: str) -> str:
        """Replace the code and return it; the one before is no longer valid."""
        group = self.groups[group_id]
        group.invite = self._code(self.invite_of(group_id))
        return group.invite

    def group_of_invite(self, code: str) -> SimGroup | None:
        """Return the group of a code or a whole link."""
        wanted = code.rstrip("/").rpartition("/")[2]
        return next((g for g in self.groups.values() if self.invite_of(g.id) == wanted), None)

    def visible_members(self, group_id: str) -> list[Membership]:
        """Return members and roles as a stored list shows them now; changes younger than `read_lag` are missing."""
        group, horizon = self.groups[group_id], self.now() - self.read_lag
        staying = [m for m in group.members.values() if m.since <= horizon]
        going = [m for m in group.gone if m.since <= horizon and m.left is not None and m.left > horizon]
        shown = {m.phone: m for m in (*going, *staying)}
        return [replace(m, role=m.former) if m.former and m.role_since > horizon else m for m in shown.values()]

    def _record(self, group_id: str, phone: str, effect: Effect) -> Effect:
        self.events.append(GroupEvent(self.now(), group_id, phone, effect))
        return effect

    def _set_role(self, group_id: str, phone: str, role: str) -> Effect:
        member = self.groups[group_id].members.get(phone)
        if member is None:
            return Effect.NOT_A_MEMBER
        if member.role == role:
            return Effect.ALREADY_ADMIN if role == "admin" else Effect.NOT_AN_ADMIN
        member.former, member.role, member.role_since = member.role, role, self.now()
        return Effect.PROMOTED if role == "admin" else Effect.DEMOTED

    def _add(self, group: SimGroup, human: SimPerson) -> Effect:
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

    @staticmethod
    def _code(seed: str) -> str:
        return hashlib.sha256(seed.encode()).hexdigest()[:22]
