import asyncio
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.storage import postgres
from bot.storage.sqlite import AlreadyRunning
from tests.app import approval_rule, running_app
from tests.bot.storage.databases import A_LOCK_WAITS, END_HOLDER, NewPostgres, open_database
from tests.bot.storage.processes import until
from tests.slack_ui import BOB, CHANNEL

TAKE = text("SELECT pg_advisory_lock(:key)").bindparams(key=postgres.LOCK_KEY)

RULE = approval_rule("add")


async def test_a_request_completes_on_postgresql(tmp_path: Path, new_postgres: NewPostgres) -> None:
    async with running_app(tmp_path, rules=RULE, storage_url=new_postgres()) as app:
        await app.add("wasend-team +1 415 555 0101, +1 415 555 0102")
        card = await app.message_with_button("Approve")
        await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        thread = await app.finished()

        assert "2 of 2 processed" in thread[0]["text"]
        assert len(app.world().events) == 2


async def test_a_bot_that_loses_its_lock_to_another_process_ends(
    tmp_path: Path, new_postgres: NewPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "CHECK_INTERVAL", 0.2)
    url = new_postgres()

    async def lose_it() -> None:
        async with (
            open_database(url) as other,
            other.read() as taker,
            other.read() as ender,
            running_app(tmp_path, storage_url=url),
        ):
            taking = asyncio.create_task(taker.execute(TAKE))
            await until(partial(ender.scalar, A_LOCK_WAITS))
            await ender.execute(END_HOLDER)
            await taking
            await asyncio.Event().wait()

    with pytest.raises(AlreadyRunning, match="in use by another rollcall process"):
        async with asyncio.timeout(60):
            await lose_it()
