"""A process that is killed repeatedly at random moments still answers every person once."""

import asyncio
import csv
import io
import os
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.requests import RequestStore
from sandbox.providers.server import RecordedCall
from sandbox.providers.world import Disposition
from sandbox.sandbox import Sandbox, serve_sandbox
from tests.stage import ALICE, CHANNEL, group_id, people

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def bot(config: Path, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `rollcall run`, and kill it at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--config",
        str(config),
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def is_ready(process: asyncio.subprocess.Process) -> None:
    """Read the log until the process is running."""
    assert process.stderr is not None
    async for line in process.stderr:
        if b'"running"' in line:
            return
    raise AssertionError("the process ended before it was ready")


async def run_and_kill(config: Path, environment: dict[str, str], rng: random.Random) -> None:
    async with bot(config, environment) as process:
        assert process.stderr is not None
        if rng.random() < 0.2:  # while it starts: recovery begins before it is ready
            started = asyncio.ensure_future(process.stderr.read())
            await asyncio.wait([started], timeout=rng.uniform(0.3, 1.0))
            process.kill()
            await started
            return
        await is_ready(process)
        drained = asyncio.ensure_future(process.stderr.read())
        await asyncio.wait([drained], timeout=rng.uniform(*LIFETIME))
        process.kill()
        await drained


def sent_people(played: Sandbox) -> list[list[str]]:
    """Return the people of each add call, in order."""
    calls: list[RecordedCall] = played.providers["twochat"].calls
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


@pytest.mark.parametrize("seed", [1])
async def test_kills_leave_one_thread_and_one_outcome_each(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    async with serve_sandbox(["twochat"]) as played:
        world = played.providers["twochat"].world
        phones = {f"1415555{number:04}": MIX[number % len(MIX)] for number in range(PEOPLE)}
        typed = people(world, phones)
        played.providers["twochat"].latency = LATENCY
        port = free_port()
        config = tmp_path / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db", port=port))
        environment = played.environment()
        played.slack.deliverer.request_url = f"http://127.0.0.1:{port}/slack/events"

        async with bot(config, environment) as process:
            await is_ready(process)
            ack = await played.slack.command(ALICE, CHANNEL, "/wa-add", f"twochat-team {typed}")
            assert ack.ok
        for _ in range(KILLS - 1):
            await run_and_kill(config, environment, rng)
        async with bot(config, environment) as process:
            assert process.stderr is not None
            drained = asyncio.ensure_future(process.stderr.read())
            await played.slack.wait_for(lambda: "Done" in str(parents(played)[0]["text"]))
            process.terminate()
            await drained

        rows = list(csv.DictReader(io.StringIO(content(played))))
        called = Counter(phone for call in sent_people(played) for phone in call)
        marked = await stored_submissions(f"sqlite:///{tmp_path}/rollcall.db", rows[0]["request_id"])
        assert len(parents(played)) == 1
        assert len(played.slack.files) == 1
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
        results = [m for m in played.slack.messages(CHANNEL) if m["text"].startswith("Results for")]
        assert len({m["text"] for m in results}) == len(results) == 2


async def test_the_next_process_finishes_the_work_of_a_stopped_one(tmp_path: Path) -> None:
    async with serve_sandbox(["twochat"]) as played:
        server = played.providers["twochat"]
        phones = {f"1415555{number:04}": MIX[number % len(MIX)] for number in range(PEOPLE)}
        typed = people(server.world, phones)
        server.latency = 2 * LATENCY
        port = free_port()
        config = tmp_path / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db", port=port))
        environment = played.environment()
        played.slack.deliverer.request_url = f"http://127.0.0.1:{port}/slack/events"

        async with bot(config, environment) as process:
            await is_ready(process)
            await played.slack.command(ALICE, CHANNEL, "/wa-add", f"twochat-team {typed}")
            await played.slack.wait_for(lambda: "Running" in "".join(str(p["text"]) for p in parents(played)))
            process.terminate()
            assert process.stderr is not None
            log = (await process.stderr.read()).decode()
            assert await process.wait() == 0
            assert "Traceback" not in log
            assert "5550100" not in log
        server.latency = 0.0
        async with bot(config, environment) as process:
            await is_ready(process)
            await played.slack.wait_for(lambda: "Done" in str(parents(played)[0]["text"]))

        rows = csv.DictReader(io.StringIO(content(played)))
        assert {row["phone"]: row["outcome"] for row in rows} == {f"+{p}": OUTCOMES[d] for p, d in phones.items()}
        assert len(parents(played)) == 1


def parents(played: Sandbox) -> list[dict[str, object]]:
    return [m for m in played.slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"]]


def content(played: Sandbox) -> str:
    held = played.slack.files[0].content
    assert held is not None
    return held.decode()
