import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.requests import RequestOptions, request_id
from bot.domain.send_limits import SendLimits
from bot.execution.throttle import Throttle
from providers.base import Outcome
from sandbox.providers.world import Disposition
from tests.app import (
    ADMIN,
    MORE_ROLES,
    SECOND,
    STRANGER,
    RunningApp,
    SubmittedRequest,
    approval_rule,
    group_id,
    module_app,
    new_phones,
)
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, DAVE, labels_of, modal_text, open_modal

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = approval_rule("add", min_participants=50)


app = module_app(("wasend", "wuts", "twochat"), rules=MORE_ROLES + RULES)


async def follow_up(request: SubmittedRequest, user: str, label: str, *, approved_by: str = "") -> SubmittedRequest:
    """Click a follow-up, approve it if an approver is given, and wait until it is done."""
    before = set(request.app.request_ids())
    await request.click(user, label, "summary")
    (id_,) = await request.app.slack.wait_for(lambda: set(request.app.request_ids()) - before)
    after = SubmittedRequest(request.app, id_)
    if approved_by:
        await after.click(approved_by, "Approve", "approval")
    await after.done()
    return after


async def start_slow(app: RunningApp, number: int) -> SubmittedRequest:
    """Submit a large request to a slow provider, so that there is time to stop it."""
    app.provider().latency = 0.15
    request = await app.add_people(*new_phones(number))
    await request.labels("parent", "Stop")
    return request


@pytest.fixture(autouse=True)
def _fast(app: RunningApp) -> AsyncIterator[None]:  # type: ignore[misc]
    yield
    app.provider().latency = 0.0


async def test_a_retry_is_a_new_request_for_the_failed_people_and_both_are_linked(app: RunningApp) -> None:
    phones = new_phones(3)
    app.world().put_person(phones[1], Disposition.PRIVATE)
    request = await app.add_people(*phones)
    assert "1 failed" in await request.done()
    app.world().put_person(phones[1], Disposition.OPEN)
    again = await follow_up(request, CAROL, "Retry failed")

    assert app.members() >= set(phones)
    parent = (await again.parent())["text"]
    assert "Add 1 person" in parent
    assert f"requested by <@{CAROL}>" in parent
    assert f"/p{(await request.parent())['ts'].replace('.', '')}|request> `" in parent
    summary = await request.text("summary", f"|request> `{again.id}`")
    assert f"/p{(await again.parent())['ts'].replace('.', '')}?thread_ts=" in summary
    assert "Retry failed" not in labels_of(await request.message("summary"))
    assert again.id == request_id(request.id, "retry")
    await again.open(CAROL, "Details", "parent")
    assert f"Retries the failed results of <{await link(request)}|request> `{request.id}`" in str(
        open_modal(app.slack, CAROL).body["blocks"]
    )


async def test_an_undo_removes_only_the_people_that_the_request_added(app: RunningApp) -> None:
    there, *others = new_phones(4)
    world = app.world()
    await (await app.add_people(there)).done()
    world.put_person(others[0], Disposition.NO_ACCOUNT)
    request = await app.add_people(there, *others)
    await request.done()
    before = app.members()
    undone = await follow_up(request, ALICE, "Undo")

    assert before - app.members() == set(others[1:])
    assert there in app.members()
    assert "Remove 2 people" in (await undone.parent())["text"]
    assert "launch" not in (await undone.parent())["text"].replace("launch-team", "")


async def test_concurrent_clicks_make_one_followup(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(1))
    await request.labels("summary", "Run again")
    message = await request.message("summary")
    before = set(app.request_ids())
    clicks = await asyncio.gather(
        *(app.slack.click(user, CHANNEL, message["ts"], "Run again") for user in (ALICE, ALICE, BOB))
    )
    again = SubmittedRequest(app, request_id(request.id, "again"))
    await again.done()
    await request.text("summary", "Run again: <")

    assert all(click.ok for click in clicks)
    assert set(app.request_ids()) - before == {again.id}
    assert any("has already requested this" in app.last_ephemeral(user) for user in (ALICE, BOB))
    assert "1 already in the group" in (await again.message("summary"))["text"]


