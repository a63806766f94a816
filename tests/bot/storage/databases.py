"""The databases that the tests run on: a SQLite file, and a database of the real PostgreSQL."""

import asyncio
import itertools
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from bot.storage.database import Database
from bot.storage.tables import metadata

A_SENDER = "INSERT INTO senders (connection, free_at, day, used) VALUES ('support', 1.5, '2030-01-01', 7)"
NewPostgres = Callable[[], str]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_postgres(postgres_url: str) -> NewPostgres:
    """Creates an empty database on the server and returns its URL."""

    def make() -> str:
        name = f"test_{next(_numbers)}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return postgres_url.replace("@/postgres?", f"@/{name}?")

    return make


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that doesn't exist yet."""
    return f"sqlite:///{tmp_path}/rollcall.db"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    make: NewPostgres = request.getfixturevalue("new_postgres")
    return make()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all the tables, to be copied: faster than migrating for each test."""
    file = tmp_path_factory.mktemp("template") / "rollcall.db"
    asyncio.run(_upgrade(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def _postgres_with_tables(new_postgres: NewPostgres) -> str:
    """A PostgreSQL database with all the tables, emptied for each test."""
    url = new_postgres()
    asyncio.run(_upgrade(url))
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database of either kind, with all its tables, and nothing in them."""
    database: Database = request.getfixturevalue(request.param)
    return database


@pytest.fixture
async def sqlite(_sqlite_template: Path, sqlite_url: str) -> AsyncIterator[Database]:
    """A SQLite database with all its tables."""
    shutil.copy(_sqlite_template, sqlite_url.removeprefix("sqlite:///"))
    async with open_database(sqlite_url) as database:
        yield database


@pytest.fixture
async def postgres(_postgres_with_tables: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with all its tables."""
    async with open_database(_postgres_with_tables) as database:
        await run(database, "TRUNCATE " + ", ".join(metadata.tables))
        yield database


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open a database, and close it again."""
    database = Database(url)
    try:
        yield database
    finally:
        await database.aclose()


async def run(database: Database, *statements: str) -> None:
    """Run statements in one transaction."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    await database.write(work)


@asynccontextmanager
async def open_transaction(database: Database, first: str = "SELECT 1", last: str = "SELECT 1") -> AsyncIterator[None]:
    """Keep a transaction open during the block: run a statement at its start, and one before its end."""
    begun, end = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(text(first))
        begun.set()
        end.wait(4)
        connection.execute(text(last))

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait, 10)
    try:
        yield
    finally:
        end.set()
        await writing


async def scalar(database: Database, statement: str) -> Any:
    """Return the first value that a statement finds."""
    return await database.read(lambda connection: connection.scalar(text(statement)))


async def _upgrade(url: str) -> None:
    async with open_database(url) as database:
        await database.upgrade()
