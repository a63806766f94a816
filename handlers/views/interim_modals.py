"""The modals around a form: while something is read, if it has no result, and the choice of a column."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, PlainTextObject, StaticSelectElement
from slack_sdk.models.views import View

from bot.domain.uploads import ColumnChoices, ColumnRef
from handlers.views import answers, inputs
from handlers.views.blocks import MAX_LABEL, sections
from handlers.views.operation_texts import capitalize
from handlers.views.submitted_view import SubmittedView
from handlers.views.text import count, escape_except_mentions, safe_text, shorten

COLUMN_CALLBACK_ID = "column"
COLUMN_BLOCK = "column"


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """A submitted choice: the column, None if it can't be parsed, and what the form carried."""

    place: ColumnRef | None
    carried: dict[str, Any]


def column_form(choices: ColumnChoices, name: str, carried: Mapping[str, Any], external_id: str) -> View:
    """Build the form.

    Args:
        choices: the columns that may contain the numbers, the most likely first.
        name: the file's name.
        carried: what its submission brings back.
        external_id: the id by which it is updated.
    """
    options = [
        Option(
            value=str(column.ref),
            text=PlainTextObject(text=shorten(column.label, MAX_LABEL) or "Unnamed column"),
            description=shorten(" · ".join(column.samples), MAX_LABEL) or None,
        )
        for column in choices.columns[: inputs.MAX_OPTIONS]
    ]
    sheet = f", sheet “{safe_text(choices.sheet, 100)}”" if choices.sheet else ""
    file = f"“{safe_text(name, 200)}”{sheet}"
    several = f"{len(options):,} columns of {file} may contain the phone numbers, the most likely first."
    one = f"We're not sure that this column of {file} contains the phone numbers."
    return View(
        type="modal",
        callback_id=COLUMN_CALLBACK_ID,
        external_id=external_id,
        title=PlainTextObject(text="Choose the column"),
        submit=PlainTextObject(text="Preview"),
        close=PlainTextObject(text="Back"),
        private_metadata=json.dumps(carried),
        blocks=[
            *sections([several if len(options) > 1 else one]),
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
    """Parse the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return ColumnForm(ColumnRef.from_text(filled.option(COLUMN_BLOCK)), filled.carried)


_BACK = "press *Back* to return to the form; it keeps what you typed."


def reading_preview(external_id: str) -> View:
    """Build the view shown while a preview takes longer. It stays if the bot restarts, so it says what to do then."""
    lines = [
        "Preparing the preview. It will appear here.",
        f"Nothing has been submitted yet. If this takes more than a minute, {_BACK}",
    ]
    return _over_form("Reading…", lines, external_id)


def no_preview(problems: Sequence[str], external_id: str = "") -> View:
    """Build the view with the reasons why there is no preview; `problems` are our own texts, not yet escaped."""
    lines = [*map(escape_except_mentions, problems), f"Nothing was done. {capitalize(_BACK)}"]
    return _over_form("No preview", lines, external_id)


def not_submitted(problem: str) -> View:
    """Build the view that replaces a submitted modal without fields, and says why; `problem` is in mrkdwn."""
    return _over_form("Not submitted", [problem])


def checking() -> View:
    """Build the view that replaces a form while its submission takes longer than Slack waits."""
    return _over_form("Working on it…", [answers.CHECKING], close="Close")


def submitted() -> View:
    """Build the view that replaces `checking` when the submission is done."""
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
_MAX_PROBLEMS = 10


def reading_message(files: int, external_id: str) -> View:
    """Build the modal shown while the files of a message are read; it is updated by its id."""
    text = f"⏳ Reading the numbers in this message and its {count(files, 'file')}. The form will appear here."
    return _in_place_of_form([text, "If this takes more than a minute, close it and try again."], external_id)


def no_numbers(problems: Sequence[str]) -> View:
    """Build the modal for a message without numbers, with the problems of its files."""
    text = "There's no phone number in this message. Write numbers with + and the country code."
    return _in_place_of_form([text, *_problems(problems), "`/wa-add` opens an empty form."])


def too_many_numbers(problem: str) -> View:
    """Build the modal for numbers that don't fit into a form."""
    return _in_place_of_form([problem, "Nothing was done."])


def with_problems(form: View, problems: Sequence[str]) -> View:
    """Add the problems of files to the top of a form."""
    form.blocks = [*sections(_problems(problems)), *(form.blocks or [])]
    return form


def _problems(problems: Sequence[str]) -> list[str]:
    return [f"⚠️ {safe_text(problem, 400)}" for problem in problems[:_MAX_PROBLEMS]]


def _in_place_of_form(lines: Sequence[str], external_id: str = "") -> View:
    return View(
        type="modal",
        callback_id=NUMBERS_CALLBACK_ID,
        external_id=external_id or None,
        title=PlainTextObject(text="Add to a group"),
        close=PlainTextObject(text="Close"),
        blocks=[*sections(list(lines))],
    )
