"""Reads what the Home tab shows to one person, by what their roles allow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain.access import Actor, Allowed, Decision
from bot.domain.groups import KnownGroup, search
from bot.domain.requests import ENDED, Request, State
from bot.runtime.archive import Brief
from bot.runtime.schedules import Schedule
from bot.syncs import wish_of
from handlers import sync
from handlers.accounts import Accounts
from handlers.actions.clicks import group_of
from handlers.commands import pages
from handlers.services import Services
from handlers.verbs import administered, may_create
from handlers.views import home_syncs
from handlers.views.home_groups import PAGE, Found, Turn
from handlers.views.home_syncs import Repeated
from handlers.views.home_view import MOST, RECENT, Connection, Facts, Listed
from handlers.views.text import moment
from providers.base import Capability

GROUPS_WITHIN = 0.5
"""Seconds that the page waits for lists of groups that were not read yet."""
_ADMINISTERING = frozenset({Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND})
_ROUNDS = 5
"""How often is read on for requests that the person may see."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the facts of a page."""

    services: Services
    accounts: Accounts

    async def facts(self, actor: Actor, turn: Turn, notice: str) -> Facts:
        """Read what the page shows to this person now."""
        await self.services.directory.refresh(within=GROUPS_WITHIN)
        may, refused = rights(self.services, actor)
        known = self.services.directory.known() if may else []
        able = administered(self.services, actor, known)
        creates = may_create(self.services, actor)
        everybody = Capability.AUDIT_READ in may
        shown = {*creates, *(group.connection for group, _ in able), *(self.services.lines if everybody else ())}
        waiting, running, to_come, recent, (repeated, further), connections = await asyncio.gather(
            self._waiting(actor),
            self._mine(actor, State.RUNNING),
            self._mine(actor, State.WAITING, State.APPROVED),
            self._recent(actor, everybody=everybody),
            self._repeated(actor),
            self._connections(actor, shown, known),
        )
        last = [one.last for one in repeated if one.last]
        briefs = [*waiting.briefs, *running.briefs, *to_come.briefs, *last, *recent]
        votes, links = await asyncio.gather(
            asyncio.gather(*(self.services.decisions.of(brief.request.id) for brief in waiting.briefs)),
            self.services.links.of(brief.request.id for brief in briefs),
        )
        return Facts(
            may=may,
            refused=[reason for capability, reason in refused.items() if _matters(capability, may)],
            may_ask=bool(able or creates),
            connections=connections,
            found=_found(able, turn),
            waiting=waiting,
            overridable=frozenset(
                brief.request.id for brief in waiting.briefs if not decides(self.services, actor, brief.request)
            ),
            votes={brief.request.id: len(cast) for brief, cast in zip(waiting.briefs, votes, strict=True)},
            running=running,
            to_come=to_come,
            repeated=repeated,
            repeated_more=further,
            recent=recent,
            everybody=everybody,
            links=links,
            warnings=self.services.warnings,
            notice=notice,
        )

    async def _waiting(self, actor: Actor) -> Listed:
        read = partial(self._read, states=(State.WAITING,))
        found, more = await pages.page_of(
            read,
            lambda brief: (
                decides(self.services, actor, brief.request) or overrides(self.services, actor, brief.request)
            ),
            MOST,
            _ROUNDS,
        )
        return Listed(found, more)

    async def _mine(self, actor: Actor, *states: State) -> Listed:
        found = await self.services.archive.newest(requester=actor.user_id, states=states, limit=MOST + 1)
        return Listed(found[:MOST], len(found) > MOST)

    async def _recent(self, actor: Actor, *, everybody: bool) -> Sequence[Brief]:
        if not everybody:
            return await self.services.archive.newest(requester=actor.user_id, limit=RECENT)

        def may_see(brief: Brief) -> bool:
            group = group_of(self.services, brief.request)
            audits = self.services.rights.may_use(actor, Capability.AUDIT_READ, group)
            return brief.request.requester == actor.user_id or isinstance(audits, Allowed)

        return (await pages.page_of(self._read, may_see, RECENT, _ROUNDS))[0]

    async def _read(self, last: Brief | None, states: Sequence[State] = ()) -> Sequence[Brief]:
        before = (last.request.asked_at.timestamp(), last.request.id) if last else None
        return await self.services.archive.newest(states=states, before=before, limit=pages.READ)

    async def _repeated(self, actor: Actor) -> tuple[list[Repeated], int]:
        """Give the first of the repeated syncs that concern somebody, and how many others do."""
        found = []
        for schedule in await self.services.schedules.active():
            group = self.services.directory.group(schedule.connection, schedule.group_id)
            if schedule.requester == actor.user_id or administered(self.services, actor, [group]):
                found.append((schedule, group))
        shown = found[: home_syncs.MOST]
        last = await self.services.archive.called([schedule.request for schedule, _ in shown])
        made = {brief.request.id: brief for brief in last}
        repeated = [
            Repeated(
                schedule,
                group.name,
                may_end=sync.may_end(self.services, actor, group),
                held=await self._held(schedule, group, made.get(schedule.request)),
                last=made.get(schedule.request),
            )
            for schedule, group in shown
        ]
        return repeated, len(found) - len(shown)

    async def _held(self, schedule: Schedule, group: KnownGroup, last: Brief | None) -> str:
        """Say why a repeated sync would do nothing now; empty where it would."""
        if last and last.request.state not in ENDED:
            return "compares nothing until the request of its last run is over"
        requester = await self.services.usergroups.actor(schedule.requester)
        if refused := self.services.syncs.refusal(wish_of(schedule, group, requester)):
            return f"does nothing now: {refused.reason}"
        rest = await self.services.lines[schedule.connection].sender.resting()
        return f"the connection sends nothing until {moment(rest.until)}" if rest else ""

    async def _connections(self, actor: Actor, shown: set[str], groups: Sequence[KnownGroup]) -> list[Connection]:
        """Give those that are shown anyway, and those that have a group whose name the person may learn."""
        for group in groups:
            if group.connection not in shown and group.connection in self.services.lines:
                shown |= {learnt.connection for learnt in self.services.shown_to(actor, [group])}
        names = [name for name in self.services.lines if name in shown]
        return list(await asyncio.gather(*(self._connection(actor, name) for name in names)))

    async def _connection(self, actor: Actor, name: str) -> Connection:
        line = self.services.lines[name]
        account = self.accounts.look(name, actor.user_id)
        rest, left = await asyncio.gather(line.sender.resting(), line.sender.left_today())
        return Connection(name, account, rest, left)


