"""The form of `/wa-send`: a text for a group, or for people each alone."""

from dataclasses import dataclass
from typing import Any

from slack_sdk.models.views import View

from bot.commands.values import MAX_TEXT
from handlers.views import inputs
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common

TO_BLOCK = "to"
TEXT_BLOCK = "text"
_TO = {"group": "The group", "people": "The people below, each alone"}


@dataclass(frozen=True, slots=True)
class SendForm:
    """What was filled in; `to_people` is False where the text is for the group."""

    common: CommonFields
    to_people: bool
    text: str


def build(prefill: Prefill) -> View:
    """Build the form; raises `ValueError` where the numbers do not fit."""
    blocks = [
        inputs.group_input(prefill.group),
        inputs.radio_input(TO_BLOCK, "Send to", _TO, "people" if prefill.numbers else "group"),
        inputs.text_input(
            TEXT_BLOCK,
            "Text",
            hint=f"Up to {MAX_TEXT:,} characters; the preview counts them and shows exactly what is sent",
            most=MAX_TEXT,
            optional=False,
            multiline=True,
        ),
        *inputs.numbers_inputs(prefill.numbers, label="Numbers, for people"),
        inputs.file_input(),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("send", "Send a text", blocks, channel=prefill.channel)


def parse(view: dict[str, Any]) -> SendForm:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return SendForm(common(filled), filled.option(TO_BLOCK) == "people", filled.text(TEXT_BLOCK))
