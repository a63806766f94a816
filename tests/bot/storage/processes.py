"""Processes that the tests kill."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_HOLD = """
import asyncio, sys
from bot.storage.database import Database

async def main():
    async with Database(sys.argv[1]).hold():
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def python(*arguments: str) -> AsyncIterator[Process]:
    """Run a Python process, and kill it at the end of the block."""
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE, cwd=_ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def says(process: Process) -> str:
    """Wait for the next line that the process prints; "" if it has ended."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Poll until a condition is true, for events that can't be awaited."""
    async with asyncio.timeout(30):
        while True:
            if await true():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def holding(url: str) -> AsyncIterator[Process]:
    """Run a process that holds the database of `url`."""
    async with python("-c", _HOLD, url) as process:
        assert await says(process) == "held"
        yield process
