"""Everything that a person may do, each with the button that opens its form; and the way from words to a form."""

import json
from collections.abc import Sequence

from pydantic import Field
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, MarkdownTextObject, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from bot.commands.usage import Command
from handlers.payloads import Payload
from handlers.views import answers
from handlers.views.message import Message, context, message, sections
from handlers.views.text import shorten

CALLBACK_ID = "chooser"
OPEN_FORM = "open_form"
IN_WORDS = "Write to me as you would type a command: `@Rollcall add launch-team +1 415 555 0100`, in threads too."
_MOST_LABEL = 75


class ChooserMetadata(Payload):
    """What the modal carries: the channel in which what is asked for will be answered; empty: the person's own."""

    channel: str = Field(default="")


def build(commands: Sequence[Command], channel: str, refused: Sequence[str] = ()) -> View:
    """Build the modal.

    Args:
        commands: those that the person may use; where there are none, it says why.
        channel: where what is asked for will be answered.
        refused: why they may not do other things, sentence by sentence.
    """
    offers = [
        SectionBlock(
            block_id=f"{CALLBACK_ID}_{command.verb}",
            text=MarkdownTextObject(text=f"*{command.verb.capitalize()}*\n{command.summary}", verbatim=True),
            accessory=_button(command, "Open"),
        )
        for command in commands
    ]
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        title=PlainTextObject(text="WhatsApp groups"),
        close=PlainTextObject(text="Close"),
        private_metadata=json.dumps({"channel": channel}),
        blocks=[*offers, *sections(list(refused)), context("`/wa help` explains every command.")],
    )


def parse(private_metadata: str) -> ChooserMetadata:
    """Read back what the modal carried; nothing where a message was clicked."""
    return ChooserMetadata.model_validate_json(private_metadata or "{}")


def offer(command: Command) -> Message:
    """Build the answer to a command without arguments where no form can be opened, with a button that opens it."""
    said = answers.usage(command, "A message alone opens no form.")
    button = _button(command, "Open the form")
    return message([said], [*sections([said]), ActionsBlock(elements=[button])])


def _button(command: Command, label: str) -> ButtonElement:
    return ButtonElement(
        text=label,
        action_id=OPEN_FORM,
        value=command.verb,
        accessibility_label=shorten(f"{label}: {command.summary}", _MOST_LABEL),
    )
