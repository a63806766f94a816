from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.services import sync
from sandbox.providers.world import Membership
from sandbox.slack.errors import SlackFault
from sandbox.slack.workspace import UserGroup
from tests.stage import ALICE, BOB, CHANNEL, DAVE, Stage, group_id, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP, OTHER = group_id("wasend"), "120363041234567999@g.us"
ANA, BEN, CAI, DEE = "14155550101", "14155550102", "14155550103", "14155550104"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(tmp_path_factory.mktemp("sync")) as played:
        yield played


@pytest.fixture
def played(running: Stage) -> Stage:
    """Ana and Ben are on the list; Ben, Cai and Dee in the group, of which Dee is an admin."""
    world = running.world("wasend")
    world.put_group(OTHER, "The List", [ANA, BEN])
    team = world.put_group(GROUP, "Wasend Team", [BEN, CAI, DEE])
    team.members[DEE] = Membership(DEE, "admin")
    world.events.clear()
    return running


async def run_sync(played: Stage, text: str, user: str = ALICE) -> None:
    await played.slack.command(user, CHANNEL, "/wa-sync", f"wasend-team from: “The List” {text}")


def members(played: Stage) -> set[str]:
    return set(played.world("wasend").groups[GROUP].members)


async def approve(played: Stage, number: int) -> None:
    card = await played.button("Approve")
    await played.slack.click(BOB, CHANNEL, card["ts"], "Approve")
    await played.finished(number)


async def test_a_mirror_waits_for_approval_and_then_the_group_is_the_list_and_its_admins(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "mode: mirror reason: quarterly")
    await played.hears(ALICE, "Comparing")
    await played.button("Approve")
    assert members(played) == {BEN, CAI, DEE}
    await approve(played, number)
    assert members(played) == {ANA, BEN, DEE}


async def test_without_a_mode_nobody_is_removed(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "")
    await played.parent(number)
    await approve(played, number)
    assert members(played) == {ANA, BEN, CAI, DEE}


async def test_who_became_an_admin_or_came_on_the_list_before_the_approval_is_not_removed(played: Stage) -> None:
    number = len(played.parents())
    played.world("wasend").put_group(GROUP, "Wasend Team", [BEN, CAI, DEE])
    await run_sync(played, "mode: mirror")
    thread = (await played.parent(number))["text"]
    assert "The list: the members of The List. Adds 1 and removes 2." in thread
    await played.button("Approve")
    played.world("wasend").groups[GROUP].members[CAI].role = "admin"
    played.world("wasend").add(OTHER, DEE)
    played.world("wasend").remove(OTHER, ANA)
    await approve(played, number)
    assert members(played) == {BEN, CAI, DEE}
    told = str(played.slack.thread(CHANNEL, played.parents()[number]["ts"]))
    assert "An admin of the group. A sync doesn't remove admins." in told
    assert "On the list by now." in told
    assert "Not on the list any more." in told


async def test_a_list_that_cannot_be_read_any_more_changes_nobody(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "mode: mirror")
    await played.button("Approve")
    del played.world("wasend").groups[OTHER]
    await approve(played, number)
    assert members(played) == {BEN, CAI, DEE}
    assert "The list could not be read again" in str(played.slack.messages(CHANNEL))


async def test_a_report_changes_nothing_and_can_be_carried_out_after_it(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "mode: report")
    thread = await played.finished(number)
    assert "Would be added." in str(thread)
    assert "Would be removed." in str(thread)
    assert played.world("wasend").events == []
    assert "1 not on the list stay: admins" in thread[0]["text"]
    summary = await played.button("Resume")
    await played.slack.click(ALICE, CHANNEL, summary["ts"], "Resume")
    await played.parent(number + 1)
    await approve(played, number + 1)
    assert members(played) == {ANA, BEN, DEE}
    assert "Adds 1 and removes 1. 1 not on the list stay: admins" in played.parents()[number + 1]["text"]


async def test_the_undo_of_a_sync_is_called_what_it_is(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "mode: mirror")
    await approve(played, number)
    summary = await played.button("Undo")
    await played.slack.click(ALICE, CHANNEL, summary["ts"], "Undo")
    parent = await played.parent(number + 1)

    assert parent["text"].startswith("Undo a sync of wasend-team, changing 2 people back")
    assert "Adds 1 and removes 1." in parent["text"]
    await approve(played, number + 1)
    assert members(played) == {BEN, CAI, DEE}


async def test_a_group_that_is_in_line_is_told_and_makes_no_request(played: Stage) -> None:
    number = len(played.parents())
    played.world("wasend").put_group(GROUP, "Wasend Team", [ANA, BEN])
    await run_sync(played, "mode: mirror")
    await played.hears(ALICE, "in line with the members of The List already")
    assert len(played.parents()) == number


@pytest.mark.parametrize("error", ["user_disabled", "internal_error"])
async def test_a_sync_whose_maker_cannot_be_told_holds_up_no_other(
    played: Stage, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "RETRY_DELAY", 0.1)
    played.world("wasend").put_group(GROUP, "Wasend Team", [ANA, BEN])
    seen = len(played.slack.ephemerals(ALICE))
    for method in ("chat.postEphemeral", "chat.postMessage"):
        played.slack.faults.append(
            SlackFault(method, contains="*wasend-team*: The group is in line", error=error, times=-1)
        )
    await run_sync(played, "mode: mirror")
    await played.slack.wait_for(lambda: _tried(played, "*wasend-team*: "))
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", "“The List” from: wasend-team mode: mirror")
    await played.slack.wait_for(lambda: "*The List*: The group is in line" in _since(played, seen))
    played.slack.faults.clear()
    if error == "internal_error":
        await played.slack.wait_for(lambda: "*wasend-team*: The group is in line" in _since(played, seen))


def _since(played: Stage, seen: int) -> str:
    return str([message["text"] for message in played.slack.ephemerals(ALICE)[seen:]])


def _tried(played: Stage, words: str) -> bool:
    return any(words in str(call.args.get("text")) for call in played.slack.calls if call.method == "chat.postMessage")


async def test_a_user_group_is_read_through_its_profiles_and_a_missing_phone_ends_it(played: Stage) -> None:
    number = len(played.parents())
    users = played.slack.workspace.users
    played.slack.workspace.groups["S0TEAM01"] = UserGroup("S0TEAM01", "team", "Team", (ALICE, BOB))
    users[ALICE] = replace(users[ALICE], phone="+1 415-555-0101")
    text = "wasend-team from: <!subteam^S0TEAM01|@team> mode: mirror"
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", text)
    await played.hears(ALICE, f"no usable phone number in their Slack profile: <@{BOB}>")
    assert len(played.parents()) == number

    users[BOB] = replace(users[BOB], phone="+14155550102")
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", text)
    await played.parent(number)
    await approve(played, number)
    assert members(played) == {ANA, BEN, DEE}


async def test_who_may_only_read_starts_no_sync(played: Stage) -> None:
    number = len(played.parents())
    await run_sync(played, "mode: mirror", user=DAVE)
    assert "groups:write" in played.told(DAVE)
    assert len(played.parents()) == number


async def test_the_list_is_another_than_the_group(played: Stage) -> None:
    await played.slack.command(ALICE, CHANNEL, "/wa-sync", "wasend-team from: wasend-team mode: mirror")
    assert "The list is the group itself" in played.told(ALICE)
