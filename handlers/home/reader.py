"""Reads the content of a person's Home tab, as far as their roles allow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain.access import Actor, Capability
from bot.domain.groups import KnownGroup, search
from bot.domain.outcomes import RequestSummary
from bot.domain.requests import ENDED, Request, RequestState
from bot.domain.sync import SyncSchedule
from bot.services.accounts import AccountStatuses
from bot.services.authorization import READ_SIZE, visible_page
from bot.services.sync import SyncRequest
from handlers.services import Services
from handlers.views import home_syncs
from handlers.views.groups import GroupCursor
from handlers.views.home_groups import PAGE, GroupPage
from handlers.views.home_syncs import RepeatedSync
from handlers.views.home_view import MAX_LISTED, MAX_RECENT, ConnectionStatus, HomeData, SummaryPage
from handlers.views.text import format_time

GROUPS_TIMEOUT = 0.5
"""Seconds that the page waits for lists of groups that haven't been read yet."""
_ADMINISTERING = frozenset({Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND})
_MAX_READS = 5
"""Maximum reads for the requests that the person may see."""


@dataclass(frozen=True, slots=True)
class HomeReader:
    """Reads the content of a page."""

    services: Services
    accounts: AccountStatuses

    async def read(self, actor: Actor, cursor: GroupCursor, notice: str) -> HomeData:
        """Read the content of the page for a person."""
        await self.services.directory.refresh(max_wait=GROUPS_TIMEOUT)
        may, refused = self.services.authorizer.capabilities_of(actor)
        known = self.services.directory.known() if may else []
        able = self.services.authorizer.manageable_groups(actor, known)
        creates = self.services.authorizer.creatable_connections(actor)
        everyone = Capability.AUDIT_READ in may
        shown = {*creates, *(group.connection for group, _ in able), *(self.services.connections if everyone else ())}
        waiting, running, upcoming, recent, (repeated, repeated_more), connections = await asyncio.gather(
            self._waiting(actor),
            self._mine(actor, RequestState.RUNNING),
            self._mine(actor, RequestState.WAITING, RequestState.APPROVED),
            self._recent(actor, everyone=everyone),
            self._repeated(actor),
            self._connections(actor, shown, known),
        )
        last_runs = [one.last for one in repeated if one.last]
        summaries = [*waiting.summaries, *running.summaries, *upcoming.summaries, *last_runs, *recent]
        undecided = [summary.request for summary in waiting.summaries]
        votes, links = await asyncio.gather(
            asyncio.gather(*(self.services.stores.votes.for_request(request.id) for request in undecided)),
            self.services.delivery.permalinks.get_many(summary.request.id for summary in summaries),
        )
        return HomeData(
            may=may,
            refused=[denied for capability, denied in refused.items() if _is_explained(capability, may)],
            may_request=bool(able or creates),
            connections=connections,
            found=_group_page(able, cursor),
            waiting=waiting,
            overridable=frozenset(r.id for r in undecided if not can_decide(self.services, actor, r)),
            votes={request.id: len(cast) for request, cast in zip(undecided, votes, strict=True)},
            running=running,
            upcoming=upcoming,
            repeated=repeated,
            repeated_more=repeated_more,
            recent=recent,
            everyone=everyone,
            links=links,
            catalog=self.services.directory.catalog,
            notice=notice,
        )

    async def _waiting(self, actor: Actor) -> SummaryPage:
        read = partial(self._read, states=(RequestState.WAITING,))
        found, more = await visible_page(
            read,
            lambda summary: (
                can_decide(self.services, actor, summary.request) or can_override(self.services, actor, summary.request)
            ),
            MAX_LISTED,
            _MAX_READS,
        )
        return SummaryPage(found, more)

    async def _mine(self, actor: Actor, *states: RequestState) -> SummaryPage:
        found = await self.services.stores.queries.newest(requester=actor.user_id, states=states, limit=MAX_LISTED + 1)
        return SummaryPage(found[:MAX_LISTED], len(found) > MAX_LISTED)

    async def _recent(self, actor: Actor, *, everyone: bool) -> Sequence[RequestSummary]:
        if not everyone:
            return await self.services.stores.queries.newest(requester=actor.user_id, limit=MAX_RECENT)

        def may_see(summary: RequestSummary) -> bool:
            group = self.services.group_of(summary.request)
            may_audit = self.services.authorizer.allows(actor, Capability.AUDIT_READ, group)
            return summary.request.requester == actor.user_id or may_audit

        return (await visible_page(self._read, may_see, MAX_RECENT, _MAX_READS))[0]

    async def _read(self, last: RequestSummary | None, states: Sequence[RequestState] = ()) -> Sequence[RequestSummary]:
        before = (last.request.asked_at.timestamp(), last.request.id) if last else None
        return await self.services.stores.queries.newest(states=states, before=before, limit=READ_SIZE)

    async def _repeated(self, actor: Actor) -> tuple[list[RepeatedSync], int]:
        """Return the first repeated syncs that concern the person, and the number of the others."""
        found = []
        for schedule in await self.services.stores.schedules.active():
            group = self.services.directory.get(schedule.group)
            if schedule.requester == actor.user_id or self.services.authorizer.manageable_groups(actor, [group]):
                found.append((schedule, group))
        shown = found[: home_syncs.MAX_LISTED]
        last = await self.services.stores.queries.by_ids([schedule.request for schedule, _ in shown])
        runs = {summary.request.id: summary for summary in last}
        repeated = [
            RepeatedSync(
                schedule,
                group.name,
                may_end=self.services.sync_scheduler.may_end(actor, group),
                held=await self._why_idle(schedule, group, runs.get(schedule.request)),
                last=runs.get(schedule.request),
            )
            for schedule, group in shown
        ]
        return repeated, len(found) - len(shown)

    async def _why_idle(self, schedule: SyncSchedule, group: KnownGroup, last: RequestSummary | None) -> str:
        """Return why a repeated sync would do nothing now; empty if it would run."""
        if last and last.request.state not in ENDED:
            return "waits for the request of its last run to end"
        requester = await self.services.slack.user_groups.actor(schedule.requester)
        if refused := self.services.syncs.check(SyncRequest.for_run(schedule, group, requester)):
            return f"does nothing now: {refused.reason}"
        cooldown = await self.services.connections[schedule.connection].throttle.cooldown()
        return f"the connection sends nothing until {format_time(cooldown.until)}" if cooldown else ""

    async def _connections(self, actor: Actor, shown: set[str], groups: Sequence[KnownGroup]) -> list[ConnectionStatus]:
        """Return the connections in `shown`, and the others with a group that the person may see."""
        for group in groups:
            if group.connection not in shown and group.connection in self.services.connections:
                shown |= {visible.connection for visible in self.services.authorizer.visible_groups(actor, [group])}
        names = [name for name in self.services.connections if name in shown]
        return list(await asyncio.gather(*(self._connection(actor, name) for name in names)))

    async def _connection(self, actor: Actor, name: str) -> ConnectionStatus:
        connection = self.services.connections[name]
        account = self.accounts.get(name, actor.user_id)
        cooldown, remaining = await asyncio.gather(
            connection.throttle.cooldown(), connection.throttle.remaining_today()
        )
        return ConnectionStatus(name, account, cooldown, remaining)


