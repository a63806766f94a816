from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.groups import GroupRef
from bot.domain.sync import SyncMode, SyncSchedule, SyncSource
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.sync_schedules import EndedSyncs, ScheduleResult, SyncSchedules

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def schedules(database: Database) -> SyncSchedules:
    return SyncSchedules(database)


def schedule(id_: str = "S1", *, every: timedelta | None = DAY, source: SyncSource | None = None) -> SyncSchedule:
    return SyncSchedule(
        id=id_,
        connection="support",
        group_id="1@g.us",
        requester="U01ALICE",
        channel="C0LAUNCH",
        source=source or SyncSource(usergroup="S0TEAM"),
        mode=SyncMode.MIRROR,
        reason="weekly",
        every=every,
        next_at=NOON,
    )


@pytest.mark.parametrize(
    "source",
    [
        SyncSource(phones=("+14155550101",)),
        SyncSource(usergroup="S0TEAM"),
        SyncSource(group=GroupRef("other", "2@g.us")),
    ],
)
async def test_a_stored_schedule_is_read_back(schedules: SyncSchedules, source: SyncSource) -> None:
    kept = schedule(source=source)
    assert await schedules.add(kept) is ScheduleResult.NEW
    assert await schedules.add(kept) is ScheduleResult.EXISTING
    assert await schedules.active() == [kept]
    assert await schedules.next_at() == NOON.timestamp()


async def test_a_schedule_repeats_and_skips_missed_runs(schedules: SyncSchedules) -> None:
    await schedules.add(schedule())
    assert await schedules.claim_due(NOON - timedelta(seconds=1)) == []
    [due] = await schedules.claim_due(NOON)
    await schedules.complete_run(due, NOON + timedelta(days=2, hours=1))
    [after] = await schedules.active()
    assert (after.run, after.next_at) == (1, NOON + 3 * DAY)
    await schedules.complete_run(due, NOON)  # a second time changes nothing
    assert await schedules.active() == [after]


async def test_a_single_run_ends_the_schedule(schedules: SyncSchedules) -> None:
    await schedules.add(schedule(every=None))
    [due] = await schedules.claim_due(NOON)
    await schedules.complete_run(due, NOON)
    assert await schedules.active() == []
    assert await schedules.next_at() is None


async def test_ending_ends_the_schedules_of_the_group(schedules: SyncSchedules) -> None:
    await schedules.add(schedule("S1"))
    await schedules.add(schedule("S2", every=None))
    assert await schedules.end(GroupRef("support", "2@g.us"), "U02BOB") == EndedSyncs(0)
    assert await schedules.end(GroupRef("support", "1@g.us"), "U02BOB") == EndedSyncs(2)
    assert await schedules.end(GroupRef("support", "1@g.us"), "U02BOB") == EndedSyncs(0)
    assert await schedules.active() == []


async def test_starting_and_ending_a_sync_is_audited(database: Database, schedules: SyncSchedules) -> None:
    await schedules.add(schedule())
    await schedules.end(GroupRef("support", "1@g.us"), "U02BOB")
    ended, started = [row.entry for row in await AuditJournal(database).search(group="1@g.us")]
    assert (started.actor, started.details["every"]) == ("U01ALICE", 86_400)
    assert (ended.actor, ended.details) == ("U02BOB", {"ended": 1})
