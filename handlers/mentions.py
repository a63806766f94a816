"""Commands in messages: `@rollcall add …` in a channel or a thread, and `add …` in a direct message.

Slash commands can't be typed in threads. Slack delivers an event again if it isn't acknowledged in time. So a request's
id is made from its message, and the request is saved before the event is acknowledged.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.catalogue import WA
from bot.commands.parser import typed_text
from bot.domain.requests import Request
from handlers.clients.personal import send_ephemeral
from handlers.commands import HANDLERS, is_read_only, resolve_command
from handlers.commands.context import CommandContext, Deferred
from handlers.commands.reply import message_payload
from handlers.errors import UserError, mark_read_only
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import command_help
from handlers.views.blocks import Message, sections

LINK_TIMEOUT = 5.0
"""Seconds that an answer waits for the parent message of its request, to link to it."""
_MAX_DELIVERIES = 1000
_MENTION = re.compile(r"[\s*_~]*<@(\w+)(?:\|[^>]*)?>[*_~]*[\s,:\u200b-\u200f\u2060\ufeff]*")
_FORMATTED = re.compile(r"(`{1,3}|[*_~])((?:(?!\1).)+)\1", re.DOTALL)
"""A whole text in bold, italics or code, as it is when a person pastes an example of the help."""
_WORD_MARKS = "*_~`:,.\u200b\u200e\u200f\u2060\ufeff"
_CHANGED = "message_changed"
_WRITTEN_SUBTYPES = frozenset({None, "file_share", "thread_broadcast"})
"""The subtypes of messages that a person wrote. The others report changes (docs.slack.dev, "message event")."""

_MENTION_NOT_FIRST = "Nothing was done: this message mentions me, but doesn't begin with the mention."
_SECOND_MENTION = (
    "Nothing was done: this message mentions me more than once, and one message takes one command. Write each command "
    "in its own message."
)

log = structlog.get_logger(__name__)


class _File(Payload):
    id: str


class _Content(Payload):
    """The content of a message."""

    ts: str = ""
    text: str | None = None
    user: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None
    files: tuple[_File, ...] = ()
    edited: dict[str, Any] | None = None


class _Message(_Content):
    """The event `app_mention`, or `message` in a direct message (docs.slack.dev, their pages).

    In a change (`message_changed`), `message` is the new content. A change may also leave the text as it was, for
    example when a link's preview is added.
    """

    type: str
    channel: str
    message: _Content | None = None
    previous_message: _Content = _Content()

    @property
    def content(self) -> _Content:
        """The new content if a person edited the text, else the event's own."""
        now = self.message
        edited = now is not None and now.edited is not None and now.text != self.previous_message.text
        return now if self.subtype == _CHANGED and now is not None and edited else self


class _Delivery(Payload):
    """The envelope of an event (docs.slack.dev, "Events API"): each redelivery has the same id."""

    event_id: str
    team_id: str
    event: _Message


@dataclass(frozen=True, slots=True)
class _MentionedCommand:
    """A command in a message.

    Attributes:
        command: the command.
        problem: why it isn't run; empty: it is run.
        note: a sentence to add to the answer; empty: none.
        edited: whether the message was edited.
    """

    command: CommandContext
    problem: str = ""
    note: str = ""
    edited: bool = False


class Mentions:
    """Answers messages, each delivery once while the process runs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deliveries: dict[str, asyncio.Task[Message | Deferred]] = {}

    async def handle(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt's
    ) -> None:
        """Run the command of a message, before the event is acknowledged."""
        delivery = _Delivery.model_validate(body)
        mentioned = _parse(delivery, context.bot_user_id or "")
        if mentioned is not None:
            if is_read_only(mentioned.command.command, mentioned.command.text):
                mark_read_only(context)
            task = self._deliveries.get(delivery.event_id)
            if task is None or (task.done() and (task.cancelled() or task.exception())):
                task = self._begin(delivery.event_id, mentioned)
                context["answer"] = mentioned, await asyncio.shield(task)
            else:
                log.info("duplicate_delivery", delivery=delivery.event_id)
                await asyncio.wait([task])
        await next()

    async def answer(self, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        """Send the answer to the person, in the channel or thread of the message."""
        if "answer" not in context:
            return
        mentioned, answer = context["answer"]
        command, thread = mentioned.command, mentioned.command.thread_ts
        message = await answer.work() if isinstance(answer, Deferred) else answer
        payload = message_payload(_with_note(message, mentioned.note))
        if link := await self._link(command.id):
            payload["text"] = f"{payload['text']}\n<{link}|Open the request>"
        if command.channel.startswith("D"):  # an ephemeral message would disappear from it
            await client.chat_postMessage(channel=command.channel, thread_ts=thread or None, **payload)
        else:
            await send_ephemeral(client, command.user, command.channel, thread_ts=thread, **payload)

    def _begin(self, event_id: str, mentioned: _MentionedCommand) -> asyncio.Task[Message | Deferred]:
        while len(self._deliveries) >= _MAX_DELIVERIES:
            del self._deliveries[next(iter(self._deliveries))]
        self._deliveries[event_id] = task = asyncio.create_task(_run(self._services, mentioned))
        return task

    async def _link(self, request_id: str) -> str:
        """Return the link to a request's parent message once it is posted; empty if there is none in time."""
        if not await _is_submitted(self._services, request_id):
            return ""
        posted = asyncio.Event()

        def on_change(request: Request) -> None:
            if request.id == request_id:
                posted.set()

        with self._services.delivery.events.subscribe(on_change), suppress(TimeoutError):
            if link := await self._services.delivery.permalinks.get(request_id):
                return link
            async with asyncio.timeout(LINK_TIMEOUT):
                await posted.wait()
        return await self._services.delivery.permalinks.get(request_id)


