"""The help: what a command does, what is wrong in one, and the list of all forms."""

import json
from collections.abc import Sequence

from pydantic import Field
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, MarkdownTextObject, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from bot.commands.catalogue import COMMANDS, find_command, nearest_command
from bot.commands.usage import Command, FirstArgument, Usage
from handlers.payloads import Payload
from handlers.views.blocks import Message, context, message, sections
from handlers.views.text import escape, safe_text, shorten
from providers.base import Action, Capability

CALLBACK_ID = "chooser"
OPEN_FORM = "open_form"
IN_WORDS = "Write to me as you would type a command: `@Rollcall add launch-team +1 415 555 0100`, in threads too."
_MOST_LABEL = 75
_MOST_PROBLEM = 400


class ChooserMetadata(Payload):
    """What the modal carries: the channel in which what is asked for will be answered; empty: the person's own."""

    channel: str = Field(default="")


def chooser(commands: Sequence[Command], channel: str, refused: Sequence[str] = ()) -> View:
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


def parse_chooser(private_metadata: str) -> ChooserMetadata:
    """Read back what the modal carried; nothing where a message was clicked."""
    return ChooserMetadata.model_validate_json(private_metadata or "{}")


def offer(command: Command) -> Message:
    """Build the answer to a command without arguments where no form can be opened, with a button that opens it."""
    said = usage(command, "A message alone opens no form.")
    button = _button(command, "Open the form")
    return message([said], [*sections([said]), ActionsBlock(elements=[button])])


def _button(command: Command, label: str) -> ButtonElement:
    return ButtonElement(
        text=label,
        action_id=OPEN_FORM,
        value=command.verb,
        accessibility_label=shorten(f"{label}: {command.summary}", _MOST_LABEL),
    )


def usage(command: Command, problem: str) -> str:
    """Say what is wrong in a typed command, and how it goes."""
    forms = [f"Usage: {' or '.join(f'`{usage}`' for usage in command.usage_lines)}"]
    quotes = (
        "A group whose name has spaces goes in quotes; " if command.first_argument is not FirstArgument.ANYTHING else ""
    )
    alone = f"{quotes}`{command.name}` alone {command.without_arguments}; `/wa help {command.verb}` says more."
    return escape("\n".join([_shown(problem), *forms, alone[0].upper() + alone[1:]]))


def help_text(asked: str) -> str:
    """Explain a command; where none is named, list them. `asked` is what was typed after `/wa`."""
    word, topic, *_ = [*asked.split(), "", ""]
    about = topic if word.casefold() == "help" else word
    if command := find_command(about):
        return _explained(command)
    lines = [f"`{c.name}`  {escape(c.summary)}" for c in COMMANDS]
    lines.append("`/wa help add` explains one; each can also be typed as a word after `/wa`: `/wa add …`.")
    if about:
        near = nearest_command(about)
        hint = f" Did you mean `{near}`?" if near else ""
        lines.insert(0, f"I do not know “{safe_text(about, 40)}”.{hint} This is what I know:")
    return "\n".join(lines)


def _explained(command: Command) -> str:
    lines = [f"*{command.name}*: {command.summary}. Alone it {command.without_arguments}."]
    for form, usage in zip(command.usages, command.usage_lines, strict=True):
        lines += [f"`{usage}`", f"    {form.description}{_needs(form)}"]
    lines += [f"• `{option.name}:` {option.description}" for option in command.options]
    lines += [f"For example `{example}`" for example in command.examples]
    return escape("\n".join([*lines, *command.notes]))


def _needs(form: Usage) -> str:
    """Say what a form takes; which capability an action needs is the provider's own word."""
    actions = [str(need) for need in form.needs if isinstance(need, Action)]
    said = [f"what the group's provider asks for: {', '.join(actions)}"] if actions else []
    said += [f"the capability `{need}`" for need in form.needs if isinstance(need, Capability)]
    return f" Needs {' and '.join(said)}." if said else ""


def _shown(problem: str) -> str:
    """Cut a sentence that quotes what was typed."""
    return shorten(problem, _MOST_PROBLEM)
