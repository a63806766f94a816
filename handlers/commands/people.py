"""The commands about people: add, remove, promote, demote, create."""

import asyncio
from collections.abc import Sequence

from bot.commands import values
from bot.commands.parser import ParsedCommand
from bot.commands.values import did_you_mean
from bot.domain import roster
from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestOptions
from bot.domain.roster import Roster
from handlers.commands.context import CommandContext, Resolved, parse_time_option, resolve_with_time
from handlers.services import Services
from handlers.views.blocks import Message
from handlers.views.text import shorten
from providers.base import Action, Operation

NO_NUMBERS = "The numbers are missing."


async def change_people(services: Services, command: CommandContext) -> Message:
    """Submit a request about people in a group; the command's verb is the operation. Raises `UserError`."""
    parsed = command.parse()
    if not parsed.rest:
        raise command.usage_error(NO_NUMBERS)
    invite = values.parse_switch(parsed.option("invite") or ("?" if "invite" in parsed.options else "no"))
    if invite is None:
        near = did_you_mean(parsed.option("invite"), ("yes", "no"))
        raise command.usage_error(f"`invite:` is yes or no.{near}")
    resolved, at = await resolve_with_time(services, command, parsed)
    people = parse_people(services, resolved.group, parsed)
    options = RequestOptions(run_at=at, invite_refused=invite)
    draft = command.draft(resolved, parsed, Operation(command.command.verb), options, people)
    return Message(await services.submit(draft))


async def create(services: Services, command: CommandContext) -> Message:
    """Submit a request for a new group. Raises `UserError`."""
    parsed = command.parse()
    if not parsed.rest:
        raise command.usage_error(NO_NUMBERS)
    actor, at = await asyncio.gather(
        services.slack.user_groups.actor(command.user), parse_time_option(services, command, parsed)
    )
    group = KnownGroup(_connection(services, command, actor, parsed), "", "", parsed.group)
    people = parse_people(services, group, parsed)
    options = RequestOptions(run_at=at, subject=parsed.group)
    draft = command.draft(Resolved(actor, group), parsed, Operation.CREATE, options, people)
    return Message(await services.submit(draft))


def parse_people(services: Services, group: KnownGroup, parsed: ParsedCommand, option: str = "") -> Roster:
    """Parse the people in an option of a command, or in what precedes the options."""
    text = parsed.option(option) if option else parsed.rest
    region = services.directory.catalog.get(group.ref).region
    return roster.parse(text, default_region=region, first_line=parsed.line_of(option))


def _connection(services: Services, command: CommandContext, actor: Actor, parsed: ParsedCommand) -> str:
    """Return the connection that is named, or the only possible one. Raises `UserError`."""
    names = {name.casefold(): name for name in services.connections}
    if parsed.connection.casefold() in names:
        return names[parsed.connection.casefold()]
    able = [name for name, c in services.connections.items() if Action.CREATE in c.provider.abilities]
    allowed = [name for name in able if _may_create(services, actor, name)]
    if parsed.connection:
        raise command.usage_error(_unknown(parsed.connection, allowed))
    if len(allowed) > 1:
        raise command.usage_error(f"Name the connection first: {' or '.join(f'`{name}`' for name in allowed)}.")
    return next(iter([*allowed, *able, *services.connections]))  # if none is allowed, the submission says why


def _may_create(services: Services, actor: Actor, connection: str) -> bool:
    return services.authorizer.allows(actor, Action.CREATE, KnownGroup(connection, ""))


def _unknown(name: str, allowed: Sequence[str]) -> str:
    near = did_you_mean(name, allowed, alike=0.5)
    return f"There's no connection “{shorten(name, 60)}”.{near} A name with spaces goes in quotes."
