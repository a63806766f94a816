"""Syncs: a group is compared with a list, and what differs becomes one request, once or again and again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from bot.domain.access import Actor, Allowed
from bot.domain.drafts import RequestDraft
from bot.domain.groups import GroupCatalog, GroupRef, KnownGroup
from bot.domain.requests import ENDED, RequestItem, RequestOptions, request_id
from bot.domain.roster import Roster
from bot.domain.sync import MAX_FAILURES, Drift, SyncMode, SyncSchedule, SyncSource, compare, summarize_changes
from bot.services.authorization import Authorizer
from bot.services.submission import Rejected, Submissions, Submitted
from bot.services.sync_sources import SourceUnreadable, SyncSources
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import SyncSchedules
from bot.tasks import background
from providers.base import Action, Operation, Outcome, Person, ProviderError

MAX_POLL_INTERVAL = 60.0
"""Seconds between two looks for schedules that are due, when none comes sooner."""
RETRY_DELAY = 5.0
"""Seconds before one that failed, and is due still, is run again."""
_LATER = "It is compared again at its next time."
_LAST = (
    f"It failed {MAX_FAILURES} times in a row, so it is not repeated any more: ask for it again once that is mended."
)
_ANYBODY = (RequestItem(0, Person("a line"), Operation.ADD),)
"""What a sync asks for before its list is read."""
_WOULD = {Operation.ADD: "Would be added.", Operation.REMOVE: "Would be removed."}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AlreadyInSync:
    """The group does not differ: there is nothing to ask for."""

    drift: Drift


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A sync that somebody wants.

    Attributes:
        id: from `request_id`, derived from Slack's delivery, so that a second one changes nothing.
        group: the group that is to be brought in line.
    """

    id: str
    group: KnownGroup
    source: SyncSource
    mode: SyncMode
    requester: Actor
    channel: str
    reason: str = ""


class SyncService:
    """Makes requests of syncs.

    Args:
        intake: takes the requests in.
        rights: who may do what.
        catalog: the groups of the configuration, for the phones that no sync removes.
        lists: reads the lists that syncs follow.
        group_of: returns a group with what is known of its names.
    """

    def __init__(
        self,
        intake: Submissions,
        rights: Authorizer,
        catalog: GroupCatalog,
        lists: SyncSources,
        group_of: Callable[[GroupRef], KnownGroup],
    ) -> None:
        self._intake = intake
        self._rights = rights
        self._catalog = catalog
        self._lists = lists
        self._group_of = group_of

    async def drift(self, wish: SyncRequest) -> Drift:
        """Read the list and the group, and compare them. Raises `SourceUnreadable` and `ProviderError`."""
        wanted = await self._lists.read(wish.source)
        provider = self._rights.lines[wish.group.connection].provider
        members = [member async for member in provider.members(wish.group.id)]
        keep = self._catalog.get(wish.group.ref).keep
        return compare(wanted, members, keep, has_admins=Action.PROMOTE in provider.abilities)

    async def submit(self, wish: SyncRequest) -> Submitted | Rejected | AlreadyInSync:
        """Compare, and ask for what the mode says. Raises `SourceUnreadable` and `ProviderError`."""
        if refused := await self.check_and_record(wish):
            return refused
        drift = await self.drift(wish)
        lines = [_line(person, Operation.ADD) for person in drift.missing]
        if wish.mode is not SyncMode.ADD:
            lines += [_line(person, Operation.REMOVE) for person in drift.extra]
        if not lines:
            return AlreadyInSync(drift)
        if wish.mode is SyncMode.REPORT:
            lines = [_reported(line) for line in lines]
        stays = "" if wish.mode is SyncMode.ADD else describe_unchanged(drift)
        changed = summarize_changes(line.operation for line in lines)
        note = f"The list: {wish.source.name}. {changed} {stays}".strip()
        return await self._intake.submit(self._draft(wish, tuple(lines), note))

    async def check_and_record(self, wish: SyncRequest) -> Rejected | None:
        """Tell as `refusal` does, to somebody who asked for it in earnest."""
        return self._refused_list(wish) or await self._intake.check_and_record(self._draft(wish, _ANYBODY))

    def check(self, wish: SyncRequest) -> Rejected | None:
        """Tell why this sync would not be taken, before anything is read; None where it would."""
        return self._refused_list(wish) or self._intake.check(self._draft(wish, _ANYBODY))

    def _refused_list(self, wish: SyncRequest) -> Rejected | None:
        if wish.group.connection not in self._rights.lines:
            return Rejected("The connection of the group is not in the configuration any more.", "no_connection")
        if wish.source.group == wish.group.ref:
            return Rejected("The list is the group itself: there is nothing to compare.", "same_group")
        if wish.source.group and wish.source.group.connection in self._rights.lines:
            listed = self._rights.check(wish.requester, Action.LIST_MEMBERS, self._group_of(wish.source.group))
            if not isinstance(listed, Allowed):
                return Rejected(f"The list comes from the other group. {listed.reason}", listed.code)
        return None

    def _draft(self, wish: SyncRequest, lines: tuple[RequestItem, ...], note: str = "") -> RequestDraft:
        again = replace(wish.source, phones=()) if wish.source.usergroup or wish.source.group else None
        details = RequestOptions(look_only=wish.mode is SyncMode.REPORT, source=again, note=note)
        return RequestDraft(
            id=wish.id,
            operation=Operation.SYNC,
            group=wish.group,
            roster=Roster(),
            reason=wish.reason,
            requester=wish.requester,
            channel=wish.channel,
            options=details,
            items=lines,
        )


