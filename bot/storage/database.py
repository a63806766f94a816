"""The database: one URL, SQLite or PostgreSQL, for Rollcall's own tables and the engine's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.storage import postgres
from bot.storage.sqlite import SqliteConnection, hold_lock_file

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for connections in use before the database closes without them."""


class Database:
    """The database at `url`: `sqlite:///path` or `postgresql://…`.

    Attributes:
        url: where it is.
        is_sqlite: whether it is a SQLite file.
        replica: the id under which this process takes part; empty on SQLite, and for processes that do no work.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.replica = ""
        self.is_sqlite = url.startswith("sqlite")
        self._engine = _engine(url, is_sqlite=self.is_sqlite)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._write_lock = asyncio.Lock()
        self._used = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._closed = False

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for PostgreSQL."""
        return Path(self.url.removeprefix("sqlite:///")) if self.is_sqlite else None

    @property
    def engine_url(self) -> str:
        """The database of the engine's tables: on SQLite a file of its own, so that neither waits for the other."""
        return f"sqlite:///{self.file.with_name(f'{self.file.name}.engine')}" if self.file else self.url

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits at the end of the block, and rolls back on an error.

        SQLite has one writer at a time, and a waiting writer polls after growing pauses. So writers queue here.

        Raises:
            ReplicaFenced: another replica has taken over this one's work; nothing is written.
        """
        lock = self._write_lock if self.is_sqlite else nullcontext()
        async with lock, self._connected(self._engine) as connection, connection.begin():
            if self.replica:
                await postgres.require_unfenced(connection, self.replica)
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for single reads, each of which sees what is committed at that time."""
        async with self._connected(self._reader) as connection:
            yield connection

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Reserve a SQLite file for this process: two processes would both run the same work.

        On PostgreSQL any number of processes take part (`bot.execution.takeover`).

        Raises:
            AlreadyRunning: another process holds the file.
        """
        with nullcontext() if self.file is None else hold_lock_file(self.file):
            yield

    async def upgrade(self) -> None:
        """Migrate the tables to the newest version, if they aren't there yet."""
        async with self.write() as connection:
            if not self.is_sqlite:
                await postgres.begin_upgrade(connection)
            await connection.run_sync(_migrate)

    async def aclose(self) -> None:
        """Close all connections, those in use when they are returned. No connection can be opened afterwards."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._unused.wait()
        await self._engine.dispose()

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Take a connection from the pool, and return it even if the caller is cancelled while it is being opened.

        SQLAlchemy would lose such a connection, and the pool would be smaller from then on.
        """
        if self._closed:
            raise InvalidRequestError("The database is closed.")
        connection = engine.connect()
        self._used += 1
        self._unused.clear()
        opening = asyncio.ensure_future(_open(connection))
        try:
            await asyncio.shield(opening)
            yield connection
        finally:
            closing = asyncio.ensure_future(self._close(opening, connection))
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                await closing
                raise

    async def _close(self, opening: asyncio.Future[None], connection: AsyncConnection) -> None:
        await asyncio.wait([opening])
        try:
            if opening.exception() is None:
                await connection.close()
        finally:
            self._used -= 1
            if not self._used:
                self._unused.set()


async def _open(connection: AsyncConnection) -> None:
    await connection.start()


def _engine(url: str, *, is_sqlite: bool) -> AsyncEngine:
    """Build the engine. Its errors hide the parameters of a statement, which are people's phone numbers."""
    if not is_sqlite:
        driver_url = "postgresql+psycopg://" + url.split("://", 1)[1]
        server = create_async_engine(
            driver_url, pool_size=5, connect_args=postgres.KEEPALIVE, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(server.sync_engine, "connect", postgres.set_session_limits)
        return server
    engine = create_async_engine(
        "sqlite+aiosqlite:///" + url.removeprefix("sqlite:///"),
        connect_args={"factory": SqliteConnection, "isolation_level": None},
        pool_size=5,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _begin_immediate(connection: SyncConnection) -> None:
    """Take SQLite's write lock at the start: a transaction that takes it later can only fail."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    attributes: dict[str, Any] = config.attributes
    attributes["connection"] = connection
    command.upgrade(config, "head")