def can_decide(services: Services, actor: Actor, request: Request) -> bool:
    """Return whether a request waits for this person's decision, by their roles."""
    if request.requester == actor.user_id:
        return False
    approvers = services.stores.votes.eligible_approvers(request)
    return actor.user_id in approvers or not actor.usergroups.isdisjoint(approvers)


def can_override(services: Services, actor: Actor, request: Request) -> bool:
    """Return whether the person may override the decision that a request waits for."""
    if request.requester == actor.user_id:
        return False
    return services.authorizer.allows(actor, Capability.ADMIN, services.group_of(request))


def _is_explained(missing: Capability, may: Sequence[Capability]) -> bool:
    """Return whether the page explains a missing capability: if it administers groups, or the person has none."""
    return not may or (missing in _ADMINISTERING and not _ADMINISTERING.isdisjoint(may))


def _group_page(able: Sequence[tuple[KnownGroup, Sequence[str]]], cursor: GroupCursor) -> GroupPage:
    """Return a page of the matching groups that the person may administer; at most the last one."""
    verbs = {group.ref: verbs for group, verbs in able}
    hits = search(cursor.search, [group for group, _ in able])
    start = min(cursor.start, max(0, (len(hits) - 1) // PAGE * PAGE))
    page = [(group, verbs[group.ref]) for group in hits[start : start + PAGE]]
    return GroupPage(page, len(hits), GroupCursor(search=cursor.search, start=start))
