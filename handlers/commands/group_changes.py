"""The commands about a group itself: settings, invite, send."""

from functools import partial

from bot.commands import values
from bot.commands.parser import ParsedCommand, typed_text
from bot.commands.spelling import did_you_mean
from bot.domain import roster
from bot.domain.requests import RequestOptions
from bot.domain.roster import Roster
from handlers.commands.context import (
    CommandContext,
    Deferred,
    Resolved,
    action_refusal,
    draft,
    resolve,
    resolve_with_time,
    submit,
)
from handlers.commands.people import NO_NUMBERS
from handlers.services import Services
from handlers.views import answers
from handlers.views.text import shorten
from providers.base import Action, GroupChange, Operation, Picture, ProviderError

_RESET = "reset"
_SWITCHES = {"announce": "announce_only", "lock": "locked"}


async def settings(services: Services, asked: CommandContext) -> str:
    """Take in a change of a group."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    change = _change(asked, typed)
    if isinstance(change, str):
        return asked.usage_error(change)
    found = await resolve_with_time(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    return await submit(
        services, draft(asked, Operation.SETTINGS, met, typed, options=RequestOptions(run_at=at, change=change))
    )


async def invite(services: Services, asked: CommandContext) -> str | Deferred:
    """Show the link, or take in that it is to be sent or reset."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    word = typed.rest_text.casefold()
    if word != _RESET and (near := did_you_mean(word, [_RESET])):
        return asked.usage_error(f"“{shorten(typed.rest_text, 60)}” is no number.{near}")
    if not word and typed.options:
        return asked.usage_error(NO_NUMBERS)
    if not word:
        return await _show_link(services, asked, typed)
    reset = word == _RESET
    if reset and (typed.option("text") or typed.option("at")):
        return asked.usage_error("A reset takes a reason and nothing else.")
    found = await resolve_with_time(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    region = services.catalog.get(met.group.ref).region
    people = None if reset else roster.parse(typed.rest, default_region=region, first_line=typed.line_of())
    if people == Roster():  # without anybody an invite would be a reset
        return asked.usage_error(NO_NUMBERS)
    details = RequestOptions(run_at=at, text=typed.option("text"))
    return await submit(services, draft(asked, Operation.INVITE, met, typed, roster=people, options=details))


async def send(services: Services, asked: CommandContext) -> str:
    """Take in a text for the group or for people."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    text = typed_text(typed.rest) if typed.rest else typed.option("text")
    if not text:
        return asked.usage_error("The text is missing.")
    if "to" in typed.options and not typed.option("to"):
        return asked.usage_error(NO_NUMBERS)
    found = await resolve_with_time(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    to, region = typed.option("to"), services.catalog.get(met.group.ref).region
    people = roster.parse(to, default_region=region, first_line=typed.line_of("to")) if to else None
    if people == Roster():  # without anybody the text would go to the group
        return asked.usage_error(NO_NUMBERS)
    return await submit(
        services, draft(asked, Operation.SEND, met, typed, roster=people, options=RequestOptions(run_at=at, text=text))
    )


async def _show_link(services: Services, asked: CommandContext, typed: ParsedCommand) -> str | Deferred:
    met = await resolve(services, asked, typed.group)
    if isinstance(met, str):
        return met
    if refused := await action_refusal(services, asked, met, Action.READ_INVITE):
        return refused
    return Deferred(partial(_link, services, met), "the invite link")


async def _link(services: Services, met: Resolved) -> str:
    try:
        link = await services.connections[met.group.connection].provider.invite_link(met.group.id)
    except ProviderError as error:
        return answers.not_read("the invite link", error)
    await services.record_disclosure(met.actor.user_id, "the invite link", met.group.connection, met.group.id)
    return answers.link(met.group, link)


def _change(asked: CommandContext, typed: ParsedCommand) -> GroupChange | str:
    """Read the settings; else what is wrong with them."""
    names = [option.name for option in asked.command.options]
    if typed.rest:
        word = typed.rest_text.split()[0].rstrip(":=")
        return f"“{shorten(word, 60)}” is no setting.{did_you_mean(word, names, then=':')}"
    if empty := [name for name, value in typed.options.items() if not value and name not in {"description", "reason"}]:
        return f"`{empty[0]}:` has no value."
    switches = {}
    for name in _SWITCHES.keys() & typed.options.keys():
        if (on := values.parse_switch(typed.option(name))) is None:
            return f"`{name}:` is on or off.{did_you_mean(typed.option(name), ('on', 'off'))}"
        switches[name] = on
    ephemeral = values.parse_ephemeral(typed.option("ephemeral")) if "ephemeral" in typed.options else None
    if "ephemeral" in typed.options and ephemeral is None:
        return "`ephemeral:` is off, 24h, 7d or 90d."
    picture = typed.option("picture")
    if picture and not picture.startswith("https://"):
        return "`picture:` is an address that begins with https://."
    change = GroupChange(
        subject=typed.options.get("name"),
        description=typed.options.get("description"),
        picture=Picture(url=picture) if picture else None,
        announce_only=switches.get("announce"),
        locked=switches.get("lock"),
        ephemeral=ephemeral,
    )
    return change if change.actions else "No setting is named."
