"""Who reads a channel. In public channels phone numbers are shortened."""

from collections.abc import Collection

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code

_PERMANENT_ERRORS = frozenset({"missing_scope", "channel_not_found", "method_not_supported_for_channel_type"})
"""Errors of conversations.info that another call wouldn't resolve."""

_MAX_PAGE_SIZE = 999
_MAX_PAGES = 5
"""Maximum pages of members that are read. In a larger channel, every user counts as a member."""

log = structlog.get_logger(__name__)


class ChannelDirectory:
    """Reads whether channels are public, and who is in them. The former is cached while the process runs.

    Args:
        client: calls Slack (conversations.info, conversations.members; scopes channels:read, groups:read).
        shorten: False if the settings show numbers in full everywhere.
    """

    def __init__(self, client: AsyncWebClient, *, shorten: bool = True) -> None:
        self._client = client
        self._shorten = shorten
        self._public: dict[str, bool] = {}

    async def shortens_numbers(self, channel: str) -> bool:
        """Return whether messages in a channel shorten phone numbers. They do if Slack doesn't answer."""
        if not self._shorten or not channel.startswith("C"):
            return False
        if channel not in self._public:
            try:
                answer = (await self._client.conversations_info(channel=channel))["channel"]
            except (SlackApiError, ClientError, TimeoutError) as error:
                code = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("channel_not_read", channel=channel, error=code)
                if code not in _PERMANENT_ERRORS:
                    return True  # not cached, so the next message reads it again
                answer = {}
            self._public[channel] = not any(answer.get(kind) for kind in ("is_private", "is_im", "is_mpim"))
        return self._public[channel]

    async def not_members(self, channel: str, users: Collection[str]) -> frozenset[str]:
        """Return the users who aren't in a channel (conversations.members); none if Slack doesn't answer."""
        missing, cursor = frozenset(users), ""
        for _ in range(_MAX_PAGES if missing else 0):
            try:
                page = await self._client.conversations_members(channel=channel, limit=_MAX_PAGE_SIZE, cursor=cursor)
            except (SlackApiError, ClientError, TimeoutError) as error:
                code = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("channel_members_not_read", channel=channel, error=code)
                return frozenset()
            missing -= frozenset(page["members"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or not missing:
                return missing
        return frozenset()
