"""The command that brings a group in line with a list."""

import asyncio

from bot.commands.spelling import did_you_mean
from bot.domain.sync import SyncMode
from bot.services.sync import SyncRequest
from handlers import sync
from handlers.commands.context import CommandContext, resolve
from handlers.services import Services

_OFF = "off"


async def run(services: Services, asked: CommandContext) -> str:
    """Start a sync, or end what is repeated."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    if typed.rest_text.casefold() == _OFF and not typed.options:
        met = await resolve(services, asked, typed.group)
        return met if isinstance(met, str) else await sync.end(services, met.actor, met.group)
    if typed.rest or not typed.option("from"):
        near = did_you_mean(typed.rest_text, [_OFF])
        return asked.usage_error(f"Say where the list comes from: `from: another group` or `from: @user-group`.{near}")
    mode = typed.option("mode").casefold() or SyncMode.ADD
    if mode not in set(SyncMode):
        return asked.usage_error(f"`mode:` is add, mirror or report.{did_you_mean(mode, SyncMode)}")
    every = sync.parse_interval(typed.option("every")) if "every" in typed.options else None
    if "every" in typed.options and every is None:
        return asked.usage_error("`every:` is a time such as 24h or 7d, at least 10 minutes.")
    met, source = await asyncio.gather(
        resolve(services, asked, typed.group), sync.parse_source(services, typed.option("from"))
    )
    if isinstance(met, str):
        return met
    if isinstance(source, str):
        return source
    wish = SyncRequest(asked.id, met.group, source, SyncMode(mode), met.actor, asked.channel, typed.option("reason"))
    return await sync.start(services, wish, every)
