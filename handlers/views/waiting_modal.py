"""What stands over a form while something is read for its preview, or where nothing comes of it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import PlainTextObject
from slack_sdk.models.views import View

from handlers.views.message import sections
from handlers.views.text import escape

_BACK = "Press *Back*: what you typed is still there."


def build(external_id: str) -> View:
    """Say that it takes longer. Should the bot be restarted meanwhile, this stays, so it says what to do then."""
    lines = [
        "Reading what the preview needs. It takes the place of this text by itself.",
        f"Nothing has been asked for yet. If nothing comes within a minute: {_BACK}",
    ]
    return _view("Reading…", lines, external_id)


def stopped(problems: Sequence[str], external_id: str = "") -> View:
    """Say why there is no preview; `problems` are our own words, unformatted."""
    return _view("No preview", [*(escape(problem) for problem in problems), f"Nothing was done. {_BACK}"], external_id)


def _view(title: str, lines: Sequence[str], external_id: str) -> View:
    return View(
        type="modal",
        external_id=external_id or None,
        title=PlainTextObject(text=title),
        close=PlainTextObject(text="Back"),
        blocks=sections(lines),
    )
