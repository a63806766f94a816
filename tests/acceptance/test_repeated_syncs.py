import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from bot.domain.sync import SyncSchedule
from bot.storage.sync_schedules import SyncSchedules
from tests.app import RunningApp, group_id, module_app
from tests.slack_ui import ALICE, BOB, CHANNEL, labels_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP, OTHER = group_id("wasend"), "120363041234567999@g.us"
ANA, BEN, CAI = "14155550101", "14155550102", "14155550103"

COMPLETED: set[tuple[str, int]] = set()
"""The runs that are over: the schedule and the number of the run."""
RUN_COMPLETED = asyncio.Condition()


class ObservedSchedules(SyncSchedules):
    """The bot's schedules, which make known when a run is over."""

    async def complete_run(
        self, schedule: SyncSchedule, now: datetime, *, request: str = "", failed: bool = False
    ) -> None:
        await super().complete_run(schedule, now, request=request, failed=failed)
        async with RUN_COMPLETED:
            COMPLETED.add((schedule.id, schedule.run))
            RUN_COMPLETED.notify_all()


running = module_app(
    patches={
        "bot.services.sync_scheduler.MAX_POLL_INTERVAL": 0.1,
        "bot.storage.stores.SyncSchedules": ObservedSchedules,
    }
)


@pytest.fixture
def app(running: RunningApp) -> RunningApp:
    """Ana and Ben are on the list; Ben and Cai in the group."""
    world = running.world()
    world.put_group(OTHER, "The List", [ANA, BEN])
    world.put_group(GROUP, "Wasend Team", [BEN, CAI])
    return running


async def sync(app: RunningApp, text: str) -> None:
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", f"wasend-team {text}")


async def run_again(app: RunningApp) -> None:
    """Make the repeated sync due after its first run is over, and wait until that new run is over."""
    (schedule,) = [schedule for schedule in await SyncSchedules(app.database).active() if schedule.every]
    run = max(schedule.run, 1)
    await completed(schedule.id, run - 1)
    with closing(sqlite3.connect(app.folder / "rollcall.db")) as database, database:
        database.execute("UPDATE schedules SET next_at = 1 WHERE id = ?", [schedule.id])
    await completed(schedule.id, run)


async def completed(schedule: str, run: int) -> None:
    async with RUN_COMPLETED:
        await RUN_COMPLETED.wait_for(lambda: (schedule, run) in COMPLETED)


def directly(app: RunningApp) -> list[str]:
    return [message["text"] for message in app.slack.messages("D0ALICE")]


async def test_a_repeated_sync_runs_immediately_and_can_be_ended(app: RunningApp) -> None:
    number = len(app.parents())
    await sync(app, "from: “The List” mode: report every: 24h")
    await app.finished(number)
    assert "The sync repeats every 24 hours" in str(app.slack.ephemerals(ALICE))
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "Ended 1" in app.last_ephemeral(ALICE)
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "This group has no repeated sync." in app.last_ephemeral(ALICE)


async def test_a_new_repeated_sync_replaces_the_one_of_its_group(app: RunningApp) -> None:
    app.world().put_group(GROUP, "Wasend Team", [ANA, BEN])
    await sync(app, "from: “The List” mode: report every: 24h")
    assert "It replaces" not in app.last_ephemeral(ALICE)
    await sync(app, "from: “The List” mode: report every: 48h")
    assert "It replaces this group's previous repeated sync." in app.last_ephemeral(ALICE)
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team off")
    assert "Ended 1 repeated sync." in app.last_ephemeral(ALICE)


async def test_a_run_is_skipped_while_the_previous_request_waits(app: RunningApp) -> None:
    number = len(app.parents())
    await sync(app, "from: “The List” mode: mirror every: 24h")
    card = await app.message_with_button("Approve")
    await run_again(app)
    await run_again(app)
    assert len(app.parents()) == number + 1

    await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
    await app.finished(number)
    app.world().add(GROUP, CAI)
    await run_again(app)
    await app.parent(number + 1)


async def test_ending_a_sync_withdraws_its_waiting_request(app: RunningApp) -> None:
    app.world().put_group(GROUP, "Wasend Team", [BEN, CAI])
    number = len(app.parents())
    await sync(app, "from: “The List” mode: mirror every: 24h")
    await app.slack.wait_for(lambda: "Waiting for approval" in str(app.parents()[number:]))
    (schedule,) = [schedule for schedule in await SyncSchedules(app.database).active() if schedule.every]
    await completed(schedule.id, 0)

    await sync(app, "off")

    assert app.last_ephemeral(ALICE) == "Ended 1 repeated sync. Withdrew 1 request that hadn't started."
    await app.slack.wait_for(lambda: "withdr" in str(app.parents()[number]).casefold())
    root = app.parents()[number]["ts"]
    await app.slack.wait_for(
        lambda: not any("Approve" in labels_of(message) for message in app.slack.thread(CHANNEL, root))
    )


async def test_a_repeated_sync_ends_after_three_failures_in_a_row(app: RunningApp) -> None:
    number = len(app.parents())
    await sync(app, "from: “The List” mode: report every: 24h")
    await app.finished(number)
    del app.world().groups[OTHER]
    said = len(directly(app))
    for _ in range(2):
        await run_again(app)
    assert ["The next run tries again." in text for text in directly(app)[said:]] == [True, True]
    app.world().put_group(OTHER, "The List", [ANA, BEN])
    await run_again(app)  # a run that is done begins the count anew
    await app.finished(number + 1)
    del app.world().groups[OTHER]
    for _ in range(3):
        await run_again(app)
    last = directly(app)[-1]
    assert "*wasend-team*: The sync with the members of The List didn't run" in last
    assert "failed 3 times in a row, so it no longer repeats" in last
    await sync(app, "off")
    assert "This group has no repeated sync." in app.last_ephemeral(ALICE)
