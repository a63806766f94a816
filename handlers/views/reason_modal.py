"""The form for the reason of a denial or an override."""

from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.views import View

from bot.domain.approvals import Choice
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.payloads import Payload
from handlers.views.blocks import sections
from handlers.views.inputs import INPUT
from handlers.views.operation_texts import phrase
from handlers.views.submitted_view import REASON_BLOCK, SubmittedView
from handlers.views.text import safe_text

CALLBACK_ID = "decision_reason"
_MAX_CHARACTERS = 500
_TITLES = {Choice.DENY: "Deny", Choice.OVERRIDE: "Override"}
_CONSEQUENCES = {
    Choice.DENY: "Nothing will be sent to the provider. <@{requester}> will see your name and your reason.",
    Choice.OVERRIDE: "The request will run without the approvals that it needs. Everyone in the thread will see your "
    "name and your reason, and the approvers will be mentioned.",
}


class _Carried(Payload):
    request: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class ReasonForm:
    """The submitted form: the request, the decision, and the trimmed reason."""

    request_id: str
    choice: Choice
    reason: str


def build(choice: Choice, request: Request, tally: Tally) -> View:
    """Build the form for a denial or an override of this request."""
    asks = f"<@{request.requester}> asks to {phrase(request, tally)}"
    why = [f">{safe_text(request.reason, 500)}"] if request.reason else []
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        title=PlainTextObject(text=_TITLES[choice]),
        submit=PlainTextObject(text=_TITLES[choice]),
        close=PlainTextObject(text="Cancel"),
        private_metadata=_Carried(request=request.id, choice=choice).model_dump_json(),
        blocks=[
            *sections([asks, *why, _CONSEQUENCES[choice].format(requester=request.requester)]),
            InputBlock(
                block_id=REASON_BLOCK,
                label="Reason",
                element=PlainTextInputElement(
                    action_id=INPUT, multiline=True, max_length=_MAX_CHARACTERS, focus_on_load=True
                ),
            ),
        ],
    )


def parse(view: dict[str, Any]) -> ReasonForm:
    """Parse the `view` of a `view_submission`. Raises `MalformedPayload` for another shape."""
    filled = SubmittedView(view)
    carried = _Carried.model_validate(filled.carried)
    return ReasonForm(carried.request, carried.choice, filled.text(REASON_BLOCK).strip())


def refused(choice: Choice, text: str) -> View:
    """Build the view that replaces the form if the decision doesn't count."""
    return View(
        type="modal",
        title=PlainTextObject(text=_TITLES[choice]),
        close=PlainTextObject(text="Close"),
        blocks=sections([text]),
    )
