"""The bot as a process of its own, against a sandbox in this process."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.sandbox import Sandbox
from sandbox.slack.workspace import Message
from tests.slack_ui import PRIVATE, is_done


@dataclass(slots=True)
class BotProcess:
    process: asyncio.subprocess.Process
    log: asyncio.StreamReader

    async def ready(self) -> None:
        """Read the log until the bot runs."""
        async for line in self.log:
            if b'"running"' in line:
                return
        raise AssertionError("the process ended before it was ready")

    async def kill_after(self, seconds: float) -> None:
        """Read the log for some time, or until the process ends, and kill the process."""
        reading = asyncio.ensure_future(self.log.read())
        await asyncio.wait([reading], timeout=seconds)
        self.process.kill()
        await reading

    async def terminate(self) -> str:
        """Ask the process to end, and return the log since it was last read."""
        self.process.terminate()
        return (await self.log.read()).decode()


@dataclass(slots=True)
class Deployment:
    """A sandbox, and the configuration and database of the processes that run against it.

    Processes run one after another on SQLite, and also together on PostgreSQL.
    """

    sandbox: Sandbox
    folder: Path
    pace: str = 'batch = 10, gap = "0s"'
    postgres_url: str = ""

    @property
    def storage_url(self) -> str:
        return self.postgres_url or f"sqlite:///{self.folder}/rollcall.db"

    @asynccontextmanager
    async def bot(self, *, at_new_address: bool = False) -> AsyncIterator[BotProcess]:
        """Run `rollcall run`, and kill it at the end of the block.

        Slack delivers to it, at the address of the process before it or at a new one.
        """
        url = "" if at_new_address else self.sandbox.slack.deliverer.request_url
        port = int(url.rpartition(":")[2].partition("/")[0]) if url else free_port()
        config = self.folder / f"rollcall-{port}.toml"
        self.sandbox.slack.deliverer.request_url = f"http://127.0.0.1:{port}/slack/events"
        config.write_text(self.sandbox.config(self.storage_url, port=port, pace=self.pace))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "run", "--config", str(config)),
            env={**os.environ, **self.sandbox.environment()},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            yield BotProcess(process, process.stderr)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def finish(self, requests: int = 1) -> None:
        """Run a bot until this number of requests is done."""
        async with self.bot() as bot:
            draining = asyncio.ensure_future(bot.log.read())
            await self.sandbox.slack.wait_for(lambda: sum(map(is_done, self.parents())) == requests)
            bot.process.terminate()
            await draining

    def parents(self) -> list[Message]:
        return [m for m in self.sandbox.slack.messages(PRIVATE) if m.get("thread_ts", m["ts"]) == m["ts"]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