@dataclass(frozen=True, slots=True)
class _RunResult:
    """What came of one run: a request whose thread tells the rest, or words for who made the schedule."""

    words: str = ""
    request: str = ""
    failed: bool = False


class SyncScheduler:
    """Runs syncs when they are due. What was begun before a crash is begun again, as the same request.

    While the request of one run is open, the next run asks for nothing: two would wait for the same decision.

    Args:
        syncs: makes the requests.
        schedules: which and when.
        journal: tells whether the request of the run before is still open.
        group_of: returns a group with what is known of its names.
        actor_of: gives a person with their user groups, so that rights are checked at each run.
        tell: tells somebody, by user id and channel, what became of the sync of a group.
    """

    def __init__(
        self,
        syncs: SyncService,
        schedules: SyncSchedules,
        journal: RequestStore,
        group_of: Callable[[GroupRef], KnownGroup],
        *,
        actor_of: Callable[[str], Awaitable[Actor]],
        tell: Callable[[str, str, KnownGroup, str], Awaitable[None]],
    ) -> None:
        self._syncs = syncs
        self._schedules = schedules
        self._journal = journal
        self._group_of = group_of
        self._actor_of = actor_of
        self._tell = tell
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Tell it that a schedule was kept or ended."""
        self._awake.set()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run schedules while the block runs."""
        return background(self._run())

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            wait = MAX_POLL_INTERVAL
            try:
                for schedule in await self._schedules.due(datetime.now(UTC)):
                    await self._run_one(schedule)
                soonest = await self._schedules.next_at()
                wait = (
                    MAX_POLL_INTERVAL
                    if soonest is None
                    else min(MAX_POLL_INTERVAL, max(RETRY_DELAY, soonest - time.time()))
                )
            except Exception:
                log.exception("schedules_not_run")
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _run_one(self, schedule: SyncSchedule) -> None:
        """Run a schedule; one that fails is due still, and holds up no other."""
        try:
            await self.run(schedule)
        except Exception:
            log.exception("schedule_not_run", schedule=schedule.id, run=schedule.run)

    async def run(self, schedule: SyncSchedule) -> None:
        """Run a schedule once, and move it on; what cannot be done is told to who made it."""
        group = self._group_of(schedule.group)
        if schedule.request and (await self._journal.get(schedule.request)).state not in ENDED:
            log.info("schedule_waits", schedule=schedule.id, run=schedule.run, request=schedule.request)
            await self._schedules.complete_run(schedule, datetime.now(UTC))
            return
        wish = sync_request_for(schedule, group, await self._actor_of(schedule.requester))
        ran = await self._ask(wish)
        words = ran.words
        if ran.failed and schedule.every:
            words = f"{words} {_LAST if schedule.gives_up else _LATER}"
        if words and (ran.failed or schedule.every is None):
            log.info("schedule_told", schedule=schedule.id, run=schedule.run)
            await self._tell(schedule.requester, "" if schedule.every else schedule.channel, group, words)
        await self._schedules.complete_run(schedule, datetime.now(UTC), request=ran.request, failed=ran.failed)

    async def _ask(self, wish: SyncRequest) -> _RunResult:
        list_ = wish.source.name or "its list"
        try:
            answer = await self._syncs.submit(wish)
        except SourceUnreadable as error:
            return _RunResult(f"The sync with {list_} was not done. {error}", failed=True)
        except ProviderError as error:
            words = f"The sync with {list_} was not done, because a group could not be read: {error.message}"
            return _RunResult(words, failed=True)
        if isinstance(answer, Rejected):
            return _RunResult(f"The sync with {list_} was not done. {answer.reason}", failed=True)
        if isinstance(answer, AlreadyInSync):
            unchanged = describe_unchanged(answer.drift)
            return _RunResult(f"The group is in line with {list_} already; nothing needs to be done. {unchanged}")
        return _RunResult(request=answer.request.id)


def sync_request_for(schedule: SyncSchedule, group: KnownGroup, requester: Actor) -> SyncRequest:
    """Give what the next run of a schedule wants."""
    return SyncRequest(
        id=request_id(schedule.id, str(schedule.run)),
        group=group,
        source=schedule.source,
        mode=schedule.mode,
        requester=requester,
        channel=schedule.channel,
        reason=schedule.reason,
    )


def describe_unchanged(drift: Drift) -> str:
    """Say what a sync leaves alone; empty where that is nobody."""
    told = []
    if drift.protected:
        told.append(f"{len(drift.protected):,} not on the list stay: admins, or kept by the configuration.")
    if drift.without_phone:
        told.append(f"{drift.without_phone:,} members show no phone, so nobody can tell whether they are on the list.")
    return " ".join(told)


def _line(person: Person, operation: Operation) -> RequestItem:
    return RequestItem(0, person, operation)


def _reported(line: RequestItem) -> RequestItem:
    return RequestItem(
        0,
        line.person,
        line.operation,
        outcome=Outcome.NOT_ATTEMPTED,
        provider_message=_WOULD[line.operation],
        at=datetime.now(UTC),
    )
