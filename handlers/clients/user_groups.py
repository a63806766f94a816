"""The members of Slack user groups, with a cache: Slack's rate limit doesn't allow a call for each click."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from handlers.clients.errors import error_code

MEMBERS_TTL = 300.0
"""Seconds for which commands use the cached members."""
APPROVAL_MEMBERS_TTL = 10.0
"""Seconds for which approvals use them: a vote is checked again at the click."""
READ_TIMEOUT = 1.5
"""Seconds that a command waits for Slack before it uses the cache as it is: its acknowledgement is due within 3."""
_USER_GROUP_GONE = "no_such_subteam"

log = structlog.get_logger(__name__)


class UserGroupsUnread(Exception):
    """The members of the user groups haven't been read yet."""


class UserGroups:
    """The members of the user groups that the roles name.

    Args:
        client: calls Slack (usergroups.users.list).
        ids: the user groups of the configuration.
        clock: returns the time in seconds, on any scale.
    """

    def __init__(self, client: AsyncWebClient, ids: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ids = tuple(ids)
        self._clock = clock
        self._members: dict[str, frozenset[str]] = {}
        self._read_at: float | None = None
        self._error: Exception = TimeoutError()
        self._reading: asyncio.Task[None] | None = None

    async def actor(self, user_id: str, *, max_age: float = MEMBERS_TTL) -> Actor:
        """Return a person with their user groups.

        If Slack doesn't answer in time, an older cache is used. Without a cache the person is in no user group, so
        that a failure grants no permission.

        Args:
            user_id: the Slack user id.
            max_age: the seconds for which the cache is used.
        """
        await self._refresh(max_age)
        return self._actor(user_id)

    async def actor_for_work(self, user_id: str) -> Actor:
        """Return a person with their user groups, for work that can be retried later.

        Raises:
            UserGroupsUnread: there is no cache yet, so that a failure takes no permission away either. Its cause is the
                error of the last read.
        """
        await self._refresh(APPROVAL_MEMBERS_TTL)
        if not self.is_read:
            raise UserGroupsUnread("the user groups of the roles haven't been read from Slack yet") from self._error
        return self._actor(user_id)

    async def members_of(self, ids: Iterable[str]) -> frozenset[str]:
        """Return the users among the ids, and the members of the user groups among them, as far as they were read."""
        users, groups = set[str](), set[str]()
        for id_ in ids:
            (groups if id_.startswith("S") else users).add(id_)
        if groups:
            await self._refresh(MEMBERS_TTL)
        return frozenset(users.union(*(self._members.get(group, frozenset()) for group in groups)))

    @property
    def is_read(self) -> bool:
        """Whether the members have been read at least once."""
        return not self._ids or self._read_at is not None

    async def aclose(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _actor(self, user_id: str) -> Actor:
        return Actor(user_id, frozenset(g for g, members in self._members.items() if user_id in members))

    async def _refresh(self, max_age: float) -> None:
        if self._ids and (self._read_at is None or self._clock() - self._read_at >= max_age):
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            await asyncio.wait([self._reading], timeout=READ_TIMEOUT)

    async def _read(self) -> None:
        asked_at = self._clock()
        try:
            for group in self._ids:
                self._members[group] = await self._members_of(group)
            self._read_at = asked_at
        except Exception as error:
            self._error = error
            # Whatever Slack or the network does, the cache stays in use, and the next person causes another read.
            log.warning("user_groups_not_read", exc_info=True)
        finally:
            self._reading = None

    async def _members_of(self, group: str) -> frozenset[str]:
        try:
            response = await self._client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            if error_code(error) != _USER_GROUP_GONE:
                raise
            log.warning("user_group_not_found", user_group=group)
            return frozenset()
        return frozenset(response["users"])