async def test_a_summary_lists_several_followups(app: RunningApp) -> None:
    request = await app.insert_request(Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.ADDED, provider_message="why")
    assert await request.labels("summary", "Undo") == ["Retry failed", "Resume", "Undo", "Run again", "Export CSV"]
    assert "not attempted: why. Press Resume to continue." in (await request.message("summary"))["text"]
    for label in ("Retry failed", "Resume"):
        await request.click(ALICE, label, "summary")
    for followup in ("retry", "resume"):
        await SubmittedRequest(app, request_id(request.id, followup)).done()
    text = await request.text("summary", "Resume: <")

    assert "Retry failed: <" in text
    assert labels_of(await request.message("summary")) == ["Undo", "Run again", "Export CSV"]


async def test_a_failure_without_admin_rights_advises_to_make_the_account_an_admin(app: RunningApp) -> None:
    group = app.world().groups[group_id("wasend")]
    group.account_is_admin = False
    request = await app.add_people(*new_phones(1))
    summary = await request.done()
    assert "isn't a group admin. Make the connection's account a group admin; then retry." in summary
    group.account_is_admin = True
    again = await follow_up(request, ALICE, "Retry failed")

    assert "1 added" in (await again.message("summary"))["text"]


async def test_a_group_that_is_gone_offers_no_resume(app: RunningApp) -> None:
    groups = app.world().groups
    gone = groups.pop(group_id("wasend"))
    request = await app.add_people(*new_phones(1))
    summary = await request.done()
    labels = await request.labels("summary", "Run again")
    groups[gone.id] = gone

    assert "Check that the connection's account is still in the group" in summary
    assert "try again" not in summary
    assert labels == ["Run again", "Export CSV"]


