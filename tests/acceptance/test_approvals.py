import asyncio
from pathlib import Path

from sandbox.slack.delivery import Ack
from tests.stage import ALICE, BOB, CAROL, CHANNEL, DAVE, stage

RULE = """
[[approvals]]
operations = ["add"]
groups = ["wasend-*"]
min_participants = 2
approvers = ["lead"]
"""
TWO = "wasend-team +1 415 555 0101, +1 415 555 0102"


async def test_an_approved_request_is_carried_out(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add(TWO)
        card = await played.button("Approve")
        assert played.world("wasend").events == []

        await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
        thread = await played.finished()

        assert "approval by `lead`" in played.told(ALICE)
        assert any(f"<@{BOB}> approved" in str(message["blocks"]) for message in thread[1:])
        assert len(played.world("wasend").events) == 2


async def test_a_small_request_needs_no_approval(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add("wasend-team +1 415 555 0101")
        await played.finished()


async def test_nobody_approves_their_own_request_nor_without_the_role(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add(TWO)
        card = await played.button("Approve")

        await played.slack.click(ALICE, CHANNEL, card["ts"], "Approve")
        await played.hears(ALICE, "somebody else has to decide")
        await played.slack.click(CAROL, CHANNEL, card["ts"], "Approve")
        await played.hears(CAROL, "Only `lead` can decide")
        assert played.world("wasend").events == []


async def test_a_request_that_nobody_else_could_approve_is_refused_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add(TWO, user=BOB)

        assert "besides you" in played.told(BOB)
        assert played.slack.messages(CHANNEL) == []


async def test_a_denied_request_sends_nothing_and_says_who_denied_it(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add(TWO)
        card = await played.button("Deny")
        await played.slack.click(BOB, CHANNEL, card["ts"], "Deny")
        thread = await played.finished(state="Denied")
        await played.slack.wait_for(lambda: f"by <@{BOB}>" in played.slack.thread(CHANNEL, thread[0]["ts"])[-1]["text"])

        assert played.world("wasend").events == []


async def test_a_second_click_on_approve_changes_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE) as played:
        await played.add(TWO)
        card = await played.button("Approve")

        clicks: list[Ack] = await asyncio.gather(
            *(played.slack.click(BOB, CHANNEL, card["ts"], "Approve") for _ in range(2))
        )
        await played.finished()

        assert all(click.ok for click in clicks)
        await played.hears(BOB, "your click changed nothing")
        assert len(played.world("wasend").events) == 2
        assert len(played.parents()) == 1


async def test_a_request_that_nobody_decides_on_expires(tmp_path: Path) -> None:
    async with stage(tmp_path, rules=RULE + 'expires_after = "1s"\n') as played:
        await played.add(TWO)
        await played.finished(state="Expired")

        assert played.world("wasend").events == []


async def test_somebody_without_a_role_is_told_what_is_missing(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        await played.add("wasend-team +1 415 555 0101", user=DAVE)

        assert "`groups:write`" in played.told(DAVE)
        assert "`operator`, `lead`" in played.told(DAVE)
        assert played.slack.messages(CHANNEL) == []


async def test_a_member_of_a_user_group_has_its_role(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        await played.add("wasend-team +1 415 555 0101", user=CAROL)
        await played.finished()
