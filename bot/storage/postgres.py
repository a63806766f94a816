"""PostgreSQL as Rollcall needs it: one process at a time, and a timeout for every wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.sqlite import AlreadyRunning
from bot.tasks import stop

KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
"""How soon this side notices that the server is gone, in seconds (libpq's connection parameters)."""
CHECK_INTERVAL = 5.0
"""Seconds between two checks that the lock is still held."""
LOCK_KEY = 7_265_211_011
"""The key of the advisory lock that a process takes on its database."""
_LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "120s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""How long a session may wait, and how soon the server notices that this side is gone and frees its locks."""

log = structlog.get_logger(__name__)


def set_session_limits(session: Any, _record: object) -> None:
    """Set the limits of a new session; called by SQLAlchemy's `connect` event."""
    cursor = session.cursor()
    for name, value in _LIMITS.items():
        cursor.execute(f"SET {name} = '{value}'")
    cursor.close()
    session.commit()


async def lift_statement_timeout(connection: AsyncConnection) -> None:
    """Remove the statement timeout for this transaction."""
    await connection.execute(text("SET LOCAL statement_timeout = 0"))


@asynccontextmanager
async def hold_advisory_lock(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold a session's advisory lock on the database, and take it again if that session is lost.

    Args:
        engine: opens sessions in autocommit mode.

    Raises:
        AlreadyRunning: another process holds the lock. This can also happen later, if another process takes the lock
            while this one has lost its session; then the block is cancelled.
    """
    lock = _Lock(engine)
    await lock.take()
    block = asyncio.current_task()
    watcher = asyncio.create_task(lock.watch())
    watcher.add_done_callback(lambda task: None if task.cancelled() or block is None else block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if watcher.done():
            watcher.result()
        raise
    finally:
        await stop([watcher])
        await lock.release()


class _Lock:
    """The lock, and the session that holds it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._session: AsyncConnection | None = None

    async def take(self) -> None:
        """Take the lock. Raises `AlreadyRunning`, or `SQLAlchemyError` if the server can't be reached."""
        session = await self._engine.connect()
        try:
            held = await session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY})
        except BaseException:
            await _discard(session)
            raise
        if not held:
            await session.close()
            raise AlreadyRunning("The database of storage.url is in use by another rollcall process; stop it.")
        self._session = session

    async def watch(self) -> None:
        """Check the session at intervals, and take the lock again when the session is lost."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if self._session is not None and await _is_alive(self._session):
                continue
            log.warning("database_lock_lost")
            await self._drop()
            with suppress(SQLAlchemyError, OSError, TimeoutError):  # the next check tries again
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self.take()
                log.info("database_lock_regained")

    async def release(self) -> None:
        """Release the lock."""
        with suppress(SQLAlchemyError):  # the session may be gone, and its lock with it
            if self._session is not None and await _is_alive(self._session):
                await self._session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
        await self._drop()

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await _discard(session)


async def _discard(session: AsyncConnection) -> None:
    """Close a session without contacting the server, which may not answer."""
    with suppress(SQLAlchemyError):
        await session.invalidate()
        await session.close()


async def _is_alive(session: AsyncConnection) -> bool:
    try:
        async with asyncio.timeout(CHECK_INTERVAL):
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True
