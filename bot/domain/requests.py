"""Requests: what a person asks for, its items and its states; and drafts, before they are submitted."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.access import Actor
from bot.domain.approvals import ApprovalRule
from bot.domain.groups import GroupRef, KnownGroup
from bot.domain.roster import Duplicate, RejectedEntry, Roster
from bot.domain.send_limits import Cooldown
from bot.domain.sync import SyncSource
from providers.base import Cause, Evidence, GroupChange, MembershipStatus, Operation, Outcome, Person


class RequestState(StrEnum):
    """The state of a request. The last four are final. `APPROVED` runs as soon as its start time has come."""

    RECEIVED = "received"
    WAITING = "waiting"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.RECEIVED: frozenset({RequestState.WAITING, RequestState.APPROVED, RequestState.RUNNING}),
    RequestState.WAITING: frozenset(
        {RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED, RequestState.WITHDRAWN}
    ),
    RequestState.APPROVED: frozenset({RequestState.RUNNING, RequestState.WITHDRAWN}),
    RequestState.RUNNING: frozenset({RequestState.DONE}),
    RequestState.DONE: frozenset(),
    RequestState.DENIED: frozenset(),
    RequestState.EXPIRED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
}
ENDED = frozenset(state for state, after in TRANSITIONS.items() if not after)
CANCELLED = ENDED - {RequestState.DONE}
"""The final states of a request that isn't carried out."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """The options of a request; each operation reads its own.

    Attributes:
        parent: the id of the request that this one follows, such as a retry or an undo; empty for a first one.
        follow: the value of the `Followup` by which it follows `parent`.
        run_at: the earliest start, aware; None for as soon as possible.
        invite_refused: whether people who refuse a direct add are sent an invite.
        look_only: whether nothing is sent, and the group is only read for the current state of people.
        subject: the name of the group to create.
        text: the message to send.
        change: the changes to the group.
        source: the list of a sync, if it can be read again.
        note: sentences for the approver, such as whom a sync leaves alone.
        thread_ts: the thread in the channel that gets the messages of the request; empty for a new thread.
    """

    parent: str = ""
    follow: str = ""
    run_at: datetime | None = None
    invite_refused: bool = False
    look_only: bool = False
    subject: str = ""
    text: str = ""
    change: GroupChange | None = None
    source: SyncSource | None = None
    note: str = ""
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is stored.

    Attributes:
        id: derived from Slack's own payload by `request_id`, so that a redelivery is the same request.
        connection: the name of the group's connection.
        group_id: the provider's id of the group.
        group_name: the alias or subject of the group.
        requester: the Slack user id of the requester.
        channel: the Slack channel in which the request was made and is answered.
        reason: the requester's reason; may be empty.
        rule: the approval rule that matched when the request was made; None if no approval is needed.
        duplicates: the number of repeated entries.
        asked_at: when it was made, aware.
        options: its options.
        stopped_by: the Slack user id of the person who stopped it while it ran; empty if it wasn't stopped.
        hidden: the LIDs of the members without a known phone before anything was sent; None if unknown.
    """

    id: str
    operation: Operation
    connection: str
    group_id: str
    group_name: str
    requester: str
    channel: str
    reason: str
    rule: ApprovalRule | None
    duplicates: int
    asked_at: datetime
    state: RequestState = RequestState.RECEIVED
    options: RequestOptions = RequestOptions()
    stopped_by: str = ""
    hidden: frozenset[str] | None = None

    @property
    def group(self) -> GroupRef:
        """The identity of the request's group."""
        return GroupRef(self.connection, self.group_id)

    @property
    def reports_only(self) -> bool:
        """Whether it only reports how a group differs from a list. Verifying unknown results isn't a report."""
        return self.operation is Operation.SYNC and self.options.look_only and self.options.follow != "verify"


@dataclass(frozen=True, slots=True)
class RequestItem:
    """An item of a request with its outcome: a person, or a part of the group such as its subject.

    Attributes:
        position: its place in the request, from 0.
        person: the person; for a rejected entry only the text as typed.
        before: the person's membership before anything was sent.
        operation: the operation on this item; only the items of a sync can have different ones.
        submissions: how often it was sent to the provider.
        invited: how often sending an invite was started, after the person refused.
        outcome: None until it is known.
        cause: why it failed, as far as that says what helps.
    """

    position: int
    person: Person
    operation: Operation = Operation.ADD
    before: MembershipStatus = MembershipStatus.UNKNOWN
    submissions: int = 0
    invited: int = 0
    outcome: Outcome | None = None
    evidence: Evidence = Evidence.NONE
    provider_code: str = ""
    provider_message: str = ""
    cause: Cause = Cause.UNKNOWN
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """A request before it is checked and saved.

    Attributes:
        id: from `request_id`.
        group: the group; one that is to be created has no alias and no id.
        roster: the people; empty for a request about the group itself.
        items: the items in place of `roster`, if the request follows another one or syncs a group.
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


def request_id(*parts: str) -> str:
    """Return a request's id, derived from the parts of Slack's payload that all redeliveries share.

    >>> request_id("T1", "123.456.abc") == request_id("T1", "123.456.abc")
    True
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return "R" + base64.b32encode(digest[:10]).decode()
