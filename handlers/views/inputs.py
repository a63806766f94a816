"""The fields that the forms share.

Block ids may end with `:` and a mark: Slack keeps what was typed as long as the ids of block and action stay the same,
so a field that shows another value needs another id (docs.slack.dev, "views.update").
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    ExternalDataSelectElement,
    InputBlock,
    Option,
    OptionGroup,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
)
from slack_sdk.models.blocks.block_elements import FileInputElement
from slack_sdk.models.views import View

from bot.domain.groups import KnownGroup
from handlers.views.submitted_view import FILE_BLOCK, GROUP_BLOCK, NUMBERS_BLOCK, REASON_BLOCK, RUN_AT_BLOCK
from handlers.views.text import shorten

GROUP_SELECT = "group_select"
INPUT = "value"
MAX_CHARACTERS = 3000
"""Characters of a plain-text input (docs.slack.dev, "Plain-text input element")."""
MAX_OPTIONS = 100
FILE_TYPES = ("csv", "tsv", "txt", "xlsx", "vcf")
_MAX_TIME = 60
"""The maximum length of a start in characters."""
_MAX_REASON = 500
_MAX_VALUE = 150
_MAX_LABEL = 75
_MAX_NUMBER_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Prefill:
    """The content of a form when it opens.

    Attributes:
        channel: the channel for the results.
        group: the selected group.
        numbers: the people, as they were typed.
    """

    channel: str
    group: KnownGroup | None = None
    numbers: str = ""


def form(verb: str, title: str, blocks: Sequence[Block], external_id: str = "", **carried: Any) -> View:
    """Build a form that leads to a preview; its submission brings back `carried`."""
    return View(
        type="modal",
        callback_id=verb,
        external_id=external_id or None,
        title=PlainTextObject(text=title),
        submit=PlainTextObject(text="Preview"),
        close=PlainTextObject(text="Cancel"),
        private_metadata=json.dumps(carried),
        blocks=list(blocks),
    )


def group_input(
    group: KnownGroup | None = None, *, block: str = GROUP_BLOCK, label: str = "Group", dispatch: bool = False
) -> InputBlock:
    """Build a search for a group on all connections; with `dispatch` Slack reports a choice before the submission."""
    return InputBlock(
        block_id=block,
        label=label,
        dispatch_action=dispatch or None,
        element=ExternalDataSelectElement(
            action_id=GROUP_SELECT,
            placeholder="Search by name",
            min_query_length=0,
            initial_option=_option(group) if group else None,
        ),
    )


def numbers_inputs(numbers: str = "", *, optional: bool = True, label: str = "Numbers") -> list[InputBlock]:
    """Build the fields for people: as many as the given numbers need.

    Raises:
        ValueError: the numbers don't fit into a form.
    """
    parts = _parts(numbers)
    if len(parts) > _MAX_NUMBER_FIELDS:
        raise ValueError("That's too many numbers for a form. Upload them as a CSV file instead.")
    return [
        InputBlock(
            block_id=NUMBERS_BLOCK if number == 1 else f"{NUMBERS_BLOCK}:{number}",
            label=label if number == 1 else f"{label}, part {number}",
            hint="Any format. Separate numbers with commas, semicolons or line breaks.",
            optional=optional or number > 1,
            element=PlainTextInputElement(
                action_id=INPUT, multiline=True, max_length=MAX_CHARACTERS, initial_value=part or None
            ),
        )
        for number, part in enumerate(parts, start=1)
    ]


def file_input(label: str = "Or a file with numbers") -> InputBlock:
    """Build the field for a file with people."""
    return InputBlock(
        block_id=FILE_BLOCK,
        label=label,
        hint="CSV, Excel (.xlsx) or contact cards (vCard), up to 10 MB. We'll find the column with the numbers.",
        optional=True,
        element=FileInputElement(action_id=INPUT, filetypes=list(FILE_TYPES), max_files=1),
    )


def run_at_input() -> InputBlock:
    """Build the field for the start, which the person writes in their own time zone."""
    hint = (
        "For example “tomorrow 9am”, “in 2h”, “Mon 14:00” or “2026-12-01 09:00”, in your time zone. Leave it empty to "
        "start immediately, or as soon as it's approved."
    )
    return text_input(RUN_AT_BLOCK, "Run at", hint=hint, most=_MAX_TIME)


def reason_input() -> InputBlock:
    """Build the field for the reason."""
    hint = "Shown in the thread and in the audit journal."
    return text_input(REASON_BLOCK, "Reason", hint=hint, most=_MAX_REASON)


def text_input(
    block: str,
    label: str,
    *,
    hint: str = "",
    most: int = MAX_CHARACTERS,
    optional: bool = True,
    multiline: bool = False,
    initial: str = "",
) -> InputBlock:
    """Build a text field."""
    return InputBlock(
        block_id=block,
        label=label,
        hint=hint or None,
        optional=optional,
        element=PlainTextInputElement(
            action_id=INPUT,
            multiline=multiline,
            max_length=max(most, min(len(initial), MAX_CHARACTERS)),
            initial_value=initial[:MAX_CHARACTERS] or None,
        ),
    )


def radio_input(block: str, label: str, options: Mapping[str, str], chosen: str) -> InputBlock:
    """Build a choice among a few options, given by value and label."""
    made = {value: Option(value=value, text=PlainTextObject(text=text)) for value, text in options.items()}
    element = RadioButtonsElement(action_id=INPUT, options=list(made.values()), initial_option=made[chosen].to_dict())
    return InputBlock(block_id=block, label=label, element=element)


def tick_input(block: str, label: str, text: str, *, hint: str = "") -> InputBlock:
    """Build a checkbox."""
    option = Option(value="yes", text=PlainTextObject(text=text))
    return InputBlock(
        block_id=block,
        label=label,
        hint=hint or None,
        optional=True,
        element=CheckboxesElement(action_id=INPUT, options=[option]),
    )


def offered(groups: Sequence[KnownGroup]) -> dict[str, Any]:
    """Build the acknowledgement of a search for groups; if there are too many, the heading says so."""
    options = [_option(group) for group in groups[:MAX_OPTIONS]]
    if len(groups) <= MAX_OPTIONS:
        return {"options": [option.to_dict() for option in options]}
    heading = f"{MAX_OPTIONS} of {len(groups):,} groups. Type more of the name."
    return {"option_groups": [OptionGroup(label=PlainTextObject(text=heading), options=options).to_dict()]}


def value_of(group: KnownGroup) -> str:
    """Return the value of a group's option: connection and id, or their digest if they're too long."""
    place = f"{group.connection} {group.id}"
    return place if len(place) <= _MAX_VALUE else mark(place)


def group_of(value: str, known: Sequence[KnownGroup]) -> KnownGroup | None:
    """Return the group of an option's value; None if it no longer exists."""
    return next((g for g in known if value_of(g) == value), None)


def is_shown_as(group: KnownGroup, text: str) -> bool:
    """Return whether the label of a group's option, which includes the connection, contains a text."""
    return text.casefold() in f"{group.name} · {group.connection}".casefold()


def mark(text: str) -> str:
    """Return a short digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def _option(group: KnownGroup) -> Option:
    return Option(text=_label(group), value=value_of(group), description=shorten(group.id, _MAX_LABEL))


def _label(group: KnownGroup) -> str:
    """Return the label of a group; it always includes the connection, which distinguishes groups of the same name."""
    connection = f" · {shorten(group.connection, _MAX_LABEL // 2)}"
    return shorten(group.name, _MAX_LABEL - len(connection)) + connection


def _parts(text: str) -> list[str]:
    """Split a text at line breaks into parts that fit into a field; a longer line is split too."""
    parts = [""]
    for line in text.splitlines():
        for start in range(0, len(line), MAX_CHARACTERS):
            piece = line[start : start + MAX_CHARACTERS]
            if len(parts[-1]) + 1 + len(piece) > MAX_CHARACTERS:
                parts.append(piece)
            else:
                parts[-1] = f"{parts[-1]}\n{piece}".lstrip("\n")
    return parts
