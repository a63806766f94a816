"""The modal behind the shortcut on a message while its files are read, and where there are no numbers in it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import PlainTextObject
from slack_sdk.models.views import View

from handlers.views.message import sections
from handlers.views.text import count, safe_text

CALLBACK_ID = "numbers_of_message"
_MOST_NOTES = 10


def reading(files: int, external_id: str) -> View:
    """Build the modal that is there at once, and is found again by its id."""
    said = f"⏳ Reading the numbers of this message and its {count(files, 'file')}. The form takes the place of this."
    return _view([said, "If nothing comes within a minute, close this and try again."], external_id)


def nothing(problems: Sequence[str]) -> View:
    """Build the modal for a message without a number, with what kept files from being read."""
    said = "I found no phone number in this message. Numbers are found best with + and the country code."
    return _view([said, *_notes(problems), "`/wa-add` alone opens an empty form."])


def failed(problem: str) -> View:
    """Build the modal for numbers that fit into no form."""
    return _view([problem, "Nothing was done."])


def noted(form: View, problems: Sequence[str]) -> View:
    """Add to a form what kept files from being read, above everything else."""
    form.blocks = [*sections(_notes(problems)), *(form.blocks or [])]
    return form


def _notes(problems: Sequence[str]) -> list[str]:
    return [f"⚠️ {safe_text(problem, 400)}" for problem in problems[:_MOST_NOTES]]


def _view(lines: Sequence[str], external_id: str = "") -> View:
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        external_id=external_id or None,
        title=PlainTextObject(text="Add to a group"),
        close=PlainTextObject(text="Close"),
        blocks=[*sections(list(lines))],
    )