def decides(services: Services, actor: Actor, request: Request) -> bool:
    """Tell whether a request waits for this person's decision, as far as their roles go."""
    if request.requester == actor.user_id:
        return False
    deciders = services.decisions.deciders(request)
    return actor.user_id in deciders or not actor.usergroups.isdisjoint(deciders)


def overrides(services: Services, actor: Actor, request: Request) -> bool:
    """Tell whether the person may override the decision that a request waits for."""
    if request.requester == actor.user_id:
        return False
    return isinstance(services.rights.may_use(actor, Capability.ADMIN, group_of(services, request)), Allowed)


def rights(services: Services, actor: Actor) -> tuple[list[Capability], dict[Capability, str]]:
    """Give what the person has somewhere, and why they do not have the rest: which roles do."""
    decided: dict[Capability, Decision] = {c: services.rights.may_use(actor, c) for c in Capability}
    may = [capability for capability, decision in decided.items() if isinstance(decision, Allowed)]
    refused = {c: decision.reason for c, decision in decided.items() if not isinstance(decision, Allowed)}
    refused.pop(Capability.ADMIN, None)  # for emergencies, and nobody's everyday wish
    return may, refused


def _matters(missing: Capability, may: Sequence[Capability]) -> bool:
    """Tell whether somebody who may do other things needs to be told why not this: administering groups."""
    return not may or (missing in _ADMINISTERING and not _ADMINISTERING.isdisjoint(may))


def _found(able: Sequence[tuple[KnownGroup, Sequence[str]]], turn: Turn) -> Found:
    """Give a page of what was found of the groups that somebody may administer; the last one where it is over."""
    verbs = {(group.connection, group.id): verbs for group, verbs in able}
    hits = search(turn.search, [group for group, _ in able])
    start = min(turn.start, max(0, (len(hits) - 1) // PAGE * PAGE))
    page = [(group, verbs[group.connection, group.id]) for group in hits[start : start + PAGE]]
    return Found(page, len(hits), Turn(search=turn.search, start=start))
