import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.domain.requests import RequestOptions, request_id
from bot.domain.send_limits import SendLimits
from bot.execution.throttle import Throttle
from providers.base import Outcome
from sandbox.providers.world import Disposition
from tests.acceptance.desk import ADMIN, SECOND, STRANGER, Asked, Desk, desk, labels_of, new
from tests.stage import ALICE, BOB, CAROL, CHANNEL, DAVE, group_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
[[approvals]]
operations = ["add"]
min_participants = 50
approvers = ["lead"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("followups")
    async with desk(folder, rules=RULES, providers=("wasend", "wuts", "twochat")) as played:
        yield played


async def followed(asked: Asked, user: str, label: str, *, approved_by: str = "") -> Asked:
    """Click what is to follow, have it approved where somebody has to, and wait until that has ended."""
    before = set(asked.desk.requests())
    await asked.click(user, label, "summary")
    (id_,) = await asked.desk.stage.slack.wait_for(lambda: set(asked.desk.requests()) - before)
    after = Asked(asked.desk, id_)
    if approved_by:
        await after.click(approved_by, "Approve", "approval")
    await after.done()
    return after


async def running(at: Desk, number: int) -> Asked:
    """Ask for so many that there is time to stop it; the provider answers again as fast as ever at the test's end."""
    at.stage.scene.providers["wasend"].latency = 0.15
    asked = await at.add(*new(number))
    await asked.labels("parent", "Stop")
    return asked


@pytest.fixture(autouse=True)
def _fast(at: Desk) -> AsyncIterator[None]:  # type: ignore[misc]
    yield
    at.stage.scene.providers["wasend"].latency = 0.0


async def test_a_retry_is_a_new_request_about_those_who_failed_linked_both_ways(at: Desk) -> None:
    phones = new(3)
    at.stage.world("wasend").put_person(phones[1], Disposition.PRIVATE)
    asked = await at.add(*phones)
    assert "1 failed" in await asked.done()
    at.stage.world("wasend").put_person(phones[1], Disposition.OPEN)
    again = await followed(asked, CAROL, "Retry failed")

    assert at.members() >= set(phones)
    parent = (await again.parent())["text"]
    assert "Add 1 person" in parent
    assert f"requested by <@{CAROL}>" in parent
    assert f"/p{(await asked.parent())['ts'].replace('.', '')}|request> `" in parent
    summary = await asked.says("summary", f"|request> `{again.id}`")
    assert f"/p{(await again.parent())['ts'].replace('.', '')}|" in summary
    assert "Retry failed" not in labels_of(await asked.message("summary"))
    assert again.id == request_id(asked.id, "retry")
    await again.opens(CAROL, "Details", "parent")
    assert f"Retries the failed results of <{await link(asked)}|request> `{asked.id}`" in str(
        at.modal(CAROL).body["blocks"]
    )


async def test_an_undo_removes_exactly_those_whom_the_request_added(at: Desk) -> None:
    there, *others = new(4)
    world = at.stage.world("wasend")
    await (await at.add(there)).done()
    world.put_person(others[0], Disposition.NO_ACCOUNT)
    asked = await at.add(there, *others)
    await asked.done()
    before = at.members()
    undone = await followed(asked, ALICE, "Undo")

    assert before - at.members() == set(others[1:])
    assert there in at.members()
    assert "Remove 2 people" in (await undone.parent())["text"]
    assert "launch" not in (await undone.parent())["text"].replace("launch-team", "")


async def test_a_double_click_and_two_people_at_once_are_one_followup(at: Desk) -> None:
    asked = await at.add(*new(1))
    await asked.labels("summary", "Run again")
    message = await asked.message("summary")
    before = set(at.requests())
    clicks = await asyncio.gather(
        *(at.stage.slack.click(user, CHANNEL, message["ts"], "Run again") for user in (ALICE, ALICE, BOB))
    )
    again = Asked(at, request_id(asked.id, "again"))
    await again.done()
    await asked.says("summary", "Run again: <")

    assert all(click.ok for click in clicks)
    assert set(at.requests()) - before == {again.id}
    told = [at.stage.told(user) for user in (ALICE, BOB)]
    assert any("has already requested this" in said for said in told)
    assert "1 already in the group" in (await again.message("summary"))["text"]


async def test_several_followups_stand_in_one_summary(at: Desk) -> None:
    asked = await at.plant(Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.ADDED, said="why")
    assert await asked.labels("summary", "Undo") == ["Retry failed", "Resume", "Undo", "Run again", "Export CSV"]
    assert "Why it stopped: why" in (await asked.message("summary"))["text"]
    for label in ("Retry failed", "Resume"):
        await asked.click(ALICE, label, "summary")
    for followup in ("retry", "resume"):
        await Asked(at, request_id(asked.id, followup)).done()
    text = await asked.says("summary", "Resume: <")

    assert "Retry failed: <" in text
    assert labels_of(await asked.message("summary")) == ["Undo", "Run again", "Export CSV"]


async def test_where_the_account_is_no_admin_the_advice_is_to_make_it_one(at: Desk) -> None:
    group = at.stage.world("wasend").groups[group_id("wasend")]
    group.account_is_admin = False
    asked = await at.add(*new(1))
    summary = await asked.done()
    assert "1 failed: the connection's account has to be an admin of the group; then retry" in summary
    group.account_is_admin = True
    again = await followed(asked, ALICE, "Retry failed")

    assert "1 added" in (await again.message("summary"))["text"]


async def test_in_a_group_that_is_gone_nothing_is_offered_to_be_resumed(at: Desk) -> None:
    groups = at.stage.world("wasend").groups
    gone = groups.pop(group_id("wasend"))
    asked = await at.add(*new(1))
    summary = await asked.done()
    labels = await asked.labels("summary", "Run again")
    groups[gone.id] = gone

    assert "the connection's account does not find the group" in summary
    assert "try again" not in summary
    assert labels == ["Run again", "Export CSV"]


async def test_those_who_are_unknown_are_looked_for_and_nothing_is_sent(at: Desk) -> None:
    phones = new(2)
    asked = await at.plant(Outcome.UNKNOWN, Outcome.UNKNOWN, phones=phones, provider="wuts")
    await asked.done()
    world = at.stage.world("wuts")
    world.add(group_id("wuts"), phones[0])
    events = len(world.events)
    looked = await followed(asked, ALICE, "Verify unknown")

    assert "1 already in the group" in (await looked.message("summary"))["text"]
    assert "1 failed" in (await looked.message("summary"))["text"]
    assert len(world.events) == events


async def test_those_who_refused_are_invited(at: Desk) -> None:
    phones = new(2)
    asked = await at.plant(Outcome.REFUSED, Outcome.ADDED, phones=phones)
    invited = await followed(asked, ALICE, "Invite refused")

    assert "1 invited" in (await invited.message("summary"))["text"]
    assert "Invite 1 person" in (await invited.parent())["text"]


async def test_an_invite_names_the_group_as_whatsapp_does_and_reads_its_link_once(at: Desk) -> None:
    phones = new(3)
    provider = at.stage.scene.providers["wasend"]
    asked = await at.plant(*[Outcome.REFUSED] * 3, phones=phones)
    calls, texts = len(provider.calls), len(provider.world.sent)
    await followed(asked, ALICE, "Invite refused")

    link = f"https://chat.whatsapp.com/{provider.world.invite_of(group_id('wasend'))}"
    said = f"You are invited to the WhatsApp group “Wasend Team”: {link}"
    assert [(sent.to, sent.text) for sent in provider.world.sent[texts:]] == [(phone, said) for phone in phones]
    assert len([call for call in provider.calls[calls:] if call.path.endswith("/invite-code")]) == 1


async def test_what_a_provider_cannot_do_is_refused_with_the_reason(at: Desk) -> None:
    asked = await at.plant(Outcome.REFUSED, provider="twochat")
    await asked.click(ALICE, "Invite refused", "summary")
    await at.stage.hears(ALICE, "cannot do this")

    assert "Invite refused" in labels_of(await asked.message("summary"))


@pytest.mark.parametrize("user", [DAVE, STRANGER, ADMIN])
async def test_who_may_not_ask_for_it_may_not_let_it_follow(at: Desk, user: str) -> None:
    asked = await at.plant(Outcome.FAILED)
    await asked.click(user, "Retry failed", "summary")
    await at.stage.hears(user, "`groups:write`")

    after = request_id(asked.id, "retry")
    assert after not in at.requests()
    assert [(actor, action) for actor, action, _ in await at.refusals(after)] == [(user, "ask")]


async def test_a_followup_needs_approval_like_any_request(at: Desk) -> None:
    asked = await at.plant(*[Outcome.NOT_ATTEMPTED] * 50)
    await asked.click(ALICE, "Resume", "summary")
    resumed = Asked(at, request_id(asked.id, "resume"))
    await resumed.click(BOB, "Approve", "approval")
    await resumed.done()

    await at.stage.hears(ALICE, "Waiting for approval by `lead`")
    assert f"Resumes <{await link(asked)}|request> `" in (await resumed.message("approval"))["text"]


async def test_a_followup_that_was_denied_says_so_and_can_be_asked_for_again(at: Desk) -> None:
    asked = await at.plant(*[Outcome.NOT_ATTEMPTED] * 50)
    await asked.click(ALICE, "Resume", "summary")
    first = Asked(at, request_id(asked.id, "resume"))
    await first.labels("approval", "Deny")
    await asked.says("summary", f"`{first.id}`, requested by <@{ALICE}>: waiting for approval")
    assert "Resume" not in labels_of(await asked.message("summary"))
    await first.decide(BOB, "Deny", "not now")
    await asked.says("summary", f"`{first.id}`, requested by <@{ALICE}>: denied")
    second = await followed(asked, ALICE, "Resume", approved_by=BOB)

    said = await asked.says("summary", f"`{second.id}`, requested by <@{ALICE}>: done")
    assert f"`{first.id}`, requested by <@{ALICE}>: denied" in said
    assert "Resume" not in labels_of(await asked.message("summary"))
    assert "50 added" in (await second.message("summary"))["text"]


async def test_what_was_denied_can_be_asked_again(at: Desk) -> None:
    asked = await at.add(*new(50))
    await asked.decide(BOB, "Deny", "too many")
    await asked.click(ALICE, "Run again", "closed")
    again = Asked(at, request_id(asked.id, "again"))
    await again.labels("approval", "Approve")
    await asked.says("closed", f"|request> `{again.id}`")

    assert labels_of(await asked.message("closed")) == []


async def test_nothing_is_resumed_while_the_account_rests(at: Desk) -> None:
    asked = await at.plant(Outcome.NOT_ATTEMPTED, provider="twochat")
    await Throttle(at.database, "twochat", SendLimits()).cool_down(3600, "WhatsApp says <slow down>")
    await asked.click(ALICE, "Resume", "summary")
    await at.stage.hears(ALICE, "the account is paused until <!date^")

    assert "WhatsApp says &lt;slow down&gt;" in at.stage.told(ALICE)
    assert await at.refusals(asked.id) == [(ALICE, "resume", "sender_rests")]
    assert "Resume" in labels_of(await asked.message("summary"))


@pytest.mark.parametrize("user", [ALICE, BOB, SECOND, ADMIN])
async def test_a_stop_leaves_the_rest_and_resuming_does_it(at: Desk, user: str) -> None:
    asked = await running(at, 40)
    phones = {p.person.digits for p in await at.journal.items(asked.id)}
    await asked.click(user, "Stop", "parent")
    summary = await asked.done()
    done = at.members() & phones

    await at.stage.hears(user, "Stopping. What was sent stays")
    assert f"Stopped by <@{user}>" in await asked.says("parent", "Done")
    assert f"Stopped by <@{user}>" in summary
    assert "Stop" not in labels_of(await asked.parent())
    assert f"{40 - len(done)} not attempted" in summary
    if user == ALICE:
        at.stage.scene.providers["wasend"].latency = 0.0
        await asked.click(BOB, "Resume", "summary")
        resumed = Asked(at, request_id(asked.id, "resume"))
        await resumed.done()
        assert phones <= at.members()


async def test_who_may_not_stop_a_request_is_told_so(at: Desk) -> None:
    asked = await running(at, 30)
    for user in (CAROL, DAVE, STRANGER):
        await asked.click(user, "Stop", "parent")
        await at.stage.hears(user, "can stop this request. It continues.")
    await asked.done()

    assert await at.refusals(asked.id) == [(user, "stop", "not_yours") for user in (CAROL, DAVE, STRANGER)]


async def test_a_second_stop_and_one_that_comes_late_change_nothing(at: Desk) -> None:
    asked = await running(at, 40)
    parent = dict(await asked.parent())
    ts = parent["ts"]
    clicks = await asyncio.gather(*(at.stage.slack.click(user, CHANNEL, ts, "Stop") for user in (ALICE, BOB)))
    await asked.done()
    await asked.says("parent", "Done")
    (await asked.parent())["blocks"] = parent["blocks"]  # as somebody sees it who has not reloaded
    await asked.click(SECOND, "Stop", "parent")
    await at.stage.hears(SECOND, "has already stopped this request. Your click changed nothing.")

    assert all(click.ok for click in clicks)
    assert [code for _, _, code in await at.refusals(asked.id)] == ["over", "over"]


async def test_a_request_for_later_can_be_cancelled_until_then(at: Desk) -> None:
    later = RequestOptions(run_at=datetime.now(UTC) + timedelta(hours=1))
    phones = new(1)
    asked = await at.plant(None, phones=phones, options=later)
    assert "Starts <!date^" in await asked.says("parent", "Scheduled")
    assert await asked.labels("parent", "Withdraw") == ["Withdraw", "Details"]
    await asked.click(CAROL, "Withdraw", "parent")
    await at.stage.hears(CAROL, "a person with `approve` or `admin` for this group, can withdraw")
    await asked.click(BOB, "Withdraw", "parent")
    await asked.says("closed", f"Withdrawn by <@{BOB}>")

    await asked.says("parent", "↩️ Withdrawn")
    assert at.members().isdisjoint(phones)


async def test_a_request_that_waited_is_not_carried_out_for_somebody_who_may_not_any_more(at: Desk) -> None:
    soon = RequestOptions(run_at=datetime.now(UTC) + timedelta(seconds=1))
    phones = new(2)
    asked = await at.plant(None, None, phones=phones, options=soon, requester=STRANGER)
    await asked.done()
    assert at.members().isdisjoint(phones)
    assert "Who asked may not do this any more." in str(await asked.message("summary"))


async def test_what_is_run_again_keeps_its_time_while_that_is_ahead(at: Desk) -> None:
    asked = await at.plant(None, options=RequestOptions(run_at=datetime.now(UTC) + timedelta(hours=1)))
    await asked.click(ALICE, "Withdraw", "parent")
    await asked.click(ALICE, "Run again", "closed")
    again = Asked(at, request_id(asked.id, "again"))

    assert "Starts <!date^" in await again.says("parent", "Scheduled")
    await at.stage.hears(ALICE, "Starts <!date^")


async def test_what_is_run_again_after_its_time_says_that_it_runs_as_soon_as_it_may(at: Desk) -> None:
    asked = await at.plant(None, options=RequestOptions(run_at=datetime.now(UTC) - timedelta(hours=1)))
    await asked.done()
    again = await followed(asked, ALICE, "Run again")

    assert "has passed, so it runs as soon as possible" in (await again.parent())["text"]
    await at.stage.hears(ALICE, "has passed, so it runs as soon as possible")


async def test_the_file_goes_to_the_direct_messages_of_who_may_read_numbers(at: Desk) -> None:
    phones = new(2)
    asked = await at.add(*phones)
    await asked.click(DAVE, "Export CSV", "summary")
    await at.stage.hears(DAVE, "in a direct message")

    (message,) = at.stage.slack.messages("D0DAVE")
    assert [file["name"] for file in message["files"]] == [f"{asked.id}.csv"]
    content = next(f.content for f in at.stage.slack.files if f.name == f"{asked.id}.csv")
    assert content is not None
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["phone"] for row in rows] == [f"+{phone}" for phone in phones]
    assert {row["outcome"] for row in rows} == {"added"}


