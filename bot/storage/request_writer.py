"""New requests, written in groups: those that arrive during one commit share the next one."""

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
        """Return the result to the caller, unless it was cancelled."""
        if not self.written.done():
            self.written.set_result(new)

    def fail(self, error: Exception) -> None:
        """Raise the error in the caller, unless it was cancelled."""
        if not self.written.done():
            self.written.set_exception(error)


class RequestWriter:
    """Writes new requests for `RequestStore`. A burst of commands needs few commits, so each is acknowledged sooner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_PendingRequest] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, request: Request, people: Sequence[RequestItem]) -> bool:
        """Write a request and its people; they are durable on return. Return False if the request exists already."""
        pending = _PendingRequest(request, people, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return await pending.written

    async def _write_waiting(self) -> None:
        batch: list[_PendingRequest] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        except BaseException as error:
            for pending in [*batch, *self._waiting]:
                pending.fail(RuntimeError(f"the request was not written ({type(error).__name__})"))
            self._waiting = []
            raise
        finally:
            self._writer = None

    async def _write(self, batch: Sequence[_PendingRequest]) -> None:
        """Write requests in one transaction. If it fails, write each in its own, so that none affects another."""
        try:
            fresh = await self._insert(batch)
        except SQLAlchemyError as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
            for pending in batch:
                await self._write([pending])
            return
        for pending in batch:
            pending.settle(new=pending in fresh)

    async def _insert(self, batch: Sequence[_PendingRequest]) -> list[_PendingRequest]:
        """Insert the requests that don't exist yet, and return them; of two with one id, the first."""
        ids = [pending.request.id for pending in batch]
        async with self._database.write() as connection:
            known = set((await connection.scalars(select(requests.c.id).where(requests.c.id.in_(ids)))).all())
            new = {pending.request.id: pending for pending in reversed(batch)}
            fresh = [pending for request_id, pending in new.items() if request_id not in known]
            if fresh:
                await connection.execute(insert(requests), [request_row(pending.request) for pending in fresh])
                rows = [item_row(pending.request.id, p) for pending in fresh for p in pending.people]
                if rows:
                    await connection.execute(insert(participants), rows)
            await append_entries(
                connection, [entry for pending in fresh for entry in request_entries(pending.request, pending.people)]
            )
        return fresh
