"""A draft of a request: what a person asked for, before anything is checked."""

from dataclasses import dataclass, field

from bot.domain.access import Actor
from bot.domain.approvals import ApprovalRule
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestItem, RequestOptions
from bot.domain.roster import Duplicate, RejectedEntry, Roster
from bot.domain.send_limits import Cooldown
from providers.base import Operation, Person


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """What a person asked for, before anybody looked whether they may.

    Attributes:
        id: from `request_id`.
        group: what it is about; for a group that is to be created one without alias and id.
        roster: the people; empty for what is about the group itself.
        lines: the lines themselves, in place of `roster`, where a request follows from another one.
    """

    id: str
    operation: Operation
    group: KnownGroup
    roster: Roster
    reason: str
    requester: Actor
    channel: str
    options: RequestOptions = field(default_factory=RequestOptions)
    items: tuple[RequestItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would do, as far as is known before it is submitted.

    Attributes:
        to_change: the people to send to the provider.
        already: the people who are already in the desired state.
        absent: the people who aren't in the group and are skipped for that reason.
        rejected: the entries that couldn't be read, each with its reason.
        duplicates: the repeated entries.
        group_was_read: whether the group could be read; if not, `to_change` contains everyone.
        over_capacity: how many of `to_change` exceed the group's capacity.
        seconds: the estimated duration at the connection's send limits.
        remaining_today: how many people the connection can still send to today; None for no limit.
        cooldown: the current pause of the account; None if there is none.
        rule: the approval that the request needs; None if it needs none.
    """

    to_change: tuple[Person, ...]
    already: tuple[Person, ...]
    absent: tuple[Person, ...]
    rejected: tuple[RejectedEntry, ...]
    duplicates: tuple[Duplicate, ...]
    group_was_read: bool
    over_capacity: int
    seconds: float
    remaining_today: int | None
    cooldown: Cooldown | None
    rule: ApprovalRule | None
