from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.commands.manifest import ADD_NUMBERS, GROUPS, manifest
from handlers import shortcuts
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import SlackView
from tests.app import app_slack, module_app
from tests.handlers.views.test_home_view import said
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, DAVE

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Dee\r\nTEL:+44 7700 900456\r\nEND:VCARD\r\n"
TABLE = b"Name,Phone\nAnn,+14155550101\nBen,nothing\nCleo,+447700900123\n"


app = module_app(["twochat"], groups={"WAGone": "Spring Fair"}, operators=())
slack = app_slack


async def use_shortcut(
    slack: SlackServer, text: str, files: Sequence[tuple[str, bytes]] = (), *, parts: Mapping[str, Any] | None = None
) -> SlackView:
    """Use the shortcut on a message of Bob's with these other parts, and give the modal that it leads to in the end."""
    message = await slack.say(BOB, CHANNEL, text, files=files)
    message |= parts or {}
    ack = await slack.shortcut(ALICE, ADD_NUMBERS, CHANNEL, message["ts"])
    assert ack.ok, ack

    def filled() -> SlackView | None:
        view = slack.open_view(ALICE)
        return view if view and "Reading" not in text_of(view) else None

    return await slack.wait_for(filled)


def text_of(view: SlackView) -> str:
    return said(view.body["blocks"])


def numbers(view: SlackView) -> list[str]:
    texts = [b["element"].get("initial_value", "") for b in view.body["blocks"] if b["block_id"].startswith("numbers")]
    return "\n".join(texts).splitlines()


async def test_the_form_has_the_numbers_of_the_message(slack: SlackServer) -> None:
    view = await use_shortcut(
        slack, "Add <tel:+14155550100|+1 415 555 0100> and +44 7700 900123 by 2026-12-01, room 12"
    )

    assert view.body["title"]["text"] == "Add to a group"
    assert numbers(view) == ["<tel:+14155550100|+1 415 555 0100>", "+44 7700 900123"]
    assert CHANNEL in view.body["private_metadata"]


async def test_the_form_has_the_numbers_of_the_files(slack: SlackServer) -> None:
    files = [("team.csv", TABLE), ("dee.vcf", CARD), ("notes.pdf", b"%PDF-1.4")]

    view = await use_shortcut(slack, "Also +1 415 555 0100", files)

    assert numbers(view) == [
        "+1 415 555 0100",
        "Ann: +14155550101",
        "Cleo: +447700900123",
        "nothing",
        "Dee: +447700900456",
    ]
    assert "notes.pdf: This isn't a CSV file" in text_of(view)


FORWARDED: dict[str, Any] = {
    "from_url": "https://sandbox.slack.com/archives/C0LAUNCH/p1",
    "is_msg_unfurl": True,
    "is_share": True,
    "text": "Ann <tel:+14155550180|+1 415 555 0180>",
}
PREVIEW = {"from_url": "https://shop.example/", "title": "Shop", "text": "Call +1 415 555 0181", "fallback": "Shop"}
CARD_OF_A_BOT = {"fallback": "New lead", "fields": [{"title": "Phone", "value": "+1 415 555 0182"}, {"title": None}]}
BLOCKS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "New: +1 415 555 0183"}},
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "+1 415 555 0184"}]}],
    },
]


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"attachments": [FORWARDED]}, ["+1 415 555 0100", "<tel:+14155550180|+1 415 555 0180>"]),
        ({"attachments": [PREVIEW]}, ["+1 415 555 0100"]),
        ({"attachments": [CARD_OF_A_BOT]}, ["+1 415 555 0100", "+1 415 555 0182"]),
        ({"blocks": BLOCKS}, ["+1 415 555 0100"]),
        ({"blocks": BLOCKS, "bot_id": "B0LEADS"}, ["+1 415 555 0100", "+1 415 555 0183", "+1 415 555 0184"]),
    ],
    ids=["forwarded", "preview of a link", "card", "what a person wrote is the text", "of a bot"],
)
async def test_numbers_are_found_in_forwarded_messages_and_cards(
    slack: SlackServer, parts: dict[str, Any], found: list[str]
) -> None:
    assert numbers(await use_shortcut(slack, "+1 415 555 0100", parts=parts)) == found


async def test_a_forwarded_file_is_read_and_a_deleted_one_is_named(slack: SlackServer) -> None:
    holder = await slack.say(BOB, CHANNEL, "", files=[("dee.vcf", CARD)])
    forwarded = {"is_share": True, "text": "", "files": holder["files"]}
    gone = {"id": "F0GONE", "mode": "tombstone"}

    view = await use_shortcut(slack, "", parts={"attachments": [forwarded], "files": [gone]})

    assert numbers(view) == ["Dee: +447700900456"]
    assert "A file without a name: Slack refused the file (file_not_found): the file was deleted" in text_of(view)


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [
        ("Nothing to see here", [], "There's no phone number in this message"),
        ("", [("a.csv", b"Name\nAnn\n")], "a.csv: It contains no valid number"),
        (
            "",
            [("many.csv", b"Phone\n" + b"".join(b"+1415%07d\n" % n for n in range(5550000, 5553000)))],
            "too many numbers",
        ),
        ("", [(f"{n}.txt", b"") for n in range(6)], f"Only the first {shortcuts.MAX_FILES} files were read."),
    ],
)
async def test_a_message_without_usable_numbers_says_so(
    slack: SlackServer, text: str, files: Sequence[tuple[str, bytes]], words: str
) -> None:
    assert words in text_of(await use_shortcut(slack, text, files))


