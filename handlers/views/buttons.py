"""The buttons that several messages have, each with a label that a screen reader makes sense of alone."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject

from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.views.blocks import MAX_LABEL, confirmation
from handlers.views.operation_texts import phrase
from handlers.views.text import shorten, without_markup

APPROVE = "approve_request"
DENY = "deny_request"
OVERRIDE = "override_request"
STOP = "stop_request"
WITHDRAW = "withdraw_request"
DETAILS = "show_details"


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
        accessibility_label=shorten(f"{label}: {about}", MAX_LABEL),
    )


def stop(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that stops a running request."""
    asked = confirmation(
        "Stop this request?",
        "What is done stays done. Whoever was not sent yet is answered as not attempted, and can be resumed later.",
        "Stop it",
        "Let it run",
    )
    return button("Stop", STOP, request, tally, style="danger", confirm=asked)


def withdraw(request: Request, tally: Tally) -> ButtonElement:
    """Make the button with which what has not begun is taken back."""
    words = "Nothing will be sent to the provider."
    asked = confirmation("Withdraw this request?", words, "Cancel it", "Keep it")
    return button("Withdraw", WITHDRAW, request, tally, confirm=asked)


def details(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that opens everything that is known of a request."""
    return button("Details", DETAILS, request, tally)


def approve(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that counts as a vote for a request."""
    return button("Approve", APPROVE, request, tally, style="primary")


def deny(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that asks for the reason of a denial."""
    return button("Deny", DENY, request, tally, style="danger")


def override(request: Request, tally: Tally) -> ButtonElement:
    """Make the button that asks for the reason of an override."""
    return button("Override", OVERRIDE, request, tally)
