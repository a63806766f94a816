"""The buttons of a request, each with a label that makes sense to a screen reader without its surroundings."""

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
    """Build a button of a request; screen readers also read what the request is about."""
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
    """Build the button that stops a running request."""
    question = confirmation(
        "Stop this request?",
        "Finished work isn't undone. The rest isn't attempted; you can resume it later.",
        "Stop it",
        "Keep it running",
    )
    return button("Stop", STOP, request, tally, style="danger", confirm=question)


def withdraw(request: Request, tally: Tally) -> ButtonElement:
    """Build the button that withdraws a request before it starts."""
    question = confirmation("Withdraw this request?", "Nothing will be sent to the provider.", "Withdraw it", "Keep it")
    return button("Withdraw", WITHDRAW, request, tally, confirm=question)


def details(request: Request, tally: Tally) -> ButtonElement:
    """Build the button that opens the details of a request."""
    return button("Details", DETAILS, request, tally)


def approve(request: Request, tally: Tally) -> ButtonElement:
    """Build the button that approves a request."""
    return button("Approve", APPROVE, request, tally, style="primary")


def deny(request: Request, tally: Tally) -> ButtonElement:
    """Build the button that opens the form for the reason of a denial."""
    return button("Deny", DENY, request, tally, style="danger")


def override(request: Request, tally: Tally) -> ButtonElement:
    """Build the button that opens the form for the reason of an override."""
    return button("Override", OVERRIDE, request, tally)
