import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.slack.errors import SlackFault
from tests.app import ADMIN, MORE_ROLES, SECOND, STRANGER, RunningApp, approval_rule, module_app, new_phones
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, labels_of, open_modal

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARENTS = "120363041234567800@g.us"
RULES = (
    f"""
[groups.wasend-parents]
connection = "wasend"
id = "{PARENTS}"
warning = "Parents <b>read</b> along"
"""
    + approval_rule("add", approvers=["lead", "second"], min_participants=5, expires_after="2s", remind_after="1s")
    + approval_rule("add", approvers=["lead", "second"], min_participants=4, quorum=2)
    + approval_rule("add", groups=["wasend-*"], min_participants=2)
)


app = module_app(rules=MORE_ROLES + RULES, groups={PARENTS: "Parents"})


async def test_an_approved_request_runs(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones, group="wasend-parents")
    card = await request.text("approval", "asks to add 2 people")
    assert app.world().groups[PARENTS].members == {}

    await request.click(BOB, "Approve", "approval")
    await request.done()

    assert "approval by `lead`" in app.last_ephemeral(ALICE)
    assert sorted(app.world().groups[PARENTS].members) == sorted(phones)
    for said in (
        f"<@{ALICE}>",
        "launch",
        "Warning for this group: Parents &lt;b&gt;read",
        "1 approval by `lead`, until",
    ):
        assert said in card
    assert f"<@{BOB}> approved <!date^" in await request.text("approval", "✅ Approved")
    assert labels_of(await request.message("approval")) == []


async def test_the_approval_of_a_scheduled_request_shows_its_start(app: RunningApp) -> None:
    begins = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
    request = await app.add_people(*new_phones(2), group="wasend-parents", when=f"at: {begins:%Y-%m-%d %H:%M} UTC")
    await request.click(BOB, "Approve", "approval")

    said = await request.text("scheduled", f"✅ Approved by <@{BOB}>. Starts <!date^{int(begins.timestamp())}^")
    assert said.endswith(f"UTC>. <@{ALICE}>")
    await request.text("parent", "🕓 Approved and scheduled")


@pytest.mark.parametrize(
    ("user", "label", "words", "code"),
    [
        (ALICE, "Approve", "can't decide on your own request", "own_request"),
        (ALICE, "Deny", "can't decide on your own request", "own_request"),
        (ALICE, "Override", "can't decide on your own request", "own_request"),
        (CAROL, "Approve", "Only `lead` can decide", "not_an_approver"),
        (ADMIN, "Approve", "Only `lead` can decide", "not_an_approver"),
        (SECOND, "Deny", "Only `lead` can decide", "not_an_approver"),
        (BOB, "Override", "capability `admin`", "not_an_approver"),
        (STRANGER, "Override", "You don't have access yet", "not_an_approver"),
        (BOB, "Withdraw", "Only the requester", "not_yours"),
        (ADMIN, "Withdraw", "Only the requester", "not_yours"),
    ],
)
async def test_an_unauthorized_click_is_answered_and_audited(
    app: RunningApp, user: str, label: str, words: str, code: str
) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    before = len(app.slack.ephemerals(user))
    await request.click(user, label, "approval")
    await app.slack.wait_for(lambda: len(app.slack.ephemerals(user)) > before)

    assert words in app.last_ephemeral(user)
    assert app.slack.ephemerals(user)[-1]["thread_ts"] == (await request.parent())["ts"]
    assert app.slack.open_view(user) is None
    assert await app.refused_clicks(request.id) == [(user, label.lower(), code)]
    assert app.members().isdisjoint(phones)
    await request.text("parent", "Waiting")


async def test_a_request_without_another_approver_is_refused(app: RunningApp) -> None:
    await app.add(f"wasend-team {', '.join(f'+{p}' for p in new_phones(2))}", user=BOB)

    assert "besides you" in app.last_ephemeral(BOB)


