"""A request's turn at the sender of its connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.requests import Request
from bot.lines import Line
from bot.runtime.journal import Journal
from bot.runtime.pace import DayIsFull, SenderRests

STOPPED = "The request was stopped before their turn."


class Stopped(Exception):
    """Somebody stopped the request."""


NO_TURN = (DayIsFull, SenderRests, Stopped)
"""Why there is no turn: nobody is to be sent."""


@asynccontextmanager
async def turn(journal: Journal, line: Line, request: Request, people: int) -> AsyncIterator[int]:
    """Hold the sender's turn, for as many as it grants. Raises one of `NO_TURN`."""
    async with line.sender.turn(people) as granted:
        if (await journal.request(request.id)).stopped_by:  # while it waited
            raise Stopped(STOPPED)
        yield granted
