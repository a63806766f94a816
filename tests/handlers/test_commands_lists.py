"""The lists, the card of a group, the files, and what is carried out: one running bot for all of it."""

import asyncio
import csv
import io
import json
import re

import pytest

from bot.commands.reference import page
from bot.domain.audit_chain import EXPORT_COLUMNS
from handlers.commands import groups, reply
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import World
from sandbox.sandbox import SIMULATORS
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import User
from tests.app import RunningApp, app_slack, module_app
from tests.slack_ui import (
    ALICE,
    BOB,
    CAROL,
    CHANNEL,
    DAVE,
    LATER,
    PHONE,
    click_last_answer,
    command,
    is_done,
    labels_of,
    named_messages,
    run_command,
    type_command,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = SIMULATORS["wasend"].group_id
MORE = f"""
[groups.guarded]
connection = "wasend"
id = "bulk07@g.us"
warning = "Ask <Ann> first"
[groups.warned]
connection = "wasend"
id = "bulk11@g.us"
warning = "Ask <Ann> first"
[roles.auditor]
members = ["{DAVE}"]
capabilities = ["audit:read"]
groups = ["guarded"]
[roles.keeper]
members = ["U05ERIN"]
capabilities = ["groups:read", "groups:write"]
groups = ["guarded"]
"""
BULK = {f"bulk{n:02}@g.us": f"Bulk {n:02}" for n in range(35)}


def with_members(app: RunningApp) -> None:
    """Put members, an admin and a hostile description into the group."""
    world = app.world()
    for number in range(3):
        world.add(GROUP, f"1415555010{number}")
    world.promote(GROUP, "14155550102")
    world.groups[GROUP].description = "=cmd() & <!channel>"


app = module_app(groups={**BULK, "vanishing@g.us": "Vanishing"}, rules=MORE, operators=(), prepare=with_members)
slack = app_slack


@pytest.fixture
def world(app: RunningApp) -> World:
    return app.world()


def labels(slack: SlackServer, user: str = ALICE) -> list[str]:
    """Return the labels of the buttons of the last answer that this person saw."""
    return labels_of(slack.ephemerals(user)[-1])


def file(slack: SlackServer) -> str:
    """Return the last uploaded file."""
    upload = slack.files[-1]
    assert upload.content is not None
    return upload.content.decode()


async def add_one(slack: SlackServer, name: str, group: str, phone: str = PHONE) -> None:
    """Add a person to a group as Bob, and wait until that is done."""
    await command(slack, f"{group} {phone}", user=BOB)
    await slack.wait_for(lambda: any(name in m["text"] and is_done(m) for m in named_messages(slack, "parent")))


async def test_groups_come_page_by_page_both_ways(slack: SlackServer) -> None:
    first = await type_command(slack, "/wa-groups bulk")
    assert first.count("• ") == 15
    assert "1 to 15 of 35 groups with “bulk” in a name" in first
    assert labels(slack) == ["Next"]

    assert "16 to 30 of 35" in await click_last_answer(slack, "Next")
    assert labels(slack) == ["Previous", "Next"]
    last = await click_last_answer(slack, "Next")
    assert (last.count("• "), labels(slack)) == (5, ["Previous"])
    assert "16 to 30" in await click_last_answer(slack, "Previous")
    assert await click_last_answer(slack, "Previous") == first


async def test_a_page_is_checked_against_the_role_of_the_person_who_clicks(slack: SlackServer) -> None:
    await type_command(slack, "/wa-groups", user=CAROL)
    assert labels(slack, CAROL) == []

    await type_command(slack, "/wa-groups bulk", user=ALICE)
    shown = slack.ephemerals(ALICE)[-1]
    before = len(slack.ephemerals(CAROL))
    await slack.click(CAROL, CHANNEL, shown["ts"], "Next")
    await slack.wait_for(lambda: "have access yet" in shown["text"] or len(slack.ephemerals(CAROL)) > before)
    assert "Bulk 20" not in str(shown)


async def test_a_card_describes_a_group(slack: SlackServer) -> None:
    card = await type_command(slack, "/wa-group wasend-team")

    assert "*wasend-team* on `wasend`" in card
    assert "Connection `wasend`: connected" in card
    assert "Description: =cmd() &amp; &lt;!channel&gt;" in card
    assert "Admins: 2 (+1 555-010-0001, +1 415-555-0102)" in card
    assert "Available here: add, remove, promote" in card
    assert "Not supported by the provider: disappearing messages." in card
    assert labels(slack) == ["Export members (CSV)"]
    assert "⚠️ Warning: Ask &lt;Ann&gt; first" in await type_command(slack, "/wa-group guarded")
    assert "*Bulk 03*" in await type_command(slack, "/wa-group bulk 03")


async def test_the_list_shows_the_subject_beside_the_alias(slack: SlackServer) -> None:
    assert f"• *wasend-team* “Wasend Team” on `wasend`: `{GROUP}`" in await type_command(slack, "/wa-groups wasend")
    assert "• *Bulk 03* on `wasend`: `bulk03@g.us`" in await type_command(slack, "/wa-groups bulk 03")


async def test_a_card_says_that_its_group_is_gone(slack: SlackServer, world: World) -> None:
    assert "Subject: Vanishing" in await type_command(slack, "/wa-group vanishing@g.us")
    del world.groups["vanishing@g.us"]
    card = await type_command(slack, "/wa-group vanishing@g.us")

    assert "*Vanishing* on `wasend`: `vanishing@g.us`" in card
    assert "Connection `wasend`: connected" in card
    assert "⚠️ This group is gone, or the account isn't in it: Wasend doesn't know the group" in card
    assert "Admins" not in card
    assert "Available here" not in card
    assert labels(slack) == []
    assert "There's no group called “vanishing@g.us”" in await type_command(slack, "/wa-group vanishing@g.us")


async def test_a_card_says_what_could_not_be_read(app: RunningApp, slack: SlackServer) -> None:
    app.provider().faults.append(InjectedFault(match="/participants", status=403, body="{}", times=-1))
    card = await type_command(slack, "/wa-group wasend-team")
    app.provider().faults.clear()

    assert "Subject: Wasend Team" in card
    assert "Admins: " in card
    assert "+1 415" not in card


@pytest.mark.parametrize(
    "fault", [None, SlackFault("response_url", status=500), SlackFault("response_url", error="drop", times=2)]
)
async def test_a_slow_answer_is_acknowledged_first(
    app: RunningApp, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, fault: SlackFault | None
) -> None:
    monkeypatch.setattr(reply, "ACK_DEADLINE", 0.1)
    monkeypatch.setattr(app.provider(), "latency", 0.25)
    if fault:
        slack.faults.append(fault)
    assert "The answer will appear here" in await type_command(slack, "/wa-invite wasend-team")

    await slack.wait_for(lambda: "https://chat.whatsapp.com/" in slack.ephemerals(ALICE)[-1]["text"])


async def test_a_card_limits_its_waiting(app: RunningApp, slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "CARD_TIMEOUT", 0.1)
    monkeypatch.setattr(app.provider(), "latency", 0.5)

    card = await type_command(slack, "/wa-group wasend-team")

    assert card.count("the provider didn't answer in time.") == 3


async def test_members_are_exported_in_a_direct_message(slack: SlackServer, world: World) -> None:
    world.person("14155550101")
    await type_command(slack, "/wa-group wasend-team")
    assert "in a direct message" in await click_last_answer(slack, "Export members (CSV)")

    rows = list(csv.reader(io.StringIO(file(slack))))
    assert tuple(rows[0]) == groups.COLUMNS
    assert [(row[0], row[1], row[2], row[5]) for row in rows[1:]] == [
        ("wasend", GROUP, "+15550100001", "admin"),
        ("wasend", GROUP, "+14155550100", "member"),
        ("wasend", GROUP, "+14155550101", "member"),
        ("wasend", GROUP, "+14155550102", "admin"),
    ]
    assert "4 members" in slack.messages("D0ALICE")[-1]["text"]
    assert [column for column in groups.COLUMNS if f"`{column}`" not in page()] == []


async def test_another_person_cannot_export_members(slack: SlackServer) -> None:
    await type_command(slack, "/wa-group wasend-team")
    shown, count, before = slack.ephemerals(ALICE)[-1], len(slack.files), len(slack.ephemerals(CAROL))
    await slack.click(CAROL, CHANNEL, shown["ts"], "Export members (CSV)")
    await slack.wait_for(lambda: len(slack.ephemerals(CAROL)) > before)

    assert "You don't have access yet" in slack.ephemerals(CAROL)[-1]["text"]
    assert len(slack.files) == count


async def test_unreadable_members_make_no_file(app: RunningApp, slack: SlackServer) -> None:
    await type_command(slack, "/wa-group wasend-team")
    count = len(slack.files)
    app.provider().faults.append(InjectedFault(match="/participants", status=403, body="{}", times=-1))
    said = await click_last_answer(slack, "Export members (CSV)")
    app.provider().faults.clear()

    assert "Couldn't read the members. Nothing was changed." in said
    assert len(slack.files) == count


async def test_commands_are_carried_out_as_typed(slack: SlackServer, world: World) -> None:
    lines = [
        "/wa-settings bulk01@g.us name: “at: noon” description: Call us | announce: on",
        "/wa-send bulk01@g.us text: Be there at: 5 &amp; to: win",
        "/wa-send bulk01@g.us to: +1 415 555 0107 text: to: you",
        "/wa-invite bulk01@g.us +1 415 555 0108 text: Come in",
        "/wa-create wasend 'New one' +1 415 555 0109",
    ]
    for line in lines:
        assert "Results appear in the thread." in await run_command(slack, line), line
    done = [m for m in named_messages(slack, "parent") if is_done(m)]
    await slack.wait_for(
        lambda: len([m for m in named_messages(slack, "parent") if is_done(m)]) == len(done) + len(lines), 30
    )

    group = world.groups["bulk01@g.us"]
    assert (group.subject, group.description, group.announce_only) == ("at: noon", "Call us", True)
    link = f"https://chat.whatsapp.com/{world.invite_of(group.id)}"
    assert {(sent.to, sent.text) for sent in world.sent} == {
        (group.id, "Be there at: 5 & to: win"),
        ("14155550107", "to: you"),
        ("14155550108", f"Come in\nYou are invited to the WhatsApp group “Bulk 01”: {link}"),
    }
    assert "New one" in {g.subject for g in world.groups.values()}


async def test_a_reset_makes_a_new_link(slack: SlackServer, world: World) -> None:
    before = world.invite_of("bulk02@g.us")
    assert "Resetting the invite link" in await run_command(slack, "/wa-invite bulk02@g.us RESET reason: leaked")

    await slack.wait_for(
        lambda: any(is_done(m) and "Bulk 02" in m["text"] for m in named_messages(slack, "parent")), 30
    )
    assert world.invite_of("bulk02@g.us") != before


async def test_a_typed_text_is_sent_only_after_a_confirmation(slack: SlackServer, world: World) -> None:
    sent, requests = len(world.sent), len(named_messages(slack, "parent"))

    question = await type_command(slack, "/wa-send warned We meet at nine.")

    assert "Send a message to warned?\n⚠️ Warning for this group: Ask &lt;Ann&gt; first\n" in question
    assert "We meet at nine." in question
    assert "Nothing happens until you press *Send*." in question
    assert labels_of(slack.ephemerals(ALICE)[-1]) == ["Send", "Cancel"]
    assert len(named_messages(slack, "parent")) == requests
    assert "Sending a message to *warned*" in await click_last_answer(slack, "Send")
    await slack.wait_for(lambda: len(world.sent) > sent)
    assert [(text.to, text.text) for text in world.sent[sent:]] == [("bulk11@g.us", "We meet at nine.")]


async def test_a_cancelled_command_does_nothing(slack: SlackServer, world: World) -> None:
    link, requests = world.invite_of("bulk11@g.us"), len(named_messages(slack, "parent"))

    question = await type_command(slack, "/wa-invite warned reset")

    assert "Reset the invite link of warned?\n⚠️ Warning for this group" in question
    assert "The current link stops working for everyone who has it." in question
    assert labels_of(slack.ephemerals(ALICE)[-1]) == ["Reset link", "Cancel"]
    assert await click_last_answer(slack, "Cancel") == "Cancelled. Nothing was done."
    assert (len(named_messages(slack, "parent")), world.invite_of("bulk11@g.us")) == (requests, link)


async def test_a_confirmation_counts_once_and_only_for_its_person(slack: SlackServer, world: World) -> None:
    sent = len(world.sent)
    await type_command(slack, "/wa-send bulk09@g.us Hello")
    ts, before = slack.ephemerals(ALICE)[-1]["ts"], len(slack.ephemerals(BOB))

    assert (await slack.click(BOB, CHANNEL, ts, "Send")).ok
    await slack.wait_for(lambda: len(slack.ephemerals(BOB)) > before)
    assert "belongs to another person" in slack.ephemerals(BOB)[-1]["text"]
    await asyncio.gather(slack.click(ALICE, CHANNEL, ts, "Send"), slack.click(ALICE, CHANNEL, ts, "Send"))

    await slack.wait_for(lambda: "already requested this" in slack.ephemerals(ALICE)[-1]["text"])
    await slack.wait_for(lambda: len(world.sent) > sent)
    assert [text.to for text in world.sent[sent:]] == ["bulk09@g.us"]


async def test_a_sync_needs_permission_to_read_its_list(slack: SlackServer) -> None:
    slack.workspace.users["U05ERIN"] = User("U05ERIN", "erin", "Erin")
    answer = await type_command(slack, "/wa-sync guarded from: wasend-team", user="U05ERIN")

    assert "The list is another group. You have `groups:read` through `keeper`, but not for" in answer


async def test_requests_are_listed_page_by_page_with_their_threads(slack: SlackServer) -> None:
    for number in range(11):
        await command(slack, f"bulk{number + 10}@g.us {PHONE} at: {LATER}", user=BOB)
    await slack.wait_for(lambda: any("Bulk 10" in m["text"] for m in slack.messages(CHANNEL)))
    first = await type_command(slack, "/wa-requests", user=BOB)

    assert first.count("• ") == 10
    assert "*Bulk 20*" in first
    second = await click_last_answer(slack, "Next", user=BOB)
    assert re.search(r"\*Bulk 10\*.*\n.*\|thread>", second)
    assert "*Bulk 20*" not in second
    newest = await click_last_answer(slack, "Newest", user=BOB)
    assert re.findall("`R.+?`", newest) == re.findall("`R.+?`", first)


async def test_thread_links_that_come_late_are_left_out(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await command(slack, f"bulk34@g.us {PHONE} at: {LATER}", user=ALICE)
    await slack.wait_for(lambda: any("Bulk 34" in m["text"] for m in slack.messages(CHANNEL)))
    monkeypatch.setattr("handlers.delivery.permalinks.READ_TIMEOUT", 0.1)
    slack.faults.append(SlackFault("chat.getPermalink", error="hang", times=-1))
    answer = await type_command(slack, "/wa-requests bulk34@g.us", user=BOB)
    slack.faults.clear()

    assert "*Bulk 34*" in answer
    assert "|thread>" not in answer


async def test_a_thread_link_is_read_once(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.delivery.permalinks.READ_TIMEOUT", None)

    def asked() -> int:
        return sum(call.method == "chat.getPermalink" for call in slack.calls)

    await add_one(slack, "Bulk 33", "bulk33@g.us")
    assert "|thread>" in await type_command(slack, "/wa-requests bulk33@g.us", user=BOB)
    before = asked()
    assert "|thread>" in await type_command(slack, "/wa-requests bulk33@g.us", user=BOB)
    assert asked() == before


async def test_people_see_the_requests_that_concern_them(slack: SlackServer) -> None:
    await command(slack, f"guarded {PHONE} at: {LATER}", user=ALICE)

    assert "<@U01ALICE>" in await type_command(slack, "/wa-requests guarded", user=BOB)
    assert "*guarded*" in await type_command(slack, "/wa-requests “guarded”", user=DAVE)
    everything = await type_command(slack, "/wa-requests all", user=DAVE)
    assert (everything.count("• "), "*guarded*" in everything) == (1, True)
    assert "There are no requests you can see" in await type_command(slack, "/wa-requests guarded", user=CAROL)
    assert "You haven't made any requests yet" in await type_command(slack, "/wa-requests mine", user=CAROL)
    assert "`audit:read`" in await type_command(slack, "/wa-requests all", user=ALICE)
    assert "<@U02BOB>" not in await type_command(slack, "/wa-requests", user=ALICE)
    assert "Nothing is waiting" in await type_command(slack, "/wa-requests waiting", user=BOB)


async def fill_audit(slack: SlackServer) -> None:
    """Write more than a page of audit rows, one of them about the guarded group."""
    for _ in range(16):
        await type_command(slack, "/wa-invite wasend-team", user=CAROL)
    await command(slack, f"guarded {PHONE} at: {LATER}")


async def test_the_audit_journal_is_searched_in_pages(slack: SlackServer) -> None:
    await fill_audit(slack)
    first = await type_command(slack, "/wa-audit", user=BOB)
    assert first.count("• ") == 15
    second = await click_last_answer(slack, "Next", user=BOB)
    assert second != first
    assert labels(slack, BOB)[0] == "Newest"
    assert labels(slack, BOB)[-2:] == ["Export CSV", "Export JSONL"]

    guarded = await type_command(slack, "/wa-audit group: guarded", user=BOB)
    assert {line.split("*")[1] for line in guarded.splitlines() if line.startswith("•")} == {"guarded"}
    await add_one(slack, "Bulk 32", "bulk32@g.us", "+1 415 555 0110")
    assert "+14155550110" in await type_command(slack, "/wa-audit +1 415 555 0110", user=BOB)
    none = await type_command(
        slack, "/wa-audit <@U04DAVE> group: guarded since: 2019-01-01 until: 2019-12-31", user=BOB
    )
    assert none.startswith("There are no audit rows about <@U04DAVE> in *guarded* since <!date^")
    none = await type_command(slack, "/wa-audit +1 415 555 0199", user=BOB)
    assert none.startswith("There are no audit rows about `+14155550199` that you can see.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("anyone", "“anyone” isn't a person"),
        ("since: yesterday", "“yesterday” isn't a valid date"),
        ("since: 2026-02-30", "“2026-02-30” isn't a valid date"),
        (f"since: {LATER}", f"“{LATER}” is in the future"),
        ("since: 2026-03-02 until: 2026-03-01", "“2026-03-01” isn't after “2026-03-02”."),
        ("07700 900123", "“07700 900123” isn't a person. Write the number with + and the country code."),
        ("<@U01ALICE> <@U02BOB>", "isn't a person. Use one mention"),
        ("group:", "`group:` has no value."),
        ("group: nowhere", "There's no group called “nowhere”"),
        ("snce: 2026-01-01", "Did you mean `since:`?"),
    ],
)
async def test_an_invalid_audit_search_is_explained(slack: SlackServer, text: str, problem: str) -> None:
    assert problem in await command(slack, text, user=BOB, name="/wa-audit")


async def test_an_auditor_of_some_groups_sees_nothing_of_others(slack: SlackServer) -> None:
    await fill_audit(slack)
    seen = await type_command(slack, "/wa-audit", user=DAVE)

    assert {line.split("*")[1] for line in seen.splitlines() if line.startswith("•")} == {"guarded"}
    assert "`audit:read`" in await type_command(slack, "/wa-audit", user=ALICE)


async def test_the_audit_journal_is_exported_as_it_was_searched(slack: SlackServer) -> None:
    await fill_audit(slack)
    await type_command(slack, "/wa-audit <@U01ALICE> group: guarded", user=BOB)
    assert "in a direct message" in await click_last_answer(slack, "Export CSV", user=BOB)
    rows = list(csv.DictReader(io.StringIO(file(slack))))
    assert tuple(rows[0]) == EXPORT_COLUMNS
    assert {row["actor"] for row in rows} == {ALICE}

    await click_last_answer(slack, "Export JSONL", user=BOB)
    lines = [json.loads(line) for line in file(slack).splitlines()]
    assert [line["seq"] for line in lines] == [int(row["seq"]) for row in rows]
    assert slack.messages("D0BOB")[-1]["files"][0]["name"] == "audit.jsonl"


async def test_another_person_cannot_turn_or_export_the_audit_journal(slack: SlackServer) -> None:
    await fill_audit(slack)
    await type_command(slack, "/wa-audit", user=BOB)
    shown, files, heard = slack.ephemerals(BOB)[-1], len(slack.files), len(slack.ephemerals(ALICE))
    await slack.click(ALICE, CHANNEL, shown["ts"], "Export CSV")
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > heard)
    await slack.click(ALICE, CHANNEL, shown["ts"], "Next")
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > heard + 1)
    assert all("audit:read" in message["text"] for message in slack.ephemerals(ALICE)[heard:])
    assert len(slack.files) == files
