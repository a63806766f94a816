"""Reads what the Home tab shows to one person, by what their roles allow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain.access import Actor, Allowed, Capability, Decision
from bot.domain.groups import KnownGroup, search
from bot.domain.outcomes import RequestSummary
from bot.domain.requests import ENDED, Request, RequestState
from bot.domain.sync import SyncSchedule
from bot.services.sync import sync_request_for
from handlers import sync
from handlers.accounts import AccountStatuses
from handlers.actions.clicks import group_of
from handlers.commands import pages
from handlers.permissions import creatable_connections, manageable_groups
from handlers.services import Services
from handlers.views import home_syncs
from handlers.views.groups import GroupCursor
from handlers.views.home_groups import PAGE, GroupPage
from handlers.views.home_syncs import RepeatedSync
from handlers.views.home_view import MAX_LISTED, MAX_RECENT, ConnectionStatus, HomeData, SummaryPage
from handlers.views.text import format_time

GROUPS_TIMEOUT = 0.5
"""Seconds that the page waits for lists of groups that were not read yet."""
_ADMINISTERING = frozenset({Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND})
_MAX_READS = 5
"""How often is read on for requests that the person may see."""


@dataclass(frozen=True, slots=True)
class HomeReader:
    """Reads the facts of a page."""

    services: Services
    accounts: AccountStatuses

    async def read(self, actor: Actor, turn: GroupCursor, notice: str) -> HomeData:
        """Read what the page shows to this person now."""
        await self.services.directory.refresh(max_wait=GROUPS_TIMEOUT)
        may, refused = capabilities_of(self.services, actor)
        known = self.services.directory.known() if may else []
        able = manageable_groups(self.services, actor, known)
        creates = creatable_connections(self.services, actor)
        everybody = Capability.AUDIT_READ in may
        shown = {*creates, *(group.connection for group, _ in able), *(self.services.connections if everybody else ())}
        waiting, running, to_come, recent, (repeated, further), connections = await asyncio.gather(
            self._waiting(actor),
            self._mine(actor, RequestState.RUNNING),
            self._mine(actor, RequestState.WAITING, RequestState.APPROVED),
            self._recent(actor, everybody=everybody),
            self._repeated(actor),
            self._connections(actor, shown, known),
        )
        last = [one.last for one in repeated if one.last]
        briefs = [*waiting.summaries, *running.summaries, *to_come.summaries, *last, *recent]
        votes, links = await asyncio.gather(
            asyncio.gather(*(self.services.stores.votes.for_request(brief.request.id) for brief in waiting.summaries)),
            self.services.delivery.permalinks.get_many(brief.request.id for brief in briefs),
        )
        return HomeData(
            may=may,
            refused=[reason for capability, reason in refused.items() if _matters(capability, may)],
            may_request=bool(able or creates),
            connections=connections,
            found=_found(able, turn),
            waiting=waiting,
            overridable=frozenset(
                brief.request.id for brief in waiting.summaries if not can_decide(self.services, actor, brief.request)
            ),
            votes={brief.request.id: len(cast) for brief, cast in zip(waiting.summaries, votes, strict=True)},
            running=running,
            upcoming=to_come,
            repeated=repeated,
            repeated_more=further,
            recent=recent,
            everyone=everybody,
            links=links,
            catalog=self.services.directory.catalog,
            notice=notice,
        )

    async def _waiting(self, actor: Actor) -> SummaryPage:
        read = partial(self._read, states=(RequestState.WAITING,))
        found, more = await pages.page_of(
            read,
            lambda brief: (
                can_decide(self.services, actor, brief.request) or can_override(self.services, actor, brief.request)
            ),
            MAX_LISTED,
            _MAX_READS,
        )
        return SummaryPage(found, more)

    async def _mine(self, actor: Actor, *states: RequestState) -> SummaryPage:
        found = await self.services.stores.queries.newest(requester=actor.user_id, states=states, limit=MAX_LISTED + 1)
        return SummaryPage(found[:MAX_LISTED], len(found) > MAX_LISTED)

    async def _recent(self, actor: Actor, *, everybody: bool) -> Sequence[RequestSummary]:
        if not everybody:
            return await self.services.stores.queries.newest(requester=actor.user_id, limit=MAX_RECENT)

        def may_see(brief: RequestSummary) -> bool:
            group = group_of(self.services, brief.request)
            audits = self.services.authorizer.check_capability(actor, Capability.AUDIT_READ, group)
            return brief.request.requester == actor.user_id or isinstance(audits, Allowed)

        return (await pages.page_of(self._read, may_see, MAX_RECENT, _MAX_READS))[0]

    async def _read(self, last: RequestSummary | None, states: Sequence[RequestState] = ()) -> Sequence[RequestSummary]:
        before = (last.request.asked_at.timestamp(), last.request.id) if last else None
        return await self.services.stores.queries.newest(states=states, before=before, limit=pages.READ_SIZE)

    async def _repeated(self, actor: Actor) -> tuple[list[RepeatedSync], int]:
        """Give the first of the repeated syncs that concern somebody, and how many others do."""
        found = []
        for schedule in await self.services.stores.schedules.active():
            group = self.services.directory.get(schedule.group)
            if schedule.requester == actor.user_id or manageable_groups(self.services, actor, [group]):
                found.append((schedule, group))
        shown = found[: home_syncs.MAX_LISTED]
        last = await self.services.stores.queries.by_ids([schedule.request for schedule, _ in shown])
        made = {brief.request.id: brief for brief in last}
        repeated = [
            RepeatedSync(
                schedule,
                group.name,
                may_end=sync.may_end(self.services, actor, group),
                held=await self._held(schedule, group, made.get(schedule.request)),
                last=made.get(schedule.request),
            )
            for schedule, group in shown
        ]
        return repeated, len(found) - len(shown)

    async def _held(self, schedule: SyncSchedule, group: KnownGroup, last: RequestSummary | None) -> str:
        """Say why a repeated sync would do nothing now; empty where it would."""
        if last and last.request.state not in ENDED:
            return "compares nothing until the request of its last run is over"
        requester = await self.services.slack.user_groups.actor(schedule.requester)
        if refused := self.services.syncs.check(sync_request_for(schedule, group, requester)):
            return f"does nothing now: {refused.reason}"
        rest = await self.services.connections[schedule.connection].throttle.cooldown()
        return f"the connection sends nothing until {format_time(rest.until)}" if rest else ""

    async def _connections(self, actor: Actor, shown: set[str], groups: Sequence[KnownGroup]) -> list[ConnectionStatus]:
        """Give those that are shown anyway, and those that have a group whose name the person may learn."""
        for group in groups:
            if group.connection not in shown and group.connection in self.services.connections:
                shown |= {learnt.connection for learnt in self.services.visible_groups(actor, [group])}
        names = [name for name in self.services.connections if name in shown]
        return list(await asyncio.gather(*(self._connection(actor, name) for name in names)))

    async def _connection(self, actor: Actor, name: str) -> ConnectionStatus:
        line = self.services.connections[name]
        account = self.accounts.get(name, actor.user_id)
        rest, left = await asyncio.gather(line.throttle.cooldown(), line.throttle.remaining_today())
        return ConnectionStatus(name, account, rest, left)


def can_decide(services: Services, actor: Actor, request: Request) -> bool:
    """Tell whether a request waits for this person's decision, as far as their roles go."""
    if request.requester == actor.user_id:
        return False
    deciders = services.stores.votes.eligible_approvers(request)
    return actor.user_id in deciders or not actor.usergroups.isdisjoint(deciders)


