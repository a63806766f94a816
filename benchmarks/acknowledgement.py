"""How long Slack waits for the acknowledgement of `/wa-add`, against a Bolt app that only acknowledges."""

import asyncio
import hashlib
import hmac
import statistics
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from benchmarks.process import bot, peer
from sandbox.sandbox import serve_sandbox

RATES = (50, 200)
SECONDS = 5.0
LATE = 404
"""Bolt's answer if a listener doesn't acknowledge within 3 s."""
THREE = "+1 415 555 0101, +1 415 555 0102, +44 7700 900123"


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one run."""

    p50: float
    p99: float


async def measure() -> list[str]:
    """Measure both at every rate, in turn, and return the lines of a table."""
    lines = ["| commands a second | | p50 ms | p99 ms |", "|---|---|---|---|"]
    async with serve_sandbox(["wasend"]) as played:
        for rate in RATES:
            async with peer(played, "acknowledge") as bare:
                alone = await _drive(bare.url, played.slack.signing_secret, rate)
            async with bot(played) as rollcall:
                own = await _drive(rollcall.url, played.slack.signing_secret, rate)
            lines += [
                f"| {rate} | only acknowledges | {alone.p50:.2f} | {alone.p99:.2f} |",
                f"| {rate} | Rollcall | {own.p50:.2f} | {own.p99:.2f} |",
                f"| {rate} | ratio | {own.p50 / alone.p50:.2f} | {own.p99 / alone.p99:.2f} |",
            ]
    return lines


async def _drive(url: str, secret: str, rate: int) -> Latency:
    """Send signed commands at an even rate, whether or not earlier ones were answered, and time each answer."""
    count = int(rate * SECONDS)
    times: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for number in range(20):
            await send(session, url, secret, f"warm-up {number}")
        start = time.perf_counter()
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(send(session, url, secret, str(number))))
        times = await asyncio.gather(*tasks)
    cuts = statistics.quantiles(times, n=100)
    return Latency(cuts[49] * 1000, cuts[98] * 1000)


async def send(session: aiohttp.ClientSession, url: str, secret: str, trigger: str, people: str = THREE) -> float:
    """Send a signed `/wa-add`, and return the seconds until its acknowledgement, or until Bolt gave up waiting."""
    body = urlencode(
        {
            "command": "/wa-add",
            "text": f"wasend-team {people} reason: benchmark",
            "user_id": "U01ALICE",
            "team_id": "T0SANDBOX",
            "api_app_id": "A0ROLLCALL",
            "channel_id": "C0LAUNCH",
            "trigger_id": trigger,
        }
    )
    timestamp = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={signature}",
    }
    start = time.perf_counter()
    async with session.post(f"{url}/slack/events", data=body, headers=headers) as response:
        text = await response.text()
        if response.status not in {200, LATE}:
            raise RuntimeError(f"status {response.status}: {text[:200]}")
    return time.perf_counter() - start
