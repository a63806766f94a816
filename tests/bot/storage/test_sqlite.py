import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.storage.database import Database
from bot.storage.sqlite import AlreadyRunning, SqliteConnection, hold_lock_file
from tests.bot.storage.processes import holding

_A_SENDER = text("INSERT INTO senders (connection, free_at, day, used) VALUES ('support', 0, '', 0)")


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


async def test_two_concurrent_writers_succeed(sqlite: Database) -> None:
    """A transaction that reads first and writes later would fail with `database is locked`."""

    async def count_up() -> None:
        async with sqlite.write() as connection:
            used = await connection.scalar(text("SELECT used FROM senders"))
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE senders SET used = :used"), {"used": used + 1})

    async with sqlite.write() as connection:
        await connection.execute(_A_SENDER)
    await asyncio.gather(*(count_up() for _ in range(10)))
    async with sqlite.read() as connection:
        assert await connection.scalar(text("SELECT used FROM senders")) == 10


async def test_a_reader_does_not_wait_for_a_writer(sqlite: Database) -> None:
    async with sqlite.write() as writer:
        await writer.execute(_A_SENDER)
        async with sqlite.read() as reader:
            assert await reader.scalar(text("SELECT count(*) FROM senders")) == 0
