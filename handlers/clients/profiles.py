"""The phones of Slack users, from their profiles."""

import asyncio
from collections.abc import Mapping

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import roster
from bot.services.sync_sources import SourceUnreadable
from handlers.clients.errors import error_code
from providers.base import Person

MAX_CONCURRENT = 3
"""Profiles that are asked for at the same time: users.profile.get allows 100 and more a minute."""


class Profiles:
    """Reads the phones in the profiles of a user group's members.

    Args:
        client: asks Slack (usergroups.users.list, users.profile.get; scopes usergroups:read, users.profile:read).
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def phones_of(self, usergroup: str) -> list[str]:
        """Give the E.164 phones of a user group's members.

        Raises `SourceUnreadable` where Slack refuses, or a profile has no usable phone: to bring a group in line with
        a list that lacks somebody would remove them.
        """
        try:
            members = list((await self._client.usergroups_users_list(usergroup=usergroup))["users"])
            gate = asyncio.Semaphore(MAX_CONCURRENT)
            persons = dict(zip(members, await asyncio.gather(*(self._person(m, gate) for m in members)), strict=True))
        except SlackApiError as error:
            raise SourceUnreadable(f"Slack does not tell who is in the user group ({error_code(error)}).") from error
        except (ClientError, TimeoutError) as error:
            raise SourceUnreadable("Slack could not be reached for who is in the user group. Try again.") from error
        if without := [member for member, person in persons.items() if person is None]:
            who = ", ".join(f"<@{member}>" for member in without[:10])
            more = f" and {len(without) - 10:,} more" if len(without) > 10 else ""  # noqa: PLR2004 - as named above
            raise SourceUnreadable(f"These people have no usable phone in their Slack profile: {who}{more}.")
        return [person.phone for person in persons.values() if person]

    async def _person(self, user_id: str, gate: asyncio.Semaphore) -> Person | None:
        async with gate:
            profile: Mapping[str, str] = (await self._client.users_profile_get(user=user_id))["profile"]
        people = roster.parse(profile.get("phone") or "").people
        return people[0] if len(people) == 1 and people[0].phone else None
