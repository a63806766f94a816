"""The forms, from opening to request: one running bot for all of it, each test with people of its own."""

import json
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.modals import form_preview, respond, uploads
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import User
from tests.app import RunningApp, app_slack, approval_rule, module_app
from tests.bot.services.uploads.making import workbook
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, DAVE, modal_text, modal_title, open_modal, submit_modal

pytestmark = pytest.mark.asyncio(loop_scope="module")

WASEND, WUTS, TWOCHAT, WACR = (f"{name}-team · {name}" for name in ("wasend", "wuts", "twochat", "wacr"))
WASEND_ID, WUTS_ID = "120363041234567891@g.us", "120363041234567892@g.us"
RULES = approval_rule("promote", min_participants=1)
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 100


BULK = {f"WAGbulk{n}": f"Bulk {n:03}" for n in range(120)}
WARNED = f'id = "{WASEND_ID}"'

app = module_app(
    ["wasend", "wuts", "twochat", "wacr"],
    rules=RULES,
    prepare=lambda app: [app.world("twochat").put_group(*group) for group in BULK.items()],
    edit=lambda text: text.replace(WARNED, f'{WARNED}\nwarning = "Customers read along"'),
)
slack = app_slack


async def open_form(slack: SlackServer, verb: str, user: str = ALICE) -> str:
    await slack.command(user, CHANNEL, f"/wa-{verb}", "")
    return str(open_modal(slack, user).body["id"])


async def fill_form(slack: SlackServer, verb: str, values: dict[str, Any], user: str = ALICE) -> str:
    """Open a form, fill it in and submit it. Return what is shown then."""
    await open_form(slack, verb, user)
    await submit_modal(slack, values, user)
    return modal_text(slack, user)


async def submit_and_read(slack: SlackServer, values: dict[str, Any] | None = None, user: str = ALICE) -> str:
    """Submit the modal, which closes all modals, and return the text of the ephemeral message that follows."""
    before = len(slack.ephemerals(user))
    await submit_modal(slack, values, user)
    assert slack.open_view(user) is None
    await slack.wait_for(lambda: len(slack.ephemerals(user)) > before)
    return str(slack.ephemerals(user)[-1]["text"])


def errors(slack: SlackServer, user: str = ALICE) -> dict[str, str]:
    return {block.partition(":")[0]: words for block, words in open_modal(slack, user).errors.items()}


def last_acknowledgement(slack: SlackServer) -> str:
    """Return the acknowledgement of the last delivery as JSON."""
    ack = slack.deliveries[-1].ack
    assert ack
    return json.dumps(ack.body, ensure_ascii=False)


def csv(*lines: str) -> list[tuple[str, bytes]]:
    return [("people.csv", "\n".join(lines).encode())]


def xlsx(*rows: tuple[str, ...]) -> list[tuple[str, bytes]]:
    return [("people.xlsx", workbook(rows))]


async def test_a_previewed_request_is_submitted_once(app: RunningApp, slack: SlackServer) -> None:
    numbers = "+1 415 555 0101, +1 415 555 0101, bogus\n+44 7700 900123"
    shown = await fill_form(slack, "add", {"Group": WASEND, "Numbers": numbers, "Reason": "new"})
    for words in (
        *("2 people to add", "1 duplicate ignored", "“bogus”", "Customers read along", "Starts immediately"),
        *("Reason: new", "about 1 second", "100,000 left in today's limit", "No approval needed"),
    ):
        assert words in shown, words
    assert app.world().events == []

    assert (await submit_and_read(slack)).startswith("Adding 2 people to *wasend-team*.")
    world = app.world()
    await slack.wait_for(lambda: len(world.groups[WASEND_ID].members) > 1)
    assert (await slack.redeliver(slack.deliveries[-1])).ok
    await slack.wait_for(lambda: "has already requested this" in slack.ephemerals(ALICE)[-1]["text"])
    assert len([e for e in world.events if e.phone == "14155550101"]) == 1


