"""PostgreSQL as Rollcall needs it: one process at a time, and an end to every wait."""

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
"""How soon this side notices a server that is gone, in seconds (libpq's connection parameters)."""
CHECK_INTERVAL = 5.0
"""Seconds between two looks whether the lock is still held."""
LOCK_KEY = 7_265_211_011
"""The key of the advisory lock by which one process holds a database."""
_LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "120s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""How long a session may take, and how soon the server notices that this side is gone, and frees its locks."""

log = structlog.get_logger(__name__)


def set_session_limits(session: Any, _record: object) -> None:
    """Give a new session its limits; what SQLAlchemy's `connect` event calls."""
    cursor = session.cursor()
    for name, value in _LIMITS.items():
        cursor.execute(f"SET {name} = '{value}'")
    cursor.close()
    session.commit()


async def lift_statement_timeout(connection: AsyncConnection) -> None:
    """Let the statements of this transaction take as long as they need."""
    await connection.execute(text("SET LOCAL statement_timeout = 0"))


@asynccontextmanager
async def hold_advisory_lock(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the database by a session's advisory lock, and take it again where that session is lost.

    Args:
        engine: gives sessions that commit by themselves.

    Raises:
        AlreadyRunning: another process holds it; also later, then the block is cancelled, where another has taken it
            while this one had lost its session.
    """
    lock = _Lock(engine)
    await lock.take()
    block = asyncio.current_task()
    watching = asyncio.create_task(lock.watch())
    watching.add_done_callback(lambda task: None if task.cancelled() or block is None else block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if watching.done():
            watching.result()
        raise
    finally:
        await stop([watching])
        await lock.free()


class _Lock:
    """The lock, and the session that has it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._session: AsyncConnection | None = None

    async def take(self) -> None:
        """Take the lock. Raises `AlreadyRunning`, and `SQLAlchemyError` where the server cannot be reached."""
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
        """Look again and again whether the session lives, and take the lock again where it does not."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if self._session is not None and await _lives(self._session):
                continue
            log.warning("database_lock_lost")
            await self._drop()
            with suppress(SQLAlchemyError, OSError, TimeoutError):  # the next look tries again
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self.take()
                log.info("database_lock_taken_again")

    async def free(self) -> None:
        """Give the lock back."""
        with suppress(SQLAlchemyError):  # the session may be gone, and its lock with it
            if self._session is not None and await _lives(self._session):
                await self._session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
        await self._drop()

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await _discard(session)


async def _discard(session: AsyncConnection) -> None:
    """End a session without a word to the server, which may not answer."""
    with suppress(SQLAlchemyError):
        await session.invalidate()
        await session.close()


async def _lives(session: AsyncConnection) -> bool:
    try:
        async with asyncio.timeout(CHECK_INTERVAL):
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True
