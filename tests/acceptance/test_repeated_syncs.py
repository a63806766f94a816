import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime

import pytest
import pytest_asyncio

from bot.domain.sync import SyncSchedule
from bot.services import sync
from bot.storage import stores
from bot.storage.sync_schedules import SyncSchedules
from tests.stage import ALICE, BOB, CHANNEL, Stage, group_id, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP, OTHER = group_id("wasend"), "120363041234567999@g.us"
ANA, BEN, CAI = "14155550101", "14155550102", "14155550103"


RUNS: asyncio.Queue[str] = asyncio.Queue()
"""The runs that are over, by their schedule."""


class Counted(SyncSchedules):
    async def complete_run(
        self, schedule: SyncSchedule, now: datetime, *, request: str = "", failed: bool = False
    ) -> None:
        await super().complete_run(schedule, now, request=request, failed=failed)
        await RUNS.put(schedule.id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot that looks for due schedules all the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "MAX_POLL_INTERVAL", 0.1)
        patch.setattr(stores, "SyncSchedules", Counted)
        async with stage(tmp_path_factory.mktemp("repeated")) as played:
            yield played


@pytest.fixture
def played(running: Stage) -> Stage:
    """Ana and Ben are on the list; Ben and Cai in the group."""
    world = running.world("wasend")
    world.put_group(OTHER, "The List", [ANA, BEN])
    world.put_group(GROUP, "Wasend Team", [BEN, CAI])
    return running


async def run_sync(played: Stage, text: str) -> None:
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", f"wasend-team {text}")


async def run_again(played: Stage) -> None:
    """Let the time of what is repeated come, and wait until that run is over."""
    while not RUNS.empty():
        RUNS.get_nowait()
    with closing(sqlite3.connect(played.folder / "rollcall.db")) as database, database:
        database.execute("UPDATE schedules SET next_at = 1 WHERE next_at IS NOT NULL")
    async with asyncio.timeout(60):
        await RUNS.get()


def directly(played: Stage) -> list[str]:
    return [message["text"] for message in played.slack.messages("D0ALICE")]


async def test_what_is_repeated_runs_at_once_and_is_ended_by_its_command(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "from: “The List” mode: report every: 24h")
    await played.finished(number)
    assert "repeated every 24 hours" in str(played.slack.ephemerals(ALICE))
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "Ended 1" in played.told(ALICE)
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "No sync is repeated" in played.told(ALICE)


async def test_a_group_has_one_repeated_sync_and_a_new_one_takes_its_place(played: Stage) -> None:
    played.world("wasend").put_group(GROUP, "Wasend Team", [ANA, BEN])
    await run_sync(played, "from: “The List” mode: report every: 24h")
    assert "has ended" not in played.told(ALICE)
    await run_sync(played, "from: “The List” mode: report every: 48h")
    assert "What was repeated for this group before has ended." in played.told(ALICE)
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "Ended 1 repeated sync." in played.told(ALICE)


async def test_a_run_asks_for_nothing_while_the_request_of_the_one_before_waits(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "from: “The List” mode: mirror every: 24h")
    card = await played.button("Approve")
    await run_again(played)
    await run_again(played)
    assert len(played.parents()) == number + 1

    await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
    await played.finished(number)
    played.world("wasend").add(GROUP, CAI)
    await run_again(played)
    await played.parent(number + 1)


async def test_what_fails_three_times_in_a_row_is_told_directly_and_not_repeated_any_more(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "from: “The List” mode: report every: 24h")
    await played.finished(number)
    del played.world("wasend").groups[OTHER]
    said = len(directly(played))
    for _ in range(2):
        await run_again(played)
    assert ["compared again at its next time" in text for text in directly(played)[said:]] == [True, True]
    played.world("wasend").put_group(OTHER, "The List", [ANA, BEN])
    await run_again(played)  # a run that is done begins the count anew
    await played.finished(number + 1)
    del played.world("wasend").groups[OTHER]
    for _ in range(3):
        await run_again(played)
    last = directly(played)[-1]
    assert "*wasend-team*: The sync with the members of The List was not done" in last
    assert "failed 3 times in a row, so it is not repeated any more" in last
    await run_sync(played, "off")
    assert "No sync is repeated here." in played.told(ALICE)
