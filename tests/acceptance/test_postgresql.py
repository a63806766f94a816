from pathlib import Path

from tests.bot.runtime.databases import NewPostgres
from tests.stage import BOB, CHANNEL, stage

RULE = """
[[approvals]]
operations = ["add"]
approvers = ["lead"]
"""


async def test_the_whole_way_works_on_postgresql_too(tmp_path: Path, new_postgres: NewPostgres) -> None:
    async with stage(tmp_path, rules=RULE, storage_url=new_postgres()) as played:
        await played.add("wasend-team +1 415 555 0101, +1 415 555 0102")
        card = await played.button("Approve")
        await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        thread = await played.finished()

        assert "2 of 2 answered" in thread[0]["text"]
        assert len(played.world("wasend").events) == 2
