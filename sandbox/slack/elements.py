"""Block Kit's elements and composition objects: which exist, their fields and limits.

Source: https://docs.slack.dev/reference/block-kit/block-elements and …/composition-objects, and slack_sdk's models;
initial options: …/block-elements/select-menu-element, …/checkboxes-element and …/radio-button-group-element ("exactly
matches one of the options"); an option's `url`: …/composition-objects/option-object ("only available in overflow
menus").
"""

import re
from typing import Any

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

_PLAIN: dict[str, Check] = {"emoji": flag}
_MRKDWN: dict[str, Check] = {"verbatim": flag}


def text(most: int, *, plain: bool = True, mrkdwn: bool = True, least: int = 1) -> Check:
    """Accept a text object of at most `most` characters, of the kinds allowed here."""
    kinds: dict[str, Check] = {}
    if plain:
        kinds["plain_text"] = record({"text": string(most, least)}, _PLAIN)
    if mrkdwn:
        kinds["mrkdwn"] = record({"text": string(most, least)}, _MRKDWN)
    return tagged(kinds)


def plain(most: int) -> Check:
    """Accept a plain_text object of at most `most` characters."""
    return text(most, mrkdwn=False)


def _pattern(pattern: str, example: str) -> Check:
    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            complain(errors, f"must be of the form {example}", pointer)

    return check


_DATE = _pattern(r"\d{4}-\d{2}-\d{2}", "YYYY-MM-DD")
_TIME = _pattern(r"\d{2}:\d{2}", "HH:mm")
_URL = string(3000)
_IDS = items(string(255), 1000, 0)

CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION_FIELDS: dict[str, Check] = {"text": plain(75), "value": string(150, 0)}
OPTION = record(_OPTION_FIELDS, {"description": plain(75)})
_MENU_OPTION = record(_OPTION_FIELDS, {"description": plain(75), "url": _URL})
_RICH_OPTION = record({"text": text(75), "value": string(150, 0)}, {"description": text(75)})
OPTION_GROUP = record({"label": plain(75), "options": items(OPTION, 100)})