def can_override(services: Services, actor: Actor, request: Request) -> bool:
    """Tell whether the person may override the decision that a request waits for."""
    if request.requester == actor.user_id:
        return False
    return isinstance(
        services.authorizer.check_capability(actor, Capability.ADMIN, group_of(services, request)), Allowed
    )


def capabilities_of(services: Services, actor: Actor) -> tuple[list[Capability], dict[Capability, str]]:
    """Give what the person has somewhere, and why they do not have the rest: which roles do."""
    decided: dict[Capability, Decision] = {c: services.authorizer.check_capability(actor, c) for c in Capability}
    may = [capability for capability, decision in decided.items() if isinstance(decision, Allowed)]
    refused = {c: decision.reason for c, decision in decided.items() if not isinstance(decision, Allowed)}
    refused.pop(Capability.ADMIN, None)  # for emergencies, and nobody's everyday wish
    return may, refused


def _matters(missing: Capability, may: Sequence[Capability]) -> bool:
    """Tell whether somebody who may do other things needs to be told why not this: administering groups."""
    return not may or (missing in _ADMINISTERING and not _ADMINISTERING.isdisjoint(may))


def _found(able: Sequence[tuple[KnownGroup, Sequence[str]]], turn: GroupCursor) -> GroupPage:
    """Give a page of what was found of the groups that somebody may administer; the last one where it is over."""
    verbs = {group.ref: verbs for group, verbs in able}
    hits = search(turn.search, [group for group, _ in able])
    start = min(turn.start, max(0, (len(hits) - 1) // PAGE * PAGE))
    page = [(group, verbs[group.ref]) for group in hits[start : start + PAGE]]
    return GroupPage(page, len(hits), GroupCursor(search=turn.search, start=start))
