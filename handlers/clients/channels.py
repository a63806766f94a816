"""Who reads a channel: where everybody can, phone numbers are shortened; who is not in it sees no question there."""

from collections.abc import Collection

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code

_PERMANENT_ERRORS = frozenset({"missing_scope", "channel_not_found", "method_not_supported_for_channel_type"})
"""Errors of conversations.info that asking again does not mend."""

_MAX_PAGE_SIZE = 999
_MAX_PAGES = 5
"""Pages of members that are read; in a larger channel everybody is taken to be."""

log = structlog.get_logger(__name__)


class ChannelDirectory:
    """Tells public channels from others, and keeps what Slack said while the process lives.

    Args:
        client: asks Slack (conversations.info; scopes channels:read, groups:read).
        shorten: False where the settings want numbers in full everywhere.
    """

    def __init__(self, client: AsyncWebClient, *, shorten: bool = True) -> None:
        self._client = client
        self._shorten = shorten
        self._public: dict[str, bool] = {}

    async def shortens_numbers(self, channel: str) -> bool:
        """Tell whether phone numbers are to be shortened in messages of this channel; also where Slack does not say."""
        if not self._shorten or not channel.startswith("C"):
            return False
        if channel not in self._public:
            try:
                answer = (await self._client.conversations_info(channel=channel))["channel"]
            except (SlackApiError, ClientError, TimeoutError) as error:
                word = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("channel_not_read", channel=channel, error=word)
                if word not in _PERMANENT_ERRORS:
                    return True  # as if it were public, and asked again the next time
                answer = {}
            self._public[channel] = not any(answer.get(kind) for kind in ("is_private", "is_im", "is_mpim"))
        return self._public[channel]

    async def not_members(self, channel: str, users: Collection[str]) -> frozenset[str]:
        """Give those of the users who are not in a channel (conversations.members); nobody where Slack does not say."""
        missing, cursor = frozenset(users), ""
        for _ in range(_MAX_PAGES if missing else 0):
            try:
                page = await self._client.conversations_members(channel=channel, limit=_MAX_PAGE_SIZE, cursor=cursor)
            except (SlackApiError, ClientError, TimeoutError) as error:
                word = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("members_not_read", channel=channel, error=word)
                return frozenset()
            missing -= frozenset(page["members"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or not missing:
                return missing
        return frozenset()
