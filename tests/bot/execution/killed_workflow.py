"""A workflow that is killed: `python -m tests.bot.execution.killed_workflow URL NAME` runs it until it hangs at NAME.

The process's clock is an hour slow. So a process that resumes the workflow finds its sleep over: the time in which the
first process is dead counts.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial

from bot.execution.engine import DurableWorkflow, Engine, sleep, step

HOUR = 3600.0
STEPS = ("first", "second", "asleep", "last")


def work(say: Callable[[str], None], *, hang_at: str = "") -> DurableWorkflow:
    """Return the workflow. It calls `say` with the name of each step, and hangs in the step `hang_at`."""

    async def one(name: str) -> str:
        say(name)
        if name == hang_at:
            await asyncio.Event().wait()
        return name

    async def workflow(request_id: str) -> None:
        for name in STEPS:
            if name == "asleep":
                say(name)
                await sleep(HOUR - 1)
            else:
                await step(name, partial(one, name))
        say(f"done {request_id}")

    return workflow


async def _main(url: str, hang_at: str) -> None:
    engine = Engine(url, {"work": work(partial(print, flush=True), hang_at=hang_at)})
    await engine.launch()
    await engine.start("work", "R1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    now = time.time
    time.time = lambda: now() - HOUR
    asyncio.run(_main(*sys.argv[1:]))
