"""Which channels everybody can read: there phone numbers are shortened, unless the settings say otherwise."""

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.errors import error_word

_SETTLED = frozenset({"missing_scope", "channel_not_found", "method_not_supported_for_channel_type"})
"""Errors of conversations.info that asking again does not mend."""

log = structlog.get_logger(__name__)


class Channels:
    """Tells public channels from others, and keeps what Slack said while the process lives.

    Args:
        client: asks Slack (conversations.info; scopes channels:read, groups:read).
        shorten: False where the settings want numbers in full everywhere.
    """

    def __init__(self, client: AsyncWebClient, *, shorten: bool = True) -> None:
        self._client = client
        self._shorten = shorten
        self._public: dict[str, bool] = {}

    async def shortens(self, channel: str) -> bool:
        """Tell whether phone numbers are to be shortened in messages of this channel; also where Slack does not say."""
        if not self._shorten or not channel.startswith("C"):
            return False
        if channel not in self._public:
            try:
                answer = (await self._client.conversations_info(channel=channel))["channel"]
            except (SlackApiError, ClientError, TimeoutError) as error:
                word = error_word(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("channel_not_read", channel=channel, error=word)
                if word not in _SETTLED:
                    return True  # as if it were public, and asked again the next time
                answer = {}
            self._public[channel] = not any(answer.get(kind) for kind in ("is_private", "is_im", "is_mpim"))
        return self._public[channel]
