import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.storage.database import Database
from bot.storage.sqlite import AlreadyRunning, SqliteConnection, hold_lock_file
from tests.bot.storage.databases import A_SENDER, open_database, open_transaction, run, scalar
from tests.bot.storage.processes import holding


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rollcall.db"


async def test_a_second_process_is_refused_with_the_pid_of_the_first(file: Path) -> None:
    async with holding(f"sqlite:///{file}") as holder:
        with pytest.raises(AlreadyRunning, match=rf"rollcall\.db is in use .*pid {holder.pid}\)"), hold_lock_file(file):
            pass


async def test_a_killed_process_frees_the_database(file: Path) -> None:
    async with holding(f"sqlite:///{file}") as holder:
        holder.kill()
        await holder.wait()
        with hold_lock_file(file):
            pass


def test_the_database_is_free_when_its_holder_ends(file: Path) -> None:
    for _ in range(2):
        with hold_lock_file(file):
            pass


async def test_each_database_has_its_own_lock_file(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    async with database.hold():
        with pytest.raises(AlreadyRunning), hold_lock_file(file):
            pass
    with hold_lock_file(file):
        pass
    await database.aclose()


def test_every_connection_is_durable_at_each_commit(file: Path) -> None:
    connection = sqlite3.connect(file, factory=SqliteConnection)
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    connection.close()


def test_the_clock_is_finer_than_a_second(file: Path) -> None:
    connection = sqlite3.connect(file, factory=SqliteConnection)
    before = time.time()
    [fine] = connection.execute("SELECT unixepoch('subsec')").fetchone()
    [whole, text_] = connection.execute("SELECT unixepoch(), strftime('%s', 'now')").fetchone()
    assert before <= fine <= time.time()
    assert isinstance(fine, float)
    assert int(before) <= whole <= int(time.time())
    assert int(before) <= int(text_) <= int(time.time())
    connection.close()


def test_an_unexpected_clock_pattern_is_refused(file: Path) -> None:
    connection = sqlite3.connect(file, factory=SqliteConnection)
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT strftime('%Y', 'now')").fetchone()
    connection.close()


async def test_two_processes_that_write_succeed(sqlite: Database) -> None:
    """A transaction that reads first and writes later would fail with `database is locked`."""

    def count_up(connection: Connection) -> None:
        used = connection.scalar(text("SELECT used FROM senders")) or 0
        connection.execute(text("UPDATE senders SET used = :used"), {"used": used + 1})

    await run(sqlite, A_SENDER)
    async with open_database(sqlite.url) as other:
        await asyncio.gather(*(database.write(count_up) for database in [sqlite, other] * 10))
    assert await scalar(sqlite, "SELECT used FROM senders") == 27


async def test_a_reader_does_not_wait_for_a_writer(sqlite: Database) -> None:
    async with open_transaction(sqlite, first=A_SENDER):
        assert await scalar(sqlite, "SELECT count(*) FROM senders") == 0
