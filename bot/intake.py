"""Takes a request in: checks access, finds the rule, and writes the journal before anybody is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.access import Actor, Allowed, Decision, Role, Target, decide
from bot.domain.approvals import ApprovalRule, rule_for, undecidable
from bot.domain.groups import KnownGroup
from bot.domain.requests import Participant, Request
from bot.domain.roster import Roster
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.journal import Journal
from bot.runtime.metrics import Metrics
from bot.workflow import Line
from providers.base import Operation, Outcome, Person


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person asked for, before anybody looked whether they may. `id` comes from `request_id`."""

    id: str
    operation: Operation
    group: KnownGroup
    roster: Roster
    reason: str
    requester: Actor
    channel: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The request stands in the journal. `again` is True when it stood there before this draft came."""

    request: Request
    again: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written; `reason` is the sentence for the person."""

    reason: str


class Intake:
    """The one door for requests, whichever surface they come from.

    Args:
        journal: where they are written.
        dispatcher: is woken for each.
        lines: the connections, for what each operation needs at its provider.
        roles: who may do what.
        rules: which requests need approval.
        metrics: counts requests; where nobody reads them, counters of its own.
    """

    def __init__(
        self,
        journal: Journal,
        dispatcher: Dispatcher,
        lines: Mapping[str, Line],
        roles: Sequence[Role],
        rules: Sequence[ApprovalRule],
        *,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._journal = journal
        self._dispatcher = dispatcher
        self._lines = lines
        self._roles = roles
        self._rules = rules

    def may(self, actor: Actor, operation: Operation, group: KnownGroup) -> Decision:
        """Decide whether the person may do this to this group, by the provider's own capability for it."""
        capability = self._lines[group.connection].provider.capabilities[operation]
        return decide(actor, capability, Target(group.scope), self._roles)

    async def take(self, draft: Draft) -> Taken | Refused:
        """Check and write a request; the same draft a second time changes nothing."""
        decision = self.may(draft.requester, draft.operation, draft.group)
        if not isinstance(decision, Allowed):
            return Refused(decision.reason)
        if not draft.roster.people:
            return Refused("None of the entries is a number that can be used; nothing was done.")
        target = Target(draft.group.scope)
        rule = rule_for(draft.operation, target, len(draft.roster.people), self._rules)
        if rule is not None and (nobody := undecidable(rule, target, draft.requester.user_id, self._roles)):
            return Refused(nobody.reason)
        request = Request(
            id=draft.id,
            operation=draft.operation,
            connection=draft.group.connection,
            group_id=draft.group.id,
            group_name=draft.group.name,
            requester=draft.requester.user_id,
            channel=draft.channel,
            reason=draft.reason,
            rule=rule,
            duplicates=len(draft.roster.duplicates),
            asked_at=datetime.now(UTC),
        )
        new = await self._journal.create(request, _participants(draft.roster, request.asked_at))
        self._dispatcher.wake()
        if not new:
            return Taken(await self._journal.request(request.id), again=True)
        self._metrics.request(request.operation, request.connection)
        return Taken(request, again=False)


def _participants(roster: Roster, at: datetime) -> list[Participant]:
    """Lay the roster out as journal rows: the people first, then the rejected entries, which are answered already."""
    people = [Participant(position, person) for position, person in enumerate(roster.people)]
    rejected = [
        Participant(
            position=position,
            person=Person(entry.typed),
            outcome=Outcome.INVALID,
            provider_message=entry.reason,
            at=at,
        )
        for position, entry in enumerate(roster.rejected, start=len(people))
    ]
    return people + rejected
