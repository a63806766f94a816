"""The modals around a form: while something is read, if nothing was found, and the choice of a column."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, PlainTextObject, StaticSelectElement
from slack_sdk.models.views import View

from bot.domain.uploads import ColumnChoices, ColumnRef
from handlers.views import answers, inputs
from handlers.views.blocks import sections
from handlers.views.submitted_view import SubmittedView
from handlers.views.text import count, escape, safe_text, shorten

COLUMN_CALLBACK_ID = "column"
COLUMN_BLOCK = "column"
_MOST_LABEL = 75


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """The column that was chosen, None where that cannot be read, and what the form carried."""

    place: ColumnRef | None
    carried: dict[str, Any]


def column_form(choices: ColumnChoices, name: str, carried: Mapping[str, Any], external_id: str) -> View:
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
        callback_id=COLUMN_CALLBACK_ID,
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


def parse_column(view: dict[str, Any]) -> ColumnForm:
    """Read back the choice, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return ColumnForm(ColumnRef.from_text(filled.option(COLUMN_BLOCK)), filled.carried)


_BACK = "Press *Back*: what you typed is still there."


def reading_preview(external_id: str) -> View:
    """Say that it takes longer. Should the bot be restarted meanwhile, this stays, so it says what to do then."""
    lines = [
        "Reading what the preview needs. It takes the place of this text by itself.",
        f"Nothing has been asked for yet. If nothing comes within a minute: {_BACK}",
    ]
    return _over_form("Reading…", lines, external_id)


def no_preview(problems: Sequence[str], external_id: str = "") -> View:
    """Say why there is no preview; `problems` are our own words, unformatted."""
    return _over_form(
        "No preview", [*(escape(problem) for problem in problems), f"Nothing was done. {_BACK}"], external_id
    )


def checking() -> View:
    """Build the view that takes a form's place while what it asked for takes longer than Slack waits."""
    return _over_form("Working on it…", [answers.CHECKING], close="Close")


def submitted() -> View:
    """Build the view that takes the place of `checking` when what the form asked for is done."""
    return _over_form("Submitted", ["✅ Your form was submitted. You can close this."], close="Close")


def _over_form(title: str, lines: Sequence[str], external_id: str = "", *, close: str = "Back") -> View:
    return View(
        type="modal",
        external_id=external_id or None,
        title=PlainTextObject(text=title),
        close=PlainTextObject(text=close),
        blocks=sections(lines),
    )


NUMBERS_CALLBACK_ID = "numbers_of_message"
_MOST_NOTES = 10


def reading_message(files: int, external_id: str) -> View:
    """Build the modal that is there at once, and is found again by its id."""
    said = f"⏳ Reading the numbers of this message and its {count(files, 'file')}. The form takes the place of this."
    return _in_place_of_form([said, "If nothing comes within a minute, close this and try again."], external_id)


def no_numbers(problems: Sequence[str]) -> View:
    """Build the modal for a message without a number, with what kept files from being read."""
    said = "I found no phone number in this message. Numbers are found best with + and the country code."
    return _in_place_of_form([said, *_notes(problems), "`/wa-add` alone opens an empty form."])


def too_many_numbers(problem: str) -> View:
    """Build the modal for numbers that fit into no form."""
    return _in_place_of_form([problem, "Nothing was done."])


def with_problems(form: View, problems: Sequence[str]) -> View:
    """Add to a form what kept files from being read, above everything else."""
    form.blocks = [*sections(_notes(problems)), *(form.blocks or [])]
    return form


def _notes(problems: Sequence[str]) -> list[str]:
    return [f"⚠️ {safe_text(problem, 400)}" for problem in problems[:_MOST_NOTES]]


def _in_place_of_form(lines: Sequence[str], external_id: str = "") -> View:
    return View(
        type="modal",
        callback_id=NUMBERS_CALLBACK_ID,
        external_id=external_id or None,
        title=PlainTextObject(text="Add to a group"),
        close=PlainTextObject(text="Close"),
        blocks=[*sections(list(lines))],
    )
