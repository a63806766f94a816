"""The forms, from opening to request: one running bot for all of it, each test with people of its own."""

import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import pytest_asyncio

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from handlers.modals import form_preview, respond, uploads
from sandbox.sandbox import Sandbox, serve_sandbox
from sandbox.slack.delivery import Ack
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import SlackView, User

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE, BOB, CAROL, DAVE = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
LAUNCH = "C0LAUNCH"
WASEND, WUTS, TWOCHAT, WACR = (f"{name}-team · {name}" for name in ("wasend", "wuts", "twochat", "wacr"))
WASEND_ID, WUTS_ID = "120363041234567891@g.us", "120363041234567892@g.us"
RULES = """
[[approvals]]
operations = ["promote"]
groups = ["*"]
min_participants = 1
approvers = ["lead"]
quorum = 1
"""
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 100


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("modals")
    async with serve_sandbox(["wasend", "wuts", "twochat", "wacr"], scopes=BOT_SCOPES) as played:
        for n in range(120):
            played.providers["twochat"].world.put_group(f"WAGbulk{n}", f"Bulk {n:03}")
        config = folder / "rollcall.toml"
        written = played.config(f"sqlite:///{folder}/rollcall.db", rules=RULES)
        warned = f'id = "{WASEND_ID}"'
        config.write_text(written.replace(warned, f'{warned}\nwarning = "Customers read along"'))
        async with bootstrap.running(load(config, played.environment())) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            yield played
        assert played.slack.oddities == []


@pytest.fixture
def slack(played: Sandbox) -> SlackServer:
    return played.slack


def seen(slack: SlackServer, user: str = ALICE) -> SlackView:
    view = slack.open_view(user)
    assert view is not None
    return view


def title(slack: SlackServer, user: str = ALICE) -> str:
    return str(seen(slack, user).body["title"]["text"])


def says(slack: SlackServer, user: str = ALICE) -> str:
    """Give everything that the modal says, as one text."""
    return json.dumps(seen(slack, user).body["blocks"], ensure_ascii=False)


async def opened(slack: SlackServer, verb: str, user: str = ALICE) -> str:
    await slack.command(user, LAUNCH, f"/wa-{verb}", "")
    return str(seen(slack, user).body["id"])


async def submitted(slack: SlackServer, values: dict[str, Any] | None = None, user: str = ALICE) -> Ack:
    ack = await slack.submit(user, seen(slack, user).body["id"], values)
    assert ack.ok, ack
    return ack


async def filled(slack: SlackServer, verb: str, values: dict[str, Any], user: str = ALICE) -> str:
    """Open a form, fill it in and submit it. Gives what is shown then."""
    await opened(slack, verb, user)
    await submitted(slack, values, user)
    return says(slack, user)


async def told(slack: SlackServer, values: dict[str, Any] | None = None, user: str = ALICE) -> str:
    """Submit the modal, which closes everything, and give what the person is told."""
    before = len(slack.ephemerals(user))
    await submitted(slack, values, user)
    assert slack.open_view(user) is None
    await slack.wait_for(lambda: len(slack.ephemerals(user)) > before)
    return str(slack.ephemerals(user)[-1]["text"])


def errors(slack: SlackServer, user: str = ALICE) -> dict[str, str]:
    return {block.partition(":")[0]: words for block, words in seen(slack, user).errors.items()}


def acknowledged(slack: SlackServer) -> str:
    """Give what the last delivery was acknowledged with, as one text."""
    ack = slack.deliveries[-1].ack
    assert ack
    return json.dumps(ack.body, ensure_ascii=False)


def csv(*lines: str) -> list[tuple[str, bytes]]:
    return [("people.csv", "\n".join(lines).encode())]


def xlsx(*rows: tuple[str, ...]) -> list[tuple[str, bytes]]:
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(content)
    return [("people.xlsx", content.getvalue())]


