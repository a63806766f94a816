"""Approvals where the card is not below the request, and where the roles are not what they were."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.domain.approvals import ApprovalRule
from bot.domain.requests import RequestOptions
from providers.base import Operation
from sandbox.slack.workspace import Channel, ChannelInfo, UserGroup
from tests.acceptance.desk import ADMIN, SECOND, STRANGER, Desk, desk, new
from tests.stage import ALICE, BOB, CAROL

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIRECT, PRIVATE, GROUP = "D0ALICE", "G0PRIVATE", "S0REVIEWERS"
RULES = f"""
[roles.reviewer]
members = ["{GROUP}"]
capabilities = ["approve"]
[[approvals]]
operations = ["add"]
min_participants = 4
approvers = ["reviewer"]
quorum = 2
remind_after = "1s"
[[approvals]]
operations = ["add"]
min_participants = 3
approvers = ["lead", "second"]
quorum = 2
[[approvals]]
operations = ["add"]
min_participants = 2
approvers = ["lead", "second"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk(tmp_path_factory.mktemp("elsewhere"), rules=RULES) as played:
        workspace = played.stage.slack.workspace
        workspace.groups[GROUP] = UserGroup(GROUP, "reviewers", "Reviewers", (ALICE, CAROL))
        workspace.channels[PRIVATE] = Channel(ChannelInfo(PRIVATE, "private", (ALICE, BOB), "groups"), {ALICE, BOB})
        yield played


async def test_a_card_mentions_those_who_can_decide_for_nobody_is_told_of_a_thread_otherwise(at: Desk) -> None:
    asked = await at.add(*new(3))
    assert f"Approvers: <@{BOB}> <@{SECOND}>" in await asked.says("approval", "asks to")

    await asked.click(BOB, "Approve", "approval")
    assert f"Approvers: <@{SECOND}>" in await asked.says("approval", "(1 so far)")


async def test_a_refused_click_names_whom_to_ask_and_the_request_that_the_log_names(at: Desk) -> None:
    asked = await at.add(*new(2))
    await asked.click(STRANGER, "Approve", "approval")

    await at.stage.hears(STRANGER, f"Ask <@{BOB}> or <@{SECOND}>.\nRequest `{asked.id}`")


async def test_who_approved_can_still_deny_while_it_waits(at: Desk) -> None:
    phones = new(3)
    asked = await at.add(*phones)
    await asked.click(BOB, "Approve", "approval")
    await asked.says("approval", "(1 so far)")
    await asked.decide(BOB, "Deny", "one of them is not ours")

    await asked.says("closed", f"Denied by <@{BOB}>")
    assert at.members().isdisjoint(phones)


async def test_what_was_asked_in_direct_messages_shows_a_vote_where_it_was_given(at: Desk) -> None:
    phones = new(3)
    asked = await at.add(*phones, channel=DIRECT)
    await asked.click(BOB, "Approve", f"approval-{BOB}")

    assert f"<@{BOB}> approved" in await asked.says(f"approval-{BOB}", "(1 so far)")
    await asked.click(SECOND, "Approve", f"approval-{SECOND}")
    await asked.done()
    await asked.says(f"approval-{BOB}", "✅ Approved")
    assert at.members() >= set(phones)


async def test_an_override_of_what_was_asked_in_direct_messages_is_told_to_each(at: Desk) -> None:
    asked = await at.add(*new(3), channel=DIRECT)
    await asked.message(f"approval-{BOB}")
    slack = at.stage.slack
    await slack.open_home(ADMIN)
    home = await slack.wait_for(lambda: slack.home(ADMIN))
    await slack.wait_for(lambda: asked.id in str(home.body))
    await slack.press(ADMIN, home.body["id"], f"override_request:{asked.id}")
    view = await slack.wait_for(lambda: slack.open_view(ADMIN))
    await slack.submit(ADMIN, view.body["id"], {"Reason": "nobody is there"})
    await asked.done()

    for name in ("override", f"override-{BOB}", f"override-{SECOND}"):
        assert ">nobody is there" in await asked.says(name, f"<@{ADMIN}> overrode")
    assert (await asked.message(f"override-{BOB}"))["thread_ts"] == (await asked.message(f"approval-{BOB}"))["ts"]


async def test_in_a_private_channel_without_the_bot_everybody_is_asked_directly(at: Desk) -> None:
    asked = await at.add(*new(2), channel=PRIVATE)

    assert asked.room("parent") == DIRECT
    await asked.click(BOB, "Approve", f"approval-{BOB}")
    await asked.done()


async def test_who_decides_and_is_not_in_the_channel_is_asked_directly(at: Desk) -> None:
    room = at.stage.slack.workspace.channels[PRIVATE]
    room.members.add("U0ROLLCALL")
    asked = await at.add(*new(2), channel=PRIVATE)
    await asked.says(f"approval-{SECOND}", "asks to add 2 people")

    assert asked.room("approval") == PRIVATE
    assert f"approval-{BOB}" not in [m["metadata"]["event_payload"]["name"] for m in asked.messages()]
    await asked.click(SECOND, "Approve", f"approval-{SECOND}")
    await asked.done()
    await asked.says(f"approval-{SECOND}", "✅ Approved")
    room.members.remove("U0ROLLCALL")


async def test_a_quorum_that_a_user_group_cannot_fill_is_said_on_the_card_and_in_reminders(at: Desk) -> None:
    asked = await at.add(*new(4))
    stuck = "No eligible approver remains for 1 approval."

    assert stuck in await asked.says("approval", "asks to")
    assert stuck in await asked.says("reminder-0", "Reminder 1")
    await asked.click(CAROL, "Approve", "approval")
    await asked.says("approval", "(1 so far)")
    assert stuck in await asked.says("approval", "(1 so far)")


async def test_a_time_that_is_over_at_the_approval_is_no_reason_to_wait(at: Desk) -> None:
    rule = ApprovalRule(frozenset({Operation.ADD}), ("*",), 0, ("lead",), 1, timedelta(hours=1))
    over = RequestOptions(run_at=datetime.now(UTC) - timedelta(minutes=1))
    asked = await at.plant(None, options=over, rule=rule)
    assert "or when it's approved if that is later" in await asked.says("approval", "🕓 Starts <!date^")

    await asked.click(BOB, "Approve", "approval")
    await asked.done()
