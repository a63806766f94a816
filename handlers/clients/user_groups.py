"""Which Slack user groups a person is in: cached, because Slack limits the rate of asking for each click."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from handlers.clients.errors import error_code

MEMBERS_TTL = 300.0
"""Seconds for which a copy of the members serves commands."""
APPROVAL_MEMBERS_TTL = 10.0
"""Seconds for which it serves approvals, which are checked again at the click."""
READ_TIMEOUT = 1.5
"""Seconds that a command waits for Slack before the copy at hand decides: its acknowledgement is due within 3."""
_GONE = "no_such_subteam"

log = structlog.get_logger(__name__)


class UserGroupsUnread(Exception):
    """Nobody knows yet who is in the user groups."""


class UserGroups:
    """The members of the user groups that the roles name.

    Args:
        client: asks Slack (usergroups.users.list).
        ids: the user groups of the configuration.
        clock: gives the time in seconds, on any scale.
    """

    def __init__(self, client: AsyncWebClient, ids: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ids = tuple(ids)
        self._clock = clock
        self._members: dict[str, frozenset[str]] = {}
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def actor(self, user_id: str, *, fresh: float = MEMBERS_TTL) -> Actor:
        """Give the person with the user groups they are in, from a copy not older than `fresh` seconds.

        When Slack does not answer in time, an older copy decides; without any copy the person is in no group, so
        that nobody gains a right by a failure.
        """
        await self._refresh(fresh)
        return self._actor(user_id)

    async def actor_for_work(self, user_id: str) -> Actor:
        """Give the person with their user groups for work that can be tried again later.

        Raises:
            NotRead: there is no copy yet, so that nobody loses a right by a failure either.
        """
        await self._refresh(APPROVAL_MEMBERS_TTL)
        if not self.is_read:
            raise UserGroupsUnread("Slack has not told yet who is in the user groups of the roles")
        return self._actor(user_id)

    async def members_of(self, ids: Iterable[str]) -> frozenset[str]:
        """Give the users among the ids, and those who are in the user groups among them, as far as Slack tells."""
        users, groups = set[str](), set[str]()
        for id_ in ids:
            (groups if id_.startswith("S") else users).add(id_)
        if groups:
            await self._refresh(MEMBERS_TTL)
        return frozenset(users.union(*(self._members.get(group, frozenset()) for group in groups)))

    @property
    def is_read(self) -> bool:
        """Whether Slack has told who is in the user groups, now or some time ago."""
        return not self._ids or self._read_at is not None

    async def aclose(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _actor(self, user_id: str) -> Actor:
        return Actor(user_id, frozenset(g for g, members in self._members.items() if user_id in members))

    async def _refresh(self, fresh: float) -> None:
        if self._ids and (self._read_at is None or self._clock() - self._read_at >= fresh):
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            await asyncio.wait([self._reading], timeout=READ_TIMEOUT)

    async def _read(self) -> None:
        asked_at = self._clock()
        try:
            for group in self._ids:
                self._members[group] = await self._members_of(group)
            self._read_at = asked_at
        except Exception:
            # Whatever Slack or the network does: the copy at hand goes on deciding, and the next person asks again.
            log.warning("usergroups_not_read", exc_info=True)
        finally:
            self._reading = None

    async def _members_of(self, group: str) -> frozenset[str]:
        try:
            response = await self._client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            if error_code(error) != _GONE:
                raise
            log.warning("usergroup_is_gone", usergroup=group)
            return frozenset()
        return frozenset(response["users"])