async def test_who_may_not_read_numbers_gets_no_file_and_the_reason(at: Desk) -> None:
    asked = await at.plant(Outcome.ADDED)
    await asked.click(STRANGER, "Export CSV", "summary")
    await at.stage.hears(STRANGER, "`groups:read`")

    assert await at.refusals(asked.id) == [(STRANGER, "export", "no_role")]
    assert not any(f.name == f"{asked.id}.csv" for f in at.stage.slack.files)


@pytest.mark.parametrize(("user", "shown"), [(DAVE, "+1 415-555-"), (STRANGER, "+1 415 ••• ")])
async def test_details_have_everybody_page_after_page(at: Desk, user: str, shown: str) -> None:
    asked = await at.plant(*[Outcome.ADDED] * 101)
    view = await asked.opens(user, "Details", "parent")
    lines = []
    for turn in ("Next", "Next", "Previous"):
        lines += [line for line in str(at.modal(user).body["blocks"]).split("\\n") if "added" in line and shown in line]
        first = at.modal(user).body["hash"]
        if turn == "Previous":
            break
        await at.stage.slack.press(user, view, turn)
        await at.stage.slack.wait_for(lambda: at.modal(user).body["hash"] != first)  # noqa: B023 - awaited here

    assert len(lines) == 101


async def test_numbers_are_shortened_where_everybody_reads(at: Desk) -> None:
    (phone,) = new(1)
    asked = await at.add(phone)
    await asked.done()

    results = await asked.message("results-0")
    assert f"+1 415 ••• {phone[-4:]}  ✅ added" in results["text"]
    assert phone[1:] not in str([message["text"] for message in asked.messages()])


async def link(asked: Asked) -> str:
    return f"https://sandbox.slack.com/archives/{CHANNEL}/p{(await asked.parent())['ts'].replace('.', '')}"
