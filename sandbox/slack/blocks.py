"""Block Kit's blocks, messages and views: their fields and limits. An error lists everything that is wrong.

Source: https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/reference/views, slack_sdk's
models; where a block is allowed: https://docs.slack.dev/blocks.json; `msg_blocks_too_long`: bolt-js #2509 and #2867
(the figure is observed, not documented); `view_too_large`: https://docs.slack.dev/reference/methods/views.open.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.slack import elements
from sandbox.slack.elements import plain, text
from sandbox.slack.errors import SlackError
from sandbox.slack.shape import (
    Check,
    anything,
    both,
    complain,
    flag,
    items,
    number,
    one_of,
    record,
    rule,
    string,
    tagged,
)

BLOCKS_IN_MESSAGE = 50
BYTES_IN_VIEW = 250_000
BLOCKS_IN_VIEW = 100
CHARACTERS_IN_MESSAGE = 13_200
CHARACTERS_IN_TABLES = 10_000
CHARACTERS_IN_MARKDOWN = 12_000

_STYLED: dict[str, Check] = {"style": anything}
_RICH_INLINE = tagged(
    {
        "text": record({"text": string(40_000)}, _STYLED),
        "link": record({"url": string(3000)}, {**_STYLED, "text": string(40_000, 0), "unsafe": flag}),
        "emoji": record({"name": string(255)}, {**_STYLED, "unicode": string(255), "skin_tone": number(1, 6)}),
        "user": record({"user_id": string(255)}, _STYLED),
        "usergroup": record({"usergroup_id": string(255)}, _STYLED),
        "channel": record({"channel_id": string(255)}, _STYLED),
        "broadcast": record({"range": one_of("here", "channel", "everyone")}, _STYLED),
        "date": record(
            {"timestamp": anything, "format": string(255)}, {**_STYLED, "url": anything, "fallback": anything}
        ),
        "color": record({"value": string(255)}, _STYLED),
    }
)
_INLINE = items(_RICH_INLINE, 10_000, 0)
_RICH_SECTION = record({"elements": _INLINE})
_BORDER: dict[str, Check] = {"border": number(0, 1)}
_RICH_PART = tagged(
    {
        "rich_text_section": _RICH_SECTION,
        "rich_text_preformatted": record({"elements": _INLINE}, _BORDER),
        "rich_text_quote": record({"elements": _INLINE}, _BORDER),
        "rich_text_list": record(
            {
                "elements": items(tagged({"rich_text_section": _RICH_SECTION}), 10_000),
                "style": one_of("bullet", "ordered"),
            },
            {**_BORDER, "indent": number(0, 8), "offset": number(0, 10_000)},
        ),
    }
)
_ID: dict[str, Check] = {"block_id": string(255)}
_RICH_TEXT = record({"elements": items(_RICH_PART, 10_000)}, _ID)
_CELL = tagged(
    {
        "raw_text": record({"text": string(CHARACTERS_IN_TABLES)}),
        "raw_number": record({"value": anything}, {"text": string(CHARACTERS_IN_TABLES)}),
        "rich_text": _RICH_TEXT,
    }
)
_COLUMN = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})
_TASK: dict[str, Check] = {
    "details": anything,
    "output": anything,
    "sources": anything,
    "status": one_of("pending", "in_progress", "complete", "error"),
}
_TASK_CARD = record({"task_id": string(255), "title": string(255)}, {**_ID, **_TASK})


def _distinct_actions(value: Any, pointer: str, errors: list[str]) -> None:
    elements_of_block = value.get("elements") if isinstance(value, dict) else None
    seen: set[str] = set()
    for element in elements_of_block if isinstance(elements_of_block, list) else []:
        name = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(name, str) and name in seen:
            complain(errors, f'`action_id` "{name}" already exists in this block', pointer)
        elif isinstance(name, str):
            seen.add(name)


_EVERYWHERE: dict[str, Check] = {
    "section": both(
        record(
            {},
            {
                **_ID,
                "text": text(3000),
                "fields": items(text(2000), 10),
                "accessory": elements.IN_SECTION,
                "expand": flag,
            },
        ),
        rule(lambda value: "text" in value or "fields" in value, "must define either `text` or `fields`"),
    ),
    "divider": record({}, _ID),
    "header": record({"text": plain(150)}, _ID),
    "actions": both(record({"elements": items(elements.IN_ACTIONS, 25)}, _ID), _distinct_actions),
    "context": record({"elements": items(elements.IN_CONTEXT, 10)}, _ID),
    "image": both(
        record(
            {"alt_text": string(2000)},
            {**_ID, "image_url": string(3000), "slack_file": anything, "title": plain(2000)},
        ),
        rule(lambda value: ("image_url" in value) != ("slack_file" in value), "must provide one image source"),
    ),
    "rich_text": _RICH_TEXT,
    "input": record(
        {"label": plain(2000), "element": elements.IN_INPUT},
        {**_ID, "hint": plain(2000), "optional": flag, "dispatch_action": flag},
    ),
}
_IN_MESSAGE_ONLY: dict[str, Check] = {
    "markdown": record({"text": string(CHARACTERS_IN_MARKDOWN)}, _ID),
    "table": record(
        {"rows": items(items(_CELL, 20), 100)},
        {**_ID, "column_settings": items(_COLUMN, 20, 0)},
    ),
    "context_actions": record({"elements": items(elements.IN_CONTEXT_ACTIONS, 5)}, _ID),
    "task_card": _TASK_CARD,
    "plan": record({"title": string(255)}, {**_ID, "tasks": items(tagged({"task_card": _TASK_CARD}), 50)}),
}
_IN_MODAL_ONLY: dict[str, Check] = {
    "alert": record({"text": text(3000)}, {**_ID, "level": one_of("default", "info", "warning", "error", "success")}),
}
_CONTAINER = both(
    record(
        {"child_blocks": items(tagged({**_EVERYWHERE, **_IN_MESSAGE_ONLY}), 10)},
        {
            **_ID,
            "title": plain(150),
            "rich_text_title": anything,
            "subtitle": plain(150),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": anything,
            "is_collapsible": flag,
            "default_collapsed": flag,
            "has_header_divider": flag,
        },
    ),
    rule(lambda value: "title" in value or "rich_text_title" in value, "must define `title` or `rich_text_title`"),
)
KINDS = frozenset({*_EVERYWHERE, *_IN_MESSAGE_ONLY, *_IN_MODAL_ONLY, "container"})
_MESSAGE_BLOCK = tagged({**_EVERYWHERE, **_IN_MESSAGE_ONLY, "container": _CONTAINER})
_MODAL_BLOCKS = items(tagged({**_EVERYWHERE, **_IN_MODAL_ONLY}), BLOCKS_IN_VIEW)
_HOME_BLOCKS = items(tagged(_EVERYWHERE), BLOCKS_IN_VIEW)
_VIEW: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_MODAL = both(
    record(
        {"title": plain(24), "blocks": _MODAL_BLOCKS},
        {
            **_VIEW,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
    ),
    rule(
        lambda view: "submit" in view or not any(block.get("type") == "input" for block in flat(view.get("blocks"))),
        "`submit` is required when an `input` block is within the `blocks` array",
    ),
)
_VIEWS = tagged({"modal": _MODAL, "home": record({"blocks": _HOME_BLOCKS}, _VIEW)})


def flat(blocks: Any) -> Iterator[dict[str, Any]]:
    """Yield every block, also within containers; anything else is skipped."""
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict):
            yield block
            yield from flat(block.get("child_blocks"))


def check_message(blocks: Any, *, longest: int = CHARACTERS_IN_MESSAGE) -> None:
    """Check a message's blocks; `longest` bounds the serialized whole.

    Raises:
        Refused: Slack would not post it: `invalid_blocks_format`, `invalid_blocks`, `invalid_attachments` (a second
            table: `only_one_table_allowed`) or `msg_blocks_too_long`.
    """
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    errors: list[str] = []
    items(_MESSAGE_BLOCK, BLOCKS_IN_MESSAGE, 0)(blocks, "/blocks", errors)
    _check_ids(blocks, errors)
    if errors:
        raise SlackError("invalid_blocks", errors)
    if any(element["type"] == "file_input" for block in flat(blocks) for element in interactive(block)):
        raise SlackError("invalid_blocks", ["`file_input` is only for modals [json-pointer:/blocks]"])
    _check_totals(blocks)
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > longest:
        raise SlackError("msg_blocks_too_long")


def check_view(view: Any) -> None:
    """Check a modal or Home view.

    Raises:
        Refused: `invalid_arguments`, with a line for everything that is wrong; `view_too_large`.
    """
    errors: list[str] = []
    _VIEWS(view, "/view", errors)
    _check_ids(view.get("blocks") if isinstance(view, dict) else None, errors)
    if errors:
        raise SlackError("invalid_arguments", errors)
    used = [element for block in flat(view["blocks"]) for element in interactive(block)]
    if sum(element.get("focus_on_load", False) for element in used) > 1:
        complain(errors, "only one element can have `focus_on_load`", "/view/blocks")
    if view["type"] == "home" and any(element["type"] == "file_input" for element in used):
        complain(errors, "`file_input` is only for modals", "/view/blocks")
    if errors:
        raise SlackError("invalid_arguments", errors)
    if len(json.dumps(view, ensure_ascii=False).encode(errors="surrogatepass")) > BYTES_IN_VIEW:
        raise SlackError("view_too_large")


def check_options(answer: Any) -> list[str]:
    """Return what is wrong with the answer to a `block_suggestion`; nothing for an answer Slack shows."""
    errors: list[str] = []
    shown = {"options": items(elements.OPTION, 100, 0), "option_groups": items(elements.OPTION_GROUP, 100, 0)}
    record({}, shown)(answer, "", errors)
    rule(lambda value: ("options" in value) != ("option_groups" in value), "must provide options")(answer, "", errors)
    return errors


def with_ids(blocks: list[dict[str, Any]], names: Iterator[str]) -> list[dict[str, Any]]:
    """Return a copy in which every block and every interactive element has an id, as Slack returns them."""
    settled_blocks: list[dict[str, Any]] = json.loads(json.dumps(blocks))
    for block in flat(settled_blocks):
        named = [(block, "block_id"), *((element, "action_id") for element in interactive(block))]
        for item, name in named:
            if name not in item:
                item[name] = next(names)
    return settled_blocks


def interactive(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the interactive elements of a block."""
    candidates = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    return [each for each in candidates if isinstance(each, dict) and each.get("type") in _INTERACTIVE]


