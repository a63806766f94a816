"""The form of `/wa-create`: a connection, the new group's name, its first people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, StaticSelectElement
from slack_sdk.models.views import View

from handlers.views import inputs, people_modal
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import CommonFields, SubmittedView, common
from handlers.views.text import shorten

CONNECTION_BLOCK = "connection"
SUBJECT_BLOCK = "subject"
MOST_SUBJECT = 100
"""WhatsApp's own limit (WhatsApp Help Center, "How to change a group's subject"); a provider's may be lower."""
_MOST_LABEL = 75


@dataclass(frozen=True, slots=True)
class CreateForm:
    """What was filled in."""

    common: CommonFields
    connection: str
    subject: str
    invite: bool


def build(prefill: Prefill, connections: Sequence[str], *, can_invite: bool) -> View:
    """Build the form; raises `ValueError` where the numbers do not fit.

    Args:
        prefill: what it holds already.
        connections: those on which the person may create groups, at least one.
        can_invite: whether one of them can invite those who refuse a direct add.
    """
    options = [Option(value=name, text=shorten(name, _MOST_LABEL)) for name in connections[: inputs.MOST_OPTIONS]]
    only = options[0] if len(options) == 1 else None
    connection = StaticSelectElement(
        action_id=inputs.INPUT, placeholder="Choose a connection", options=options, initial_option=only
    )
    blocks = [
        InputBlock(block_id=CONNECTION_BLOCK, label="Connection", element=connection),
        inputs.text_input(SUBJECT_BLOCK, "Name of the group", most=MOST_SUBJECT, optional=False),
        *inputs.numbers_inputs(prefill.numbers),
        inputs.file_input(),
        *([people_modal.invite_input()] if can_invite else []),
        inputs.run_at_input(),
        inputs.reason_input(),
    ]
    return inputs.form("create", "Create a group", blocks, channel=prefill.channel)


def parse(view: dict[str, Any]) -> CreateForm:
    """Read back what was filled in, from the `view` of a `view_submission`. Raises `ValueError` for another shape."""
    filled = SubmittedView(view)
    return CreateForm(
        common(filled),
        connection=filled.option(CONNECTION_BLOCK),
        subject=" ".join(filled.text(SUBJECT_BLOCK).split()),
        invite=filled.ticked(people_modal.INVITE_BLOCK),
    )