async def test_unknown_results_are_verified_and_nothing_is_sent(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.insert_request(Outcome.UNKNOWN, Outcome.UNKNOWN, phones=phones, provider="wuts")
    await request.done()
    world = app.world("wuts")
    world.add(group_id("wuts"), phones[0])
    events = len(world.events)
    looked = await follow_up(request, ALICE, "Verify unknown")

    assert "1 in the group" in (await looked.message("summary"))["text"]
    assert "1 failed" in (await looked.message("summary"))["text"]
    assert len(world.events) == events


async def test_people_who_refused_are_invited(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.insert_request(Outcome.REFUSED, Outcome.ADDED, phones=phones)
    invited = await follow_up(request, ALICE, "Invite refused")

    assert "1 invited" in (await invited.message("summary"))["text"]
    assert "Invite 1 person" in (await invited.parent())["text"]


async def test_an_invite_has_the_whatsapp_name_and_reads_the_link_once(app: RunningApp) -> None:
    phones = new_phones(3)
    provider = app.provider()
    request = await app.insert_request(*[Outcome.REFUSED] * 3, phones=phones)
    calls, texts = len(provider.calls), len(provider.world.sent)
    await follow_up(request, ALICE, "Invite refused")

    link = f"https://chat.whatsapp.com/{provider.world.invite_of(group_id('wasend'))}"
    said = f"You are invited to the WhatsApp group “Wasend Team”: {link}"
    assert [(sent.to, sent.text) for sent in provider.world.sent[texts:]] == [(phone, said) for phone in phones]
    assert len([call for call in provider.calls[calls:] if call.path.endswith("/invite-code")]) == 1


async def test_a_followup_that_the_provider_cannot_do_is_not_offered(app: RunningApp) -> None:
    request = await app.insert_request(Outcome.REFUSED, provider="twochat")

    assert await request.labels("summary", "Export CSV") == ["Run again", "Export CSV"]


@pytest.mark.parametrize("user", [DAVE, STRANGER, ADMIN])
async def test_a_followup_needs_the_permission_of_its_operation(app: RunningApp, user: str) -> None:
    request = await app.insert_request(Outcome.FAILED)
    await request.click(user, "Retry failed", "summary")
    await app.wait_for_ephemeral(user, "`groups:write`")

    after = request_id(request.id, "retry")
    assert after not in app.request_ids()
    assert [(actor, action) for actor, action, _ in await app.refused_clicks(after)] == [(user, "ask")]


async def test_a_followup_needs_approval_like_any_request(app: RunningApp) -> None:
    request = await app.insert_request(*[Outcome.NOT_ATTEMPTED] * 50)
    await request.click(ALICE, "Resume", "summary")
    resumed = SubmittedRequest(app, request_id(request.id, "resume"))
    await resumed.click(BOB, "Approve", "approval")
    await resumed.done()

    await app.wait_for_ephemeral(ALICE, "Waiting for approval by `lead`")
    assert f"Resumes <{await link(request)}|request> `" in (await resumed.message("approval"))["text"]


async def test_a_denied_followup_can_be_requested_again(app: RunningApp) -> None:
    request = await app.insert_request(*[Outcome.NOT_ATTEMPTED] * 50)
    await request.click(ALICE, "Resume", "summary")
    first = SubmittedRequest(app, request_id(request.id, "resume"))
    await first.labels("approval", "Deny")
    await request.text("summary", f"`{first.id}`, requested by <@{ALICE}>: waiting for approval")
    assert "Resume" not in labels_of(await request.message("summary"))
    await first.decide(BOB, "Deny", "not now")
    await request.text("summary", f"`{first.id}`, requested by <@{ALICE}>: denied")
    second = await follow_up(request, ALICE, "Resume", approved_by=BOB)

    said = await request.text("summary", f"`{second.id}`, requested by <@{ALICE}>: ✅ 50 added")
    assert f"`{first.id}`, requested by <@{ALICE}>: denied" in said
    assert "Resume" not in labels_of(await request.message("summary"))
    assert "50 added" in (await second.message("summary"))["text"]


async def test_a_denied_request_can_be_run_again(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(50))
    await request.decide(BOB, "Deny", "too many")
    await request.click(ALICE, "Run again", "closed")
    again = SubmittedRequest(app, request_id(request.id, "again"))
    await again.labels("approval", "Approve")
    await request.text("closed", f"|request> `{again.id}`")

    assert labels_of(await request.message("closed")) == []


async def test_nothing_is_resumed_while_the_account_is_paused(app: RunningApp) -> None:
    request = await app.insert_request(Outcome.NOT_ATTEMPTED, provider="twochat")
    await Throttle(app.database, "twochat", SendLimits()).cool_down(3600, "WhatsApp says <slow down>")
    await request.click(ALICE, "Resume", "summary")
    await app.wait_for_ephemeral(ALICE, "the account is paused until <!date^")

    assert "WhatsApp says &lt;slow down&gt;" in app.last_ephemeral(ALICE)
    assert await app.refused_clicks(request.id) == [(ALICE, "resume", "sender_rests")]
    assert "Resume" in labels_of(await request.message("summary"))


@pytest.mark.parametrize("user", [ALICE, BOB, SECOND, ADMIN])
async def test_a_stopped_request_can_be_resumed(app: RunningApp, user: str) -> None:
    request = await start_slow(app, 40)
    phones = {p.person.digits for p in await app.store.items(request.id)}
    await request.click(user, "Stop", "parent")
    summary = await request.done()
    done = app.members() & phones

    await app.wait_for_ephemeral(user, "Stopping. What was sent stays")
    assert f"Stopped by <@{user}>" in (await request.parent())["text"]
    assert f"Stopped by <@{user}>" in summary
    assert "Stop" not in labels_of(await request.parent())
    assert f"{40 - len(done)} not attempted" in summary
    if user == ALICE:
        app.provider().latency = 0.0
        await request.click(BOB, "Resume", "summary")
        resumed = SubmittedRequest(app, request_id(request.id, "resume"))
        await resumed.done()
        assert phones <= app.members()


async def test_an_unauthorized_stop_is_refused(app: RunningApp) -> None:
    request = await start_slow(app, 30)
    for user in (CAROL, DAVE, STRANGER):
        await request.click(user, "Stop", "parent")
        await app.wait_for_ephemeral(user, "can stop this request. It continues.")
    await request.done()

    assert await app.refused_clicks(request.id) == [(user, "stop", "not_yours") for user in (CAROL, DAVE, STRANGER)]


async def test_a_second_or_late_stop_changes_nothing(app: RunningApp) -> None:
    request = await start_slow(app, 40)
    parent = dict(await request.parent())
    ts = parent["ts"]
    clicks = await asyncio.gather(*(app.slack.click(user, CHANNEL, ts, "Stop") for user in (ALICE, BOB)))
    await request.done()
    (await request.parent())["blocks"] = parent["blocks"]  # as in a client that has not reloaded
    await request.click(SECOND, "Stop", "parent")
    await app.wait_for_ephemeral(SECOND, "has already stopped this request. Your click changed nothing.")

    assert all(click.ok for click in clicks)
    assert [code for _, _, code in await app.refused_clicks(request.id)] == ["over", "over"]


async def test_a_scheduled_request_can_be_withdrawn(app: RunningApp) -> None:
    later = RequestOptions(run_at=datetime.now(UTC) + timedelta(hours=1))
    phones = new_phones(1)
    request = await app.insert_request(None, phones=phones, options=later)
    assert "Starts <!date^" in await request.text("parent", "Scheduled")
    assert await request.labels("parent", "Withdraw") == ["Withdraw", "Details"]
    await request.click(CAROL, "Withdraw", "parent")
    await app.wait_for_ephemeral(CAROL, "a person with `approve` or `admin` for this group, can withdraw")
    await request.click(BOB, "Withdraw", "parent")
    await request.text("closed", f"Withdrawn by <@{BOB}>")

    await request.text("parent", "↩️ Withdrawn")
    assert app.members().isdisjoint(phones)


async def test_a_scheduled_request_checks_permissions_when_it_starts(app: RunningApp) -> None:
    soon = RequestOptions(run_at=datetime.now(UTC) + timedelta(seconds=1))
    phones = new_phones(2)
    request = await app.insert_request(None, None, phones=phones, options=soon, requester=STRANGER)
    await request.done()
    assert app.members().isdisjoint(phones)
    assert "The requester no longer has permission." in str(await request.message("summary"))


async def test_run_again_keeps_a_start_time_in_the_future(app: RunningApp) -> None:
    request = await app.insert_request(None, options=RequestOptions(run_at=datetime.now(UTC) + timedelta(hours=1)))
    await request.click(ALICE, "Withdraw", "parent")
    await request.click(ALICE, "Run again", "closed")
    again = SubmittedRequest(app, request_id(request.id, "again"))

    assert "Starts <!date^" in await again.text("parent", "Scheduled")
    await app.wait_for_ephemeral(ALICE, "Starts <!date^")


async def test_run_again_ignores_a_start_time_in_the_past(app: RunningApp) -> None:
    request = await app.insert_request(None, options=RequestOptions(run_at=datetime.now(UTC) - timedelta(hours=1)))
    await request.done()
    again = await follow_up(request, ALICE, "Run again")

    assert "has passed, so it runs as soon as possible" in (await again.parent())["text"]
    await app.wait_for_ephemeral(ALICE, "has passed, so it runs as soon as possible")


async def test_the_results_file_is_sent_in_a_direct_message(app: RunningApp) -> None:
    phones = new_phones(2)
    request = await app.add_people(*phones)
    await request.click(DAVE, "Export CSV", "summary")
    await app.wait_for_ephemeral(DAVE, "in a direct message")

    (message,) = app.slack.messages("D0DAVE")
    assert [file["name"] for file in message["files"]] == [f"{request.id}.csv"]
    content = next(f.content for f in app.slack.files if f.name == f"{request.id}.csv")
    assert content is not None
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["phone"] for row in rows] == [f"+{phone}" for phone in phones]
    assert {row["outcome"] for row in rows} == {"added"}


async def test_the_results_file_needs_permission_to_read_numbers(app: RunningApp) -> None:
    request = await app.insert_request(Outcome.ADDED)
    await request.click(STRANGER, "Export CSV", "summary")
    await app.wait_for_ephemeral(STRANGER, "`groups:read`")

    assert await app.refused_clicks(request.id) == [(STRANGER, "export", "no_role")]
    assert not any(f.name == f"{request.id}.csv" for f in app.slack.files)


@pytest.mark.parametrize(("user", "shown"), [(DAVE, "+1 415-555-"), (STRANGER, "+1 415 ••• ")])
async def test_details_list_all_people_in_pages(app: RunningApp, user: str, shown: str) -> None:
    request = await app.insert_request(*[Outcome.ADDED] * 101)
    view = await request.open(user, "Details", "parent")
    lines = []
    for turn in ("Next", "Next", "Previous"):
        lines += [line for line in modal_text(app.slack, user).split("\\n") if "added" in line and shown in line]
        first = open_modal(app.slack, user).body["hash"]
        if turn == "Previous":
            break
        await app.slack.press(user, view, turn)
        await app.slack.wait_for(lambda: open_modal(app.slack, user).body["hash"] != first)  # noqa: B023 - awaited here

    assert len(lines) == 101


async def test_numbers_are_shortened_in_a_channel(app: RunningApp) -> None:
    (phone,) = new_phones(1)
    app.world().put_person(phone, Disposition.NO_ACCOUNT)
    request = await app.add_people(phone)

    assert f"• +1 415 ••• {phone[-4:]}  ❓ not on WhatsApp" in await request.done()
    assert phone[1:] not in str([message["text"] for message in request.messages()])


async def link(request: SubmittedRequest) -> str:
    return f"https://sandbox.slack.com/archives/{CHANNEL}/p{(await request.parent())['ts'].replace('.', '')}"