_INTERACTIVE = set(elements.ELEMENTS) - {"image"}


def _check_ids(blocks: Any, errors: list[str]) -> None:
    seen: set[str] = set()
    for index, block in enumerate(flat(blocks)):
        name = block.get("block_id")
        if isinstance(name, str) and name in seen:
            complain(errors, f"`block_id` {name} already exists", f"/blocks/{index}/block_id")
        elif isinstance(name, str):
            seen.add(name)


def _check_totals(blocks: list[dict[str, Any]]) -> None:
    tables = [block for block in flat(blocks) if block["type"] == "table"]
    if len(tables) > 1:
        raise SlackError("invalid_attachments", ["only_one_table_allowed"])
    if sum(map(len, _texts([table["rows"] for table in tables]))) > CHARACTERS_IN_TABLES:
        raise SlackError("invalid_blocks", [f"tables must be less than {CHARACTERS_IN_TABLES + 1} characters in all"])
    marked = sum(len(block["text"]) for block in flat(blocks) if block["type"] == "markdown")
    if marked > CHARACTERS_IN_MARKDOWN:
        longest = CHARACTERS_IN_MARKDOWN + 1
        raise SlackError("invalid_blocks", [f"markdown must be less than {longest} characters in all"])


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for name, field in value.items():
            if name == "text" and isinstance(field, str):
                yield field
            else:
                yield from _texts(field)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
