"""A burst of requests for one person each, against a workflow written by hand that makes the same calls."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from benchmarks.acknowledgement import send
from benchmarks.people import CHANNEL, open_group
from benchmarks.process import Bot, bot, peer
from sandbox.sandbox import Sandbox, serve_sandbox

REQUESTS = 200
RATE = 50
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What a burst took.

    Attributes:
        wall: seconds from the first command to the end of the last request.
        cpu: milliseconds of CPU for each request.
    """

    wall: float
    cpu: float


async def measure() -> list[str]:
    """Send the same burst to both, and return the lines of a table."""
    async with serve_sandbox(["wasend"]) as played:
        open_group(played)
        async with peer(played, "add") as other:
            by_hand = await _drive(played, other)
    async with serve_sandbox(["wasend"]) as played:
        open_group(played)
        async with bot(played) as rollcall:
            own = await _drive(played, rollcall)
    return [
        f"| {REQUESTS} requests at {RATE} a second | CPU ms for each | wall s | requests a second |",
        "|---|---|---|---|",
        f"| written by hand | {by_hand.cpu:.1f} | {by_hand.wall:.2f} | {REQUESTS / by_hand.wall:.1f} |",
        f"| Rollcall | {own.cpu:.1f} | {own.wall:.2f} | {REQUESTS / own.wall:.1f} |",
        f"| ratio (aim: 2, 2) | {own.cpu / by_hand.cpu:.2f} | {own.wall / by_hand.wall:.2f} | |",
    ]


async def _drive(played: Sandbox, running: Bot) -> Burst:
    """Send a first request alone, then the burst, and measure until all requests are done."""
    secret = played.slack.signing_secret
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await send(session, running.url, secret, "warm-up", "+14155550000")
        await played.slack.wait_for(lambda: _done(played) == 1, PATIENCE)
        start, cpu = time.perf_counter(), running.cpu()
        tasks = []
        for number in range(REQUESTS):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            person = f"+1415555{number + 1000:04}"
            tasks.append(asyncio.create_task(send(session, running.url, secret, str(number), person)))
        await asyncio.gather(*tasks)
        await played.slack.wait_for(lambda: _done(played) == REQUESTS + 1, PATIENCE)
    return Burst(time.perf_counter() - start, (running.cpu() - cpu) / REQUESTS * 1000)


def _done(played: Sandbox) -> int:
    messages = played.slack.messages(CHANNEL)
    return sum("Done" in m["text"] for m in messages if m.get("thread_ts", m["ts"]) == m["ts"])
