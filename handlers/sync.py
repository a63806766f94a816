"""Starting a sync, from whatever surface: it is kept first, and compared and asked for behind the acknowledgement."""

import re
from datetime import UTC, datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from bot.domain.groups import Found, KnownGroup
from bot.domain.sync import Source, SyncMode
from bot.intake import NotTaken
from bot.runtime.schedules import Kept, Schedule
from bot.syncs import Wish
from handlers.errors import error_word, is_closed
from handlers.services import Services
from handlers.views import answers
from handlers.views.text import count, foreign
from handlers.whisper import whisper

WITHIN = 1.5
"""Seconds that an unknown name of a group waits for the connections' lists."""
SOONEST = timedelta(minutes=10)
"""How often a sync may be repeated at most: each run reads the whole group."""
_EVERY = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_USERGROUP = re.compile(r"<!subteam\^(S\w+)(?:\|([^>]*))?>|(S[A-Z0-9]{6,})")

log = structlog.get_logger(__name__)


async def start(services: Services, wish: Wish, every: timedelta | None) -> str:
    """Keep a sync that is to run now, and perhaps again. Gives what the person is told."""
    refused: NotTaken | None = await services.syncs.refused(wish)
    if refused:
        return answers.referred(refused.reason, wish.id)
    kept = await services.schedules.add(
        Schedule(
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
    services.repeater.wake()
    name = f"*{foreign(wish.group.name, 100)}*"
    if kept is Kept.KNOWN:
        return f"This sync of {name} was taken already. Nothing was done twice."
    again = (
        f" It is repeated every {_said(every)}, until `/wa-sync {foreign(wish.group.name, 60)} off`." if every else ""
    )
    if kept is Kept.INSTEAD:
        again += " What was repeated for this group before has ended."
    return (
        f"Comparing {name} with the list. What differs becomes a request here; nothing is changed before that.{again}"
    )


async def tell(client: AsyncWebClient, user_id: str, channel: str, group: KnownGroup, words: str) -> None:
    """Tell somebody what became of a sync of theirs; only the log knows it where they can never be told.

    Raises what the client raises for reasons that may pass.
    """
    try:
        await whisper(client, user_id, channel, f"*{foreign(group.name, 100)}*: {words}")
    except SlackApiError as error:
        if not is_closed(error):
            raise
        log.warning("cannot_be_told", user=user_id, error=error_word(error))


async def end(services: Services, actor: Actor, group: KnownGroup) -> str:
    """End what is repeated for a group. Gives what the person is told."""
    if refused := await services.syncs.refused(_ending(actor, group)):
        return refused.reason
    ended = await services.schedules.end(group.connection, group.id, actor.user_id)
    return f"Ended {count(ended, 'repeated sync')}." if ended else "No sync is repeated here."


def may_end(services: Services, actor: Actor, group: KnownGroup) -> bool:
    """Tell whether `end` would do it for this person."""
    return services.syncs.refusal(_ending(actor, group)) is None


def _ending(actor: Actor, group: KnownGroup) -> Wish:
    return Wish("", group, Source(), SyncMode.MIRROR, actor, "")


async def source_of(services: Services, text: str) -> Source | str:
    """Read where the list comes from: a user group, or a group by alias, id or subject; else what is wrong with it."""
    if match := _USERGROUP.fullmatch(text.strip()):
        id_ = match[1] or match[3]
        return Source(usergroup=id_, name=list_name(services, 0, match[2] or id_, None))
    resolution = await services.directory.find(text, within=WITHIN)
    if isinstance(resolution, Found):
        place = (resolution.group.connection, resolution.group.id)
        return Source(group=place, name=list_name(services, 0, "", place))
    return f"“{foreign(text, 80)}” is neither a group that I know nor a Slack user group."


def list_name(services: Services, phones: int, usergroup: str, other: tuple[str, str] | None) -> str:
    """Say for people what list a sync follows: a user group by this name, another group by its place, or phones."""
    if usergroup:
        return f"the Slack user group {usergroup}"
    if other:
        return f"the members of {services.directory.group(*other).name}"
    return f"a file of {count(phones, 'person', 'people')}"


def every_of(text: str) -> timedelta | None:
    """Read `24h`, `90 min` or `7d`; None where it is no such time, or shorter than `SOONEST`."""
    match = _EVERY.fullmatch(text.strip())
    every = timedelta(**{_UNITS[match[2].lower()]: int(match[1])}) if match else timedelta()
    return every if every >= SOONEST else None


def _said(every: timedelta | None) -> str:
    hours = (every or timedelta()).total_seconds() / 3600
    return f"{hours:g} hours"