async def test_back_keeps_what_was_typed(slack: SlackServer) -> None:
    await fill_form(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0201", "Reason": "typed once"})
    await slack.close_view(ALICE, open_modal(slack).body["id"])
    assert modal_title(slack) == "Add to a group"

    await submit_modal(slack, {"Numbers": "+1 415 555 0202, +1 415 555 0203"})
    assert "2 people" in modal_text(slack)
    assert "typed once" in modal_text(slack)
    assert "Adding 2 people" in await submit_and_read(slack)


@pytest.mark.parametrize(
    ("verb", "values", "block", "words"),
    [
        ("add", {"Group": WASEND}, "numbers", "Enter at least one phone number."),
        ("add", {"Group": WASEND, "Numbers": "bogus"}, "numbers", "“bogus”"),
        ("add", {"Group": WASEND, "file": csv("a,b", "c,d")}, "file", "no column of phone numbers"),
        ("add", {"Group": WASEND, "file": [("x.pdf", b"%PDF-1.7")]}, "file", "isn't a CSV file"),
        ("add", {"Group": WASEND, "Numbers": "1", "Run at": "2020-01-01 09:00"}, "run_at", "is in the past"),
        ("add", {"Group": WASEND, "Numbers": "1", "Run at": "in 400 days"}, "run_at", "more than a year"),
        ("add", {"Group": TWOCHAT, "Numbers": "1", "invite": ["yes"]}, "invite", "Clear the checkbox"),
        ("create", {"Connection": "wasend", "subject": " ", "Numbers": "1"}, "subject", "needs a name"),
        ("send", {"Group": WASEND, "Text": " "}, "text", "Type the text"),
        ("send", {"Group": WASEND, "Text": "x", "numbers": "1"}, "to", "The text is for the group"),
        ("send", {"Group": WASEND, "Text": "x", "to": "people"}, "numbers", "Enter at least one"),
        ("invite", {"Group": WASEND}, "numbers", "Enter at least one"),
        ("sync", {"group": WASEND}, "usergroup", "Choose one list"),
        ("sync", {"group": WASEND, "other": WASEND}, "other", "the same group"),
        (
            "sync",
            {"group": WASEND, "file": csv("phone", "+14155550101", "x"), "mode": "mirror"},
            "file",
            "needs the whole list",
        ),
        (
            "sync",
            {"group": WASEND, "file": csv("phone", "+14155550101", "5@lid")},
            "file",
            "A sync needs phone numbers",
        ),
        ("add", {"Group": WASEND, "file": [("a.xlsx", b"<html>+14155550101")]}, "file", "This isn't an Excel workbook"),
    ],
)
async def test_an_error_is_shown_at_its_field(
    slack: SlackServer, verb: str, values: dict[str, Any], block: str, words: str
) -> None:
    await fill_form(slack, verb, values)
    assert list(errors(slack)) == [block]
    assert words in errors(slack)[block]


async def test_an_unreadable_entry_is_shown_with_its_line(slack: SlackServer) -> None:
    file = csv("Phone", "+1 415 555 0301", "12")
    typed = "+1 415 555 0303\nBen, bogus\n+1 415 555 0304; 1.5"
    shown = await fill_form(slack, "add", {"Group": WASEND, "Numbers": typed, "file": file})
    for words in ("line 2, “Ben”", "line 2, “bogus”", "line 3, “1.5”", "line 3 of the file, “12”"):
        assert words in shown, words

    await fill_form(slack, "add", {"Group": WASEND, "Numbers": "\n\nBen\nbogus"})
    assert "Line 3, “Ben”" in errors(slack)["numbers"]


async def test_a_form_opens_only_with_permission(slack: SlackServer) -> None:
    await slack.command(DAVE, CHANNEL, "/wa-add", "")
    assert slack.open_view(DAVE) is None
    assert "groups:write" in slack.ephemerals(DAVE)[-1]["text"]


async def test_a_search_offers_supported_groups_and_says_when_there_are_more(slack: SlackServer) -> None:
    view = await open_form(slack, "add")
    assert len(await slack.suggest(ALICE, view, "Group", "")) == 100
    assert "100 of 124 groups" in last_acknowledgement(slack)
    assert [o["text"]["text"] for o in await slack.suggest(ALICE, view, "Group", "bulk 119")] == ["Bulk 119 · twochat"]
    view = await open_form(slack, "invite")
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
    shown = await fill_form(slack, "add", values)
    for words in (
        "3 people to add",
        "column “Phone”",
        "line 5 of the file, “12”",
        "1 line of the file has no number: 4",
        "1 duplicate ignored",
    ):
        assert words in shown, words


async def test_headings_are_recognized_and_an_unclear_column_is_chosen(slack: SlackServer) -> None:
    file = csv("Who,Reachable", "Ann,+1 415 555 0301", "Ben,+1 415 555 0302")
    shown = await fill_form(slack, "add", {"Group": WASEND, "file": file})
    assert "2 people to add" in shown
    assert "column “Reachable”; line 1 is used as the headings" in shown
    assert "Couldn't read" not in shown

    file = csv("Ann,+1 415 555 0301", "Ben,none", "Cem,+1 415 555 0302")
    shown = await fill_form(slack, "add", {"Group": WASEND, "file": file})
    assert modal_title(slack) == "Choose the column"
    assert "We're not sure that this column of “people.csv” contains the phone numbers." in shown


async def test_the_column_is_chosen_when_several_have_numbers(slack: SlackServer) -> None:
    file = csv("Home phone,Work phone", "+1 415 555 0401,+1 415 555 0411", "+1 415 555 0402,+1 415 555 0412")
    shown = await fill_form(
        slack, "remove", {"Group": WASEND, "Numbers": "+1 415 555 0403", "file": file, "Reason": "r"}
    )
    assert modal_title(slack) == "Choose the column"
    assert "+1 415 555 0411" in shown

    await submit_modal(slack, {"column": "Work phone"})
    assert modal_title(slack) == "Preview"
    assert "column “Work phone”" in modal_text(slack)
    assert "3 people" in modal_text(slack)
    assert "Removing 3 people" in await submit_and_read(slack)


async def test_a_file_is_not_read_past_its_bounds(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_PEOPLE", 2)
    many = csv("phone", *(f"+1415555{n:04}" for n in range(3)))
    await fill_form(slack, "add", {"Group": WASEND, "file": many})
    assert "3 entries. One request takes at most 2" in errors(slack)["file"]


async def test_a_slow_provider_delays_no_preview(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", 0.0)
    await open_form(slack, "add")
    await submit_modal(slack, {"Group": WASEND, "Numbers": "+1 415 555 0501"})
    await slack.wait_for(lambda: "1 person to add" in modal_text(slack))
    assert "Still checking who's in the group" in last_acknowledgement(slack)
    assert "Still checking who's in the group" not in modal_text(slack)
    assert "Adding 1 person" in await submit_and_read(slack)


@pytest.mark.parametrize(("cell", "comes"), [("+1 415 555 0601", "Preview"), ("bogus", "No preview")])
async def test_a_slow_preview_replaces_an_interim_modal(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch, cell: str, comes: str
) -> None:
    monkeypatch.setattr(respond, "ACK_DEADLINE", 0.0)
    await open_form(slack, "add")
    await submit_modal(slack, {"Group": WASEND, "file": csv("phone", cell)})
    assert "Reading…" in last_acknowledgement(slack)
    await slack.wait_for(lambda: modal_title(slack) == comes)
    await slack.close_view(ALICE, open_modal(slack).body["id"])
    assert modal_title(slack) == "Add to a group"


async def test_a_failure_replaces_the_interim_modal(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(respond, "ACK_DEADLINE", 0.0)
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", "broken")
    await open_form(slack, "add")
    await submit_modal(slack, {"Group": WASEND, "Numbers": "+1 415 555 0601"})
    await slack.wait_for(lambda: "Something went wrong" in modal_text(slack))


async def test_a_preview_names_approvers_and_non_members(slack: SlackServer) -> None:
    shown = await fill_form(slack, "promote", {"Group": WASEND, "Numbers": "+1 415 555 0701"})
    assert "0 people to make admins" in shown
    assert "Nothing would be sent to the provider." in shown
    assert "1 person not in the group, so they can't become admins (skipped): +1 415-555-0701" in shown
    assert "Needs 1 approval by `lead`" in shown
    assert open_modal(slack).body["submit"]["text"] == "Ask for approval"
    assert "Waiting for approval by `lead`" in await submit_and_read(slack)


async def test_a_request_can_be_scheduled(slack: SlackServer) -> None:
    day = datetime.now(ZoneInfo("Europe/London")) + timedelta(days=1)
    at = int(day.replace(hour=9, minute=0, second=0, microsecond=0).timestamp())
    shown = await fill_form(slack, "demote", {"Group": WASEND, "Numbers": "+1 415 555 0702", "Run at": "tomorrow 9am"})
    assert f"<!date^{at}^" in shown
    assert f"<!date^{at}^" in await submit_and_read(slack)


async def test_an_unclear_start_keeps_the_form_open(slack: SlackServer) -> None:
    await fill_form(slack, "demote", {"Group": WASEND, "Numbers": "+1 415 555 0702", "Run at": "tomorrow at 9"})
    assert "no clear time of day" in errors(slack)["run_at"]


async def test_a_group_is_created_from_its_form(app: RunningApp, slack: SlackServer) -> None:
    values = {"Connection": "wasend", "subject": "Spring 🌷 Fair", "Numbers": "+1 415 555 0801", "invite": ["yes"]}
    shown = await fill_form(slack, "create", values)
    assert "Create the group Spring 🌷 Fair with 1 person" in shown
    assert "gets an invite link" in shown
    assert "Still checking" not in shown
    assert "Couldn't read the group" not in shown
    await submit_and_read(slack)
    groups = app.world().groups
    await slack.wait_for(lambda: any(g.subject == "Spring 🌷 Fair" for g in groups.values()))


async def test_settings_show_current_values_and_supported_fields(app: RunningApp, slack: SlackServer) -> None:
    group = app.world("wuts").groups[WUTS_ID]
    view = await open_form(slack, "settings")
    await slack.press(ALICE, view, "Group", value=WUTS)
    await slack.wait_for(lambda: "Messages disappear" in modal_text(slack))
    assert f'"initial_value": "{group.subject}"' in modal_text(slack)
    assert "Who can edit the group's info" not in modal_text(slack)

    await submit_modal(slack)
    assert "Nothing would change" in errors(slack)["group"]
    values = {"Messages disappear": "After 7 days", "Who can send messages": "Only admins"}
    await submit_modal(slack, {**values, "Picture (JPEG file)": [("p.jpg", b"GIF89a")]})
    assert "isn't a JPEG" in errors(slack)["jpeg"]
    assert "by its address" not in modal_text(slack)
    await submit_modal(slack, {"Picture (JPEG file)": [("p.jpg", JPEG)]})
    for words in ("Messages disappear: after 7 days", "Who can send messages: only admins", "104 bytes"):
        assert words in modal_text(slack), words
    assert "Name:" not in modal_text(slack)
    await submit_and_read(slack)
    await slack.wait_for(lambda: group.announce_only)


async def test_fields_of_another_group_change_nothing(slack: SlackServer) -> None:
    view = await open_form(slack, "settings")
    await slack.press(ALICE, view, "Group", value=WUTS)
    await slack.wait_for(lambda: "Description" in modal_text(slack))
    await submit_modal(slack, {"Group": WASEND, "Name": "Wrong"})
    assert "Choose the group again" in errors(slack)["group"]

    await slack.press(ALICE, view, "Group", value=WASEND)
    await slack.wait_for(lambda: "Who can edit" in modal_text(slack))
    assert "JPEG file" not in modal_text(slack)
    assert "At most 25 characters." in modal_text(slack)
    assert "SDK" not in modal_text(slack)
    await submit_modal(slack, {"Name": None})
    assert "needs a name" in errors(slack)["subject"]
    await submit_modal(slack, {"Name": "Wasend Team", "Picture (URL)": "http://x"})
    assert "https://" in errors(slack)["picture"]


async def test_the_invite_link_is_shown_sent_or_reset(app: RunningApp, slack: SlackServer) -> None:
    world = app.world()
    await open_form(slack, "invite")
    link = await submit_and_read(slack, {"Group": WASEND, "what": "show"})
    assert world.invite_of(WASEND_ID) in link
    assert link not in json.dumps(slack.messages(CHANNEL))

    shown = await fill_form(slack, "invite", {"Group": WASEND, "numbers": "+1 415 555 0901", "text": "Come in"})
    assert "Come in" in shown
    assert "<the link>" in shown
    await submit_and_read(slack)
    await slack.wait_for(lambda: any(s.to == "14155550901" and "Come in" in s.text for s in world.sent))

    before = world.invite_of(WASEND_ID)
    await fill_form(slack, "invite", {"Group": WASEND, "what": "reset"})
    assert "Reset the invite link" in modal_text(slack)
    assert open_modal(slack).body["submit"]["text"] == "Reset link"
    assert "until you press *Reset link*" in modal_text(slack)
    await submit_and_read(slack)
    await slack.wait_for(lambda: world.invite_of(WASEND_ID) != before)


async def test_a_text_is_sent_exactly_as_previewed(app: RunningApp, slack: SlackServer) -> None:
    text = "  Hello *all* & <you> :wave:\n\nשלום 🌷"
    shown = await fill_form(slack, "send", {"Group": WASEND, "Text": text})
    assert json.dumps(text, ensure_ascii=False) in shown
    assert f"{len(text)} of 3,000 characters" in shown
    await submit_and_read(slack)
    world = app.world()
    await slack.wait_for(lambda: any(s.to == WASEND_ID and s.text == text for s in world.sent))

    await fill_form(slack, "send", {"Group": WASEND, "Text": text, "to": "people", "numbers": "+1 415 555 0902"})
    await submit_and_read(slack)
    await slack.wait_for(lambda: any(s.to == "14155550902" and s.text == text for s in world.sent))


async def test_a_sync_compares_with_a_file_a_user_group_or_another_group(slack: SlackServer) -> None:
    phones = ["+14155550100", "+14155550101"]
    values = {"group": WUTS, "file": csv("phone", *phones), "mode": "report"}
    shown = await fill_form(slack, "sync", values)
    assert "a file of 2 people" in shown
    assert "on the list but not in the group" in shown
    assert "Only reports the difference" in shown
    assert "Comparing" in await submit_and_read(slack)

    slack.workspace.users[CAROL] = User(CAROL, "carol", "Carol Cole", phone="+14155550333")
    slack.workspace.users[ALICE] = User(ALICE, "alice", "Alice Archer", phone="+14155550334")
    values = {"group": WUTS, "usergroup": "Operators (@operators)", "mode": "add", "every": "Every week"}
    shown = await fill_form(slack, "sync", values)
    assert "the Slack user group Operators" in shown
    assert "Repeats every 7 days" in shown
    assert "Needs 1 approval by `lead`" in shown
    assert "The sync repeats every 168 hours" in await submit_and_read(slack)

    shown = await fill_form(slack, "sync", {"group": WUTS, "other": WASEND, "mode": "mirror"})
    assert "the members of wasend-team" in shown
    assert "removes people who aren't on the list" in shown


async def test_a_sync_preview_says_that_it_cannot_compare(slack: SlackServer) -> None:
    slack.faults.append(SlackFault("usergroups.users.list", error="no_such_subteam"))
    shown = await fill_form(slack, "sync", {"group": WUTS, "usergroup": "Operators (@operators)"})
    assert "Couldn't compare them" in shown


async def test_a_slow_sync_preview_is_completed_later(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_preview, "FIRST_PREVIEW_TIMEOUT", 0.0)
    await fill_form(slack, "sync", {"group": WUTS, "file": csv("phone", "+14155550100")})
    await slack.wait_for(lambda: "Right now:" in modal_text(slack))


async def test_an_expired_preview_submits_nothing(slack: SlackServer) -> None:
    await fill_form(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0999"})
    view = open_modal(slack)
    view.body["private_metadata"] = json.dumps({"draft": "no such draft"})
    await submit_modal(slack)
    assert "Go back, and press Preview again" in modal_text(slack)
    await slack.close_view(ALICE, open_modal(slack).body["id"])
    await submit_modal(slack)
    assert modal_title(slack) == "Preview"


async def test_a_preview_is_submitted_only_by_its_owner(slack: SlackServer) -> None:
    await fill_form(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0998"}, BOB)
    key = re.search(r'"draft":\s*"(\w+)"', open_modal(slack, BOB).body["private_metadata"])
    assert key
    await fill_form(slack, "add", {"Group": WASEND, "Numbers": "+1 415 555 0998"})
    open_modal(slack).body["private_metadata"] = json.dumps({"draft": key[1]})
    await submit_modal(slack)
    assert "belongs to another person" in modal_text(slack)
