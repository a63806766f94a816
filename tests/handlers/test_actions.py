"""Buttons that outlive the process that posted them."""

from pathlib import Path

from sandbox.providers.world import Disposition
from tests.app import approval_rule, running_app
from tests.slack_ui import BOB, CAROL, CHANNEL

RULE = approval_rule("add")
QUORUM = approval_rule("add", approvers=["lead", "second"], quorum=2, remind_after="1s")
SECOND = f"""
[roles.second]
members = ["{CAROL}"]
capabilities = ["{{}}"]
"""


async def test_a_click_after_a_restart_counts_and_numbers_can_be_shown_in_full(tmp_path: Path) -> None:
    def show_numbers(text: str) -> str:
        return text.replace("[slack]", '[slack]\nnumbers = "full"')

    async with running_app(tmp_path, rules=RULE, edit=show_numbers) as app:
        app.world().put_person("14155550101", Disposition.NO_ACCOUNT)
        await app.add("wasend-team +1 415 555 0101")
        card = await app.message_with_button("Approve")
        await app.restart(RULE)
        await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        thread = await app.finished()

        assert any("+1 415-555-0101  ❓ not on WhatsApp" in message["text"] for message in thread)


async def test_a_request_keeps_its_rule_and_counts_the_current_roles(tmp_path: Path) -> None:
    async with running_app(tmp_path, rules=SECOND.format("approve") + QUORUM) as app:
        await app.add("wasend-team +1 415 555 0101")
        card = await app.message_with_button("Approve")
        await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        await app.slack.wait_for(lambda: "(1 so far)" in card["text"])

        lax = QUORUM.replace("quorum = 2", "quorum = 1").replace(', "second"', "")
        await app.restart(SECOND.format("groups:read") + lax)
        await app.slack.click(CAROL, CHANNEL, card["ts"], "Approve")
        await app.wait_for_ephemeral(
            CAROL, "Only `lead` or `second` can decide on requests for this group. No eligible approver remains."
        )
        stuck = "No eligible approver remains for 1 approval."
        await app.slack.wait_for(lambda: any(stuck in m["text"] for m in app.slack.messages(CHANNEL)))
        assert "Waiting for approval" in (await app.parent())["text"]
