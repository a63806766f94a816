"""The fields that the forms share.

Block ids may end with `:` and a mark: Slack keeps what was typed where block and action keep their ids, so a field that
is to show another value needs another id (docs.slack.dev, "views.update").
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
from slack_sdk.models.blocks.block_elements import DateTimePickerElement, FileInputElement
from slack_sdk.models.views import View

from bot.domain.groups import KnownGroup
from handlers.views.submitted_view import FILE_BLOCK, GROUP_BLOCK, NUMBERS_BLOCK, REASON_BLOCK, RUN_AT_BLOCK
from handlers.views.text import shorten

GROUP_SELECT = "group_select"
INPUT = "value"
MOST_CHARACTERS = 3000
"""What Slack lets be typed into one plain-text input (docs.slack.dev, "Plain-text input")."""
MOST_OPTIONS = 100
FILE_TYPES = ("csv", "tsv", "txt", "xlsx", "vcf")
_MOST_REASON = 500
_MOST_VALUE = 150
_MOST_LABEL = 75
_MOST_NUMBER_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a form holds when it opens.

    Attributes:
        channel: where the answer will go.
        group: the group that is chosen.
        numbers: the people, as they were typed somewhere.
    """

    channel: str
    group: KnownGroup | None = None
    numbers: str = ""


def form(verb: str, title: str, blocks: Sequence[Block], external_id: str = "", **carried: Any) -> View:
    """Build a form; its submission leads to the preview, and `carried` comes back with it."""
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
    """Ask for a group by a search over all connections; `dispatch` tells of a choice before the submission."""
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
    """Ask for people; numbers that are there already and do not fit into one field get more fields.

    Raises:
        ValueError: there are more than fit into a form.
    """
    parts = _parts(numbers)
    if len(parts) > _MOST_NUMBER_FIELDS:
        raise ValueError("These are more numbers than a form holds. Upload them as a CSV file instead.")
    return [
        InputBlock(
            block_id=NUMBERS_BLOCK if number == 1 else f"{NUMBERS_BLOCK}:{number}",
            label=label if number == 1 else f"{label}, part {number}",
            hint="Any form, separated by commas, semicolons or line breaks",
            optional=optional or number > 1,
            element=PlainTextInputElement(
                action_id=INPUT, multiline=True, max_length=MOST_CHARACTERS, initial_value=part or None
            ),
        )
        for number, part in enumerate(parts, start=1)
    ]


def file_input(label: str = "Or a file with numbers") -> InputBlock:
    """Ask for a file with people."""
    return InputBlock(
        block_id=FILE_BLOCK,
        label=label,
        hint="CSV, Excel (.xlsx) or contact cards (vCard), at most 10 MB; the column of numbers is found",
        optional=True,
        element=FileInputElement(action_id=INPUT, filetypes=list(FILE_TYPES), max_files=1),
    )


def run_at_input() -> InputBlock:
    """Ask for a moment; Slack's picker shows and reads the person's own time zone."""
    return InputBlock(
        block_id=RUN_AT_BLOCK,
        label="Run at",
        hint="In your own time zone; empty means at once, or as soon as it is approved",
        optional=True,
        element=DateTimePickerElement(action_id=INPUT),
    )


def reason_input() -> InputBlock:
    """Ask why."""
    hint = "It stands in the thread and in the audit journal"
    return text_input(REASON_BLOCK, "Reason", hint=hint, most=_MOST_REASON)


def text_input(
    block: str,
    label: str,
    *,
    hint: str = "",
    most: int = MOST_CHARACTERS,
    optional: bool = True,
    multiline: bool = False,
    initial: str = "",
) -> InputBlock:
    """Ask for a text."""
    return InputBlock(
        block_id=block,
        label=label,
        hint=hint or None,
        optional=optional,
        element=PlainTextInputElement(
            action_id=INPUT,
            multiline=multiline,
            max_length=max(most, min(len(initial), MOST_CHARACTERS)),
            initial_value=initial[:MOST_CHARACTERS] or None,
        ),
    )


def radio_input(block: str, label: str, options: Mapping[str, str], chosen: str) -> InputBlock:
    """Ask for one of a few things, given by value and label."""
    made = {value: Option(value=value, text=PlainTextObject(text=text)) for value, text in options.items()}
    element = RadioButtonsElement(action_id=INPUT, options=list(made.values()), initial_option=made[chosen].to_dict())
    return InputBlock(block_id=block, label=label, element=element)


def tick_input(block: str, label: str, text: str, *, hint: str = "") -> InputBlock:
    """Ask whether something is wanted."""
    option = Option(value="yes", text=PlainTextObject(text=text))
    return InputBlock(
        block_id=block,
        label=label,
        hint=hint or None,
        optional=True,
        element=CheckboxesElement(action_id=INPUT, options=[option]),
    )


def offered(groups: Sequence[KnownGroup]) -> dict[str, Any]:
    """Make what a search for groups is acknowledged with; where there are too many, their heading says so."""
    options = [_option(group) for group in groups[:MOST_OPTIONS]]
    if len(groups) <= MOST_OPTIONS:
        return {"options": [option.to_dict() for option in options]}
    heading = f"{MOST_OPTIONS} of {len(groups):,} groups; type more of the name"
    return {"option_groups": [OptionGroup(label=PlainTextObject(text=heading), options=options).to_dict()]}


def value_of(group: KnownGroup) -> str:
    """Name a group in an option, by connection and id; one that is too long for that by their digest."""
    place = f"{group.connection} {group.id}"
    return place if len(place) <= _MOST_VALUE else mark(place)


def group_of(value: str, known: Sequence[KnownGroup]) -> KnownGroup | None:
    """Find the group that an option names; None when it is gone."""
    return next((g for g in known if value_of(g) == value), None)


def is_shown_as(group: KnownGroup, text: str) -> bool:
    """Tell whether a group's option has a text in its label, of which the connection is a part."""
    return text.casefold() in f"{group.name} · {group.connection}".casefold()


def mark(text: str) -> str:
    """Give a short name for a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def _option(group: KnownGroup) -> Option:
    return Option(text=_label(group), value=value_of(group), description=shorten(group.id, _MOST_LABEL))


def _label(group: KnownGroup) -> str:
    """Name a group with its connection, which two groups of one name are told apart by, however long the name is."""
    connection = f" · {shorten(group.connection, _MOST_LABEL // 2)}"
    return shorten(group.name, _MOST_LABEL - len(connection)) + connection


def _parts(text: str) -> list[str]:
    """Cut a text between its lines into pieces that fit into a field each; a line that fits into none is cut too."""
    parts = [""]
    for line in text.splitlines():
        for start in range(0, len(line), MOST_CHARACTERS):
            piece = line[start : start + MOST_CHARACTERS]
            if len(parts[-1]) + 1 + len(piece) > MOST_CHARACTERS:
                parts.append(piece)
            else:
                parts[-1] = f"{parts[-1]}\n{piece}".lstrip("\n")
    return parts
