"""The database: one URL, SQLite or PostgreSQL, for Rollcall's own tables and the engine's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from functools import cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Integer, Table, create_engine, event, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.dml import ReturningInsert

from bot.storage import postgres
from bot.storage.group_commit import GroupCommit
from bot.storage.sqlite import SqliteConnection, hold_lock_file

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for work in progress before the database closes without it."""
THREADS = 5
"""The threads that read, and that write to PostgreSQL; each uses one connection at a time."""

_HIDE = True
"""Errors hide the parameters of a statement, which are people's phone numbers."""

P = ParamSpec("P")
S = TypeVar("S", bound="Store")
T = TypeVar("T")


class Database:
    """The database at `url`: `sqlite:///path` or `postgresql://…`.

    Work with it is a function of a connection, which runs in a thread as a whole: a hop between threads for every
    statement costs several times as much as the statement. The function must only use its connection, and return
    values that don't need it.

    Attributes:
        url: where it is.
        is_sqlite: whether it is a SQLite file.
        replica: the id under which this process takes part; empty on SQLite, and for processes that do no work.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.replica = ""
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self._engine, self._reader = (
                _sqlite_writer(url),
                _sqlite(url, pool_size=THREADS, isolation_level="AUTOCOMMIT"),
            )
        else:
            self._engine = _postgres(url)
            self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(THREADS, "rollcall-database")
        self._group_commit = GroupCommit(self._engine) if self.is_sqlite else None
        self._unfinished: set[Future[Any]] = set()
        self._closed = False

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for PostgreSQL."""
        return Path(self.url.removeprefix("sqlite:///")) if self.is_sqlite else None

    @property
    def engine_url(self) -> str:
        """The database of the engine's tables: on SQLite a file of its own, so that neither waits for the other."""
        return f"sqlite:///{self.file.with_name(f'{self.file.name}.engine')}" if self.file else self.url

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction, and return its result once it is committed. An error rolls it back.

        If the caller is cancelled, work that has begun is still committed.

        Raises:
            ReplicaFenced: another replica has taken over this one's work; nothing is written.
        """
        if self._group_commit is not None:
            return await self._finished(self._group_commit.submit, work)
        return await self._finished(self._threads.submit, self._transaction, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, each of whose reads sees what is committed at that time, and return its result."""
        return await self._finished(self._threads.submit, self._single_reads, work)

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
        await self.write(_migrate)

    async def aclose(self) -> None:
        """Close the database when the work in progress has ended. No other can begin."""
        self._closed = True
        if unfinished := [asyncio.wrap_future(future) for future in tuple(self._unfinished)]:
            await asyncio.wait(unfinished, timeout=CLOSE_TIMEOUT)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._group_commit is not None:
            self._group_commit.close()
        self._engine.dispose()
        self._reader.dispose()

    async def _finished(self, submit: Callable[P, Future[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise InvalidRequestError("The database is closed.")
        future = submit(*args, **kwargs)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return await asyncio.wrap_future(future)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            if self.replica:
                postgres.require_unfenced(connection, self.replica)
            return work(connection)

    def _single_reads(self, work: Callable[[Connection], T]) -> T:
        with self._reader.connect() as connection:
            return work(connection)


class Store:
    """A part of the database. Each method that `reads` or `writes` is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database


def reads(method: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Run a store's method in a thread, with a connection for single reads (`Database.read`)."""

    @wraps(method)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read(lambda connection: method(self, connection, *args, **kwargs))

    return run


def writes(method: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Run a store's method in a thread, in a transaction (`Database.write`)."""

    @wraps(method)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.write(lambda connection: method(self, connection, *args, **kwargs))

    return run


def insert_if_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row. Return False, and change nothing, if there is a row with the same key."""
    return connection.execute(_insertion(table, connection.dialect.name), values).first() is not None


@cache
def _insertion(table: Table, dialect: str) -> ReturningInsert[tuple[int]]:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing().returning(literal_column("1", Integer))


def _postgres(url: str) -> Engine:
    driver_url = "postgresql+psycopg://" + url.split("://", 1)[1]
    engine = create_engine(
        driver_url, pool_size=THREADS, connect_args=postgres.KEEPALIVE, pool_pre_ping=True, hide_parameters=_HIDE
    )
    event.listen(engine, "connect", postgres.set_session_limits)
    return engine


def _sqlite(url: str, **options: Any) -> Engine:
    driver = {"factory": SqliteConnection, "isolation_level": None, "check_same_thread": False}
    return create_engine(url, connect_args=driver, hide_parameters=_HIDE, **options)


def _sqlite_writer(url: str) -> Engine:
    """Build the engine of transactions: they take the write lock first, since one that takes it later can only fail."""
    engine = _sqlite(url, pool_size=1)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        postgres.begin_upgrade(connection)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    attributes: dict[str, Any] = config.attributes
    attributes["connection"] = connection
    command.upgrade(config, "head")
