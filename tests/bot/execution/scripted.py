"""A provider and a notifier in memory. They do what the test has scripted, and record what they were asked to do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.execution.ports import Collaborators
from bot.execution.provider_calls import ProviderCalls
from bot.execution.retries import Retries
from bot.execution.verdicts import Metrics, VerdictRecorder
from bot.storage.requests import RequestStore
from providers.base import (
    Ability,
    Account,
    AccountState,
    Action,
    ChangeResult,
    Created,
    Evidence,
    Group,
    GroupChange,
    MembershipReading,
    MembershipStatus,
    Outcome,
    PeopleResult,
    Person,
    Provider,
    ProviderCapability,
    ProviderError,
    Verdict,
)


@dataclass(frozen=True)
class Answer:
    """What one call of `add` does.

    Attributes:
        joins: how many people of the batch, from its start, are in the group afterwards.
        outcome: the outcome of the people who joined; that of the others is `otherwise`.
        error: the error that it raises instead, after that many have joined.
        beside: the error that it returns beside its verdicts.
        forgets: how many people, from the end of the batch, get no verdict, against the protocol.
    """

    joins: int = 99
    outcome: Outcome = Outcome.ADDED
    otherwise: Outcome = Outcome.REFUSED
    error: BaseException | None = None
    beside: ProviderError | None = None
    forgets: int = 0


@dataclass
class ScriptedProvider(Provider):
    """A provider whose group and answers the test scripts. Without an answer left, everyone is added."""

    inside: set[str] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    reads: list[ProviderError | MembershipStatus | None] = field(default_factory=list)
    """The result of each read: an error, one status for everyone, or the truth (None, or nothing left)."""

    admins: set[str] = field(default_factory=set)
    failures: dict[Action, ProviderError] = field(default_factory=dict)
    """The error that an action other than adding raises."""

    abilities: ClassVar[Mapping[Action, Ability]] = {
        **dict.fromkeys(Action, Ability(ProviderCapability.GROUPS_WRITE, max_batch=3)),
        Action.ADD: Ability(ProviderCapability.SEND, max_batch=3),
    }

    def __post_init__(self) -> None:
        self.calls: list[list[str]] = []
        self.texts: list[tuple[str, str]] = []
        self.changes: list[GroupChange] = []
        self.created: list[str] = []

    @property
    def sent(self) -> Counter[str]:
        """How often each person was sent."""
        return Counter(key for call in self.calls for key in call)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        group = Group("120363041234567890@g.us", "Launch")
        if group.matches(search):
            yield group

    async def group(self, group_id: str) -> Group:
        self._try(Action.READ_GROUP, ())
        return Group(group_id, "Launch")

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        del group_id
        read = self.reads.pop(0) if self.reads else None
        if isinstance(read, ProviderError):
            raise read
        if read is not None:
            return MembershipReading({p.key: read for p in people})
        return MembershipReading({p.key: self._status(p.key) for p in people})

    def _status(self, key: str) -> MembershipStatus:
        if key not in self.inside:
            return MembershipStatus.ABSENT
        return MembershipStatus.ADMIN if key in self.admins else MembershipStatus.MEMBER

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        del group_id
        self._try(Action.REMOVE, people)
        self.inside -= {p.key for p in people}
        return PeopleResult(tuple(Verdict(p.key, Outcome.REMOVED, Evidence.REPORTED) for p in people))

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        del group_id
        self._try(Action.PROMOTE, people)
        self.admins |= {p.key for p in people}
        return PeopleResult(tuple(Verdict(p.key, Outcome.UNKNOWN) for p in people))

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        del group_id
        self._try(Action.DEMOTE, people)
        self.admins -= {p.key for p in people}
        return PeopleResult(tuple(Verdict(p.key, Outcome.DEMOTED, Evidence.REPORTED) for p in people))

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        self._try(Action.CREATE, people)
        self.created.append(subject)
        self.inside |= {p.key for p in people}
        verdicts = tuple(Verdict(p.key, Outcome.ADDED, Evidence.REPORTED) for p in people)
        return Created(Group("120363041234567899@g.us", subject), verdicts)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        del group_id
        self.changes.append(change)
        failed = {action: self.failures[action] for action in change.actions if action in self.failures}
        return ChangeResult(tuple(action for action in change.actions if action not in failed), failed)

    async def invite_link(self, group_id: str) -> str:
        del group_id
        self._try(Action.READ_INVITE, ())
        return "https://chat.whatsapp.com/CODE"

    async def reset_invite_link(self, group_id: str) -> str:
        del group_id
        self._try(Action.RESET_INVITE, ())
        return "https://chat.whatsapp.com/NEWCODE"

    async def send_to_person(self, person: Person, text: str) -> str:
        self.texts.append((person.key, text))
        self._try(Action.SEND_TO_PERSON, ())
        return "message-1"

    async def send_to_group(self, group_id: str, text: str) -> str:
        self.texts.append((group_id, text))
        self._try(Action.SEND_TO_GROUP, ())
        return "message-1"

    def _try(self, action: Action, people: Sequence[Person]) -> None:
        if people:
            self.calls.append([p.key for p in people])
        if action in self.failures:
            raise self.failures[action]

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        del group_id
        assert len(people) <= self.abilities[Action.ADD].max_batch
        self.calls.append([p.key for p in people])
        answer = self.answers.pop(0) if self.answers else Answer()
        joined = {p.key for p in people[: answer.joins]}
        new = joined - self.inside
        self.inside |= joined
        if answer.error is not None:
            raise answer.error
        named = people[: len(people) - answer.forgets]
        return PeopleResult(tuple(self._verdict(p.key, joined, new, answer) for p in named), answer.beside)

    def _verdict(self, key: str, joined: set[str], new: set[str], answer: Answer) -> Verdict:
        outcome = answer.otherwise if key not in joined else answer.outcome
        if outcome is Outcome.ADDED and key not in new:
            outcome = Outcome.ALREADY_DONE
        return Verdict(key, outcome, Evidence.NONE if outcome is Outcome.UNKNOWN else Evidence.REPORTED)

    async def account(self) -> Account:
        return Account(AccountState.CONNECTED)

    async def aclose(self) -> None:
        pass


class NoExclusions:
    """A reviewer that excludes no one."""

    async def exclusions(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        assert all(p.outcome is None for p in people), request.id
        return {}


class RecordingNotifier:
    """A notifier that records what it posts."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str]] = []
        self.finished: dict[str, list[RequestItem]] = {}
        self.changed = asyncio.Condition()

    async def _post(self, what: str, request: Request) -> None:
        async with self.changed:
            self.posts.append((what, request.id))
            self.changed.notify_all()

    async def until(self, what: str, request_id: str) -> None:
        """Wait until it has posted `what` about a request."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: (what, request_id) in self.posts)

    def of(self, request_id: str) -> list[str]:
        """Return what was posted about a request, except its progress."""
        return [what for what, id_ in self.posts if id_ == request_id and what != "progress"]

    async def open(self, request: Request, tally: Tally) -> None:
        assert tally.total
        await self._post("open", request)

    async def show_approval(self, request: Request, tally: Tally) -> None:
        assert tally.total
        await self._post(f"approval {request.state}", request)

    def show_progress(self, request: Request, seconds_left: float | None = None) -> None:
        assert seconds_left is None or seconds_left >= 0
        self.posts.append(("progress", request.id))

    async def show_check(self, request: Request, at: datetime) -> None:
        assert at.tzinfo is not None
        await self._post("check", request)

    async def post_results(self, request: Request, people: Sequence[RequestItem]) -> None:
        pass

    async def report_failure(self, request: Request, step: str, reference: str) -> None:
        assert reference
        await self._post(f"failed {step}", request)

    async def finish(self, request: Request, people: Sequence[RequestItem]) -> None:
        self.finished[request.id] = list(people)
        await self._post("finish", request)

    async def remind(self, request: Request, number: int) -> None:
        await self._post(f"remind {number}", request)

    async def close(self, request: Request, tally: Tally) -> None:
        assert tally.answered == 0
        await self._post(f"close {request.state}", request)


def collaborators(
    store: RequestStore, connections: Mapping[str, Connection], notifier: RecordingNotifier
) -> Collaborators:
    """Return what the steps of a request work with."""
    recorder = VerdictRecorder(store, Metrics())
    return Collaborators(store, connections, notifier, NoExclusions(), ProviderCalls(), recorder, Retries())


class LateProvider(ScriptedProvider):
    """A provider whose lists may be late, by its contract."""

    late_lists: ClassVar[bool] = True
