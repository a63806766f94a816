"""What a request costs for each person: calls and wall time against a bare loop, CPU at four sizes, memory."""

import time
from dataclasses import dataclass

import httpx

from benchmarks.process import Bot, bot
from sandbox.providers.server import ProviderServer, RecordedCall
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox

LATENCY = 0.25
"""Seconds that a simulated provider takes for a call, in the run against the bare loop."""
SIZES = (10, 100, 1_000, 10_000)
ALICE, CHANNEL = "U01ALICE", "C0LAUNCH"
PATIENCE = 900.0


@dataclass(slots=True)
class Requests:
    """Sends one add after another, and waits for each to end."""

    played: Sandbox
    asked: int = 0
    people: int = 0

    async def add(self, size: int) -> float:
        """Add `size` people who were never added before, and return the seconds until the thread is complete."""
        numbers = ", ".join(f"+1415555{n:04}" if n < 10_000 else f"+1416{n:07}" for n in self._next(size))
        start = time.perf_counter()
        await self.played.slack.command(ALICE, CHANNEL, "/wa-add", f"wasend-team {numbers}")
        self.asked += 1
        await self.played.slack.wait_for(lambda: self._done() == self.asked, PATIENCE)
        return time.perf_counter() - start

    def _next(self, size: int) -> range:
        first, self.people = self.people, self.people + size
        return range(2_000_000 + first, 2_000_000 + self.people)

    def _done(self) -> int:
        messages = self.played.slack.messages(CHANNEL)
        return sum("Done" in m["text"] for m in messages if m.get("thread_ts", m["ts"]) == m["ts"])


async def against_a_loop() -> list[str]:
    """Add 1,000 people, then make the same calls by a bare httpx loop; return the lines of a table."""
    async with serve_sandbox(["wasend"]) as played:
        server = open_group(played)
        server.latency = LATENCY
        async with bot(played) as running:
            requests = Requests(played)
            await requests.add(1)
            server.calls.clear()
            wall = await requests.add(1_000)
            calls = [call for call in server.calls if "/participants" in call.path]
            peak = running.memory(peak=True)
        loop_wall = await _loop(played.urls["wasend"], server.token, calls)
    return [
        "| 1,000 people | calls | wall s |",
        "|---|---|---|",
        f"| bare httpx loop | {len(calls)} | {loop_wall:.2f} |",
        f"| Rollcall, to the complete thread | {len(calls)} | {wall:.2f} |",
        f"| ratio | 1.00 | {wall / loop_wall:.2f} |",
        "",
        f"Peak resident memory during it: {peak:.0f} MiB.",
    ]


async def by_size() -> list[str]:
    """Add people at each size, and return CPU milliseconds for each person and the resident memory."""
    lines = ["| people | CPU ms for each person | resident MiB afterwards |", "|---|---|---|"]
    async with serve_sandbox(["wasend"]) as played:
        open_group(played)
        async with bot(played) as running:
            requests = Requests(played)
            await requests.add(1)
            lines.append(f"| idle | | {running.memory():.0f} |")
            lines += [await _one_size(requests, running, size) for size in SIZES]
            lines.append(f"| peak | | {running.memory(peak=True):.0f} |")
    return lines


async def _one_size(requests: Requests, running: Bot, size: int) -> str:
    before = running.cpu()
    await requests.add(size)
    return f"| {size:,} | {(running.cpu() - before) / size * 1000:.2f} | {running.memory():.0f} |"


def open_group(played: Sandbox) -> ProviderServer:
    """Empty Wasend's group, with room for all people, and return its server."""
    server = played.providers["wasend"]
    server.world.put_group(SIMULATORS["wasend"].group_id, "Wasend Team", capacity=100_000)
    return server


async def _loop(base_url: str, token: str, calls: list[RecordedCall]) -> float:
    """Make the same calls one after another, by httpx alone, in an empty group."""
    async with httpx.AsyncClient(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        start = time.perf_counter()
        for call in calls:
            await client.request(call.method, call.path, params=call.query, json=call.body)
        return time.perf_counter() - start
