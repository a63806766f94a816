"""The commands about a group itself: settings, invite, send."""

from functools import partial

from bot.domain import roster, values
from bot.domain.grammar import Typed, plain
from bot.domain.nearest import did_you_mean
from bot.domain.requests import Details
from bot.domain.roster import Roster
from handlers.commands.asked import Asked, Look, Met, draft, meet, meet_at, refusal, take
from handlers.commands.people import NO_NUMBERS
from handlers.services import Services
from handlers.views import answers
from handlers.views.text import cut
from providers.base import Action, GroupChange, Operation, Picture, ProviderError

_RESET = "reset"
_SWITCHES = {"announce": "announce_only", "lock": "locked"}


async def settings(services: Services, asked: Asked) -> str:
    """Take in a change of a group."""
    typed = asked.read()
    if isinstance(typed, str):
        return typed
    change = _change(asked, typed)
    if isinstance(change, str):
        return asked.misread(change)
    found = await meet_at(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    return await take(services, draft(asked, Operation.SETTINGS, met, typed, details=Details(run_at=at, change=change)))


async def invite(services: Services, asked: Asked) -> str | Look:
    """Show the link, or take in that it is to be sent or reset."""
    typed = asked.read()
    if isinstance(typed, str):
        return typed
    word = typed.plain.casefold()
    if word != _RESET and (near := did_you_mean(word, [_RESET])):
        return asked.misread(f"“{cut(typed.plain, 60)}” is no number.{near}")
    if not word and typed.options:
        return asked.misread(NO_NUMBERS)
    if not word:
        return await _show_link(services, asked, typed)
    reset = word == _RESET
    if reset and (typed.option("text") or typed.option("at")):
        return asked.misread("A reset takes a reason and nothing else.")
    found = await meet_at(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    region = services.regions[met.group.connection]
    people = None if reset else roster.parse(typed.rest, default_region=region, first_line=typed.line())
    if people == Roster():  # without anybody an invite would be a reset
        return asked.misread(NO_NUMBERS)
    details = Details(run_at=at, text=typed.option("text"))
    return await take(services, draft(asked, Operation.INVITE, met, typed, roster=people, details=details))


async def send(services: Services, asked: Asked) -> str:
    """Take in a text for the group or for people."""
    typed = asked.read()
    if isinstance(typed, str):
        return typed
    text = plain(typed.rest) if typed.rest else typed.option("text")
    if not text:
        return asked.misread("The text is missing.")
    if "to" in typed.options and not typed.option("to"):
        return asked.misread(NO_NUMBERS)
    found = await meet_at(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    to, region = typed.option("to"), services.regions[met.group.connection]
    people = roster.parse(to, default_region=region, first_line=typed.line("to")) if to else None
    if people == Roster():  # without anybody the text would go to the group
        return asked.misread(NO_NUMBERS)
    return await take(
        services, draft(asked, Operation.SEND, met, typed, roster=people, details=Details(run_at=at, text=text))
    )


async def _show_link(services: Services, asked: Asked, typed: Typed) -> str | Look:
    met = await meet(services, asked, typed.group)
    if isinstance(met, str):
        return met
    if refused := await refusal(services, asked, met, Action.READ_INVITE):
        return refused
    return Look(partial(_link, services, met), "the invite link")


async def _link(services: Services, met: Met) -> str:
    try:
        link = await services.lines[met.group.connection].provider.invite_link(met.group.id)
    except ProviderError as error:
        return answers.unread("the invite link", error)
    await services.disclosed(met.actor.user_id, "the invite link", met.group.connection, met.group.id)
    return answers.link(met.group, link)


def _change(asked: Asked, typed: Typed) -> GroupChange | str:
    """Read the settings; else what is wrong with them."""
    names = [option.name for option in asked.command.options]
    if typed.rest:
        word = typed.plain.split()[0].rstrip(":=")
        return f"“{cut(word, 60)}” is no setting.{did_you_mean(word, names, then=':')}"
    if empty := [name for name, value in typed.options.items() if not value and name not in {"description", "reason"}]:
        return f"`{empty[0]}:` has no value."
    switches = {}
    for name in _SWITCHES.keys() & typed.options.keys():
        if (on := values.truth(typed.option(name))) is None:
            return f"`{name}:` is on or off.{did_you_mean(typed.option(name), ('on', 'off'))}"
        switches[name] = on
    ephemeral = values.ephemeral(typed.option("ephemeral")) if "ephemeral" in typed.options else None
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
