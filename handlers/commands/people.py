"""The commands about people: add, remove, promote, demote, create."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bot.domain import roster, values
from bot.domain.access import Actor, Allowed
from bot.domain.grammar import Typed
from bot.domain.groups import KnownGroup
from bot.domain.nearest import did_you_mean
from bot.domain.requests import Details
from handlers.commands.asked import Asked, Met, draft, meet_at, take, time_of
from handlers.services import Services
from handlers.views.text import cut
from providers.base import Action, Operation

NO_NUMBERS = "The numbers are missing."


async def on_people(services: Services, asked: Asked) -> str:
    """Take in a request about people in a group; the command's verb is the operation."""
    typed = asked.read()
    if isinstance(typed, str):
        return typed
    if not typed.rest:
        return asked.misread(NO_NUMBERS)
    invite = values.truth(typed.option("invite") or ("?" if "invite" in typed.options else "no"))
    if invite is None:
        return asked.misread(f"`invite:` is yes or no.{did_you_mean(typed.option('invite'), ('yes', 'no'))}")
    found = await meet_at(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    region = services.regions[met.group.connection]
    people = roster.parse(typed.rest, default_region=region, first_line=typed.line())
    details = Details(run_at=at, invite_refused=invite)
    return await take(services, draft(asked, Operation(asked.command.verb), met, typed, roster=people, details=details))


async def create(services: Services, asked: Asked) -> str:
    """Take in a request for a new group."""
    typed = asked.read()
    if isinstance(typed, str):
        return typed
    if not typed.rest:
        return asked.misread(NO_NUMBERS)
    actor, at = await asyncio.gather(services.usergroups.actor(asked.user), time_of(services, asked, typed))
    if isinstance(at, str):
        return at
    connection = _connection(services, actor, typed)
    if connection not in services.lines:
        return asked.misread(connection)
    return await _create(services, asked, typed, Met(actor, _new(connection, typed.group)), at)


async def _create(services: Services, asked: Asked, typed: Typed, met: Met, at: datetime | None) -> str:
    region = services.regions[met.group.connection]
    people = roster.parse(typed.rest, default_region=region, first_line=typed.line())
    details = Details(run_at=at, subject=typed.group)
    return await take(services, draft(asked, Operation.CREATE, met, typed, roster=people, details=details))


def _connection(services: Services, actor: Actor, typed: Typed) -> str:
    """Give the connection that is named, or the only one that can be meant; else what is wrong, in words."""
    names = {name.casefold(): name for name in services.lines}
    if typed.connection.casefold() in names:
        return names[typed.connection.casefold()]
    able = [name for name in services.lines if Action.CREATE in services.lines[name].provider.abilities]
    allowed = [name for name in able if _may_create(services, actor, name)]
    if typed.connection:
        return _unknown(typed.connection, allowed)
    if len(allowed) > 1:
        return f"Name the connection first: {_listed(allowed)}."
    return next(iter([*allowed, *able, *services.lines]))  # where none is allowed, the intake says why


def _may_create(services: Services, actor: Actor, connection: str) -> bool:
    return isinstance(services.rights.may_act(actor, Action.CREATE, _new(connection, "")), Allowed)


def _unknown(name: str, allowed: Sequence[str]) -> str:
    near = did_you_mean(name, allowed, alike=0.5)
    return f"There is no connection “{cut(name, 60)}”.{near} A name with spaces goes in quotes."


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _new(connection: str, subject: str) -> KnownGroup:
    return KnownGroup(connection, "", "", subject)
