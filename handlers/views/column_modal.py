"""The form that asks in which column of a file the numbers stand, where that cannot be told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, PlainTextObject, StaticSelectElement
from slack_sdk.models.views import View

from bot.domain.uploads import ColumnChoices, ColumnRef
from handlers.views import inputs
from handlers.views.message import sections
from handlers.views.submitted_view import SubmittedView
from handlers.views.text import safe_text, shorten

CALLBACK_ID = "column"
COLUMN_BLOCK = "column"
_MOST_LABEL = 75


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """The column that was chosen, None where that cannot be read, and what the form carried."""

    place: ColumnRef | None
    carried: dict[str, Any]


def build(choices: ColumnChoices, name: str, carried: Mapping[str, Any], external_id: str) -> View:
    """Build the form.

    Args:
        choices: the columns that may be meant, the likeliest first.
        name: the file's name.
        carried: what its submission is to bring back.
        external_id: by which it is found, to be replaced.
    """
    options = [
        Option(
            value=str(column.ref),
            text=PlainTextObject(text=shorten(column.label, _MOST_LABEL) or "A column without a name"),
            description=shorten(" · ".join(column.samples), _MOST_LABEL) or None,
        )
        for column in choices.columns[: inputs.MOST_OPTIONS]
    ]
    sheet = f", sheet “{safe_text(choices.sheet, 100)}”" if choices.sheet else ""
    which, order = (
        ("Several columns", ", the likeliest first") if len(options) > 1 else ("One column", ", or none does")
    )
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        external_id=external_id,
        title=PlainTextObject(text="Choose the column"),
        submit=PlainTextObject(text="Preview"),
        close=PlainTextObject(text="Back"),
        private_metadata=json.dumps(carried),
        blocks=[
            *sections([f"{which} of “{safe_text(name, 200)}”{sheet} may hold the numbers{order}."]),
            InputBlock(
                block_id=COLUMN_BLOCK,
                label="Column with the phone numbers",
                element=StaticSelectElement(
                    action_id=inputs.INPUT, placeholder="Choose a column", options=options, focus_on_load=True
                ),
            ),
        ],
    )


def parse(view: dict[str, Any]) -> ColumnForm:
    """Read back the choice, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return ColumnForm(ColumnRef.from_text(filled.option(COLUMN_BLOCK)), filled.carried)
