from pathlib import Path

from tests.app import approval_rule, running_app
from tests.bot.storage.databases import NewPostgres
from tests.slack_ui import BOB, CHANNEL

RULE = approval_rule("add")


async def test_a_request_completes_on_postgresql(tmp_path: Path, new_postgres: NewPostgres) -> None:
    async with running_app(tmp_path, rules=RULE, storage_url=new_postgres()) as app:
        await app.add("wasend-team +1 415 555 0101, +1 415 555 0102")
        card = await app.message_with_button("Approve")
        await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        thread = await app.finished()

        assert "✅ Done: 2 of 2 added." in thread[0]["text"]
        assert len(app.world().events) == 2