def register(app: AsyncApp, services: Services) -> None:
    """Register the events. A middleware runs the command: Bolt acknowledges an event before it calls its listener."""
    mentions = Mentions(services)
    for event in ("app_mention", "message"):
        app.event(event, middleware=[mentions.handle])(mentions.answer)


def _parse(delivery: _Delivery, bot: str) -> _MentionedCommand | None:
    """Parse the command of a message; None if it isn't for the bot, or no person wrote it."""
    event, content = delivery.event, delivery.event.content
    if content.bot_id or not content.user or content.user == bot or content.subtype not in _WRITTEN_SUBTYPES:
        return None
    if event.channel.startswith("D") != (event.type == "message"):
        return None  # a mention in a direct message is also delivered as a message
    (begins, text), problem = _without_mention(content.text or "", bot), ""
    if event.type == "app_mention" and not begins:
        text, problem = "", _MENTION_NOT_FIRST
    elif any(mention[1] == bot for mention in _MENTION.finditer(text)):
        text, problem = "", _SECOND_MENTION
    declared, text = resolve_command(WA, _plain_verb(text))
    command = CommandContext(
        declared,
        text,
        content.user,
        delivery.team_id,
        event.channel,
        f"{event.channel}/{content.ts}",
        content.thread_ts or "",
    )
    note = _files_note(len(content.files)) if content.files and declared.opens_form else ""
    return _MentionedCommand(command, problem, note, edited=content.edited is not None)


def _without_mention(text: str, bot: str) -> tuple[bool, str]:
    """Return whether a text begins with the bot's mention, and the rest, without formatting around all of it."""
    rest, begins = _unformatted(text), False
    while (mention := _MENTION.match(rest)) and mention[1] == bot:
        rest, begins = rest[mention.end() :], True
    return begins, _unformatted(rest)


def _plain_verb(text: str) -> str:
    """Remove formatting from the first word, which names the command."""
    verb, *rest = text.split(maxsplit=1) or [""]
    return " ".join([verb.strip(_WORD_MARKS), *rest])


def _unformatted(text: str) -> str:
    formatted = _FORMATTED.fullmatch(text.strip())
    return formatted[2] if formatted else text


def _files_note(files: int) -> str:
    """Return the note that the files of a message weren't read."""
    subject = "file in this message wasn't" if files == 1 else f"{files:,} files in this message weren't"
    return f"The {subject} read. Choose *Add numbers to a group* in the message's menu, or use the form."


def _with_note(message: Message, note: str) -> Message:
    if not note:
        return message
    blocks = [block.to_dict() for block in sections([note])] if message.blocks else []
    return Message(f"{message.text}\n{note}", [*message.blocks, *blocks])


async def _run(services: Services, mentioned: _MentionedCommand) -> Message | Deferred:
    command = mentioned.command
    if mentioned.problem:
        return Message(f"{mentioned.problem} {command_help.IN_WORDS}")
    if mentioned.edited and await _is_submitted(services, command.id):
        return Message(
            f"Nothing was done: this message was already submitted as request `{command.id}`, and editing it doesn't "
            "change the request. Send a new message."
        )
    if command.command is WA:
        return Message(f"{command_help.IN_WORDS}\n{command_help.help_text(typed_text(command.text))}")
    if command.command.opens_form and not command.text.strip():
        return command_help.offer(command.command)
    try:
        return await HANDLERS[command.command.verb](services, command)
    except UserError as error:
        return Message(error.text)


async def _is_submitted(services: Services, request_id: str) -> bool:
    try:
        await services.stores.requests.get(request_id)
    except LookupError:
        return False
    return True
