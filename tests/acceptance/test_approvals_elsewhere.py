"""Approvals where the card is not below the request, and where the roles are not what they were."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.approvals import ApprovalRule
from bot.domain.requests import RequestOptions
from providers.base import Operation
from sandbox.slack.workspace import Channel, ChannelInfo, UserGroup
from tests.app import ADMIN, MORE_ROLES, SECOND, STRANGER, RunningApp, approval_rule, module_app, new_phones
from tests.slack_ui import ALICE, BOB, CAROL

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIRECT, PRIVATE, GROUP = "D0ALICE", "G0PRIVATE", "S0REVIEWERS"
RULES = (
    f"""
[roles.reviewer]
members = ["{GROUP}"]
capabilities = ["approve"]
"""
    + approval_rule("add", approvers=["reviewer"], min_participants=4, quorum=2, remind_after="1s")
    + approval_rule("add", approvers=["lead", "second"], min_participants=3, quorum=2)
    + approval_rule("add", approvers=["lead", "second"], min_participants=2)
)


module = module_app(rules=MORE_ROLES + RULES)


@pytest.fixture
def app(module: RunningApp) -> RunningApp:
    """A bot in a workspace with a user group of reviewers and a private channel that the bot is not in."""
    workspace = module.slack.workspace
    workspace.groups[GROUP] = UserGroup(GROUP, "reviewers", "Reviewers", (ALICE, CAROL))
    workspace.channels.setdefault(
        PRIVATE, Channel(ChannelInfo(PRIVATE, "private", (ALICE, BOB), "groups"), {ALICE, BOB})
    )
    return module


async def test_a_card_mentions_the_remaining_approvers(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(3))
    assert f"Approvers: <@{BOB}> <@{SECOND}>" in await request.text("approval", "asks to")

    await request.click(BOB, "Approve", "approval")
    assert f"Approvers: <@{SECOND}>" in await request.text("approval", "(1 so far)")


async def test_a_refused_click_names_the_approvers_and_the_request(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(2))
    await request.click(STRANGER, "Approve", "approval")

    await app.wait_for_ephemeral(STRANGER, f"Ask <@{BOB}> or <@{SECOND}>.\nRequest `{request.id}`")


async def test_an_approver_can_still_deny_while_it_waits(app: RunningApp) -> None:
    phones = new_phones(3)
    request = await app.add_people(*phones)
    await request.click(BOB, "Approve", "approval")
    await request.text("approval", "(1 so far)")
    await request.decide(BOB, "Deny", "one of them is not ours")

    await request.text("closed", f"Denied by <@{BOB}>")
    assert app.members().isdisjoint(phones)


async def test_a_request_from_direct_messages_is_approved_in_direct_messages(app: RunningApp) -> None:
    phones = new_phones(3)
    request = await app.add_people(*phones, channel=DIRECT)
    await request.click(BOB, "Approve", f"approval-{BOB}")

    assert f"<@{BOB}> approved" in await request.text(f"approval-{BOB}", "(1 so far)")
    await request.click(SECOND, "Approve", f"approval-{SECOND}")
    await request.done()
    await request.text(f"approval-{BOB}", "✅ Approved")
    assert app.members() >= set(phones)


async def test_an_override_is_announced_to_each_approver_directly(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(3), channel=DIRECT)
    await request.message(f"approval-{BOB}")
    slack = app.slack
    await slack.open_home(ADMIN)
    home = await slack.wait_for(lambda: slack.home(ADMIN))
    await slack.wait_for(lambda: request.id in str(home.body))
    await slack.press(ADMIN, home.body["id"], f"override_request:{request.id}")
    view = await slack.wait_for(lambda: slack.open_view(ADMIN))
    await slack.submit(ADMIN, view.body["id"], {"Reason": "the approvers are away"})
    await request.done()

    for name in ("override", f"override-{BOB}", f"override-{SECOND}"):
        assert ">the approvers are away" in await request.text(name, f"<@{ADMIN}> overrode")
    assert (await request.message(f"override-{BOB}"))["thread_ts"] == (await request.message(f"approval-{BOB}"))["ts"]


async def test_a_private_channel_without_the_bot_uses_direct_messages(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(2), channel=PRIVATE)

    assert request.channel_of("parent") == DIRECT
    await request.click(BOB, "Approve", f"approval-{BOB}")
    await request.done()


async def test_an_approver_outside_the_channel_gets_a_direct_message(app: RunningApp) -> None:
    room = app.slack.workspace.channels[PRIVATE]
    room.members.add("U0ROLLCALL")
    request = await app.add_people(*new_phones(2), channel=PRIVATE)
    await request.text(f"approval-{SECOND}", "asks to add 2 people")

    assert request.channel_of("approval") == PRIVATE
    assert f"approval-{BOB}" not in [m["metadata"]["event_payload"]["name"] for m in request.messages()]
    await request.click(SECOND, "Approve", f"approval-{SECOND}")
    await request.done()
    await request.text(f"approval-{SECOND}", "✅ Approved")
    room.members.remove("U0ROLLCALL")


async def test_the_card_and_reminders_say_that_approvers_are_missing(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(4))
    stuck = "No eligible approver remains for 1 approval."

    assert stuck in await request.text("approval", "asks to")
    assert stuck in await request.text("reminder-0", "Reminder 1")
    await request.click(CAROL, "Approve", "approval")
    await request.text("approval", "(1 so far)")
    assert stuck in await request.text("approval", "(1 so far)")


async def test_a_start_time_that_passed_before_the_approval_is_ignored(app: RunningApp) -> None:
    rule = ApprovalRule(frozenset({Operation.ADD}), ("*",), 0, ("lead",), 1, timedelta(hours=1))
    over = RequestOptions(run_at=datetime.now(UTC) - timedelta(minutes=1))
    request = await app.insert_request(None, options=over, rule=rule)
    assert "or when it's approved if that is later" in await request.text("approval", "🕓 Starts <!date^")

    await request.click(BOB, "Approve", "approval")
    await request.done()
