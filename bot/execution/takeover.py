"""Replicas on PostgreSQL: each renews its row, and takes over the work of those that no longer do."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.execution.engine import Engine
from bot.storage.database import Database
from bot.storage.postgres import ReplicaFenced
from bot.storage.replicas import Replica, Replicas
from bot.tasks import background, stop

LEASE = 6.0
"""Seconds without a renewal after which a replica is fenced. The others count them from when they first see the row."""
INTERVAL = 1.0
"""Seconds between two renewals, and between two looks at the other replicas."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def place(database: Database) -> AsyncIterator[None]:
    """Take part as a replica while the block runs. On SQLite there is one process, and nothing to do.

    The renewals have connections of their own, so that they wait for no other work.

    Raises:
        ReplicaFenced: the row was not renewed in time, and another replica takes over. The block is cancelled.
    """
    if database.is_sqlite:
        yield
        return
    own = Database(database.url)
    replicas, replica = Replicas(own), f"{socket.gethostname()[:60]}-{uuid.uuid4().hex[:12]}"
    try:
        await replicas.join(replica)
        database.replica = replica
        async with _cancelled_when_fenced(_renew(replicas, replica)):
            yield
    finally:
        with suppress(SQLAlchemyError, OSError, TimeoutError):  # otherwise the others notice by themselves
            async with asyncio.timeout(INTERVAL):
                await replicas.leave(replica)
        await own.aclose()


@asynccontextmanager
async def _cancelled_when_fenced(renewing: asyncio.Task[None]) -> AsyncIterator[None]:
    block = asyncio.current_task()
    renewing.add_done_callback(lambda task: None if task.cancelled() or block is None else block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if renewing.done():
            renewing.result()
        raise
    finally:
        await stop([renewing])


def _renew(replicas: Replicas, replica: str) -> asyncio.Task[None]:
    async def renew() -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                async with asyncio.timeout(LEASE / 2):
                    renewed = await replicas.renew(replica)
            except (SQLAlchemyError, OSError, TimeoutError):
                log.warning("replica_not_renewed", replica=replica, exc_info=True)
                continue
            if not renewed:
                raise ReplicaFenced(f"Another replica has taken over the work of {replica}.")

    return asyncio.create_task(renew())


class Takeover:
    """Takes over the work of replicas that no longer run.

    Args:
        database: the database of this replica.
        engine: runs the work.
        clock: returns the time in seconds, on any scale.
    """

    def __init__(self, database: Database, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._replicas = Replicas(database)
        self._engine = engine
        self._clock = clock
        self._seen: dict[Replica, float] = {}

    def running(self) -> AbstractAsyncContextManager[None]:
        """Look at the other replicas while the block runs. On SQLite there are none."""
        return background(self._run())

    async def scan(self) -> None:
        """Fence the replicas that haven't renewed their row for `LEASE`, and recover the work of all fenced ones."""
        others = await self._replicas.others(self._database.replica)
        now = self._clock()
        self._seen = {r: self._seen.get(r, now) for r in others if not r.fenced}
        for replica in [r for r, since in self._seen.items() if now - since >= LEASE]:
            if await self._replicas.fence(replica):
                log.warning("replica_fenced", replica=replica.id)
        gone = await self._replicas.gone_with_work()
        if gone and (workflows := await self._engine.recover(gone)):
            log.warning("work_taken_over", replicas=gone, workflows=workflows)

    async def _run(self) -> None:
        while self._database.replica:
            try:
                await self.scan()
            except (SQLAlchemyError, OSError, TimeoutError, ReplicaFenced):
                log.warning("replicas_not_read", exc_info=True)
            await asyncio.sleep(INTERVAL)
