"""Buttons that outlive the process that posted them."""

from pathlib import Path

from bot import app
from bot.manifest import BOT_SCOPES
from bot.settings import load
from sandbox.scene import scene
from tests.stage import BOB, CHANNEL, Stage

RULE = """
[[approvals]]
operations = ["add"]
approvers = ["lead"]
"""


async def test_a_click_after_a_restart_counts_and_numbers_are_full_where_the_settings_say_so(tmp_path: Path) -> None:
    async with scene(["wasend"], scopes=BOT_SCOPES) as played:
        written = played.config(f"sqlite:///{tmp_path}/rollcall.db", rules=RULE)
        config = tmp_path / "rollcall.toml"
        config.write_text(written.replace("[slack]", '[slack]\nnumbers = "full"'))
        settings = load(config, played.environment())
        async with app.running(settings) as url:
            played.slack.request_url = f"{url}/slack/events"
            stage = Stage(played, url, tmp_path)
            await stage.add("wasend-team +1 415 555 0101")
            card = await stage.button("Approve")
        async with app.running(settings) as url:
            played.slack.request_url = f"{url}/slack/events"
            await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
            thread = await stage.finished()

        assert any("+1 415-555-0101  ✅ added" in message["text"] for message in thread)
