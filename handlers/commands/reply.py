"""How an answer reaches the person: with the acknowledgement if it is ready in time, else as a message after it."""

import asyncio
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.personal import send_ephemeral
from handlers.commands.context import Deferred
from handlers.views import answers
from handlers.views.blocks import Message

ACK_DEADLINE = 2.0
"""Seconds after which a command that is still reading is acknowledged: Slack waits for 3."""
_MAX_TEXT = 3_900
"""Maximum characters of the text beside blocks. An update takes 4,000 (docs.slack.dev, chat.update), and another page
updates the message."""

log = structlog.get_logger(__name__)


class Reply:
    """Sends answers to the person who typed or clicked.

    Args:
        respond: sends over the `response_url`, which is valid for 30 minutes.
        client: sends an ephemeral message if that fails.
        user: the Slack user id of the person.
        channel: the channel of the command or click.
    """

    def __init__(self, respond: AsyncRespond, client: AsyncWebClient, user: str, channel: str) -> None:
        self._respond = respond
        self._client = client
        self._user = user
        self._channel = channel

    async def send(self, answer: Message, *, replace: bool = False) -> None:
        """Send an answer to this person only; with `replace`, in place of the message that was clicked."""
        body = message_payload(answer)
        try:
            response = await self._respond(**body, response_type="ephemeral", replace_original=replace)
            failure = "" if response.status_code == HTTPStatus.OK else f"HTTP {response.status_code}"
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        if failure:
            log.info("response_url_failed", failure=failure)
            await send_ephemeral(self._client, self._user, self._channel, body["text"])

    async def send_deferred(self, answer: Deferred, ack: AsyncAck, *, waited: float) -> None:
        """Acknowledge with the answer, or without it after `ACK_DEADLINE` and send it as soon as it is ready.

        Args:
            answer: the answer, not read yet.
            ack: acknowledges the command.
            waited: the seconds since the command.
        """
        task = asyncio.ensure_future(answer.work())
        await asyncio.wait([task], timeout=max(0.0, ACK_DEADLINE - waited))
        if task.done():
            await ack(**message_payload(task.result()))
            return
        await ack(answers.reading(answer.subject))
        await self.send(await task)


def message_payload(message: Message) -> dict[str, Any]:
    """Return a message as Slack takes it. The text beside blocks is cut at Slack's limit: the blocks are complete."""
    if not message.blocks:
        return {"text": message.text}
    text = message.text
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT].rpartition(chr(10))[0]}\n…"
    return {"text": text, "blocks": message.blocks}
