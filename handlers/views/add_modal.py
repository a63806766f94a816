"""The modal of `/wa-add`: the group, the numbers, the reason."""

import json
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ExternalDataSelectElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
)
from slack_sdk.models.views import View

from bot.domain.groups import KnownGroup
from handlers.payloads import Payload
from handlers.views.text import cut

CALLBACK_ID = "add"
GROUP_BLOCK = "add_group"
GROUP_SELECT = "group_select"
NUMBERS_BLOCK = "add_numbers"
REASON_BLOCK = "add_reason"
_INPUT = "value"
_MOST_CHARACTERS = 3000
"""What Slack lets be typed into one plain-text input (docs.slack.dev, "Plain-text input")."""
_MOST_VALUE = 150
_MOST_LABEL = 75


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in. `group` is what `value_of` made."""

    group: str
    numbers: str
    reason: str
    channel: str


class _Option(Payload):
    value: str


class _Field(Payload):
    value: str | None = None
    selected_option: _Option | None = None


class _State(Payload):
    values: dict[str, dict[str, _Field]]


class _View(Payload):
    state: _State
    private_metadata: str


def build(channel: str) -> View:
    """Build the empty modal; the answer will go to `channel`."""
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        title=PlainTextObject(text="Add to a group"),
        submit=PlainTextObject(text="Add"),
        close=PlainTextObject(text="Cancel"),
        private_metadata=json.dumps({"channel": channel}),
        blocks=[
            InputBlock(
                block_id=GROUP_BLOCK,
                label="Group",
                element=ExternalDataSelectElement(
                    action_id=GROUP_SELECT, placeholder="Search all connections", min_query_length=0
                ),
            ),
            InputBlock(
                block_id=NUMBERS_BLOCK,
                label="Numbers",
                hint="Any form, separated by commas, semicolons or line breaks",
                element=PlainTextInputElement(action_id=_INPUT, multiline=True, max_length=_MOST_CHARACTERS),
            ),
            InputBlock(
                block_id=REASON_BLOCK,
                label="Reason",
                optional=True,
                element=PlainTextInputElement(action_id=_INPUT, max_length=500),
            ),
        ],
    )


def parse(view: dict[str, Any]) -> Form:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    read = _View.model_validate(view)
    values = read.state.values
    group = values[GROUP_BLOCK][GROUP_SELECT].selected_option
    return Form(
        group=group.value if group else "",
        numbers=values[NUMBERS_BLOCK][_INPUT].value or "",
        reason=(values[REASON_BLOCK][_INPUT].value or "").strip(),
        channel=str(json.loads(read.private_metadata)["channel"]),
    )


def options(groups: list[KnownGroup]) -> list[Option]:
    """Make the select's options; a group whose id does not fit into an option is left out."""
    return [
        Option(text=_label(g), value=value_of(g), description=cut(g.id, _MOST_LABEL))
        for g in groups
        if len(value_of(g)) <= _MOST_VALUE
    ]


def value_of(group: KnownGroup) -> str:
    """Name a group in an option: connection and id."""
    return f"{group.connection} {group.id}"


def group_of(value: str, known: list[KnownGroup]) -> KnownGroup | None:
    """Find the group that an option names; None when it is gone."""
    return next((g for g in known if value_of(g) == value), None)


def _label(group: KnownGroup) -> str:
    """Name a group with its connection, which two groups of one name are told apart by, however long the name is."""
    connection = f" · {cut(group.connection, _MOST_LABEL // 2)}"
    return cut(group.name, _MOST_LABEL - len(connection)) + connection
