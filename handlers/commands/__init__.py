"""What each command does, and which command a text names."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from bot.commands.catalogue import WA, find_command
from bot.commands.parser import typed_text
from bot.commands.usage import Command
from handlers.commands import audit, group_changes, groups, people, requests, sync
from handlers.commands.context import CommandContext, Deferred
from handlers.services import Services
from handlers.views import command_help
from handlers.views.blocks import Message


async def show_help(_: Services, command: CommandContext) -> Message:
    """List the commands, or explain the one that is named."""
    return Message(command_help.help_text(typed_text(command.text)))


HANDLERS: Mapping[str, Callable[[Services, CommandContext], Awaitable[Message | Deferred]]] = MappingProxyType(
    {
        "": show_help,
        "add": people.change_people,
        "remove": people.change_people,
        "promote": people.change_people,
        "demote": people.change_people,
        "create": people.create,
        "settings": group_changes.settings,
        "invite": group_changes.invite,
        "send": group_changes.send,
        "sync": sync.run,
        "group": groups.card,
        "groups": groups.listing,
        "requests": requests.listing,
        "audit": audit.search,
    }
)
"""The handler of each command, by its verb. A handler raises `UserError` for what can't be done."""


def is_read_only(command: Command, text: str) -> bool:
    """Return whether a command with this text changes nothing: it lists something, or opens its form."""
    return not command.opens_form or not text.strip()


def resolve_command(declared: Command, text: str) -> tuple[Command, str]:
    """Return the command to run and its part of the text; after `/wa` the first word may name the command."""
    verb = next(iter(text.split(maxsplit=1)), "")
    if declared is WA and (command := find_command(typed_text(verb))):
        return command, text.lstrip()[len(verb) :]
    return declared, text
