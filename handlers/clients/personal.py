"""What is sent to one person only: ephemeral messages, direct messages and files."""

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
    """Send an ephemeral message, or a direct message if the bot or the person isn't in the channel.

    Args:
        client: calls Slack.
        user_id: the person.
        channel: the channel; empty: none.
        text: the whole message.
        thread_ts: the thread of the channel; empty: none.
        blocks: what is shown instead of the text.

    Raises:
        SlackApiError: Slack refused the direct message too. What the client raises if Slack can't be reached is raised
            as it is.
    """
    if channel:
        try:
            await client.chat_postEphemeral(
                channel=channel, user=user_id, text=text, blocks=blocks, thread_ts=thread_ts or None
            )
        except SlackApiError as error:
            log.info("ephemeral_refused", channel=channel, error=error_code(error))
        else:
            return
    await client.chat_postMessage(channel=user_id, text=text, blocks=blocks)


async def open_direct_channel(client: AsyncWebClient, user_id: str) -> str:
    """Return the channel of a person's direct messages with the bot (conversations.open).

    Raises what the client raises if Slack refuses or can't be reached.
    """
    return str((await client.conversations_open(users=[user_id]))["channel"]["id"])


async def send_file(client: AsyncWebClient, user_id: str, name: str, content: str, comment: str) -> None:
    """Send a text file as a direct message.

    Raises what the client raises if Slack refuses or can't be reached (conversations.open,
    files.completeUploadExternal).
    """
    channel = await open_direct_channel(client, user_id)
    await client.files_upload_v2(channel=channel, filename=name, content=content, initial_comment=comment)
