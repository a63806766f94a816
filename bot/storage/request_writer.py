"""New requests, written together: those that arrive while one commit is under way share the next one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.audit import request_entries
from bot.domain.requests import Request, RequestItem
from bot.storage.audit import append_entries
from bot.storage.database import Database
from bot.storage.rows import item_row, request_row
from bot.storage.tables import participants, requests


@dataclass(frozen=True, slots=True, eq=False)
class _PendingRequest:
    request: Request
    people: Sequence[RequestItem]
    written: asyncio.Future[bool]

    def settle(self, *, new: bool) -> None:
        """Tell who waits for it, unless they have given up."""
        if not self.written.done():
            self.written.set_result(new)

    def fail(self, error: Exception) -> None:
        """Pass the error on to who waits for it, unless they have given up."""
        if not self.written.done():
            self.written.set_exception(error)


class RequestWriter:
    """Writes new requests. A burst of commands costs few commits, so each is acknowledged sooner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_PendingRequest] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, request: Request, people: Sequence[RequestItem]) -> bool:
        """Write a request and its people; durable at the return. False when the request was there already."""
        arrival = _PendingRequest(request, people, asyncio.get_running_loop().create_future())
        self._waiting.append(arrival)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return await arrival.written

    async def _write_waiting(self) -> None:
        together: list[_PendingRequest] = []
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                await self._settle(together)
        except BaseException as error:
            for arrival in [*together, *self._waiting]:
                arrival.fail(RuntimeError(f"the request was not written ({type(error).__name__})"))
            self._waiting = []
            raise
        finally:
            self._writer = None

    async def _settle(self, together: Sequence[_PendingRequest]) -> None:
        """Write some arrivals in one transaction; where it fails, each in its own, so that none spoils another's."""
        try:
            fresh = await self._insert(together)
        except SQLAlchemyError as error:
            if len(together) == 1:
                together[0].fail(error)
                return
            for arrival in together:
                await self._settle([arrival])
            return
        for arrival in together:
            arrival.settle(new=arrival in fresh)

    async def _insert(self, together: Sequence[_PendingRequest]) -> list[_PendingRequest]:
        """Insert those that are not there yet, and give them; of two with one id, the first."""
        ids = [arrival.request.id for arrival in together]
        async with self._database.write() as connection:
            known = set((await connection.scalars(select(requests.c.id).where(requests.c.id.in_(ids)))).all())
            new = {arrival.request.id: arrival for arrival in reversed(together)}
            fresh = [arrival for request_id, arrival in new.items() if request_id not in known]
            if fresh:
                await connection.execute(insert(requests), [request_row(arrival.request) for arrival in fresh])
                rows = [item_row(arrival.request.id, p) for arrival in fresh for p in arrival.people]
                if rows:
                    await connection.execute(insert(participants), rows)
            await append_entries(
                connection, [entry for arrival in fresh for entry in request_entries(arrival.request, arrival.people)]
            )
        return fresh
