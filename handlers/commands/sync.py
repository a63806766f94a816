"""The command that syncs a group with a list."""

import asyncio
import re

from bot.commands.values import did_you_mean
from bot.domain.groups import GroupFound
from bot.domain.sync import SyncMode, SyncSource, parse_interval
from bot.services.sync import SyncRequest
from handlers.commands.context import GROUP_LIST_TIMEOUT, CommandContext, resolve
from handlers.errors import UserError
from handlers.services import Services
from handlers.views.blocks import Message
from handlers.views.text import safe_text

_OFF = "off"
_USERGROUP = re.compile(r"<!subteam\^(S\w+)(?:\|([^>]*))?>|(S[A-Z0-9]{6,})")


async def run(services: Services, command: CommandContext) -> Message:
    """Start a sync, or end the repeated one. Raises `UserError`."""
    parsed = command.parse()
    if parsed.rest_text.casefold() == _OFF and not parsed.options:
        resolved = await resolve(services, command, parsed.group)
        return Message(await services.end_sync(resolved.actor, resolved.group))
    if parsed.rest or not parsed.option("from"):
        near = did_you_mean(parsed.rest_text, [_OFF])
        raise command.usage_error(f"Name the list to follow: `from: another group` or `from: @user-group`.{near}")
    mode = parsed.option("mode").casefold() or SyncMode.ADD
    if mode not in set(SyncMode):
        raise command.usage_error(f"`mode:` is add, mirror or report.{did_you_mean(mode, SyncMode)}")
    every = parse_interval(parsed.option("every")) if "every" in parsed.options else None
    if "every" in parsed.options and every is None:
        raise command.usage_error("`every:` is a time such as 24h or 7d, at least 10 minutes.")
    resolved, source = await asyncio.gather(
        resolve(services, command, parsed.group), _parse_source(services, parsed.option("from"))
    )
    request = SyncRequest(
        command.id,
        resolved.group,
        source,
        SyncMode(mode),
        resolved.actor,
        command.channel,
        parsed.option("reason"),
        command.thread_ts,
    )
    return Message(await services.start_sync(request, every))


async def _parse_source(services: Services, text: str) -> SyncSource:
    """Parse the list of a sync: a user group, or a group by alias, id or subject. Raises `UserError`."""
    if match := _USERGROUP.fullmatch(text.strip()):
        return SyncSource.of_usergroup(match[1] or match[3], match[2] or "")
    resolution = await services.directory.find(text, max_wait=GROUP_LIST_TIMEOUT)
    if isinstance(resolution, GroupFound):
        return SyncSource.of_group(services.directory.get(resolution.group.ref))
    raise UserError(f"“{safe_text(text, 80)}” is neither a WhatsApp group nor a Slack user group.")
