"""The forms of `/wa-add`, `/wa-remove`, `/wa-promote` and `/wa-demote`: a group, and people."""

from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock
from slack_sdk.models.views import View

from handlers.views import inputs
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common

INVITE_BLOCK = "invite"
TITLES = {
    "add": "Add to a group",
    "remove": "Remove from a group",
    "promote": "Make group admins",
    "demote": "Take admin rights",
}


@dataclass(frozen=True, slots=True)
class PeopleForm:
    """What was filled in; `invite` is whether those who refuse are to be invited."""

    common: CommonFields
    invite: bool


def build(verb: str, prefill: Prefill, *, can_invite: bool) -> View:
    """Build the form of a verb; raises `ValueError` where the numbers do not fit.

    Args:
        verb: one of `TITLES`.
        prefill: what it holds already.
        can_invite: whether a connection can invite those who refuse a direct add.
    """
    blocks = [inputs.group_input(prefill.group), *inputs.numbers_inputs(prefill.numbers), inputs.file_input()]
    if verb == "add" and can_invite:
        blocks.append(invite_input())
    blocks += [inputs.run_at_input(), inputs.reason_input()]
    return inputs.form(verb, TITLES[verb], blocks, channel=prefill.channel)


def invite_input() -> InputBlock:
    """Ask whether those who refuse are to be invited."""
    return inputs.tick_input(
        INVITE_BLOCK,
        "Those who refuse",
        "Send them the invite link",
        hint="In a message from the connection's account, to those whose privacy settings refuse a direct add",
    )


def parse(view: dict[str, Any]) -> PeopleForm:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return PeopleForm(common(filled), filled.ticked(INVITE_BLOCK))
