"""The buttons that several messages have, each with a label that a screen reader makes sense of alone."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.payloads import Payload
from handlers.views.phrases import phrase
from handlers.views.text import shorten, without_markup

STOP = "stop_request"
WITHDRAW = "withdraw_request"
DETAILS = "show_details"

_MOST_LABEL = 75
"""Characters in a button's `accessibility_label` (docs.slack.dev, "Button element")."""
_MOST_TITLE = 100
_MOST_QUESTION = 300


def button(
    label: str, action_id: str, request: Request, tally: Tally, *, style: str = "", confirm: ConfirmObject | None = None
) -> ButtonElement:
    """Make a button about a request; a screen reader hears with it what it is about."""
    about = without_markup(phrase(request, tally, bold=False))
    return ButtonElement(
        text=label,
        action_id=action_id,
        value=request.id,
        style=style or None,
        confirm=confirm,
        accessibility_label=shorten(f"{label}: {about}", _MOST_LABEL),
    )


def carrying(label: str, action_id: str, carried: Payload, of: str) -> ButtonElement:
    """Make a button that carries where it leads; a screen reader says the label and `of` what it is."""
    value, heard = carried.model_dump_json(exclude_none=True), shorten(f"{label} {of}", _MOST_LABEL)
    return ButtonElement(text=label, action_id=action_id, value=value, accessibility_label=heard)


def question(title: str, text: str, yes: str, no: str, *, style: str = "danger") -> ConfirmObject:
    """Make the question that Slack asks before it sends a click on."""
    return ConfirmObject(
        title=PlainTextObject(text=shorten(title, _MOST_TITLE)),
        text=PlainTextObject(text=shorten(text, _MOST_QUESTION)),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text=no),
        style=style,
    )


def stop(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that stops a running request."""
    asked = question(
        "Stop this request?",
        "What is done stays done. Whoever was not sent yet is answered as not attempted, and can be resumed later.",
        "Stop it",
        "Let it run",
    )
    return button("Stop", STOP, request, tally, style="danger", confirm=asked)


def withdraw(request: Request, tally: Tally) -> ButtonElement:
    """Make the button with which what has not begun is taken back."""
    words = "Nothing will be sent to the provider."
    asked = question("Withdraw this request?", words, "Cancel it", "Keep it")
    return button("Withdraw", WITHDRAW, request, tally, confirm=asked)


def details(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that opens everything that is known of a request."""
    return button("Details", DETAILS, request, tally)
