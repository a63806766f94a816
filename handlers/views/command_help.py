"""The help: how to use a command, what is wrong with one, and the list of all forms."""

import json
from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, ButtonElement, MarkdownTextObject, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from bot.commands.catalogue import COMMANDS, find_command, nearest_command
from bot.commands.usage import Command, FirstArgument, Usage
from bot.domain.access import Capability
from handlers.payloads import Payload
from handlers.views.blocks import MAX_LABEL, Message, context, message, sections
from handlers.views.text import escape, safe_text, shorten
from providers.base import Action

CALLBACK_ID = "chooser"
OPEN_FORM = "open_form"
IN_WORDS = "Mention me with a command: `@Rollcall add launch-team +1 415 555 0100`. That works in threads too."
_MAX_PROBLEM = 400


class ChooserMetadata(Payload):
    """What the list of forms carries: the channel for the results; empty for the person's direct messages."""

    channel: str = ""


def chooser(commands: Sequence[Command], channel: str, refused: Sequence[str] = ()) -> View:
    """Build the list of forms.

    Args:
        commands: the commands that the person can use.
        channel: the channel for the results.
        refused: why the person can't use the others.
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
    """Parse what the list carries; empty if the button was in a message."""
    return ChooserMetadata.parse_text(private_metadata or "{}")


def offer(command: Command) -> Message:
    """Build the answer to a command without arguments in a message, with a button that opens its form."""
    text = usage(command, "A message can't open a form by itself.")
    button = _button(command, "Open the form")
    return message([text], [*sections([text]), ActionsBlock(elements=[button])])


def usage(command: Command, problem: str) -> str:
    """Return what is wrong with a command, and how to use it."""
    forms = f"Usage: {' or '.join(f'`{usage}`' for usage in command.usage_lines)}"
    has_group = command.first_argument is not FirstArgument.ANYTHING
    quotes = "Put a group name with spaces in quotes. " if has_group else ""
    alone = f"`{command.name}` alone {command.without_arguments}. See `/wa help {command.verb}` for more."
    return escape("\n".join([shorten(problem, _MAX_PROBLEM), forms, f"{quotes}{alone}"]))


def help_text(typed: str) -> str:
    """Return the help of a command, else the list of commands. `typed` is the text after `/wa`."""
    word, topic, *_ = [*typed.split(), "", ""]
    about = topic if word.casefold() == "help" else word
    if command := find_command(about):
        return _explained(command)
    lines = [f"`{c.name}`  {escape(c.summary)}" for c in COMMANDS]
    lines.append("`/wa help add` explains a command. You can also type each one after `/wa`: `/wa add …`.")
    if about:
        near = nearest_command(about)
        hint = f" Did you mean `{near}`?" if near else ""
        lines.insert(0, f"There's no command “{safe_text(about, 40)}”.{hint} These are the commands:")
    return "\n".join(lines)


def _button(command: Command, label: str) -> ButtonElement:
    return ButtonElement(
        text=label,
        action_id=OPEN_FORM,
        value=command.verb,
        accessibility_label=shorten(f"{label}: {command.summary}", MAX_LABEL),
    )


def _explained(command: Command) -> str:
    lines = [f"*{command.name}*: {command.summary}. `{command.name}` alone {command.without_arguments}."]
    for form, written in zip(command.usages, command.usage_lines, strict=True):
        lines += [f"`{written}`", f"    {form.description}{_needs(form)}"]
    lines += [f"• `{option.name}:` {option.description}" for option in command.options]
    lines += [f"Example: `{example}`" for example in command.examples]
    return escape("\n".join([*lines, *command.notes]))


def _needs(form: Usage) -> str:
    """Return what a form needs; the provider decides which capability an action needs."""
    actions = [str(need) for need in form.needs if isinstance(need, Action)]
    needed = [f"the provider's capability for: {', '.join(actions)}"] if actions else []
    needed += [f"the capability `{need}`" for need in form.needs if isinstance(need, Capability)]
    return f" Needs {' and '.join(needed)}." if needed else ""
