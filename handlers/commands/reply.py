"""How answers reach the person: with the acknowledgement where they are there in time, else behind it."""

import asyncio
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from handlers.commands.context import Answer, Deferred
from handlers.delivery.personal import send_ephemeral
from handlers.views import answers

ACK_DEADLINE = 2.0
"""Seconds after which a command that still reads is acknowledged: Slack waits for 3."""
_MAX_TEXT = 3_900
"""Characters of plain text beside blocks: an update takes 4,000 (docs.slack.dev, chat.update), and a page is turned in
place."""

log = structlog.get_logger(__name__)


class Reply:
    """The way back to who typed or clicked.

    Args:
        respond: answers over the `response_url`, which lives for 30 minutes.
        client: whispers where that fails.
        user: the Slack user id of the person.
        channel: where they are.
    """

    def __init__(self, respond: AsyncRespond, client: AsyncWebClient, user: str, channel: str) -> None:
        self._respond = respond
        self._client = client
        self._user = user
        self._channel = channel

    async def say(self, answer: Answer, *, replace: bool = False) -> None:
        """Show an answer to this person only; `replace` puts it where the message stands that was clicked."""
        body = message_payload(answer)
        try:
            response = await self._respond(**body, response_type="ephemeral", replace_original=replace)
            failure = "" if response.status_code == HTTPStatus.OK else f"HTTP {response.status_code}"
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        if failure:
            log.info("answered_by_whisper", failure=failure)
            await send_ephemeral(self._client, self._user, self._channel, body["text"])

    async def after(self, look: Deferred, ack: AsyncAck, *, waited: float) -> None:
        """Acknowledge with what a look finds, or when `IN_TIME` is over; then it is said as soon as it is found."""
        task = asyncio.ensure_future(look.work())
        await asyncio.wait([task], timeout=max(0.0, ACK_DEADLINE - waited))
        if task.done():
            await ack(**message_payload(task.result()))
            return
        await ack(answers.reading(look.subject))
        await self.say(await task)


def message_payload(answer: Answer) -> dict[str, Any]:
    """Give an answer as Slack takes it; the plain text ends where Slack would refuse it, the blocks have the rest."""
    if isinstance(answer, str):
        return {"text": answer}
    text = answer.text
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT].rpartition(chr(10))[0]}\n…"
    return {"text": text, "blocks": answer.blocks}