async def test_an_unavailable_file_is_named(slack: SlackServer) -> None:
    slack.faults.append(SlackFault("files.info", status=500))
    message = await slack.say(BOB, CHANNEL, "", files=[("a.csv", TABLE)])
    message["files"][0] |= {"url_private_download": "https://elsewhere.example/a.csv"}

    assert (await slack.shortcut(ALICE, ADD_NUMBERS, CHANNEL, message["ts"])).ok

    await slack.wait_for(lambda: (view := slack.open_view(ALICE)) and "a.csv: The file isn't stored" in text_of(view))
    slack.faults.clear()


async def test_a_closed_modal_stays_closed(slack: SlackServer) -> None:
    slack.faults.append(SlackFault("views.update", error="not_found"))
    message = await slack.say(BOB, CHANNEL, "", files=[("a.csv", TABLE)])

    assert (await slack.shortcut(ALICE, ADD_NUMBERS, CHANNEL, message["ts"])).ok

    await slack.wait_for(lambda: any(call.method == "views.update" and call.status for call in slack.calls))
    slack.faults.clear()


@pytest.mark.parametrize("files", [[], [("a.csv", TABLE)]])
async def test_the_shortcut_needs_permission_to_add(slack: SlackServer, files: Sequence[tuple[str, bytes]]) -> None:
    before = len(slack.ephemerals(DAVE))
    message = await slack.say(BOB, CHANNEL, "+1 415 555 0100", files=files)

    assert (await slack.shortcut(DAVE, ADD_NUMBERS, CHANNEL, message["ts"])).ok

    await slack.wait_for(lambda: len(slack.ephemerals(DAVE)) > before)
    assert "your roles don't have" in slack.ephemerals(DAVE)[-1]["text"]
    assert slack.open_view(DAVE) is None


@pytest.mark.parametrize(
    ("user", "offered", "words"),
    [
        (ALICE, ["add", "remove", "promote", "demote", "create", "settings", "send", "sync"], "`/wa help` explains"),
        (DAVE, [], "which your roles don't have. Ask <@U01ALICE>, <!subteam^S0OPERATORS> or <@U02BOB>."),
        (CAROL, [], "You don't have access yet"),
    ],
)
async def test_the_global_shortcut_offers_permitted_operations(
    slack: SlackServer, user: str, offered: list[str], words: str
) -> None:
    assert (await slack.shortcut(user, GROUPS)).ok

    view = await slack.wait_for(lambda: slack.open_view(user))
    shown = [block["block_id"] for block in view.body["blocks"] if "accessory" in block]
    assert shown == [f"chooser_{verb}" for verb in offered]
    assert words in text_of(view)


async def test_a_chosen_form_answers_in_direct_messages(slack: SlackServer) -> None:
    await slack.shortcut(ALICE, GROUPS)
    view = await slack.wait_for(lambda: slack.open_view(ALICE))

    assert (await slack.press(ALICE, view.body["id"], "chooser_send")).ok

    form = await slack.wait_for(
        lambda: (form := slack.open_view(ALICE)) and form.body["callback_id"] == "send" and form
    )
    assert "D0ALICE" in str(form)
    assert form.body["id"] == view.body["id"]  # it took the place of the choice


async def test_a_closed_choice_opens_no_form(slack: SlackServer) -> None:
    await slack.shortcut(ALICE, GROUPS)
    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    slack.faults.append(SlackFault("views.update", error="not_found", times=1))
    updates = [call.method for call in slack.calls].count("views.update")

    assert (await slack.press(ALICE, view.body["id"], "chooser_send")).ok

    await slack.wait_for(lambda: [call.method for call in slack.calls].count("views.update") > updates)
    assert slack.open_view(ALICE) is view


async def test_an_expired_trigger_is_answered(slack: SlackServer) -> None:
    slack.faults.append(SlackFault("views.open", error="expired_trigger_id", times=1))

    assert (await slack.shortcut(ALICE, GROUPS)).ok

    await slack.wait_for(lambda: any("didn't open the form in time" in m["text"] for m in slack.messages("D0ALICE")))


async def test_the_manifest_names_the_shortcuts_that_are_listened_to() -> None:
    declared = manifest()["features"]["shortcuts"]

    assert {shortcut["callback_id"]: shortcut["type"] for shortcut in declared} == {
        ADD_NUMBERS: "message",
        GROUPS: "global",
    }
