"""What goes on behind an acknowledgement, and ends with the bot."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.tasks import stop

log = structlog.get_logger(__name__)


class BackgroundTasks:
    """Keeps the tasks: asyncio itself keeps one no longer than somebody waits for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something; what fails there is logged, and whatever the person looks at stays as it is."""
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop what still goes on."""
        await stop(self._tasks)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("failed_behind")
