"""Starting a sync, from whatever surface: it is kept first, and compared and asked for behind the acknowledgement."""

import re
from datetime import UTC, datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from bot.domain.groups import GroupFound, GroupRef, KnownGroup
from bot.domain.sync import SyncMode, SyncSchedule, SyncSource
from bot.services.sync import SyncRequest
from bot.storage.sync_schedules import ScheduleResult
from handlers.clients.errors import error_code, is_closed
from handlers.delivery.personal import send_ephemeral
from handlers.errors import UserError
from handlers.services import Services
from handlers.views.text import count, safe_text

GROUP_LIST_TIMEOUT = 1.5
"""Seconds that an unknown name of a group waits for the connections' lists."""
MIN_INTERVAL = timedelta(minutes=10)
"""How often a sync may be repeated at most: each run reads the whole group."""
_EVERY = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_USERGROUP = re.compile(r"<!subteam\^(S\w+)(?:\|([^>]*))?>|(S[A-Z0-9]{6,})")

log = structlog.get_logger(__name__)


async def start(services: Services, wish: SyncRequest, every: timedelta | None) -> str:
    """Save a sync that runs now, and again if it is repeated. Return the answer. Raises `UserError`."""
    if rejected := await services.syncs.check_and_record(wish):
        raise UserError(rejected.reason, reference=wish.id)
    kept = await services.stores.schedules.add(
        SyncSchedule(
            id=wish.id,
            connection=wish.group.connection,
            group_id=wish.group.id,
            requester=wish.requester.user_id,
            channel=wish.channel,
            source=wish.source,
            mode=wish.mode,
            reason=wish.reason,
            every=every,
            next_at=datetime.now(UTC),
        )
    )
    services.sync_scheduler.wake()
    name = f"*{safe_text(wish.group.name, 100)}*"
    if kept is ScheduleResult.EXISTING:
        return f"This sync of {name} was taken already. Nothing was done twice."
    again = (
        f" It is repeated every {_said(every)}, until `/wa-sync {safe_text(wish.group.name, 60)} off`." if every else ""
    )
    if kept is ScheduleResult.REPLACED:
        again += " What was repeated for this group before has ended."
    return (
        f"Comparing {name} with the list. What differs becomes a request here; nothing is changed before that.{again}"
    )


async def notify_requester(client: AsyncWebClient, user_id: str, channel: str, group: KnownGroup, words: str) -> None:
    """Tell somebody what became of a sync of theirs; only the log knows it where they can never be told.

    Raises what the client raises for reasons that may pass.
    """
    try:
        await send_ephemeral(client, user_id, channel, f"*{safe_text(group.name, 100)}*: {words}")
    except SlackApiError as error:
        if not is_closed(error):
            raise
        log.warning("cannot_be_told", user=user_id, error=error_code(error))


async def end(services: Services, actor: Actor, group: KnownGroup) -> str:
    """End the repeated sync of a group. Return the answer. Raises `UserError`."""
    if rejected := await services.syncs.check_and_record(_ending(actor, group)):
        raise UserError(rejected.reason)
    ended = await services.stores.schedules.end(group.ref, actor.user_id)
    return f"Ended {count(ended, 'repeated sync')}." if ended else "No sync is repeated here."


def may_end(services: Services, actor: Actor, group: KnownGroup) -> bool:
    """Tell whether `end` would do it for this person."""
    return services.syncs.check(_ending(actor, group)) is None


def _ending(actor: Actor, group: KnownGroup) -> SyncRequest:
    return SyncRequest("", group, SyncSource(), SyncMode.MIRROR, actor, "")


async def parse_source(services: Services, text: str) -> SyncSource:
    """Read which list a sync follows: a user group, or a group by alias, id or subject. Raises `UserError`."""
    if match := _USERGROUP.fullmatch(text.strip()):
        id_ = match[1] or match[3]
        return SyncSource(usergroup=id_, name=source_name(services, 0, match[2] or id_, None))
    resolution = await services.directory.find(text, max_wait=GROUP_LIST_TIMEOUT)
    if isinstance(resolution, GroupFound):
        ref = resolution.group.ref
        return SyncSource(group=ref, name=source_name(services, 0, "", ref))
    raise UserError(f"“{safe_text(text, 80)}” is neither a WhatsApp group nor a Slack user group.")


def source_name(services: Services, phones: int, usergroup: str, other: GroupRef | None) -> str:
    """Say for people what list a sync follows: a user group by this name, another group by its place, or phones."""
    if usergroup:
        return f"the Slack user group {usergroup}"
    if other:
        return f"the members of {services.directory.get(other).name}"
    return f"a file of {count(phones, 'person', 'people')}"


def parse_interval(text: str) -> timedelta | None:
    """Read `24h`, `90 min` or `7d`; None where it is no such time, or shorter than `SOONEST`."""
    match = _EVERY.fullmatch(text.strip())
    every = timedelta(**{_UNITS[match[2].lower()]: int(match[1])}) if match else timedelta()
    return every if every >= MIN_INTERVAL else None


def _said(every: timedelta | None) -> str:
    hours = (every or timedelta()).total_seconds() / 3600
    return f"{hours:g} hours"
