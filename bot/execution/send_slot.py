"""A request's turn at the sender of its connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.requests import Request
from bot.execution.connections import Connection
from bot.execution.throttle import CoolingDown, DailyLimitReached
from bot.storage.requests import RequestStore

STOPPED = "The request was stopped before their turn."


class Stopped(Exception):
    """Somebody stopped the request."""


SLOT_UNAVAILABLE = (DailyLimitReached, CoolingDown, Stopped)
"""Why there is no turn: nobody is to be sent."""


@asynccontextmanager
async def send_slot(journal: RequestStore, line: Connection, request: Request, people: int) -> AsyncIterator[int]:
    """Hold the sender's turn, for as many as it grants. Raises one of `NO_TURN`."""
    async with line.throttle.slot(people) as granted:
        if (await journal.get(request.id)).stopped_by:  # while it waited
            raise Stopped(STOPPED)
        yield granted
