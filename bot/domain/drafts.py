"""A draft of a request: what a person asked for, before anything is checked."""

from dataclasses import dataclass, field

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestItem, RequestOptions
from bot.domain.roster import Roster
from providers.base import Operation


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
