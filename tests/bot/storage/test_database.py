import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError

import bot.storage.postgres
from bot.storage.database import Database
from bot.storage.tables import metadata
from tests.bot.storage.databases import NewPostgres, open_database

_A_SENDER = text("INSERT INTO senders (connection, free_at, day, used) VALUES ('support', 1.5, '2030-01-01', 7)")


def _differences(connection: SyncConnection) -> list[object]:
    # On SQLite alembic cannot compare an empty default: it reads '' back as two quotes.
    defaults = connection.dialect.name == "postgresql"
    options = {"version_table": "rollcall_version", "compare_type": True, "compare_server_default": defaults}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_the_migrations_create_the_tables_of_the_code(empty_url: str) -> None:
    async with open_database(empty_url) as database:
        await database.upgrade()
        async with database.read() as connection:
            assert await connection.run_sync(_differences) == []


async def test_a_table_or_column_without_a_migration_is_noticed(sqlite: Database) -> None:
    async with sqlite.write() as connection:
        await connection.execute(text("DROP TABLE postings"))
        await connection.execute(text("ALTER TABLE senders ADD COLUMN more TEXT"))
    async with sqlite.read() as connection:
        assert len(await connection.run_sync(_differences)) == 2


async def test_an_upgrade_keeps_the_data(empty_url: str) -> None:
    async with open_database(empty_url) as database:
        await database.upgrade()
        async with database.write() as connection:
            await connection.execute(_A_SENDER)
    async with open_database(empty_url) as database:
        await database.upgrade()
        async with database.read() as connection:
            assert await connection.scalar(text("SELECT used FROM senders")) == 7


async def test_an_error_rolls_back_the_transaction(database: Database) -> None:
    async def write_twice() -> None:
        async with database.write() as connection:
            await connection.execute(_A_SENDER)
            await connection.execute(_A_SENDER)

    with pytest.raises(DBAPIError):
        await write_twice()
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM senders")) == 0


async def test_a_statement_error_hides_its_parameters(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("INSERT INTO nowhere VALUES (:phone)"), {"phone": "+14155550100"})
    assert "4155550100" not in str(caught.value)


async def test_processes_that_start_together_migrate_one_after_another(new_postgres: NewPostgres) -> None:
    url = new_postgres()
    async with open_database(url) as one, open_database(url) as other:
        await asyncio.gather(one.upgrade(), other.upgrade())
        async with other.read() as connection:
            assert await connection.run_sync(_differences) == []


async def test_a_statement_that_waits_for_a_lock_ends(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = bot.storage.postgres._LIMITS | {"lock_timeout": "200ms"}
    monkeypatch.setattr(bot.storage.postgres, "_LIMITS", limits)
    async with open_database(postgres.url) as impatient, postgres.write() as connection:
        await connection.execute(text("LOCK TABLE requests"))
        with pytest.raises(OperationalError, match="lock timeout"):
            async with impatient.read() as reading:
                await reading.execute(text("SELECT count(*) FROM requests"))


async def test_a_cancelled_task_returns_its_connection(database: Database) -> None:
    async def use() -> None:
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))

    await use()
    for steps in range(40):
        task = asyncio.create_task(use())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert database._engine.sync_engine.pool.status().endswith("Current Checked out connections: 0"), steps


async def test_closing_waits_for_a_connection_that_is_in_use(empty_url: str) -> None:
    database = Database(empty_url)
    inside, leave = asyncio.Event(), asyncio.Event()

    async def use() -> None:
        async with database.read() as connection:
            inside.set()
            await leave.wait()
            assert await connection.scalar(text("SELECT 1")) == 1

    using = asyncio.create_task(use())
    await inside.wait()
    closing = asyncio.create_task(database.aclose())
    closed, _ = await asyncio.wait([closing], timeout=0.2)
    assert not closed
    leave.set()
    await closing
    await using


async def test_a_closed_database_is_not_opened_again(database: Database) -> None:
    await database.aclose()
    with pytest.raises(InvalidRequestError):
        async with database.read():
            pass
