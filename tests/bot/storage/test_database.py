import asyncio
from contextlib import suppress

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError

import bot.storage.database
import bot.storage.postgres
from bot.storage.database import Database
from bot.storage.tables import metadata
from tests.bot.storage.databases import A_SENDER, NewPostgres, open_database, open_transaction, run, scalar


def _differences(connection: Connection) -> list[object]:
    # On SQLite alembic cannot compare an empty default: it reads '' back as two quotes.
    defaults = connection.dialect.name == "postgresql"
    options = {"version_table": "rollcall_version", "compare_type": True, "compare_server_default": defaults}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_the_migrations_create_the_tables_of_the_code(empty_url: str) -> None:
    async with open_database(empty_url) as database:
        await database.upgrade()
        assert await database.read(_differences) == []


async def test_a_table_or_column_without_a_migration_is_noticed(sqlite: Database) -> None:
    await run(sqlite, "DROP TABLE postings", "ALTER TABLE senders ADD COLUMN more TEXT")
    assert len(await sqlite.read(_differences)) == 2


async def test_an_upgrade_keeps_the_data(empty_url: str) -> None:
    async with open_database(empty_url) as database:
        await database.upgrade()
        await run(database, A_SENDER)
    async with open_database(empty_url) as database:
        await database.upgrade()
        assert await scalar(database, "SELECT used FROM senders") == 7


async def test_an_error_rolls_back_the_transaction(database: Database) -> None:
    with pytest.raises(DBAPIError):
        await run(database, A_SENDER, A_SENDER)
    assert await scalar(database, "SELECT count(*) FROM senders") == 0


async def test_transactions_that_wait_together_succeed_or_fail_alone(database: Database) -> None:
    good = "INSERT INTO replicas (id, seen_at) VALUES ('{}', 0)"
    statements = [good.format(number) for number in range(20)]
    statements[3] = statements[5] = "INSERT INTO replicas (id) VALUES ('incomplete')"
    async with open_transaction(database):
        writing = [asyncio.create_task(run(database, statement)) for statement in statements]
        await asyncio.sleep(0)
    results = await asyncio.gather(*writing, return_exceptions=True)
    assert [isinstance(result, DBAPIError) for result in results] == [number in {3, 5} for number in range(20)]
    assert await scalar(database, "SELECT count(*) FROM replicas") == 18


async def test_transactions_that_wait_together_share_a_commit(sqlite: Database) -> None:
    commits: list[object] = []
    event.listen(sqlite._engine, "commit", commits.append)
    async with open_transaction(sqlite):
        writing = [asyncio.create_task(run(sqlite, "SELECT 1")) for _ in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    assert len(commits) == 2


async def test_a_full_disk_fails_every_transaction_of_a_group(sqlite: Database) -> None:
    large = "INSERT INTO drafts (id, at, body) VALUES ('large', 0, hex(zeroblob(10000000)))"
    async with open_transaction(sqlite, first="PRAGMA max_page_count = 1"):
        writing = [asyncio.create_task(run(sqlite, statement)) for statement in (A_SENDER, large, "SELECT 1")]
        await asyncio.sleep(0)
    results = await asyncio.gather(*writing, return_exceptions=True)
    assert all(isinstance(result, OperationalError) for result in results)
    assert await scalar(sqlite, "SELECT count(*) FROM senders") == 0


async def test_a_waiting_transaction_of_a_closed_database_is_cancelled(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.storage.database, "CLOSE_TIMEOUT", 0.1)
    async with open_transaction(sqlite):
        writing = asyncio.create_task(run(sqlite, A_SENDER))
        await asyncio.sleep(0)
        await sqlite.aclose()
        with pytest.raises(asyncio.CancelledError):
            await writing


async def test_a_statement_error_hides_its_parameters(database: Database) -> None:
    statement = text("INSERT INTO nowhere VALUES (:phone)")
    with pytest.raises(DBAPIError) as caught:
        await database.read(lambda connection: connection.execute(statement, {"phone": "+14155550100"}))
    assert "4155550100" not in str(caught.value)


async def test_processes_that_start_together_migrate_one_after_another(new_postgres: NewPostgres) -> None:
    url = new_postgres()
    async with open_database(url) as one, open_database(url) as other:
        await asyncio.gather(one.upgrade(), other.upgrade())
        assert await other.read(_differences) == []


async def test_a_statement_that_waits_for_a_lock_ends(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = bot.storage.postgres._LIMITS | {"lock_timeout": "200ms"}
    monkeypatch.setattr(bot.storage.postgres, "_LIMITS", limits)
    async with open_database(postgres.url) as impatient, open_transaction(postgres, first="LOCK TABLE requests"):
        with pytest.raises(OperationalError, match="lock timeout"):
            await scalar(impatient, "SELECT count(*) FROM requests")


async def test_a_cancelled_transaction_that_has_begun_is_committed(database: Database) -> None:
    with suppress(asyncio.CancelledError):
        async with open_transaction(database, last=A_SENDER):
            (writing,) = [task for task in asyncio.all_tasks() if "Database.write" in repr(task.get_coro())]
            writing.cancel()
    await database.aclose()
    assert database._engine.pool.status().endswith("Current Checked out connections: 0")
    async with open_database(database.url) as again:
        assert await scalar(again, "SELECT count(*) FROM senders") == 1


async def test_closing_waits_for_work_in_progress(empty_url: str) -> None:
    database = Database(empty_url)
    async with open_transaction(database):
        closing = asyncio.create_task(database.aclose())
        closed, _ = await asyncio.wait([closing], timeout=0.2)
        assert not closed
    await closing


async def test_a_closed_database_is_not_opened_again(database: Database) -> None:
    await database.aclose()
    with pytest.raises(InvalidRequestError):
        await scalar(database, "SELECT 1")
