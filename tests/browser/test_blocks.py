"""The page draws every block and element that the simulated Slack accepts, and shows anything else as an error."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox.slack.blocks import KINDS, check_message, check_view, with_ids
from sandbox.slack.elements import ELEMENTS
from sandbox.slack.errors import SlackError
from tests.browser.demo import violations

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


OPTIONS = {"options": [{"text": plain("One"), "value": "1"}]}
PICTURE = {"alt_text": "a picture", "image_url": "https://example.com/a.png"}
RICH = [{"type": "rich_text_section", "elements": [{"type": "text", "text": "rich"}]}]
ICON = {"type": "icon_button", "icon": "trash", "text": plain("Delete")}
TASK = {"type": "task_card", "task_id": "1", "title": "Task", "status": "complete"}
BLOCKS: dict[str, Block] = {
    "section": {"text": {"type": "mrkdwn", "text": "*bold* <@U01ALICE>"}, "fields": [plain("field")]},
    "divider": {},
    "header": {"text": plain("Header")},
    "actions": {"elements": [{"type": "button", "text": plain("Go")}]},
    "context": {"elements": [plain("small"), {"type": "image", **PICTURE}]},
    "image": PICTURE,
    "rich_text": {"elements": RICH},
    "input": {"label": plain("Name"), "element": {"type": "plain_text_input"}},
    "markdown": {"text": "# Title\n\n- one\n- two"},
    "table": {"rows": [[{"type": "raw_text", "text": "cell"}, {"type": "rich_text", "elements": RICH}]]},
    "context_actions": {"elements": [ICON]},
    "task_card": TASK,
    "plan": {"title": "Plan", "tasks": [TASK]},
    "container": {"title": plain("Container"), "child_blocks": [{"type": "divider"}]},
    "alert": {"text": plain("Attention"), "level": "warning"},
}
FIELDS: dict[str, Block] = {
    "button": {"text": plain("Go")},
    "image": PICTURE,
    "workflow_button": {"text": plain("Go"), "workflow": {}},
    "icon_button": ICON,
    "feedback_buttons": {
        "positive_button": {"text": plain("Good"), "value": "1"},
        "negative_button": {"text": plain("Bad"), "value": "0"},
    },
    "number_input": {"is_decimal_allowed": False},
    **dict.fromkeys(("overflow", "checkboxes", "radio_buttons", "static_select", "multi_static_select"), OPTIONS),
}
DRAW = """async (blocks) => {
    const { drawBlocks } = await import("/page/blocks.js");
    const surface = { kind: "message", act() {}, suggest() {} };
    document.querySelector("#conversation .scroll").replaceChildren(...drawBlocks(blocks, surface));
}"""


def holders(element: Block) -> list[Block]:
    """Return the blocks that can have an element."""
    return [
        {"type": "actions", "elements": [element]},
        {"type": "section", "text": plain("Text"), "accessory": element},
        {"type": "input", "label": plain("Label"), "element": element},
        {"type": "context_actions", "elements": [element]},
    ]


def accepted(block: Block) -> bool:
    modal = {"type": "modal", "title": plain("Title"), "submit": plain("Go"), "blocks": [block]}
    return _passes(check_message, [block]) or _passes(check_view, modal)


def _passes(check: Callable[[Any], None], value: Any) -> bool:
    try:
        check(value)
    except SlackError:
        return False
    return True


@pytest.mark.timeout(120)
def test_every_accepted_block_and_element_is_drawn(page: Page, axe: str) -> None:
    shown = [{"type": kind, **fields} for kind, fields in BLOCKS.items()]
    assert [block for block in shown if not accepted(block)] == []
    assert set(BLOCKS) == KINDS
    for kind in ELEMENTS:
        holding = [block for block in holders({"type": kind, **FIELDS.get(kind, {})}) if accepted(block)]
        assert holding, kind
        shown += holding
    page.evaluate(DRAW, with_ids(shown, (f"id-{number}" for number in range(10_000))))
    place = page.locator("#conversation .scroll")
    expect(place.locator(":scope > .block")).to_have_count(len(shown))
    expect(place.locator(".unsupported")).to_have_count(0)
    assert violations(page, axe) == []


def test_anything_else_is_an_error_in_its_place(page: Page) -> None:
    unknown: list[Block] = [
        {"type": "data_table", "rows": []},
        {"type": "actions", "elements": [{"type": "hologram"}]},
        {"type": "context", "elements": [{"type": "hologram"}]},
        {"type": "rich_text", "elements": [{"type": "hologram"}]},
        {"type": "table", "rows": [[{"type": "hologram"}]]},
    ]
    assert [block for block in unknown if accepted(block)] == []
    page.evaluate(DRAW, unknown)
    errors = page.locator("#conversation .scroll .unsupported strong")
    expect(errors).to_have_text(["The sandbox can't draw “data_table”."] + ["The sandbox can't draw “hologram”."] * 4)
