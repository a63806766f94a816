"""The commands about a group itself: settings, invite, send."""

from functools import partial

from bot.commands import values
from bot.commands.parser import ParsedCommand, typed_text
from bot.commands.values import did_you_mean
from bot.domain.requests import RequestOptions
from bot.domain.roster import Roster
from handlers.commands import confirmations
from handlers.commands.context import (
    CommandContext,
    Deferred,
    Resolved,
    require_action,
    resolve,
    resolve_with_time,
)
from handlers.commands.people import NO_NUMBERS, parse_people
from handlers.errors import UserError
from handlers.services import Services
from handlers.views import answers
from handlers.views.blocks import Message
from handlers.views.text import shorten
from providers.base import Action, GroupChange, Operation, Picture, ProviderError

_RESET = "reset"
_SWITCHES = {"announce": "announce_only", "lock": "locked"}


async def settings(services: Services, command: CommandContext) -> Message:
    """Submit a change of a group's settings. Raises `UserError`."""
    parsed = command.parse()
    change = _change(command, parsed)
    resolved, at = await resolve_with_time(services, command, parsed)
    options = RequestOptions(run_at=at, change=change)
    return Message(await services.submit(command.draft(resolved, parsed, Operation.SETTINGS, options)))


async def invite(services: Services, command: CommandContext) -> Message | Deferred:
    """Show the invite link, submit that it is sent, or ask whether to reset it. Raises `UserError`."""
    parsed = command.parse()
    word = parsed.rest_text.casefold()
    if word != _RESET and (near := did_you_mean(word, [_RESET])):
        raise command.usage_error(f"“{shorten(parsed.rest_text, 60)}” isn't a phone number.{near}")
    if not word and parsed.options:
        raise command.usage_error(NO_NUMBERS)
    if not word:
        return await _show_link(services, command, parsed)
    reset = word == _RESET
    if reset and (parsed.option("text") or parsed.option("at")):
        raise command.usage_error("A reset takes only a reason.")
    resolved, at = await resolve_with_time(services, command, parsed)
    people = None if reset else parse_people(services, resolved.group, parsed)
    if people == Roster():  # without people an invite would be a reset
        raise command.usage_error(NO_NUMBERS)
    options = RequestOptions(run_at=at, text=parsed.option("text"))
    draft = command.draft(resolved, parsed, Operation.INVITE, options, people)
    return await confirmations.ask(services, draft) if reset else Message(await services.submit(draft))


async def send(services: Services, command: CommandContext) -> Message:
    """Ask whether to send a text to the group or to people. Raises `UserError`."""
    parsed = command.parse()
    text = typed_text(parsed.rest) if parsed.rest else parsed.option("text")
    if not text:
        raise command.usage_error("The text is missing.")
    if "to" in parsed.options and not parsed.option("to"):
        raise command.usage_error(NO_NUMBERS)
    resolved, at = await resolve_with_time(services, command, parsed)
    people = parse_people(services, resolved.group, parsed, "to") if parsed.option("to") else None
    if people == Roster():  # without people the text would go to the group
        raise command.usage_error(NO_NUMBERS)
    options = RequestOptions(run_at=at, text=text)
    return await confirmations.ask(services, command.draft(resolved, parsed, Operation.SEND, options, people))


async def _show_link(services: Services, command: CommandContext, parsed: ParsedCommand) -> Deferred:
    resolved = await resolve(services, command, parsed.group)
    await require_action(services, command, resolved, Action.READ_INVITE)
    return Deferred(partial(_link, services, resolved), "the invite link")


async def _link(services: Services, resolved: Resolved) -> Message:
    group = resolved.group
    try:
        link = await services.connections[group.connection].provider.invite_link(group.id)
    except ProviderError as error:
        raise UserError(answers.not_read("the invite link", error)) from error
    await services.record_disclosure(resolved.actor.user_id, "the invite link", group.connection, group.id)
    return Message(answers.link(group, link))


def _change(command: CommandContext, parsed: ParsedCommand) -> GroupChange:
    """Read the settings. Raises `UserError`."""
    if parsed.rest:
        word = parsed.rest_text.split()[0].rstrip(":=")
        near = did_you_mean(word, [option.name for option in command.command.options], then=":")
        raise command.usage_error(f"“{shorten(word, 60)}” isn't a setting.{near}")
    may_be_empty = {"description", "reason"}
    if empty := [name for name, value in parsed.options.items() if not value and name not in may_be_empty]:
        raise command.usage_error(f"`{empty[0]}:` has no value.")
    switches = {_SWITCHES[name]: _switch(command, parsed, name) for name in _SWITCHES.keys() & parsed.options.keys()}
    ephemeral = values.parse_ephemeral(parsed.option("ephemeral")) if "ephemeral" in parsed.options else None
    if "ephemeral" in parsed.options and ephemeral is None:
        raise command.usage_error("`ephemeral:` is off, 24h, 7d or 90d.")
    picture = parsed.option("picture")
    if picture and not picture.startswith("https://"):
        raise command.usage_error("`picture:` is an address that begins with https://.")
    change = GroupChange(
        subject=parsed.options.get("name"),
        description=parsed.options.get("description"),
        picture=Picture(url=picture) if picture else None,
        ephemeral=ephemeral,
        **switches,
    )
    if not change.actions:
        raise command.usage_error("The settings are missing.")
    return change


def _switch(command: CommandContext, parsed: ParsedCommand, name: str) -> bool:
    if (on := values.parse_switch(parsed.option(name))) is None:
        near = did_you_mean(parsed.option(name), ("on", "off"))
        raise command.usage_error(f"`{name}:` is on or off.{near}")
    return on
