"""What Slack profiles say about people: their phones and their time zones."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import roster
from bot.domain.access import MENTION
from bot.services.sync import SourceUnreadable
from handlers.clients.errors import error_code
from providers.base import Person

MAX_CONCURRENT = 3
"""Maximum concurrent calls: users.profile.get allows 100 and more a minute."""
READ_TIMEOUT = 1.0
"""Seconds that a command waits for a time zone: its acknowledgement is due within 3."""
_MAX_ENTRIES = 1000
_MAX_NAMED = 10

log = structlog.get_logger(__name__)


async def with_names(client: AsyncWebClient, text: str) -> str:
    """Replace mentions by names, for places in which Slack shows plain text (users.info, usergroups.list).

    A name that Slack doesn't return in time becomes “a person with access”.
    """
    mentioned = list(dict.fromkeys(MENTION.findall(text)))
    if not mentioned:
        return text
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            names = dict(zip(mentioned, await asyncio.gather(*(_name(client, id_) for id_ in mentioned)), strict=True))
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.warning("names_not_read", error=type(error).__name__)
        names = dict.fromkeys(mentioned, "a person with access")
    return MENTION.sub(lambda found: names[found[1]], text)


async def _name(client: AsyncWebClient, id_: str) -> str:
    if id_.startswith("S"):
        groups = (await client.usergroups_list())["usergroups"]
        return next((f"@{group['handle']}" for group in groups if group["id"] == id_), id_)
    user: Mapping[str, str] = (await client.users_info(user=id_))["user"]
    return f"@{user.get('name') or id_}"


class Profiles:
    """Reads profiles. Time zones are cached while the process runs.

    Args:
        client: calls Slack (usergroups.users.list, users.profile.get, users.info; scopes usergroups:read,
            users.profile:read, users:read).
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._time_zones: dict[str, tzinfo] = {}

    async def time_zone_of(self, user_id: str) -> tzinfo:
        """Return a person's time zone; UTC if it is unknown, or Slack doesn't answer in time."""
        if user_id in self._time_zones:
            return self._time_zones[user_id]
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                answer = await self._client.users_info(user=user_id)
            zone: tzinfo = ZoneInfo(str(answer["user"].get("tz") or "UTC"))
        except (ZoneInfoNotFoundError, ValueError):
            log.warning("time_zone_unknown", user=user_id)
            zone = UTC
        except (SlackApiError, ClientError, TimeoutError) as error:
            log.warning("time_zone_not_read", user=user_id, error=type(error).__name__)
            return UTC  # the answer shows the time that was understood, with its zone
        if len(self._time_zones) >= _MAX_ENTRIES:
            self._time_zones.clear()
        self._time_zones[user_id] = zone
        return zone

    async def phones_of(self, usergroup: str) -> list[str]:
        """Return the E.164 phones of a user group's members.

        Raises:
            SourceUnreadable: Slack refuses, or a profile has no usable phone. A sync with an incomplete list would
                remove the people who are missing from it.
        """
        try:
            members = list((await self._client.usergroups_users_list(usergroup=usergroup))["users"])
            gate = asyncio.Semaphore(MAX_CONCURRENT)
            people = dict(zip(members, await asyncio.gather(*(self._person(m, gate) for m in members)), strict=True))
        except SlackApiError as error:
            reason = f"Couldn't read the user group's members. Slack said: “{error_code(error)}”."
            raise SourceUnreadable(reason) from error
        except (ClientError, TimeoutError) as error:
            raise SourceUnreadable("Couldn't reach Slack to read the user group's members. Try again.") from error
        if without := [member for member, person in people.items() if person is None]:
            mentions = ", ".join(f"<@{member}>" for member in without[:_MAX_NAMED])
            more = f" and {len(without) - _MAX_NAMED:,} more" if len(without) > _MAX_NAMED else ""
            reason = f"These people have no usable phone number in their Slack profile: {mentions}{more}."
            raise SourceUnreadable(reason)
        return [person.phone for person in people.values() if person]

    async def _person(self, user_id: str, gate: asyncio.Semaphore) -> Person | None:
        async with gate:
            profile: Mapping[str, str] = (await self._client.users_profile_get(user=user_id))["profile"]
        people = roster.parse(profile.get("phone") or "").people
        return people[0] if len(people) == 1 and people[0].phone else None