_ACTION: dict[str, Check] = {"action_id": string(255)}
_CONFIRMED: dict[str, Check] = {**_ACTION, "confirm": CONFIRM}
_PICK: dict[str, Check] = {**_CONFIRMED, "focus_on_load": flag}
_SELECT: dict[str, Check] = {**_PICK, "placeholder": plain(150)}
_MULTI: dict[str, Check] = {**_SELECT, "max_selected_items": number(1, 1000)}
_TYPED: dict[str, Check] = {
    **_ACTION,
    "placeholder": plain(150),
    "focus_on_load": flag,
    "dispatch_action_config": record(
        {}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)}
    ),
}
_FILTER = record(
    {},
    {
        "include": items(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)
_CONVERSATION: dict[str, Check] = {"default_to_current_conversation": flag, "filter": _FILTER}
_ONE_SOURCE = rule(
    lambda value: ("options" in value) != ("option_groups" in value),
    "must provide either `options` or `option_groups`",
)


def _lists_initial(element: dict[str, Any]) -> bool:
    groups = element.get("option_groups", [])
    grouped = [group.get("options", []) for group in groups if isinstance(group, dict)]
    listed = [option for options in (element.get("options", []), *grouped) for option in options]
    chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    return all(option in listed for option in chosen)


_LISTED = rule(_lists_initial, "initial options must exactly match one of the options")
_SOURCES: dict[str, Check] = {"options": items(OPTION, 100), "option_groups": items(OPTION_GROUP, 100)}
_IMAGE_SOURCE = rule(
    lambda value: ("image_url" in value) != ("slack_file" in value),
    "must provide either `image_url` or `slack_file`",
)

BUTTON = record(
    {"text": plain(75)},
    {
        **_CONFIRMED,
        "url": _URL,
        "value": string(2000, 0),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
        "visible_to_user_ids": _IDS,
    },
)
IMAGE = both(
    record({"alt_text": string(2000)}, {"image_url": _URL, "slack_file": anything}),
    _IMAGE_SOURCE,
)
ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "overflow": record({"options": items(_MENU_OPTION, 5)}, _CONFIRMED),
    "datepicker": record({}, {**_SELECT, "initial_date": _DATE}),
    "timepicker": record({}, {**_SELECT, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": record({}, {**_PICK, "initial_date_time": number(10**9, 10**10 - 1)}),
    "checkboxes": both(
        record({"options": items(_RICH_OPTION, 10)}, {**_PICK, "initial_options": items(_RICH_OPTION, 10)}), _LISTED
    ),
    "radio_buttons": both(
        record({"options": items(_RICH_OPTION, 10)}, {**_PICK, "initial_option": _RICH_OPTION}), _LISTED
    ),
    "static_select": both(record({}, {**_SELECT, **_SOURCES, "initial_option": OPTION}), _ONE_SOURCE, _LISTED),
    "external_select": record({}, {**_SELECT, "min_query_length": number(0, 1000), "initial_option": OPTION}),
    "users_select": record({}, {**_SELECT, "initial_user": string(255)}),
    "conversations_select": record(
        {}, {**_SELECT, **_CONVERSATION, "initial_conversation": string(255), "response_url_enabled": flag}
    ),
    "channels_select": record({}, {**_SELECT, "initial_channel": string(255), "response_url_enabled": flag}),
    "multi_static_select": both(
        record({}, {**_MULTI, **_SOURCES, "initial_options": items(OPTION, 100)}), _ONE_SOURCE, _LISTED
    ),
    "multi_external_select": record(
        {}, {**_MULTI, "min_query_length": number(0, 1000), "initial_options": items(OPTION, 100)}
    ),
    "multi_users_select": record({}, {**_MULTI, "initial_users": _IDS}),
    "multi_conversations_select": record({}, {**_MULTI, **_CONVERSATION, "initial_conversations": _IDS}),
    "multi_channels_select": record({}, {**_MULTI, "initial_channels": _IDS}),
    "plain_text_input": record(
        {},
        {
            **_TYPED,
            "initial_value": string(3000, 0),
            "multiline": flag,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        },
    ),
    "email_text_input": record({}, {**_TYPED, "initial_value": string(3000, 0)}),
    "url_text_input": record({}, {**_TYPED, "initial_value": string(3000, 0)}),
    "number_input": record(
        {"is_decimal_allowed": flag},
        {**_TYPED, "initial_value": string(255), "min_value": string(255), "max_value": string(255)},
    ),
    "rich_text_input": record({}, {**_TYPED, "initial_value": anything}),
    "file_input": record({}, {**_ACTION, "filetypes": items(string(255), 100), "max_files": number(1, 10)}),
    "workflow_button": record(
        {"text": plain(75), "workflow": anything},
        {**_ACTION, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
    ),
    "feedback_buttons": record({"positive_button": anything, "negative_button": anything}, _ACTION),
    "icon_button": record(
        {"icon": string(255), "text": plain(75)},
        {**_CONFIRMED, "value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": _IDS},
    ),
}


def chosen(*kinds: str) -> Check:
    """Accept an element of one of these kinds."""
    return tagged({kind: ELEMENTS[kind] for kind in kinds})


_PICKERS = ("checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker")
_SELECTS = tuple(kind for kind in ELEMENTS if kind.endswith("_select"))
_INPUTS = tuple(kind for kind in ELEMENTS if kind.endswith("_input"))

IN_SECTION = chosen("button", "image", "overflow", "workflow_button", *_PICKERS, *_SELECTS)
IN_ACTIONS = chosen("button", "overflow", "workflow_button", *_PICKERS, *_SELECTS, "rich_text_input")
IN_INPUT = chosen(*_PICKERS, *_SELECTS, *_INPUTS)
IN_CONTEXT = tagged({"image": IMAGE, "mrkdwn": text(3000, plain=False), "plain_text": plain(3000)})
IN_CONTEXT_ACTIONS = chosen("feedback_buttons", "icon_button")
