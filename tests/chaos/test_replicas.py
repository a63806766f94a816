"""Several processes on one PostgreSQL: one that dies, pauses or stops loses no work, and none is done twice."""

import asyncio
import csv
import io
import signal
from collections import Counter
from pathlib import Path

import pytest

from sandbox.providers.server import RecordedCall
from sandbox.providers.world import Disposition
from sandbox.sandbox import Sandbox, serve_sandbox
from tests.app import group_id, put_people
from tests.bot.storage.databases import NewPostgres
from tests.chaos.process import BotProcess, Deployment
from tests.slack_ui import ALICE, PRIVATE, is_done

pytestmark = pytest.mark.timeout(120)

PEOPLE = 60
PHONES = [f"1415555{number:04}" for number in range(PEOPLE)]


def calls(sandbox: Sandbox) -> list[RecordedCall]:
    """Return the add calls that the provider received."""
    return [call for call in sandbox.providers["twochat"].calls if call.path.endswith("/add-participant")]


async def add_everyone(sandbox: Sandbox) -> None:
    """Request to add everyone, and wait for the second call to the provider."""
    typed = put_people(sandbox.providers["twochat"].world, dict.fromkeys(PHONES, Disposition.OPEN))
    sandbox.providers["twochat"].latency = 0.3
    assert (await sandbox.slack.command(ALICE, PRIVATE, "/wa-add", f"twochat-team {typed}")).ok
    await sandbox.slack.wait_for(lambda: len(calls(sandbox)) >= 2)


async def finished(deployment: Deployment) -> None:
    """Wait for the end of the request, and check that each person was added once, in one thread."""
    sandbox = deployment.sandbox
    await sandbox.slack.wait_for(lambda: any(map(is_done, deployment.parents())), timeout=60)
    await sandbox.slack.wait_for(lambda: bool(sandbox.slack.files and sandbox.slack.files[0].content), timeout=60)
    rows = list(csv.DictReader(io.StringIO((sandbox.slack.files[0].content or b"").decode())))
    assert Counter(row["phone"] for row in rows) == Counter(f"+{phone}" for phone in PHONES)
    assert {row["outcome"] for row in rows} == {"added"}
    world = sandbox.providers["twochat"].world
    assert sorted(event.phone for event in world.events if event.effect == "added") == PHONES
    assert world.groups[group_id("twochat")].members.keys() >= set(PHONES)
    assert len(deployment.parents()) == len(sandbox.slack.files) == 1


async def drained(bot: BotProcess) -> asyncio.Task[bytes]:
    """Wait until a process is ready, and read its log in the background."""
    await bot.ready()
    return asyncio.create_task(bot.log.read())


async def test_a_living_replica_finishes_the_work_of_a_killed_one(tmp_path: Path, new_postgres: NewPostgres) -> None:
    async with serve_sandbox(["twochat"]) as sandbox:
        deployment = Deployment(sandbox, tmp_path, postgres_url=new_postgres())
        async with deployment.bot() as survivor, deployment.bot(at_new_address=True) as killed:
            logs = [await drained(bot) for bot in (survivor, killed)]
            await add_everyone(sandbox)
            killed.process.kill()
            await finished(deployment)
            survivor.process.terminate()
            assert b"work_taken_over" in await logs[0]
            await logs[1]


async def test_a_paused_replica_does_not_continue_after_it_was_replaced(
    tmp_path: Path, new_postgres: NewPostgres
) -> None:
    async with serve_sandbox(["twochat"]) as sandbox:
        deployment = Deployment(sandbox, tmp_path, postgres_url=new_postgres())
        async with deployment.bot() as survivor, deployment.bot(at_new_address=True) as paused:
            log = await drained(survivor)
            await paused.ready()
            await add_everyone(sandbox)
            paused.process.send_signal(signal.SIGSTOP)
            await finished(deployment)
            before = len(calls(sandbox)), len(sandbox.slack.messages(PRIVATE))
            paused.process.send_signal(signal.SIGCONT)
            await paused.ready()  # it has started anew, as another replica
            assert (len(calls(sandbox)), len(sandbox.slack.messages(PRIVATE))) == before
            survivor.process.terminate()
            assert b"work_taken_over" in await log


async def test_a_replica_that_stops_hands_over_its_work(tmp_path: Path, new_postgres: NewPostgres) -> None:
    async with serve_sandbox(["twochat"]) as sandbox:
        deployment = Deployment(sandbox, tmp_path, postgres_url=new_postgres())
        async with deployment.bot() as survivor, deployment.bot(at_new_address=True) as stopped:
            logs = [await drained(bot) for bot in (survivor, stopped)]
            await add_everyone(sandbox)
            stopped.process.terminate()
            assert await stopped.process.wait() == 0
            await finished(deployment)
            survivor.process.terminate()
            assert b"Traceback" not in b"".join([await log for log in logs])
