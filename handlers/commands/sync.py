"""The command that syncs a group with a list."""

import asyncio

from bot.commands.spelling import did_you_mean
from bot.domain.sync import SyncMode
from bot.services.sync import SyncRequest
from handlers import sync
from handlers.commands.context import CommandContext, resolve
from handlers.services import Services
from handlers.views.blocks import Message

_OFF = "off"


async def run(services: Services, command: CommandContext) -> Message:
    """Start a sync, or end the repeated one. Raises `UserError`."""
    parsed = command.parse()
    if parsed.rest_text.casefold() == _OFF and not parsed.options:
        resolved = await resolve(services, command, parsed.group)
        return Message(await sync.end(services, resolved.actor, resolved.group))
    if parsed.rest or not parsed.option("from"):
        near = did_you_mean(parsed.rest_text, [_OFF])
        raise command.usage_error(f"Name the list to follow: `from: another group` or `from: @user-group`.{near}")
    mode = parsed.option("mode").casefold() or SyncMode.ADD
    if mode not in set(SyncMode):
        raise command.usage_error(f"`mode:` is add, mirror or report.{did_you_mean(mode, SyncMode)}")
    every = sync.parse_interval(parsed.option("every")) if "every" in parsed.options else None
    if "every" in parsed.options and every is None:
        raise command.usage_error("`every:` is a time such as 24h or 7d, at least 10 minutes.")
    resolved, source = await asyncio.gather(
        resolve(services, command, parsed.group), sync.parse_source(services, parsed.option("from"))
    )
    request = SyncRequest(
        command.id,
        resolved.group,
        source,
        SyncMode(mode),
        resolved.actor,
        command.channel,
        parsed.option("reason"),
    )
    return Message(await sync.start(services, request, every))
