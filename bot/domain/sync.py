"""Syncing a group with a list: who is missing, who is extra, and who is never removed."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.groups import GroupRef, KnownGroup
from providers.base import Member, MembershipStatus, Operation, Person
from providers.identity import person_keys

MAX_FAILURES = 3
"""Consecutive failed runs after which a repeated sync ends."""
MIN_INTERVAL = timedelta(minutes=10)
"""The shortest interval of a repeated sync: each run reads the whole group."""
_INTERVAL = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class SyncMode(StrEnum):
    """What a sync does about the difference."""

    ADD = "add"
    MIRROR = "mirror"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class SyncSource:
    """Where a list comes from: phones, a Slack user group or another group.

    Attributes:
        phones: the list itself, E.164, perhaps with names (`Rita: +14155550100`).
        usergroup: the id of a Slack user group, whose members' profiles have the phones.
        group: another group.
        name: what people call the list, as it was when it was chosen.
    """

    phones: tuple[str, ...] = ()
    usergroup: str = ""
    group: GroupRef | None = None
    name: str = ""

    @classmethod
    def of_usergroup(cls, id_: str, name: str) -> "SyncSource":
        """Return the members of a Slack user group as a list."""
        return cls(usergroup=id_, name=f"the Slack user group {name or id_}")

    @classmethod
    def of_group(cls, group: KnownGroup) -> "SyncSource":
        """Return the members of another group as a list."""
        return cls(group=group.ref, name=f"the members of {group.name}")

    @classmethod
    def of_phones(cls, phones: tuple[str, ...]) -> "SyncSource":
        """Return the phones of a file, with their names as `roster.written` writes them, as a list."""
        return cls(phones=phones, name=f"a file of {len(phones):,} {'person' if len(phones) == 1 else 'people'}")


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
        extra: in the group and not on the list; a mirror removes them.
        protected: in the group and not on the list, but kept: admins, people who may be admins, and the keep-list.
        without_phone: the number of members without a known phone, who can't be compared.
    """

    missing: tuple[Person, ...]
    extra: tuple[Person, ...]
    protected: tuple[Person, ...]
    without_phone: int


def compare(
    wanted: Sequence[Person], members: Iterable[Member], keep: Iterable[str], *, has_admins: bool = True
) -> Drift:
    """Compare a list with the members of a group, each person by every form of their number.

    Args:
        wanted: the list.
        members: the group's members, in any order; a person may be in it twice.
        keep: E.164 phones that are never removed.
        has_admins: whether groups have admins; if so, a member whose role isn't known may be one and is protected.
    """
    listed = _keys(person.phone for person in wanted)
    lids = {person.lid for person in wanted if person.lid}
    kept = _keys(keep)
    present: set[str] = set()
    extra: list[Person] = []
    protected: list[Person] = []
    without_phone = 0
    for member in members:
        keys = _keys([member.phone])
        listed_twice = not keys.isdisjoint(present)
        present |= keys | {member.lid}
        if not keys and member.lid not in lids:
            without_phone += 1
        elif not listed_twice and keys.isdisjoint(listed) and member.lid not in lids:
            is_safe = member.status is MembershipStatus.MEMBER or not has_admins
            (extra if is_safe and keys.isdisjoint(kept) else protected).append(
                Person(member.phone, member.phone, member.lid)
            )
    missing = [p for p in wanted if present.isdisjoint(_keys([p.phone]) | ({p.lid} - {""}))]
    return Drift(tuple(missing), tuple(extra), tuple(protected), without_phone)


def summarize_changes(operations: Iterable[Operation]) -> str:
    """Return in a sentence what a sync changes.

    >>> summarize_changes([Operation.ADD, Operation.REMOVE, Operation.ADD])
    'Adds 2 and removes 1.'
    """
    counted = Counter(operations)
    return f"Adds {counted[Operation.ADD]:,} and removes {counted[Operation.REMOVE]:,}."


def describe_unchanged(drift: Drift) -> str:
    """Return in sentences which members a sync leaves alone; empty if none."""
    sentences = []
    if protected := len(drift.protected):
        people = "1 person isn't on the list but stays" if protected == 1 else f"{protected:,} not on the list stay"
        sentences.append(f"{people}: group admins, or kept by the configuration.")
    if drift.without_phone:
        members = "1 member has" if drift.without_phone == 1 else f"{drift.without_phone:,} members have"
        sentences.append(f"{members} no visible phone number and can't be compared.")
    return " ".join(sentences)


def parse_interval(text: str) -> timedelta | None:
    """Parse `24h`, `90 min` or `7d`; return None for anything else, and for less than `MIN_INTERVAL`.

    >>> parse_interval("90 min")
    datetime.timedelta(seconds=5400)
    """
    match = _INTERVAL.fullmatch(text.strip())
    interval = timedelta(**{_UNITS[match[2].lower()]: int(match[1])}) if match else timedelta()
    return interval if interval >= MIN_INTERVAL else None


def _keys(phones: Iterable[str]) -> set[str]:
    return {key for phone in phones for key in person_keys(phone)}
