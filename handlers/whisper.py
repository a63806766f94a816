"""Tells one person something: where they are, or else in their direct messages."""

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.errors import error_word

log = structlog.get_logger(__name__)


async def whisper(client: AsyncWebClient, user_id: str, channel: str, text: str) -> None:
    """Show a text to one person only, in `channel` where the bot and they are in it, else in a direct message.

    Raises:
        SlackApiError: the direct message was refused too; and what the client raises when Slack cannot be reached.
    """
    if channel:
        try:
            await client.chat_postEphemeral(channel=channel, user=user_id, text=text)
        except SlackApiError as error:
            log.info("whispered_directly", channel=channel, error=error_word(error))
        else:
            return
    await client.chat_postMessage(channel=user_id, text=text)
