"""What is asked of the bot in words: `@rollcall add …` in a channel or a thread, and the same without it in a DM.

Slash commands cannot be typed in threads. Slack delivers an event again where it was not acknowledged in time; the
request that comes of a message is named after the message, and is in the journal before the event is acknowledged.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.commands import WA
from bot.domain.grammar import plain
from bot.domain.requests import Request
from handlers.commands import RUN, meant, only_reads
from handlers.commands.asked import Answer, Asked, Look
from handlers.commands.replying import said
from handlers.failures import mark_as_reading
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import answers, chooser
from handlers.whisper import whisper

LINK_WITHIN = 5.0
"""Seconds that an answer waits for the parent message of the request it tells of, to lead to it."""
_MOST_KEPT = 1000
_MENTION = re.compile(r"\s*<@(\w+)(?:\|[^>]*)?>[\s,:]*")
_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast"})
"""The subtypes of messages that somebody wrote; the others tell of changes (docs.slack.dev, "message event")."""

log = structlog.get_logger(__name__)


class _Message(Payload):
    """The event `app_mention`, or `message` in a direct message (docs.slack.dev, their pages)."""

    type: str
    channel: str
    ts: str
    text: str | None = None
    user: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None


class _Delivery(Payload):
    """The envelope of an event (docs.slack.dev, "Events API"): each redelivery has the same id."""

    event_id: str
    team_id: str
    event: _Message


class Mentions:
    """Answers messages; each delivery once, as far as this process remembers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deliveries: dict[str, asyncio.Task[Answer | Look]] = {}

    async def take(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt's
    ) -> None:
        """Do what a message asks for, before the event is acknowledged."""
        delivery = _Delivery.model_validate(body)
        asked = _asked(delivery, context.bot_user_id or "")
        if asked is not None:
            if only_reads(asked.command, asked.text):
                mark_as_reading(context)
            known = self._deliveries.get(delivery.event_id)
            if known is None or (known.done() and (known.cancelled() or known.exception())):
                known = self._begin(delivery.event_id, asked)
                context["answer"] = asked, await asyncio.shield(known)
            else:
                log.info("delivered_again", delivery=delivery.event_id)
                await asyncio.wait([known])
        await next()

    async def answer(self, context: AsyncBoltContext, client: AsyncWebClient, body: dict[str, Any]) -> None:
        """Tell the person what became of it, where they asked."""
        if "answer" not in context:
            return
        asked, answer = context["answer"]
        event = _Delivery.model_validate(body).event
        told = said(await answer.work() if isinstance(answer, Look) else answer)
        if link := await self._link(asked.id):
            told["text"] = f"{told['text']}\n<{link}|The request, with its answers>"
        if event.channel.startswith("D"):  # nobody else reads that, and what only one person is shown does not stay
            await client.chat_postMessage(channel=event.channel, thread_ts=event.thread_ts, **told)
        else:
            await whisper(client, asked.user, asked.channel, thread_ts=event.thread_ts or "", **told)

    def _begin(self, event_id: str, asked: Asked) -> asyncio.Task[Answer | Look]:
        while len(self._deliveries) >= _MOST_KEPT:
            del self._deliveries[next(iter(self._deliveries))]
        self._deliveries[event_id] = task = asyncio.create_task(_run(self._services, asked))
        return task

    async def _link(self, request_id: str) -> str:
        """Give the address of a request's parent message once it stands there; empty where there is no request."""
        try:
            await self._services.journal.request(request_id)
        except LookupError:
            return ""
        shown = asyncio.Event()

        def hear(request: Request) -> None:
            if request.id == request_id:
                shown.set()

        with self._services.changes.heard_by(hear), suppress(TimeoutError):
            if link := await self._services.links.to(request_id):
                return link
            async with asyncio.timeout(LINK_WITHIN):
                await shown.wait()
        return await self._services.links.to(request_id)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the events on the app. The work is done in a middleware: Bolt acknowledges an event before its listener."""
    mentions = Mentions(services)
    for event in ("app_mention", "message"):
        app.event(event, middleware=[mentions.take])(mentions.answer)


def _asked(delivery: _Delivery, bot: str) -> Asked | None:
    """Read what a message asks for; None where it is not for the bot, or no person wrote it."""
    event = delivery.event
    if event.bot_id or not event.user or event.user == bot or event.subtype not in _BY_PEOPLE:
        return None
    if event.channel.startswith("D") != (event.type == "message"):
        return None  # a mention in a direct message is a message there already
    text = event.text or ""
    mention = _MENTION.match(text)
    to_bot = mention if mention and mention[1] == bot else None
    words = text[to_bot.end() :] if to_bot else text
    if event.type == "app_mention" and to_bot is None:
        words = ""  # somebody speaks about the bot, not to it
    command, text = meant(WA, words)
    return Asked(command, text, event.user, delivery.team_id, event.channel, f"{event.channel}/{event.ts}")


async def _run(services: Services, asked: Asked) -> Answer | Look:
    if asked.command is WA:
        return f"{chooser.IN_WORDS}\n{answers.help_text(plain(asked.text))}"
    if asked.command.opens_form and not asked.text.strip():
        return chooser.offer(asked.command)
    return await RUN[asked.command.verb](services, asked)
