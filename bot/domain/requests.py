"""A request: what a person asked for, the state it is in, and what may follow."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.approvals import ApprovalRule
from providers.base import Evidence, Operation, Outcome, Person, Presence


class State(StrEnum):
    """Where a request stands. The last three are final."""

    RECEIVED = "received"
    WAITING = "waiting"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    DENIED = "denied"
    EXPIRED = "expired"


FOLLOWS: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.WAITING, State.RUNNING}),
    State.WAITING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED}),
    State.APPROVED: frozenset({State.RUNNING}),
    State.RUNNING: frozenset({State.DONE}),
    State.DONE: frozenset(),
    State.DENIED: frozenset(),
    State.EXPIRED: frozenset(),
}


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
    state: State = State.RECEIVED


@dataclass(frozen=True, slots=True)
class Participant:
    """One line of a request's roster, with what became of it.

    Attributes:
        position: its place in the roster, from 0.
        person: who; for a rejected entry only what was typed.
        before: whether they were in the group before anything was sent.
        submissions: how often they were sent to the provider.
        outcome: None while nothing is known.
    """

    position: int
    person: Person
    before: Presence = Presence.UNKNOWN
    submissions: int = 0
    outcome: Outcome | None = None
    evidence: Evidence = Evidence.NONE
    provider_code: str = ""
    provider_message: str = ""
    at: datetime | None = None


def request_id(*parts: str) -> str:
    """Derive a request's id from what Slack gives one delivery, whatever the number of its redeliveries.

    >>> request_id("T1", "123.456.abc") == request_id("T1", "123.456.abc")
    True
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return "R" + base64.b32encode(digest[:10]).decode()
