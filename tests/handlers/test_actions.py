"""Buttons that outlive the process that posted them."""

from pathlib import Path

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import Settings, load
from sandbox.sandbox import serve_sandbox
from tests.stage import BOB, CAROL, CHANNEL, Stage

RULE = """
[[approvals]]
operations = ["add"]
approvers = ["lead"]
"""


async def test_a_click_after_a_restart_counts_and_numbers_are_full_where_the_settings_say_so(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        written = played.config(f"sqlite:///{tmp_path}/rollcall.db", rules=RULE)
        config = tmp_path / "rollcall.toml"
        config.write_text(written.replace("[slack]", '[slack]\nnumbers = "full"'))
        settings = load(config, played.environment())
        async with bootstrap.running(settings) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            stage = Stage(played, url, tmp_path)
            await stage.add("wasend-team +1 415 555 0101")
            card = await stage.button("Approve")
        async with bootstrap.running(settings) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
            thread = await stage.finished()

        assert any("+1 415-555-0101  ✅ added" in message["text"] for message in thread)


async def test_a_request_keeps_its_rule_and_counts_the_roles_as_they_are(tmp_path: Path) -> None:
    rule = """
    [[approvals]]
    operations = ["add"]
    approvers = ["lead", "second"]
    quorum = 2
    remind_after = "1s"
    """
    second = f"""
    [roles.second]
    members = ["{CAROL}"]
    capabilities = ["{{}}"]
    """
    config = tmp_path / "rollcall.toml"
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        storage = f"sqlite:///{tmp_path}/rollcall.db"

        def settings(rules: str) -> Settings:
            config.write_text(played.config(storage, rules=rules))
            return load(config, played.environment())

        async with bootstrap.running(settings(second.format("approve") + rule)) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            stage = Stage(played, url, tmp_path)
            await stage.add("wasend-team +1 415 555 0101")
            card = await stage.button("Approve")
            await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
            await played.slack.wait_for(lambda: "(1 so far)" in card["text"])
        lax = rule.replace("quorum = 2", "quorum = 1").replace(', "second"', "")
        async with bootstrap.running(settings(second.format("groups:read") + lax)) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            await played.slack.click(CAROL, CHANNEL, card["ts"], "Approve")
            await stage.hears(
                CAROL, "Only `lead` or `second` can decide on requests for this group. No eligible approver remains."
            )
            stuck = "No eligible approver remains for 1 approval."
            await played.slack.wait_for(lambda: any(stuck in m["text"] for m in played.slack.messages(CHANNEL)))
            assert "Waiting for approval" in (await stage.parent())["text"]
            assert played.slack.oddities == []
