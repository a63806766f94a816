import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sandbox.slack.errors import SlackFault
from tests.acceptance.desk import ADMIN, SECOND, STRANGER, Desk, desk, labels_of, new
from tests.stage import ALICE, BOB, CAROL, CHANNEL, DAVE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARENTS = "120363041234567800@g.us"
RULES = f"""
[groups.wasend-parents]
connection = "wasend"
id = "{PARENTS}"
warning = "Parents <b>read</b> along"
[[approvals]]
operations = ["add"]
min_participants = 5
approvers = ["lead", "second"]
expires_after = "2s"
remind_after = "1s"
[[approvals]]
operations = ["add"]
min_participants = 4
approvers = ["lead", "second"]
quorum = 2
[[approvals]]
operations = ["add"]
groups = ["wasend-*"]
min_participants = 2
approvers = ["lead"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk(tmp_path_factory.mktemp("approvals"), rules=RULES) as played:
        played.stage.world("wasend").put_group(PARENTS, "Parents")
        yield played


async def test_an_approved_request_is_carried_out(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones, group="wasend-parents")
    card = await asked.says("approval", "asks to add 2 people")
    assert at.stage.world("wasend").groups[PARENTS].members == {}

    await asked.click(BOB, "Approve", "approval")
    await asked.done()

    assert "approval by `lead`" in at.stage.told(ALICE)
    assert sorted(at.stage.world("wasend").groups[PARENTS].members) == sorted(phones)
    for said in (
        f"<@{ALICE}>",
        "launch",
        "Warning for this group: Parents &lt;b&gt;read",
        "1 approval by `lead`, until",
    ):
        assert said in card
    assert f"<@{BOB}> approved <!date^" in await asked.says("approval", "✅ Approved")
    assert labels_of(await asked.message("approval")) == []


async def test_who_asked_for_a_later_time_is_told_of_the_approval_and_when_it_begins(at: Desk) -> None:
    begins = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
    asked = await at.add(*new(2), group="wasend-parents", when=f"at: {begins:%Y-%m-%d %H:%M} UTC")
    await asked.click(BOB, "Approve", "approval")

    said = await asked.says("scheduled", f"✅ Approved by <@{BOB}>. Starts <!date^{int(begins.timestamp())}^")
    assert said.endswith(f"UTC>. <@{ALICE}>")
    await asked.says("parent", "🕓 Approved and scheduled")


async def test_a_small_request_needs_no_approval(at: Desk) -> None:
    asked = await at.add(*new(1))
    await asked.done()


@pytest.mark.parametrize(
    ("user", "label", "words", "code"),
    [
        (ALICE, "Approve", "somebody else has to decide", "own_request"),
        (ALICE, "Deny", "somebody else has to decide", "own_request"),
        (ALICE, "Override", "somebody else has to decide", "own_request"),
        (CAROL, "Approve", "Only `lead` can decide", "not_an_approver"),
        (ADMIN, "Approve", "Only `lead` can decide", "not_an_approver"),
        (SECOND, "Deny", "Only `lead` can decide", "not_an_approver"),
        (BOB, "Override", "capability `admin`", "not_an_approver"),
        (STRANGER, "Override", "You have no role", "not_an_approver"),
        (BOB, "Withdraw", "Only the requester", "not_yours"),
        (ADMIN, "Withdraw", "Only the requester", "not_yours"),
    ],
)
async def test_who_may_not_is_told_why_and_it_is_kept(at: Desk, user: str, label: str, words: str, code: str) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    before = len(at.stage.slack.ephemerals(user))
    await asked.click(user, label, "approval")
    await at.stage.slack.wait_for(lambda: len(at.stage.slack.ephemerals(user)) > before)

    assert words in at.stage.told(user)
    assert at.stage.slack.ephemerals(user)[-1]["thread_ts"] == (await asked.parent())["ts"]
    assert at.stage.slack.open_view(user) is None
    assert await at.refusals(asked.id) == [(user, label.lower(), code)]
    assert at.members().isdisjoint(phones)
    await asked.says("parent", "Waiting")


async def test_a_request_that_nobody_else_could_approve_is_refused_at_once(at: Desk) -> None:
    await at.stage.add(f"wasend-team {', '.join(f'+{p}' for p in new(2))}", user=BOB)

    assert "besides you" in at.stage.told(BOB)


async def test_a_denied_request_sends_nothing_and_the_requester_sees_who_denied_it_and_why(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    await asked.decide(BOB, "Deny", " not & today ")
    ending = await asked.says("closed", "Denied")
    await asked.says("parent", "Denied")

    assert f"Denied by <@{BOB}>: “not &amp; today”. Nothing was sent to the provider. <@{ALICE}>" in ending
    assert f"<@{BOB}> denied <!date^" in await asked.says("approval", "not &amp; today")
    assert at.members().isdisjoint(phones)
    assert await asked.labels("closed") == ["Run again"]
    assert at.stage.slack.open_view(BOB) is None


async def test_a_denial_needs_words(at: Desk) -> None:
    asked = await at.add(*new(2))
    await asked.decide(BOB, "Deny", "   ")

    assert list(at.modal(BOB).errors) == ["reason"]
    assert "Waiting" in (await asked.parent())["text"]


async def test_an_override_tells_everybody_who_and_why(at: Desk) -> None:
    phones = new(4)
    asked = await at.add(*phones)
    assert "Needs 2 approvals by `lead` or `second`" in await asked.says("approval", "asks to")
    await asked.decide(ADMIN, "Override", "the launch is in an hour")
    await asked.done()

    await asked.says("approval", "⚠️ Approval overridden")
    told = await asked.says("override", f"<@{ADMIN}> overrode")
    assert ">the launch is in an hour" in told
    assert f"<@{BOB}> <@{SECOND}>" in told
    assert at.members() >= set(phones)


async def test_a_quorum_takes_two_people_and_each_counts_once(at: Desk) -> None:
    phones = new(4)
    asked = await at.add(*phones)
    await asked.click(BOB, "Approve", "approval")
    await asked.says("approval", "(1 so far)")
    await asked.click(BOB, "Approve", "approval")
    await at.stage.hears(BOB, "Your vote counts already")
    assert at.members().isdisjoint(phones)

    await asked.click(SECOND, "Approve", "approval")
    await asked.done()
    assert at.members() >= set(phones)


async def test_two_who_decide_at_once_have_one_effect_and_one_is_told(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    await asked.labels("approval", "Approve")
    card = await asked.message("approval")
    before = len(at.stage.slack.ephemerals(BOB))

    clicks = await asyncio.gather(*(at.stage.slack.click(BOB, CHANNEL, card["ts"], "Approve") for _ in range(2)))
    await asked.done()
    await at.stage.slack.wait_for(lambda: len(at.stage.slack.ephemerals(BOB)) > before)

    assert all(click.ok for click in clicks)
    assert "Your click changed nothing" in at.stage.told(BOB)
    events = [event for event in at.stage.world("wasend").events if event.phone in phones]
    assert len(events) == 2
    assert await at.refusals(asked.id) == [(BOB, "approve", "over")]


async def test_an_approval_and_a_denial_at_once_deny(at: Desk) -> None:
    phones = new(4)
    asked = await at.add(*phones)
    view = await asked.opens(SECOND, "Deny", "approval")
    await asyncio.gather(
        asked.click(BOB, "Approve", "approval"), at.stage.slack.submit(SECOND, view, {"Reason": "not now"})
    )
    await asked.says("closed", f"Denied by <@{SECOND}>")

    assert at.members().isdisjoint(phones)


async def test_a_withdrawal_and_an_approval_at_once_have_one_effect(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    await asyncio.gather(asked.click(BOB, "Approve", "approval"), asked.click(ALICE, "Withdraw", "approval"))
    await at.stage.slack.wait_for(asked.ended)

    assert at.members() & set(phones) == (set(phones) if asked.ended() == "summary" else set())


async def test_a_denial_that_comes_after_the_approval_changes_nothing_and_says_so(at: Desk) -> None:
    asked = await at.add(*new(2))
    view = await asked.opens(BOB, "Deny", "approval")
    await asked.click(BOB, "Approve", "approval")
    await asked.done()
    await at.stage.slack.submit(BOB, view, {"Reason": "no"})

    assert "already approved" in str(at.modal(BOB).body["blocks"])
    assert await at.refusals(asked.id) == [(BOB, "deny", "over")]


async def test_a_withdrawn_request_sends_nothing_and_late_clicks_are_told(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    await asked.labels("approval", "Approve")
    card = dict(await asked.message("approval"))
    await asked.click(ALICE, "Withdraw", "parent")
    await asked.says("closed", f"Withdrawn by <@{ALICE}>")
    await at.stage.hears(ALICE, "Withdrawn: nothing is sent")
    assert "Stopped" not in await asked.says("parent", f"Withdrawn by <@{ALICE}>. Nothing was sent.")
    await asked.says("approval", f"Withdrawn by <@{ALICE}>")

    (await asked.message("approval"))["blocks"] = card["blocks"]  # as somebody sees it who has not reloaded
    for user, label in ((BOB, "Approve"), (BOB, "Deny"), (ADMIN, "Override"), (ALICE, "Withdraw")):
        await asked.click(user, label, "approval")
    await at.stage.hears(BOB, f"<@{ALICE}> withdrew this request. Nothing was done.")
    await at.stage.hears(ALICE, "already withdrawn and can't be withdrawn")
    assert at.members().isdisjoint(phones)


async def test_approvers_are_reminded_quietly_until_the_request_expires(at: Desk) -> None:
    phones = new(5)
    asked = await at.add(*phones)
    reminder = await asked.says("reminder-0", "Reminder 1")
    await asked.says("closed", "Expired without a decision")
    await asked.says("parent", "Expired")

    assert f"<@{BOB}> <@{SECOND}> Reminder 1: <@{ALICE}> is still waiting" in reminder
    assert labels_of(await asked.message("approval")) == []
    assert at.members().isdisjoint(phones)


async def test_a_failure_of_slack_after_a_vote_does_not_tell_the_voter_that_it_failed(at: Desk) -> None:
    asked = await at.add(*new(4))
    await asked.labels("approval", "Approve")
    before = len(at.stage.slack.ephemerals(BOB))
    at.stage.slack.faults.append(SlackFault("chat.update", error="fatal_error", times=1))
    await asked.click(BOB, "Approve", "approval")
    await asked.click(SECOND, "Approve", "approval")
    await asked.done()

    assert len(at.stage.slack.ephemerals(BOB)) == before


async def test_somebody_without_a_role_is_told_what_is_missing(at: Desk) -> None:
    await at.stage.add("wasend-team +1 415 555 0101", user=DAVE)

    assert "`groups:write`" in at.stage.told(DAVE)
    assert "`operator`, `lead`" in at.stage.told(DAVE)


async def test_a_member_of_a_user_group_has_its_role(at: Desk) -> None:
    asked = await at.add(*new(1), user=CAROL)
    await asked.done()
