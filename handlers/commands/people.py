"""The commands about people: add, remove, promote, demote, create."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bot.commands import values
from bot.commands.parser import ParsedCommand
from bot.commands.spelling import did_you_mean
from bot.domain import roster
from bot.domain.access import Actor, Allowed
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestOptions
from handlers.commands.context import CommandContext, Resolved, draft, parse_time_option, resolve_with_time, submit
from handlers.services import Services
from handlers.views.text import shorten
from providers.base import Action, Operation

NO_NUMBERS = "The numbers are missing."


async def change_people(services: Services, asked: CommandContext) -> str:
    """Take in a request about people in a group; the command's verb is the operation."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    if not typed.rest:
        return asked.usage_error(NO_NUMBERS)
    invite = values.parse_switch(typed.option("invite") or ("?" if "invite" in typed.options else "no"))
    if invite is None:
        return asked.usage_error(f"`invite:` is yes or no.{did_you_mean(typed.option('invite'), ('yes', 'no'))}")
    found = await resolve_with_time(services, asked, typed)
    if isinstance(found, str):
        return found
    met, at = found
    region = services.catalog.get(met.group.ref).region
    people = roster.parse(typed.rest, default_region=region, first_line=typed.line_of())
    details = RequestOptions(run_at=at, invite_refused=invite)
    return await submit(
        services, draft(asked, Operation(asked.command.verb), met, typed, roster=people, options=details)
    )


async def create(services: Services, asked: CommandContext) -> str:
    """Take in a request for a new group."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    if not typed.rest:
        return asked.usage_error(NO_NUMBERS)
    actor, at = await asyncio.gather(services.usergroups.actor(asked.user), parse_time_option(services, asked, typed))
    if isinstance(at, str):
        return at
    connection = _connection(services, actor, typed)
    if connection not in services.connections:
        return asked.usage_error(connection)
    return await _create(services, asked, typed, Resolved(actor, _new(connection, typed.group)), at)


async def _create(
    services: Services, asked: CommandContext, typed: ParsedCommand, met: Resolved, at: datetime | None
) -> str:
    region = services.catalog.get(met.group.ref).region
    people = roster.parse(typed.rest, default_region=region, first_line=typed.line_of())
    details = RequestOptions(run_at=at, subject=typed.group)
    return await submit(services, draft(asked, Operation.CREATE, met, typed, roster=people, options=details))


def _connection(services: Services, actor: Actor, typed: ParsedCommand) -> str:
    """Give the connection that is named, or the only one that can be meant; else what is wrong, in words."""
    names = {name.casefold(): name for name in services.connections}
    if typed.connection.casefold() in names:
        return names[typed.connection.casefold()]
    able = [name for name in services.connections if Action.CREATE in services.connections[name].provider.abilities]
    allowed = [name for name in able if _may_create(services, actor, name)]
    if typed.connection:
        return _unknown(typed.connection, allowed)
    if len(allowed) > 1:
        return f"Name the connection first: {_listed(allowed)}."
    return next(iter([*allowed, *able, *services.connections]))  # where none is allowed, the intake says why


def _may_create(services: Services, actor: Actor, connection: str) -> bool:
    return isinstance(services.authorizer.check(actor, Action.CREATE, _new(connection, "")), Allowed)


def _unknown(name: str, allowed: Sequence[str]) -> str:
    near = did_you_mean(name, allowed, alike=0.5)
    return f"There is no connection “{shorten(name, 60)}”.{near} A name with spaces goes in quotes."


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _new(connection: str, subject: str) -> KnownGroup:
    return KnownGroup(connection, "", "", subject)
