"""Tells one person something: where they are, or else in their direct messages."""

from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code

log = structlog.get_logger(__name__)


async def send_ephemeral(
    client: AsyncWebClient,
    user_id: str,
    channel: str,
    text: str,
    *,
    thread_ts: str = "",
    blocks: list[dict[str, Any]] | None = None,
) -> None:
    """Show something to one person only, in `channel` where the bot and they are in it, else in a direct message.

    Args:
        client: speaks to Slack.
        user_id: the person.
        channel: where they are; empty where that is nowhere.
        text: all that is said.
        thread_ts: the thread of the channel in which they are.
        blocks: what is seen in place of the text.

    Raises:
        SlackApiError: the direct message was refused too; and what the client raises when Slack cannot be reached.
    """
    if channel:
        try:
            await client.chat_postEphemeral(
                channel=channel, user=user_id, text=text, blocks=blocks, thread_ts=thread_ts or None
            )
        except SlackApiError as error:
            log.info("whispered_directly", channel=channel, error=error_code(error))
        else:
            return
    await client.chat_postMessage(channel=user_id, text=text, blocks=blocks)


async def open_direct_channel(client: AsyncWebClient, user_id: str) -> str:
    """Give the channel of a person's direct messages with the bot (conversations.open).

    Raises what the client raises when Slack refuses or cannot be reached.
    """
    return str((await client.conversations_open(users=[user_id]))["channel"]["id"])


async def send_file(client: AsyncWebClient, user_id: str, name: str, content: str, comment: str) -> None:
    """Put a text file into a person's direct messages, where nobody else looks.

    Raises what the client raises when Slack refuses or cannot be reached (conversations.open,
    files.completeUploadExternal).
    """
    opened = await client.conversations_open(users=[user_id])
    await client.files_upload_v2(
        channel=opened["channel"]["id"], filename=name, content=content, initial_comment=comment
    )
