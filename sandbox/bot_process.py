"""The bot as a process that the workspace starts, kills and starts again."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0
_LOOK_EVERY = 0.1
_LOG_BYTES = 4000
_OTHER_BOTS = ("SLACK_", "ROLLCALL_")
"""Variables of this process that may belong to a bot of a real workspace."""


class BotProcess:
    """The real bot, in a process.

    Args:
        command: the command that runs it.
        environments: its environment for each transport: `http`, and `socket` for Socket Mode.
        address: the base URL of its HTTP server, where `/readyz` says whether it is ready.
        log: the file for its log.
        on_change: is called when its state changes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environments: Mapping[str, Mapping[str, str]],
        address: str,
        log: Path,
        on_change: Callable[[], None],
    ) -> None:
        self._command = list(command)
        self._environments = environments
        self._address = address
        self._log = log
        self._changed = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._transport = "http"
        self._state = "stopped"

    def state(self) -> dict[str, Any]:
        """Return whether it is `stopped`, `starting`, `running` or `killed`, its transport and its process id."""
        pid = self._process.pid if self._process is not None and self._process.returncode is None else None
        return {"state": self._state, "transport": self._transport, "pid": pid, "address": self._address}

    async def start(self, transport: str = "http") -> None:
        """Start it unless it is running, and wait until it is ready.

        Raises:
            RuntimeError: it ended or wasn't ready in time; the message ends with the end of its log.
            KeyError: there is no such transport.
        """
        if self._process is not None and self._process.returncode is None:
            return
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OTHER_BOTS)}
        environment = own | dict(self._environments[transport])
        self._transport = transport
        self._set("starting")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env=environment, stdout=log, stderr=log
            )
        self._watch = asyncio.create_task(self._note_end(self._process))
        await self._ready(self._process)
        self._set("running")

    async def kill(self) -> None:
        """Kill it, as a crash of its machine would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
            self._set("killed")

    async def stop(self) -> None:
        """Ask it to end, and kill it if it doesn't."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(_START_TIMEOUT), aiohttp.ClientSession() as session:
                while not await self._answers(session):
                    if process.returncode is not None:
                        raise RuntimeError(f"The bot ended with code {process.returncode}.\n{self._end_of_log()}")
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise RuntimeError(f"The bot isn't ready after {_START_TIMEOUT:.0f} s.\n{self._end_of_log()}") from None

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self._address}/readyz") as response:
                return response.ok
        except aiohttp.ClientError:
            return False

    async def _note_end(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if process is self._process and self._state != "killed":
            self._set("stopped")

    def _end_of_log(self) -> str:
        return self._log.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace")

    def _set(self, state: str) -> None:
        self._state = state
        self._changed()
