"""The bot and its peers as processes: started, watched from outside by the operating system's accounting, killed."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.sandbox import SIMULATORS, Sandbox

_TICK = os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024
_MANY_REQUESTS = "[requests]\nopen_per_person = 100000"


@dataclass(frozen=True, slots=True)
class Bot:
    """A running bot or peer, with its own address."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Return the CPU seconds used by all its threads, from /proc."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory(self, *, peak: bool = False) -> float:
        """Return its resident memory in MiB, now or at its peak, from /proc."""
        name = "VmHWM" if peak else "VmRSS"
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024 / MIB
        raise LookupError(name)


@asynccontextmanager
async def bot(played: Sandbox, *, pace: str = 'batch = 10, gap = "0s"') -> AsyncIterator[Bot]:
    """Run `rollcall run` against a sandbox, on a new SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{folder}/rollcall.db", pace=pace, rules=_MANY_REQUESTS))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "run", "--config", str(config)),
            env={**os.environ, **played.environment()},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        url = ""
        async for line in process.stderr:
            if b'"running"' in line:
                url = str(json.loads(line)["url"])
                break
        drain = asyncio.create_task(process.stderr.read())
        try:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            yield Bot(url, process.pid)
        finally:
            process.kill()
            await process.wait()
            await drain


@asynccontextmanager
async def peer(played: Sandbox, mode: str) -> AsyncIterator[Bot]:
    """Run a peer of `benchmarks.peer` against a sandbox with Wasend; its workflows are on a new SQLite file."""
    group = SIMULATORS["wasend"]
    members_url = f"{played.urls['wasend']}/{group.account}/groups/{group.group_id}/participants"
    secrets = (played.slack.signing_secret, members_url, played.providers["wasend"].token)
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "benchmarks.peer", mode, played.slack.api_url, *secrets, folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            yield Bot((await process.stdout.readline()).decode().strip(), process.pid)
        finally:
            process.kill()
            await process.wait()
