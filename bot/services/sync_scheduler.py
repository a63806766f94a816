"""When syncs run: once right away, or repeatedly until a person ends them or they fail too often."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import ENDED
from bot.domain.sync import MAX_FAILURES, SyncMode, SyncSchedule, SyncSource, describe_unchanged
from bot.services.groups import GroupDirectory
from bot.services.submission import Rejected
from bot.services.sync import AlreadyInSync, SourceUnreadable, SyncRequest, SyncService
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import EndedSyncs, ScheduleResult, SyncSchedules
from bot.tasks import background
from providers.base import ProviderError

MAX_POLL_INTERVAL = 60.0
"""Seconds between two looks for schedules that are due, if none is due sooner."""
RETRY_DELAY = 5.0
"""Seconds before a schedule that failed, and is still due, runs again."""
_RETRIED = "The next run tries again."
_ENDED = f"It failed {MAX_FAILURES} times in a row, so it no longer repeats. Fix the problem, and start it again."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _RunResult:
    """The result of one run: the request that it made, or a text for the person who made the schedule."""

    text: str = ""
    request: str = ""
    failed: bool = False


class SyncScheduler:
    """Starts, runs and ends syncs. A run that a crash interrupts is repeated as the same request.

    While the request of one run is open, the next run requests nothing: both would wait for the same decision.

    Args:
        syncs: makes the requests.
        schedules: the schedules.
        requests: shows whether the request of the last run is still open.
        directory: the groups.
        actor_of: returns a person with their user groups, so that access is checked at each run.
        notify: sends a text about a group to a person, by user id and channel.
    """

    def __init__(
        self,
        syncs: SyncService,
        schedules: SyncSchedules,
        requests: RequestStore,
        directory: GroupDirectory,
        *,
        actor_of: Callable[[str], Awaitable[Actor]],
        notify: Callable[[str, str, KnownGroup, str], Awaitable[None]],
    ) -> None:
        self._syncs = syncs
        self._schedules = schedules
        self._requests = requests
        self._directory = directory
        self._actor_of = actor_of
        self._notify = notify
        self._awake = asyncio.Event()

    async def start(self, request: SyncRequest, every: timedelta | None) -> ScheduleResult | Rejected:
        """Schedule a sync that runs now, and again after each interval if it has one."""
        if rejected := await self._syncs.check_and_record(request):
            return rejected
        schedule = SyncSchedule(
            id=request.id,
            connection=request.group.connection,
            group_id=request.group.id,
            requester=request.requester.user_id,
            channel=request.channel,
            source=request.source,
            mode=request.mode,
            reason=request.reason,
            every=every,
            next_at=datetime.now(UTC),
        )
        result = await self._schedules.add(schedule)
        self._awake.set()
        return result

    async def end(self, actor: Actor, group: KnownGroup) -> EndedSyncs | Rejected:
        """End the repeated syncs of a group, and withdraw their requests that haven't begun."""
        if rejected := await self._syncs.check_and_record(_ending(actor, group)):
            return rejected
        return await self._schedules.end(group.ref, actor.user_id)

    def may_end(self, actor: Actor, group: KnownGroup) -> bool:
        """Return whether a person may end the repeated syncs of a group: whether they may mirror it."""
        return self._syncs.check(_ending(actor, group)) is None

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run schedules while the block runs."""
        return background(self._run())

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            wait = MAX_POLL_INTERVAL
            try:
                for schedule in await self._schedules.claim_due(datetime.now(UTC)):
                    await self._run_one(schedule)
                next_at = await self._schedules.next_at()
                if next_at is not None:
                    wait = min(MAX_POLL_INTERVAL, max(RETRY_DELAY, next_at - time.time()))
            except Exception:
                log.exception("schedules_not_run")
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _run_one(self, schedule: SyncSchedule) -> None:
        """Run a schedule. One that fails is still due, and delays no other."""
        try:
            await self.run(schedule)
        except Exception:
            log.exception("schedule_not_run", schedule=schedule.id, run=schedule.run)

    async def run(self, schedule: SyncSchedule) -> None:
        """Run a schedule once, and move it to its next run. Its requester is notified of what can't be done."""
        group = self._directory.get(schedule.group)
        if schedule.request and (await self._requests.get(schedule.request)).state not in ENDED:
            log.info("schedule_waits", schedule=schedule.id, run=schedule.run, request=schedule.request)
            await self._schedules.complete_run(schedule, datetime.now(UTC))
            return
        request = SyncRequest.for_run(schedule, group, await self._actor_of(schedule.requester))
        result = await self._submit(request)
        text = result.text
        if result.failed and schedule.every:
            text = f"{text} {_ENDED if schedule.gives_up else _RETRIED}"
        if text and (result.failed or schedule.every is None):
            log.info("schedule_requester_notified", schedule=schedule.id, run=schedule.run)
            await self._notify(schedule.requester, "" if schedule.every else schedule.channel, group, text)
        await self._schedules.complete_run(schedule, datetime.now(UTC), request=result.request, failed=result.failed)

    async def _submit(self, request: SyncRequest) -> _RunResult:
        name = request.source.name or "its list"
        try:
            result = await self._syncs.submit(request)
        except SourceUnreadable as error:
            return _RunResult(f"The sync with {name} didn't run. {error}", failed=True)
        except ProviderError as error:
            text = f"The sync with {name} didn't run, because a group couldn't be read: {error.message}"
            return _RunResult(text, failed=True)
        if isinstance(result, Rejected):
            return _RunResult(f"The sync with {name} didn't run. {result.reason}", failed=True)
        if isinstance(result, AlreadyInSync):
            text = f"The group already matches {name}. Nothing to change. {describe_unchanged(result.drift)}"
            return _RunResult(text.strip())
        return _RunResult(request=result.request.id)


def _ending(actor: Actor, group: KnownGroup) -> SyncRequest:
    return SyncRequest("", group, SyncSource(), SyncMode.MIRROR, actor, "")
