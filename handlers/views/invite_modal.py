"""The form of `/wa-invite`: the link is sent to people, shown, or reset."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slack_sdk.models.views import View

from bot.commands.values import MAX_TEXT
from handlers.views import inputs
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common

WHAT_BLOCK = "what"
TEXT_BLOCK = "text"
"""The link comes behind it, and both go in one message."""


class InviteChoice(StrEnum):
    """What is to be done with the link."""

    SEND = "send"
    SHOW = "show"
    RESET = "reset"


_LABELS = {
    InviteChoice.SEND: "Send the link to people",
    InviteChoice.SHOW: "Show me the link",
    InviteChoice.RESET: "Reset the link: the old one leads nowhere any more",
}


@dataclass(frozen=True, slots=True)
class InviteForm:
    """What was filled in."""

    common: CommonFields
    what: InviteChoice
    text: str


def build(prefill: Prefill) -> View:
    """Build the form; raises `ValueError` where the numbers do not fit."""
    blocks = [
        inputs.group_input(prefill.group),
        inputs.radio_input(
            WHAT_BLOCK, "What to do", {str(w): label for w, label in _LABELS.items()}, InviteChoice.SEND
        ),
        *inputs.numbers_inputs(prefill.numbers, label="Numbers to send it to"),
        inputs.file_input(),
        inputs.text_input(
            TEXT_BLOCK, "Text before the link", hint="Only where it is sent", most=MAX_TEXT, multiline=True
        ),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("invite", "Invite to a group", blocks, channel=prefill.channel)


def parse(view: dict[str, Any]) -> InviteForm:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return InviteForm(common(filled), InviteChoice(filled.option(WHAT_BLOCK)), filled.text(TEXT_BLOCK).strip())
