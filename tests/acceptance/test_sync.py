from dataclasses import replace

import pytest

from bot.services import sync_scheduler
from sandbox.providers.world import Membership
from sandbox.slack.errors import SlackFault
from sandbox.slack.workspace import UserGroup
from tests.app import RunningApp, SubmittedRequest, group_id, module_app
from tests.slack_ui import ALICE, BOB, CHANNEL

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP, OTHER = group_id("wasend"), "120363041234567999@g.us"
ANA, BEN, CAI, DEE = "14155550101", "14155550102", "14155550103", "14155550104"


running = module_app()


@pytest.fixture
def app(running: RunningApp) -> RunningApp:
    """Ana and Ben are on the list; Ben, Cai and Dee in the group, of which Dee is an admin."""
    world = running.world()
    world.put_group(OTHER, "The List", [ANA, BEN])
    team = world.put_group(GROUP, "Wasend Team", [BEN, CAI, DEE])
    team.members[DEE] = Membership(DEE, "admin")
    world.events.clear()
    return running


async def run_sync(app: RunningApp, text: str) -> int:
    """Start a sync of the group with the list, and return the number of its request in the channel."""
    number = len(app.parents())
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", f"wasend-team from: “The List” {text}")
    return number


def members(app: RunningApp) -> set[str]:
    return set(app.world().groups[GROUP].members)


async def approve(app: RunningApp, number: int) -> None:
    card = await app.message_with_button("Approve")
    await app.slack.click(BOB, CHANNEL, card["ts"], "Approve")
    await app.finished(number)


async def follow(app: RunningApp, label: str) -> SubmittedRequest:
    """Click the button of a follow-up, approve the new request, and wait until it is done."""
    before = len(app.request_ids())
    summary = await app.message_with_button(label)
    await app.slack.click(ALICE, CHANNEL, summary["ts"], label)
    await app.slack.wait_for(lambda: len(app.request_ids()) > before)
    request = SubmittedRequest(app, app.request_ids()[-1])
    await request.click(BOB, "Approve", "approval")
    await request.done()
    return request


async def test_a_mirror_waits_for_approval_and_keeps_admins(app: RunningApp) -> None:
    number = await run_sync(app, "mode: mirror reason: quarterly")
    await app.wait_for_ephemeral(ALICE, "Comparing")
    await app.message_with_button("Approve")
    assert members(app) == {BEN, CAI, DEE}
    await approve(app, number)
    assert members(app) == {ANA, BEN, DEE}


async def test_without_a_mode_a_sync_removes_no_people(app: RunningApp) -> None:
    number = await run_sync(app, "")
    await app.parent(number)
    await approve(app, number)
    assert members(app) == {ANA, BEN, CAI, DEE}


async def test_changes_before_the_approval_are_taken_into_account(app: RunningApp) -> None:
    app.world().put_group(GROUP, "Wasend Team", [BEN, CAI, DEE])
    number = await run_sync(app, "mode: mirror")
    parent = (await app.parent(number))["text"]
    assert "List: the members of The List. Adds 1 and removes 2." in parent
    await app.message_with_button("Approve")
    app.world().groups[GROUP].members[CAI].role = "admin"
    app.world().add(OTHER, DEE)
    app.world().remove(OTHER, ANA)
    await approve(app, number)
    assert members(app) == {BEN, CAI, DEE}
    thread = str(app.slack.thread(CHANNEL, app.parents()[number]["ts"]))
    assert "An admin of the group. A sync doesn't remove admins." in thread
    assert "Now on the list." in thread
    assert "No longer on the list." in thread


async def test_a_list_that_disappears_changes_nothing(app: RunningApp) -> None:
    number = await run_sync(app, "mode: mirror")
    await app.message_with_button("Approve")
    del app.world().groups[OTHER]
    await approve(app, number)
    assert members(app) == {BEN, CAI, DEE}
    assert "The list couldn't be read again" in str(app.slack.messages(CHANNEL))


async def test_a_report_changes_nothing_and_can_be_resumed(app: RunningApp) -> None:
    number = await run_sync(app, "mode: report")
    thread = await app.finished(number)
    assert "Would be added." in str(thread)
    assert "Would be removed." in str(thread)
    assert app.world().events == []
    assert "1 person isn't on the list but stays: group admins" in thread[0]["text"]
    resumed = await follow(app, "Resume")
    assert members(app) == {ANA, BEN, DEE}
    said = (await resumed.parent())["text"]
    assert "Adds 1 and removes 1. 1 person isn't on the list but stays: group admins" in said


async def test_a_sync_can_be_undone(app: RunningApp) -> None:
    number = await run_sync(app, "mode: mirror")
    await approve(app, number)
    parent = await (await follow(app, "Undo")).parent()

    assert parent["text"].startswith("Undo a sync of wasend-team, changing 2 people back")
    assert "Adds 1 and removes 1." in parent["text"]
    assert members(app) == {BEN, CAI, DEE}


async def test_a_group_in_sync_makes_no_request(app: RunningApp) -> None:
    app.world().put_group(GROUP, "Wasend Team", [ANA, BEN])
    number = await run_sync(app, "mode: mirror")
    await app.wait_for_ephemeral(ALICE, "already matches the members of The List")
    assert len(app.parents()) == number


@pytest.mark.parametrize("error", ["user_disabled", "internal_error"])
async def test_a_sync_whose_requester_cannot_be_reached_delays_no_other_sync(
    app: RunningApp, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_scheduler, "RETRY_DELAY", 0.1)
    app.world().put_group(GROUP, "Wasend Team", [ANA, BEN])
    seen = len(app.slack.ephemerals(ALICE))
    for method in ("chat.postEphemeral", "chat.postMessage"):
        app.slack.faults.append(
            SlackFault(method, contains="*wasend-team*: The group already matches", error=error, times=-1)
        )
    await run_sync(app, "mode: mirror")
    await app.slack.wait_for(lambda: _tried(app, "*wasend-team*: "))
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", "“The List” from: wasend-team mode: mirror")
    await app.slack.wait_for(lambda: "*The List*: The group already matches" in _since(app, seen))
    app.slack.faults.clear()
    if error == "internal_error":
        await app.slack.wait_for(lambda: "*wasend-team*: The group already matches" in _since(app, seen))


def _since(app: RunningApp, seen: int) -> str:
    return str([message["text"] for message in app.slack.ephemerals(ALICE)[seen:]])


def _tried(app: RunningApp, words: str) -> bool:
    return any(words in str(call.args.get("text")) for call in app.slack.calls if call.method == "chat.postMessage")


async def test_a_sync_with_a_user_group_needs_all_phones(app: RunningApp) -> None:
    number = len(app.parents())
    users = app.slack.workspace.users
    app.slack.workspace.groups["S0TEAM01"] = UserGroup("S0TEAM01", "team", "Team", (ALICE, BOB))
    users[ALICE] = replace(users[ALICE], phone="+1 415-555-0101")
    text = "wasend-team from: <!subteam^S0TEAM01|@team> mode: mirror"
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", text)
    await app.wait_for_ephemeral(ALICE, f"no usable phone number in their Slack profile: <@{BOB}>")
    assert len(app.parents()) == number

    users[BOB] = replace(users[BOB], phone="+14155550102")
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", text)
    await app.parent(number)
    await approve(app, number)
    assert members(app) == {ANA, BEN, DEE}


async def test_a_group_is_not_synced_with_itself(app: RunningApp) -> None:
    await app.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team from: wasend-team mode: mirror")
    assert "The list is the group itself" in app.last_ephemeral(ALICE)
