"""New requests, written together: those that arrive during one transaction share the next one, and its statements."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.audit import request_entries
from bot.domain.requests import Request, RequestItem
from bot.storage import statements
from bot.storage.audit import append_entries
from bot.storage.database import Store, writes
from bot.storage.rows import item_row, request_row
from bot.storage.tables import participants, requests


class TooManyOpen(Exception):
    """The requester has as many open requests as one person may have."""


@dataclass(frozen=True, slots=True, eq=False)
class NewRequest:
    """A request to be written.

    Attributes:
        request: the request.
        people: its items.
        max_open: the maximum number of requests of its requester that haven't ended; None for no limit.
        written: whether it is new, once that is known.
    """

    request: Request
    people: Sequence[RequestItem]
    max_open: int | None
    written: asyncio.Future[bool]


class RequestWriter(Store):
    """Writes new requests. In a burst, a statement for many costs little more than one for a single request."""

    _waiting: list[NewRequest]
    _task: asyncio.Task[None] | None = None

    async def write(self, request: Request, people: Sequence[RequestItem], max_open: int | None) -> bool:
        """Write a request; it is durable on return. Return False if it exists already. Raises `TooManyOpen`."""
        new = NewRequest(request, people, max_open, asyncio.get_running_loop().create_future())
        if self._task is None:
            self._waiting = [new]
            self._task = asyncio.create_task(self._write_waiting())
        else:
            self._waiting.append(new)
        return await new.written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                await self._write(together)
        finally:
            self._task = None

    async def _write(self, together: Sequence[NewRequest]) -> None:
        """Write requests in one transaction. If it fails, write each in its own, so that none affects another."""
        try:
            results = await self._insert(together)
        except SQLAlchemyError as error:
            if len(together) > 1:
                for new in together:
                    await self._write([new])
                return
            results = [error]
        except BaseException as error:
            for new in together:
                _settle(new, RuntimeError(f"the request was not written ({type(error).__name__})"))
            raise
        for new, result in zip(together, results, strict=True):
            _settle(new, result)

    @writes
    def _insert(self, connection: Connection, together: Sequence[NewRequest]) -> list[bool | Exception]:
        """Insert the requests that don't exist yet and that their requesters may have. Return a result for each."""
        ids = [new.request.id for new in together]
        known = set(connection.scalars(select(requests.c.id).where(requests.c.id.in_(ids))))
        numbers = Counter[str]()
        results: list[bool | Exception] = []
        fresh = []
        for new in together:
            requester = new.request.requester
            if requester not in numbers and new.max_open is not None:
                numbers[requester] = connection.scalar(statements.NUMBER_OPEN, {"requester": requester}) or 0
            if new.request.id in known:
                results.append(False)
            elif new.max_open is not None and numbers[requester] >= new.max_open:
                results.append(TooManyOpen())
            else:
                known.add(new.request.id)
                numbers[requester] += 1
                fresh.append(new)
                results.append(True)
        if fresh:
            connection.execute(insert(requests), [request_row(new.request) for new in fresh])
        if rows := [item_row(new.request.id, person) for new in fresh for person in new.people]:
            connection.execute(insert(participants), rows)
        append_entries(connection, [entry for new in fresh for entry in request_entries(new.request, new.people)])
        return results


def _settle(new: NewRequest, result: bool | Exception) -> None:
    """Return the result to the caller, unless it was cancelled."""
    if new.written.done():
        return
    if isinstance(result, Exception):
        new.written.set_exception(result)
    else:
        new.written.set_result(result)