async def test_people_are_previewed_and_then_asked_for_once(played: Sandbox, slack: SlackServer) -> None:
    numbers = "+1 415 555 0101, +1 415 555 0101, nobody\n+44 7700 900123"
    shown = await filled(slack, "add", {"Group": WASEND, "Numbers": numbers, "Reason": "new"})
    for words in (
        "2 people to add",
        "1 duplicate ignored",
        "“nobody”",
        "Customers read along",
        "Starts immediately",
        "Reason: new",
    ):
        assert words in shown, words
    assert "about 1 second" in shown
    assert "100,000 left in today's limit" in shown
    assert "No approval needed" in shown
    assert played.providers["wasend"].world.events == []

    assert (await told(slack)).startswith("Adding 2 people to *wasend-team*.")
    world = played.providers["wasend"].world
    await slack.wait_for(lambda: len(world.groups[WASEND_ID].members) > 1)
    assert (await slack.redeliver(slack.deliveries[-1])).ok
    await slack.wait_for(lambda: "already submitted" in slack.ephemerals(ALICE)[-1]["text"])
    assert len([e for e in world.events if e.phone == "14155550101"]) == 1


async def test_back_leads_to_what_was_typed_and_forward_again(slack: SlackServer) -> None:
    await filled(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0201", "Reason": "typed once"})
    await slack.close_view(ALICE, seen(slack).body["id"])
    assert title(slack) == "Add to a group"

    await submitted(slack, {"Numbers": "+1 415 555 0202, +1 415 555 0203"})
    assert "2 people" in says(slack)
    assert "typed once" in says(slack)
    assert "Adding 2 people" in await told(slack)


@pytest.mark.parametrize(
    ("verb", "values", "block", "words"),
    [
        ("add", {"Group": WASEND}, "numbers", "Enter at least one phone number."),
        ("add", {"Group": WASEND, "Numbers": "nobody"}, "numbers", "“nobody”"),
        ("add", {"Group": WASEND, "file": csv("a,b", "c,d")}, "file", "no column of phone numbers"),
        ("add", {"Group": WASEND, "file": [("x.pdf", b"%PDF-1.7")]}, "file", "neither a CSV"),
        ("add", {"Group": WASEND, "Numbers": "1", "Run at": 1_000_000_000}, "run_at", "This moment is over"),
        ("add", {"Group": WASEND, "Numbers": "1", "Run at": 4_000_000_000}, "run_at", "more than a year"),
        ("add", {"Group": TWOCHAT, "Numbers": "1", "invite": ["yes"]}, "invite", "Take the tick away"),
        ("create", {"Connection": "wasend", "subject": " ", "Numbers": "1"}, "subject", "needs a name"),
        ("send", {"Group": WASEND, "Text": " "}, "text", "Type the text"),
        ("send", {"Group": WASEND, "Text": "x", "numbers": "1"}, "to", "The group or the people?"),
        ("send", {"Group": WASEND, "Text": "x", "to": "people"}, "numbers", "Enter at least one"),
        ("invite", {"Group": WASEND}, "numbers", "Enter at least one"),
        ("sync", {"group": WASEND}, "usergroup", "Give one list"),
        ("sync", {"group": WASEND, "other": WASEND}, "other", "the same group"),
        (
            "sync",
            {"group": WASEND, "file": csv("phone", "+14155550101", "x"), "mode": "mirror"},
            "file",
            "must know everybody",
        ),
        ("sync", {"group": WASEND, "file": csv("phone", "+14155550101", "5@lid")}, "file", "goes by those"),
        ("add", {"Group": WASEND, "file": [("a.xlsx", b"<html>+14155550101")]}, "file", "This is no Excel workbook"),
    ],
)
async def test_an_error_stands_at_its_field(
    slack: SlackServer, verb: str, values: dict[str, Any], block: str, words: str
) -> None:
    await filled(slack, verb, values)
    assert list(errors(slack)) == [block]
    assert words in errors(slack)[block]


async def test_an_entry_that_is_no_number_has_the_line_that_it_was_typed_on(slack: SlackServer) -> None:
    file = csv("Phone", "+1 415 555 0301", "12")
    typed = "+1 415 555 0303\nBen, nobody\n+1 415 555 0304; 1.5"
    shown = await filled(slack, "add", {"Group": WASEND, "Numbers": typed, "file": file})
    for words in ("line 2, “Ben”", "line 2, “nobody”", "line 3, “1.5”", "line 3 of the file, “12”"):
        assert words in shown, words

    await filled(slack, "add", {"Group": WASEND, "Numbers": "\n\nBen\nnobody"})
    assert "Line 3, “Ben”" in errors(slack)["numbers"]


async def test_who_may_do_it_nowhere_is_told_so_instead(slack: SlackServer) -> None:
    await slack.command(DAVE, LAUNCH, "/wa-add", "")
    assert slack.open_view(DAVE) is None
    assert "groups:write" in slack.ephemerals(DAVE)[-1]["text"]


async def test_a_search_offers_only_what_can_be_done_and_says_when_there_is_more(slack: SlackServer) -> None:
    view = await opened(slack, "add")
    assert len(await slack.suggest(ALICE, view, "Group", "")) == 100
    assert "100 of 124 groups" in acknowledged(slack)
    assert [o["text"]["text"] for o in await slack.suggest(ALICE, view, "Group", "bulk 119")] == ["Bulk 119 · twochat"]
    view = await opened(slack, "invite")
    offered = {o["text"]["text"] for o in await slack.suggest(ALICE, view, "Group", "team")}
    assert {WASEND, WUTS} <= offered
    assert offered.isdisjoint({WACR, TWOCHAT})


@pytest.mark.parametrize(
    "file",
    [
        csv("Name,Phone", "Ann,+1 415 555 0301", "Ben,+1 415 555 0302", "Cem,", "Dee,12"),
        xlsx(("Name", "Phone"), ("Ann", "+1 415 555 0301"), ("Ben", "+1 415 555 0302"), ("Cem", ""), ("Dee", "12")),
    ],
    ids=["csv", "xlsx"],
)
async def test_the_column_of_numbers_is_found_in_a_file(slack: SlackServer, file: list[tuple[str, bytes]]) -> None:
    values = {"Group": WASEND, "Numbers": "+1 415 555 0303, (415) 555-0301", "file": file}
    shown = await filled(slack, "add", values)
    for words in (
        "3 people to add",
        "column “Phone”",
        "line 5 of the file, “12”",
        "1 line of the file has no number: 4",
        "1 duplicate ignored",
    ):
        assert words in shown, words


async def test_words_above_numbers_are_shown_as_headings_and_an_unclear_column_is_asked_for(slack: SlackServer) -> None:
    file = csv("Who,Reachable", "Ann,+1 415 555 0301", "Ben,+1 415 555 0302")
    shown = await filled(slack, "add", {"Group": WASEND, "file": file})
    assert "2 people to add" in shown
    assert "column “Reachable”; line 1 is taken for headings" in shown
    assert "Couldn't read" not in shown

    file = csv("Ann,+1 415 555 0301", "Ben,none", "Cem,+1 415 555 0302")
    shown = await filled(slack, "add", {"Group": WASEND, "file": file})
    assert title(slack) == "Choose the column"
    assert "We're not sure that this column of “people.csv” contains the phone numbers." in shown


async def test_the_column_is_asked_for_where_several_may_be_meant(slack: SlackServer) -> None:
    file = csv("Home phone,Work phone", "+1 415 555 0401,+1 415 555 0411", "+1 415 555 0402,+1 415 555 0412")
    shown = await filled(slack, "remove", {"Group": WASEND, "Numbers": "+1 415 555 0403", "file": file, "Reason": "r"})
    assert title(slack) == "Choose the column"
    assert "+1 415 555 0411" in shown

    await submitted(slack, {"column": "Work phone"})
    assert title(slack) == "Preview"
    assert "column “Work phone”" in says(slack)
    assert "3 people" in says(slack)
    assert "Removing 3 people" in await told(slack)


async def test_a_file_is_not_read_past_its_bounds(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_PEOPLE", 2)
    many = csv("phone", *(f"+1415555{n:04}" for n in range(3)))
    await filled(slack, "add", {"Group": WASEND, "file": many})
    assert "3 entries; one request takes 2 at most" in errors(slack)["file"]


async def test_a_slow_provider_delays_no_preview(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", 0.0)
    await opened(slack, "add")
    await submitted(slack, {"Group": WASEND, "Numbers": "+1 415 555 0501"})
    await slack.wait_for(lambda: "1 person to add" in says(slack))
    assert "Still checking who's in the group" in acknowledged(slack)
    assert "Still checking who's in the group" not in says(slack)
    assert "Adding 1 person" in await told(slack)


@pytest.mark.parametrize(("cell", "comes"), [("+1 415 555 0601", "Preview"), ("nobody", "No preview")])
async def test_what_takes_longer_than_slack_waits_comes_later(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, cell: str, comes: str
) -> None:
    monkeypatch.setattr(respond, "ACK_DEADLINE", 0.0)
    await opened(slack, "add")
    await submitted(slack, {"Group": WASEND, "file": csv("phone", cell)})
    assert "Reading…" in acknowledged(slack)
    await slack.wait_for(lambda: title(slack) == comes)
    await slack.close_view(ALICE, seen(slack).body["id"])
    assert title(slack) == "Add to a group"


async def test_what_breaks_while_somebody_waits_is_told_there(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(respond, "ACK_DEADLINE", 0.0)
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", "broken")
    await opened(slack, "add")
    await submitted(slack, {"Group": WASEND, "Numbers": "+1 415 555 0601"})
    await slack.wait_for(lambda: "Something went wrong" in says(slack))


async def test_a_preview_says_whose_approval_is_needed_and_who_is_no_member(slack: SlackServer) -> None:
    shown = await filled(slack, "promote", {"Group": WASEND, "Numbers": "+1 415 555 0701"})
    assert "0 people to make admins" in shown
    assert "Nothing would be sent to the provider." in shown
    assert "1 person not in the group, so they can't become admins (skipped): +1 415-555-0701" in shown
    assert "Needs 1 approval by `lead`" in shown
    assert seen(slack).body["submit"]["text"] == "Ask for approval"
    assert "Waiting for approval by `lead`" in await told(slack)


async def test_a_request_can_be_put_off(slack: SlackServer) -> None:
    at = int((datetime.now(UTC) + timedelta(days=1)).timestamp())
    shown = await filled(slack, "demote", {"Group": WASEND, "Numbers": "+1 415 555 0702", "Run at": at})
    assert f"<!date^{at}^" in shown
    assert f"<!date^{at}^" in await told(slack)


async def test_a_group_is_created_and_those_who_refuse_are_invited(played: Sandbox, slack: SlackServer) -> None:
    values = {"Connection": "wasend", "subject": "Spring 🌷 Fair", "Numbers": "+1 415 555 0801", "invite": ["yes"]}
    shown = await filled(slack, "create", values)
    assert "Create the group Spring 🌷 Fair with 1 person" in shown
    assert "gets an invite link" in shown
    assert "Still checking" not in shown
    assert "Couldn't read the group" not in shown
    await told(slack)
    groups = played.providers["wasend"].world.groups
    await slack.wait_for(lambda: any(g.subject == "Spring 🌷 Fair" for g in groups.values()))


async def test_settings_offer_what_the_provider_can_with_what_is_now(played: Sandbox, slack: SlackServer) -> None:
    group = played.providers["wuts"].world.groups[WUTS_ID]
    view = await opened(slack, "settings")
    await slack.press(ALICE, view, "Group", value=WUTS)
    await slack.wait_for(lambda: "Messages disappear" in says(slack))
    assert f'"initial_value": "{group.subject}"' in says(slack)
    assert "Who can edit the group's info" not in says(slack)

    await submitted(slack)
    assert "Nothing would be different" in errors(slack)["group"]
    values = {"Messages disappear": "After 7 days", "Who can send messages": "Only admins"}
    await submitted(slack, {**values, "Picture (JPEG file)": [("p.jpg", b"GIF89a")]})
    assert "no JPEG" in errors(slack)["jpeg"]
    assert "by its address" not in says(slack)
    await submitted(slack, {"Picture (JPEG file)": [("p.jpg", JPEG)]})
    for words in ("Messages disappear: after 7 days", "Who can send messages: only admins", "104 bytes"):
        assert words in says(slack), words
    assert "Name:" not in says(slack)
    await told(slack)
    await slack.wait_for(lambda: group.announce_only)


async def test_fields_of_another_group_change_nothing(slack: SlackServer) -> None:
    view = await opened(slack, "settings")
    await slack.press(ALICE, view, "Group", value=WUTS)
    await slack.wait_for(lambda: "Description" in says(slack))
    await submitted(slack, {"Group": WASEND, "Name": "Wrong"})
    assert "Choose the group again" in errors(slack)["group"]

    await slack.press(ALICE, view, "Group", value=WASEND)
    await slack.wait_for(lambda: "Who can edit" in says(slack))
    assert "JPEG file" not in says(slack)
    assert "At most 25 characters." in says(slack)
    assert "SDK" not in says(slack)
    await submitted(slack, {"Name": None})
    assert "needs a name" in errors(slack)["subject"]
    await submitted(slack, {"Name": "Wasend Team", "Picture (URL)": "http://x"})
    assert "https://" in errors(slack)["picture"]


async def test_the_link_is_sent_reset_or_shown_to_one_alone(played: Sandbox, slack: SlackServer) -> None:
    world = played.providers["wasend"].world
    await opened(slack, "invite")
    link = await told(slack, {"Group": WASEND, "what": "show"})
    assert world.invite_of(WASEND_ID) in link
    assert link not in json.dumps(slack.messages(LAUNCH))

    shown = await filled(slack, "invite", {"Group": WASEND, "numbers": "+1 415 555 0901", "text": "Come in"})
    assert "Come in" in shown
    assert "<the link>" in shown
    await told(slack)
    await slack.wait_for(lambda: any(s.to == "14155550901" and "Come in" in s.text for s in world.sent))

    before = world.invite_of(WASEND_ID)
    await filled(slack, "invite", {"Group": WASEND, "what": "reset"})
    assert "Reset the invite link" in says(slack)
    await told(slack)
    await slack.wait_for(lambda: world.invite_of(WASEND_ID) != before)


async def test_a_text_goes_out_exactly_as_its_preview_shows_it(played: Sandbox, slack: SlackServer) -> None:
    text = "  Hello *all* & <you> :wave:\n\nשלום 🌷"
    shown = await filled(slack, "send", {"Group": WASEND, "Text": text})
    assert json.dumps(text, ensure_ascii=False) in shown
    assert f"{len(text)} of 3,000 characters" in shown
    await told(slack)
    world = played.providers["wasend"].world
    await slack.wait_for(lambda: any(s.to == WASEND_ID and s.text == text for s in world.sent))

    await filled(slack, "send", {"Group": WASEND, "Text": text, "to": "people", "numbers": "+1 415 555 0902"})
    await told(slack)
    await slack.wait_for(lambda: any(s.to == "14155550902" and s.text == text for s in world.sent))


async def test_a_sync_compares_with_a_file_a_user_group_or_another_group(slack: SlackServer) -> None:
    phones = ["+14155550100", "+14155550101"]
    values = {"group": WUTS, "file": csv("phone", *phones), "mode": "report"}
    shown = await filled(slack, "sync", values)
    assert "a file of 2 people" in shown
    assert "on the list but not in the group" in shown
    assert "Only reports the difference" in shown
    assert "Comparing" in await told(slack)

    slack.workspace.users[CAROL] = User(CAROL, "carol", "Carol Cole", phone="+14155550333")
    slack.workspace.users[ALICE] = User(ALICE, "alice", "Alice Archer", phone="+14155550334")
    values = {"group": WUTS, "usergroup": "Operators (@operators)", "mode": "add", "every": "Every week"}
    shown = await filled(slack, "sync", values)
    assert "the Slack user group Operators" in shown
    assert "Repeats every 7 days" in shown
    assert "Needs 1 approval by `lead`" in shown
    assert "repeated every 168 hours" in await told(slack)

    shown = await filled(slack, "sync", {"group": WUTS, "other": WASEND, "mode": "mirror"})
    assert "the members of wasend-team" in shown
    assert "removes people who aren't on the list" in shown


async def test_a_sync_says_why_nothing_can_be_compared(slack: SlackServer) -> None:
    slack.faults.append(SlackFault("usergroups.users.list", error="no_such_subteam"))
    shown = await filled(slack, "sync", {"group": WUTS, "usergroup": "Operators (@operators)"})
    assert "Couldn't compare them" in shown


async def test_a_sync_is_compared_behind_its_preview(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", 0.0)
    await filled(slack, "sync", {"group": WUTS, "file": csv("phone", "+14155550100")})
    await slack.wait_for(lambda: "Right now:" in says(slack))


async def test_a_preview_of_long_ago_asks_for_nothing(slack: SlackServer) -> None:
    await filled(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0999"})
    view = seen(slack)
    view.body["private_metadata"] = json.dumps({"draft": "no such draft"})
    await submitted(slack)
    assert "Go back, and press Preview again" in says(slack)
    await slack.close_view(ALICE, seen(slack).body["id"])
    await submitted(slack)
    assert title(slack) == "Preview"


async def test_nobody_submits_the_preview_of_somebody_else(slack: SlackServer) -> None:
    await filled(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0998"}, BOB)
    key = re.search(r'"draft":\s*"(\w+)"', seen(slack, BOB).body["private_metadata"])
    assert key
    await filled(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0998"})
    seen(slack).body["private_metadata"] = json.dumps({"draft": key[1]})
    await submitted(slack)
    assert "belongs to another person" in says(slack)
