"""The database: one URL, SQLite or PostgreSQL, opened for the journal and named for the engine."""

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
"""Seconds that connections in use have to be given back before the others are closed without them."""


class Database:
    """Where the journal lives. `url` is `sqlite:///path` or `postgresql://…`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._engine = _engine(url, is_sqlite=self.is_sqlite)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turn = asyncio.Lock()
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
        """Where the engine keeps its tables: on SQLite in a file of its own, so that neither waits for the other."""
        return f"sqlite:///{self.file.with_name(f'{self.file.name}.engine')}" if self.file else self.url

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed at the end, and undone when an error leaves the block.

        SQLite has one writer at a time, and who finds it busy looks again after growing pauses: so writers queue here.
        """
        turn = self._turn if self.is_sqlite else nullcontext()
        async with turn, self._connected(self._engine) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for single reads, each of which sees what is committed then."""
        async with self._connected(self._reader) as connection:
            yield connection

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold the database for this process alone: two would run each other's work twice.

        Raises:
            AlreadyRunning: another process holds it; on PostgreSQL also later, see `postgres.only_process`.
        """
        if self.file is not None:
            with hold_lock_file(self.file):
                yield
            return
        async with postgres.hold_advisory_lock(self._reader):
            yield

    async def upgrade(self) -> None:
        """Bring the tables to the newest version; nothing happens where they are already."""
        async with self.write() as connection:
            if not self.is_sqlite:
                await postgres.lift_statement_timeout(connection)
            await connection.run_sync(_migrate)

    async def aclose(self) -> None:
        """Close all connections, those in use as soon as they are given back; no other is opened any more."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._unused.wait()
        await self._engine.dispose()

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Take a connection from the pool, and give it back also when whoever wants it is cancelled while it is opened.

        SQLAlchemy loses such a one: the pool would be one connection poorer, for good.
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
    """Make the engine; its errors do not show the parameters of a statement, which are people's phone numbers."""
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
    """Take SQLite's write lock at the start: a transaction that asks for it half way can only fail."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    attributes: dict[str, Any] = config.attributes
    attributes["connection"] = connection
    command.upgrade(config, "head")