async def test_a_denied_request_sends_nothing_and_shows_the_reason(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    await request.decide(BOB, "Deny", " not & today ")
    ending = await request.text("closed", "Denied")
    await request.text("parent", "Denied")

    assert f"Denied by <@{BOB}>: “not &amp; today”. Nothing was sent to the provider. <@{ALICE}>" in ending
    assert f"<@{BOB}> denied <!date^" in await request.text("approval", "not &amp; today")
    assert app.members().isdisjoint(phones)
    assert await request.labels("closed") == ["Run again"]
    assert app.slack.open_view(BOB) is None


async def test_a_denial_needs_a_reason(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(2))
    await request.decide(BOB, "Deny", "   ")

    assert list(open_modal(app.slack, BOB).errors) == ["reason"]
    assert "Waiting" in (await request.parent())["text"]


async def test_an_override_is_announced_with_its_reason(app: RunningApp) -> None:
    phones = new_phones(4)
    request = await app.add_people(*phones)
    assert "Needs 2 approvals by `lead` or `second`" in await request.text("approval", "asks to")
    await request.decide(ADMIN, "Override", "the launch is in an hour")
    await request.done()

    await request.text("approval", "⚠️ Approval overridden")
    text = await request.text("override", f"<@{ADMIN}> overrode")
    assert ">the launch is in an hour" in text
    assert f"<@{BOB}> <@{SECOND}>" in text
    assert app.members() >= set(phones)


async def test_a_quorum_takes_two_people_and_each_counts_once(app: RunningApp) -> None:
    phones = new_phones(4)
    request = await app.add_people(*phones)
    await request.click(BOB, "Approve", "approval")
    await request.text("approval", "(1 so far)")
    await request.click(BOB, "Approve", "approval")
    await app.wait_for_ephemeral(BOB, "Your vote is already counted")
    assert app.members().isdisjoint(phones)

    await request.click(SECOND, "Approve", "approval")
    await request.done()
    assert app.members() >= set(phones)


async def test_concurrent_approvals_have_one_effect(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    await request.labels("approval", "Approve")
    card = await request.message("approval")
    before = len(app.slack.ephemerals(BOB))

    clicks = await asyncio.gather(*(app.slack.click(BOB, CHANNEL, card["ts"], "Approve") for _ in range(2)))
    await request.done()
    await app.slack.wait_for(lambda: len(app.slack.ephemerals(BOB)) > before)

    assert all(click.ok for click in clicks)
    assert "Your click changed nothing" in app.last_ephemeral(BOB)
    events = [event for event in app.world().events if event.phone in phones]
    assert len(events) == 2
    assert await app.refused_clicks(request.id) == [(BOB, "approve", "over")]


async def test_a_denial_wins_over_a_concurrent_approval(app: RunningApp) -> None:
    phones = new_phones(4)
    request = await app.add_people(*phones)
    view = await request.open(SECOND, "Deny", "approval")
    await asyncio.gather(
        request.click(BOB, "Approve", "approval"), app.slack.submit(SECOND, view, {"Reason": "not now"})
    )
    await request.text("closed", f"Denied by <@{SECOND}>")

    assert app.members().isdisjoint(phones)


async def test_a_concurrent_withdrawal_and_approval_have_one_effect(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    await asyncio.gather(request.click(BOB, "Approve", "approval"), request.click(ALICE, "Withdraw", "approval"))
    await app.slack.wait_for(request.ending)

    assert app.members() & set(phones) == (set(phones) if request.ending() == "summary" else set())


async def test_a_denial_after_the_approval_changes_nothing(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(2))
    view = await request.open(BOB, "Deny", "approval")
    await request.click(BOB, "Approve", "approval")
    await request.done()
    await app.slack.submit(BOB, view, {"Reason": "no"})

    assert "already approved" in str(open_modal(app.slack, BOB).body["blocks"])
    assert await app.refused_clicks(request.id) == [(BOB, "deny", "over")]


async def test_a_withdrawn_request_sends_nothing_and_answers_late_clicks(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    await request.labels("approval", "Approve")
    card = dict(await request.message("approval"))
    await request.click(ALICE, "Withdraw", "parent")
    await request.text("closed", f"Withdrawn by <@{ALICE}>")
    await app.wait_for_ephemeral(ALICE, "Withdrawn: nothing is sent")
    assert "Stopped" not in await request.text("parent", f"Withdrawn by <@{ALICE}>. Nothing was sent.")
    await request.text("approval", f"Withdrawn by <@{ALICE}>")

    (await request.message("approval"))["blocks"] = card["blocks"]  # as in a client that has not reloaded
    for user, label in ((BOB, "Approve"), (BOB, "Deny"), (ADMIN, "Override"), (ALICE, "Withdraw")):
        await request.click(user, label, "approval")
    await app.wait_for_ephemeral(BOB, f"<@{ALICE}> withdrew this request. Nothing was done.")
    await app.wait_for_ephemeral(ALICE, "already withdrawn and can't be withdrawn")
    assert app.members().isdisjoint(phones)


async def test_approvers_are_reminded_quietly_until_the_request_expires(app: RunningApp) -> None:
    phones = new_phones(5)
    request = await app.add_people(*phones)
    reminder = await request.text("reminder-0", "Reminder 1")
    await request.text("closed", "Expired without a decision")
    await request.text("parent", "Expired")

    assert f"<@{BOB}> <@{SECOND}> Reminder 1: <@{ALICE}> is still waiting" in reminder
    assert labels_of(await request.message("approval")) == []
    assert app.members().isdisjoint(phones)


async def test_a_slack_failure_after_a_vote_is_not_shown_to_the_voter(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(4))
    await request.labels("approval", "Approve")
    before = len(app.slack.ephemerals(BOB))
    app.slack.faults.append(SlackFault("chat.update", error="fatal_error", times=1))
    await request.click(BOB, "Approve", "approval")
    await request.click(SECOND, "Approve", "approval")
    await request.done()

    assert len(app.slack.ephemerals(BOB)) == before
