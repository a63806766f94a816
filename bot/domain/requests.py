"""A request: what a person asked for, the state it is in, and what may follow."""

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
    """Where a request stands. The last four are final; `APPROVED` may run as soon as its time has come."""

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
"""How a request ends that is not carried out."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What a request says besides whom it is about; each operation reads its own part.

    Attributes:
        parent: the id of the request that this one follows from: a retry, an undo; empty for a first one.
        follow: how it follows from `parent`, in a word for people: `retry`, `undo`, `resume`.
        run_at: when it is to run at the earliest, aware; None: as soon as it may.
        invite_refused: those who refuse a direct add are sent an invite.
        look_only: nothing is sent; the group is read to tell what became of people.
        subject: the name of the group to be created.
        text: the message to be sent.
        change: what is to be different about the group.
        source: the list that a sync follows, where it can be read again.
        note: what else whoever decides is to know, in a sentence; such as whom a sync leaves alone.
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


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for.

    Attributes:
        id: derived from Slack's own payload by `request_id`, so that a redelivery is the same request.
        connection: the name of the connection that holds the group.
        group_id: the provider's id of the group.
        group_name: the alias or subject by which people know the group.
        requester: the Slack user id of who asked.
        channel: the Slack channel in which the request was made and is answered.
        reason: what the person gave as reason; may be empty.
        rule: the approval rule that matched when it was asked; None where no approval is needed.
        duplicates: how many typed entries were folded into another one.
        asked_at: when it was asked, aware.
        details: what it says besides.
        stopped_by: the Slack user id of who stopped it while it ran; empty: nobody did.
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

    @property
    def group(self) -> GroupRef:
        """The identity of the group that the request is about."""
        return GroupRef(self.connection, self.group_id)

    @property
    def reports_only(self) -> bool:
        """Whether it only reports how a group differs from a list; a look after unknown people does not."""
        return self.operation is Operation.SYNC and self.options.look_only and self.options.follow != "verify"


@dataclass(frozen=True, slots=True)
class RequestItem:
    """One line of a request's roster, with what became of it: a person, or a thing such as a group's subject.

    Attributes:
        position: its place in the roster, from 0.
        person: who; for a rejected entry only what was typed.
        before: whether they were in the group before anything was sent.
        operation: what is wanted of them; in a request of one operation always that one.
        submissions: how often they were sent to the provider.
        invited: how often an invite was begun to be sent to them, after they refused.
        outcome: None while nothing is known.
        cause: why it was not done, as far as that tells what helps.
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


def request_id(*parts: str) -> str:
    """Derive a request's id from what Slack gives one delivery, whatever the number of its redeliveries.

    >>> request_id("T1", "123.456.abc") == request_id("T1", "123.456.abc")
    True
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return "R" + base64.b32encode(digest[:10]).decode()
