"""Bringing a group in line with a list: who is missing, who is too many, and who is never removed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.groups import GroupRef
from providers.base import Member, MembershipStatus, Operation, Person
from providers.identity import person_keys

MAX_FAILURES = 3
"""Consecutive failed runs after which a repeated sync ends."""


class SyncMode(StrEnum):
    """What a sync does about the difference."""

    ADD = "add"
    MIRROR = "mirror"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class SyncSource:
    """Where a list comes from: at most one of the three is told.

    Attributes:
        phones: the list itself, E.164.
        usergroup: the id of a Slack user group, whose members' profiles tell the phones.
        group: another group.
        name: how the list is called for people, as it was when it was chosen.
    """

    phones: tuple[str, ...] = ()
    usergroup: str = ""
    group: GroupRef | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class SyncSchedule:
    """A scheduled sync.

    Attributes:
        every: the interval between runs; None for a sync that runs once.
        next_at: the time of the next run, aware.
        run: the number of completed runs.
        request: the id of the last request made; empty if there is none yet.
        failed: the number of consecutive failed runs.
    """

    id: str
    connection: str
    group_id: str
    requester: str
    channel: str
    source: SyncSource
    mode: SyncMode
    reason: str
    every: timedelta | None
    next_at: datetime
    run: int = 0
    request: str = ""
    failed: int = 0

    @property
    def group(self) -> GroupRef:
        """The identity of the group that is synced."""
        return GroupRef(self.connection, self.group_id)

    @property
    def gives_up(self) -> bool:
        """Whether one more failed run ends this repeated sync."""
        return self.every is not None and self.failed + 1 >= MAX_FAILURES


@dataclass(frozen=True, slots=True)
class Drift:
    """How a group differs from a list.

    Attributes:
        missing: on the list and not in the group.
        extra: in the group and not on the list, and to be removed by a mirror.
        protected: in the group and not on the list, and kept: admins, the keep-list, and who may be an admin.
        nameless: members of whom no phone is known, so that nobody can tell whether they are on the list.
    """

    missing: tuple[Person, ...]
    extra: tuple[Person, ...]
    protected: tuple[Person, ...]
    without_phone: int


def compare(
    wanted: Sequence[Person], members: Iterable[Member], keep: Iterable[str], *, has_admins: bool = True
) -> Drift:
    """Compare a list with the members of a group, each person by all the forms that the number can have.

    Args:
        wanted: the list.
        members: the group's members, in any order; an address book may list a person twice.
        keep: E.164 phones that are never removed.
        has_admins: False for groups that have none; else a member of an untold role may be one, and is protected.
    """
    listed = _keys(person.phone for person in wanted)
    lids = {person.lid for person in wanted if person.lid}
    kept = _keys(keep)
    present: set[str] = set()
    extra: list[Person] = []
    protected: list[Person] = []
    nameless = 0
    for member in members:
        keys = _keys([member.phone])
        listed_twice = not keys.isdisjoint(present)
        present |= keys | {member.lid}
        if not keys and member.lid not in lids:
            nameless += 1
        elif not listed_twice and keys.isdisjoint(listed) and member.lid not in lids:
            is_safe = member.status is MembershipStatus.MEMBER or not has_admins
            (extra if is_safe and keys.isdisjoint(kept) else protected).append(
                Person(member.phone, member.phone, member.lid)
            )
    missing = [p for p in wanted if present.isdisjoint(_keys([p.phone]) | ({p.lid} - {""}))]
    return Drift(tuple(missing), tuple(extra), tuple(protected), nameless)


def summarize_changes(operations: Iterable[Operation]) -> str:
    """Say in a sentence what a sync changes, line by line.

    >>> changes([Operation.ADD, Operation.REMOVE, Operation.ADD])
    'Adds 2 and removes 1.'
    """
    counted = Counter(operations)
    return f"Adds {counted[Operation.ADD]:,} and removes {counted[Operation.REMOVE]:,}."


def _keys(phones: Iterable[str]) -> set[str]:
    return {key for phone in phones for key in person_keys(phone)}
