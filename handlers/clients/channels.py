"""Who reads a channel. In public channels phone numbers are shortened."""

from collections.abc import Collection

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import READ_ERRORS, is_refusal, reason_of

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
        """Return whether messages in a channel shorten phone numbers.

        They do in a channel that Slack doesn't describe: because it refuses to, doesn't answer, or answers with
        something else.
        """
        if not self._shorten or not channel.startswith("C"):
            return False
        if channel not in self._public:
            try:
                answer = (await self._client.conversations_info(channel=channel))["channel"]
                self._public[channel] = not any(answer.get(kind) for kind in ("is_private", "is_im", "is_mpim"))
            except READ_ERRORS as error:
                log.warning("channel_not_read", channel=channel, error=reason_of(error))
                if not isinstance(error, SlackApiError) or not is_refusal(error):
                    return True  # not cached, so the next message reads it again
                self._public[channel] = True
        return self._public[channel]

    async def not_members(self, channel: str, users: Collection[str]) -> frozenset[str]:
        """Return the users who aren't in a channel (conversations.members); none if Slack doesn't list its members."""
        missing, cursor = frozenset(users), ""
        for _ in range(_MAX_PAGES if missing else 0):
            try:
                page = await self._client.conversations_members(channel=channel, limit=_MAX_PAGE_SIZE, cursor=cursor)
                missing -= frozenset(page["members"])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            except READ_ERRORS as error:
                log.warning("channel_members_not_read", channel=channel, error=reason_of(error))
                return frozenset()
            if not cursor or not missing:
                return missing
        return frozenset()
