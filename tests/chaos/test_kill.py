"""A process that is killed repeatedly at random moments still answers every person once."""

import csv
import io
import random
from collections import Counter
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.requests import RequestStore
from sandbox.providers.server import RecordedCall
from sandbox.providers.world import Disposition
from sandbox.sandbox import Sandbox, serve_sandbox
from tests.app import group_id, put_people
from tests.chaos.process import Deployment
from tests.slack_ui import ALICE, PRIVATE, named_messages

pytestmark = pytest.mark.timeout(300)  # processes start and are killed, one after another

KILLS = 8
PEOPLE = 200
LATENCY = 0.3
LIFETIME = (0.5, 2.5)
"""Seconds from ready to the kill, minimum and maximum. Work resumes after about one second."""

MIX = [
    *[Disposition.OPEN] * 6,
    Disposition.PRIVATE,
    Disposition.NO_ACCOUNT,
    Disposition.RECENTLY_LEFT,
    Disposition.BLOCKED,
]
OUTCOMES = {
    Disposition.OPEN: "added",
    Disposition.PRIVATE: "refused",
    Disposition.NO_ACCOUNT: "invalid",
    Disposition.RECENTLY_LEFT: "recently_left",
    Disposition.BLOCKED: "failed",
}
"""The outcome of each at 2Chat."""


def sent_people(sandbox: Sandbox) -> list[list[str]]:
    """Return the people of each add call, in order."""
    calls: list[RecordedCall] = sandbox.providers["twochat"].calls
    return [
        [number.removeprefix("+") for number in call.body["participants"]]
        for call in calls
        if call.path.endswith("/add-participant")
    ]


async def stored_submissions(url: str, request_id: str) -> dict[str, int]:
    """Return how often each person was submitted, as stored before each call."""
    database = Database(url)
    people = await RequestStore(database).items(request_id)
    await database.aclose()
    return {str(p.person.phone).removeprefix("+"): p.submissions for p in people}


async def start_and_kill(deployment: Deployment, rng: random.Random) -> None:
    async with deployment.bot() as bot:
        if rng.random() < 0.2:  # while it starts: recovery begins before it is ready
            await bot.kill_after(rng.uniform(0.3, 1.0))
        else:
            await bot.ready()
            await bot.kill_after(rng.uniform(*LIFETIME))


async def test_kills_leave_one_thread_and_one_outcome_each(tmp_path: Path) -> None:
    rng = random.Random(1)
    async with serve_sandbox(["twochat"]) as sandbox:
        world = sandbox.providers["twochat"].world
        phones = {f"1415555{number:04}": MIX[number % len(MIX)] for number in range(PEOPLE)}
        typed = put_people(world, phones)
        sandbox.providers["twochat"].latency = LATENCY
        deployment = Deployment(sandbox, tmp_path)

        async with deployment.bot() as bot:
            await bot.ready()
            ack = await sandbox.slack.command(ALICE, PRIVATE, "/wa-add", f"twochat-team {typed}")
            assert ack.ok
        for _ in range(KILLS - 1):
            await start_and_kill(deployment, rng)
        await deployment.finish()

        rows = list(csv.DictReader(io.StringIO(content(sandbox))))
        called = Counter(phone for call in sent_people(sandbox) for phone in call)
        marked = await stored_submissions(deployment.storage_url, rows[0]["request_id"])
        assert len(deployment.parents()) == 1
        assert len(sandbox.slack.files) == 1
        assert sorted(row["phone"] for row in rows) == sorted(f"+{phone}" for phone in phones)
        assert max(marked.values()) <= 2
        for row in rows:
            phone = row["phone"].removeprefix("+")
            assert called[phone] <= marked[phone]
            killed_twice_in_the_call = marked[phone] == 2 and row["outcome"] == "unknown"
            assert row["outcome"] == OUTCOMES[phones[phone]] or killed_twice_in_the_call, row
        added = [event.phone for event in world.events if event.effect == "added"]
        assert sorted(added) == sorted(world.groups[group_id("twochat")].members)
        assert [event for event in world.events if event.effect == "already_member"] == []
        assert len(named_messages(sandbox.slack, "summary", PRIVATE)) == 1


async def test_the_next_process_finishes_the_work_of_a_stopped_one(tmp_path: Path) -> None:
    async with serve_sandbox(["twochat"]) as sandbox:
        server = sandbox.providers["twochat"]
        phones = {f"1415555{number:04}": MIX[number % len(MIX)] for number in range(PEOPLE)}
        typed = put_people(server.world, phones)
        server.latency = 2 * LATENCY
        deployment = Deployment(sandbox, tmp_path)

        async with deployment.bot() as bot:
            await bot.ready()
            await sandbox.slack.command(ALICE, PRIVATE, "/wa-add", f"twochat-team {typed}")
            await sandbox.slack.wait_for(lambda: "Running" in "".join(p["text"] for p in deployment.parents()))
            log = await bot.terminate()
            assert await bot.process.wait() == 0
            assert "Traceback" not in log
            assert "5550100" not in log
        server.latency = 0.0
        await deployment.finish()

        rows = csv.DictReader(io.StringIO(content(sandbox)))
        assert {row["phone"]: row["outcome"] for row in rows} == {f"+{p}": OUTCOMES[d] for p, d in phones.items()}
        assert len(deployment.parents()) == 1


def content(sandbox: Sandbox) -> str:
    held = sandbox.slack.files[0].content
    assert held is not None
    return held.decode()
