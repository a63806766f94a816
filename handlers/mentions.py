"""What is asked of the bot in words: `@rollcall add …` in a channel or a thread, and the same without it in a DM.

Slash commands cannot be typed in threads. Slack delivers an event again where it was not acknowledged in time; the
request that comes of a message is named after the message, and is in the journal before the event is acknowledged.
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
from handlers.commands import HANDLERS, is_read_only, resolve_command
from handlers.commands.context import Answer, CommandContext, Deferred
from handlers.commands.reply import message_payload
from handlers.delivery.personal import send_ephemeral
from handlers.errors import UserError, mark_read_only
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import command_help
from handlers.views.blocks import Message, sections
from handlers.views.text import count

LINK_TIMEOUT = 5.0
"""Seconds that an answer waits for the parent message of the request it tells of, to lead to it."""
_MAX_DELIVERIES = 1000
_MENTION = re.compile(r"[\s*_~]*<@(\w+)(?:\|[^>]*)?>[*_~]*[\s,:\u200b-\u200f\u2060\ufeff]*")
_FORMATTED = re.compile(r"(`{1,3}|[*_~])((?:(?!\1).)+)\1", re.DOTALL)
"""A whole text in bold, italics, code: as somebody pastes what the help shows."""
_AROUND_A_WORD = "*_~`:,.\u200b\u200e\u200f\u2060\ufeff"
_CHANGED = "message_changed"
_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast"})
"""The subtypes of messages that somebody wrote; the others tell of changes (docs.slack.dev, "message event")."""

_ABOUT = "This message mentions me, but does not begin with that, so I did nothing."
_TWICE = (
    "I am mentioned again further down in this message, and one message takes one command. Nothing was done: write "
    "each command in a message of its own."
)

log = structlog.get_logger(__name__)


class _File(Payload):
    id: str


class _Written(Payload):
    """What somebody wrote."""

    ts: str = ""
    text: str | None = None
    user: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None
    files: tuple[_File, ...] = ()
    edited: dict[str, Any] | None = None


class _Message(_Written):
    """The event `app_mention`, or `message` in a direct message (docs.slack.dev, their pages).

    Of a change (`message_changed`) `message` is what stands there now; what else may change, such as a link's preview,
    leaves the text as it was.
    """

    type: str
    channel: str
    message: _Written | None = None
    previous_message: _Written = _Written()

    @property
    def written(self) -> _Written:
        """What a person wrote or edited, as far as that is what happened."""
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
    """What a message asks for.

    Attributes:
        asked: the command.
        problem: why it is not done; empty where nothing speaks against it.
        note: what else the person is told.
        edited: the message was changed after it had been written.
        thread_ts: the thread that it stands in; empty where it stands in none.
    """

    asked: CommandContext
    problem: str = ""
    note: str = ""
    edited: bool = False
    thread_ts: str = ""


class Mentions:
    """Answers messages; each delivery once, as far as this process remembers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deliveries: dict[str, asyncio.Task[Answer | Deferred]] = {}

    async def handle(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt's
    ) -> None:
        """Do what a message asks for, before the event is acknowledged."""
        delivery = _Delivery.model_validate(body)
        heard = _heard(delivery, context.bot_user_id or "")
        if heard is not None:
            if is_read_only(heard.asked.command, heard.asked.text):
                mark_read_only(context)
            known = self._deliveries.get(delivery.event_id)
            if known is None or (known.done() and (known.cancelled() or known.exception())):
                known = self._begin(delivery.event_id, heard)
                context["answer"] = heard, await asyncio.shield(known)
            else:
                log.info("delivered_again", delivery=delivery.event_id)
                await asyncio.wait([known])
        await next()

    async def answer(self, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        """Tell the person what became of it, where they asked."""
        if "answer" not in context:
            return
        heard, answer = context["answer"]
        asked, thread = heard.asked, heard.thread_ts
        told = message_payload(_noted(await answer.work() if isinstance(answer, Deferred) else answer, heard.note))
        if link := await self._link(asked.id):
            told["text"] = f"{told['text']}\n<{link}|The request, with its answers>"
        if asked.channel.startswith("D"):  # nobody else reads that, and what only one person is shown does not stay
            await client.chat_postMessage(channel=asked.channel, thread_ts=thread or None, **told)
        else:
            await send_ephemeral(client, asked.user, asked.channel, thread_ts=thread, **told)

    def _begin(self, event_id: str, heard: _MentionedCommand) -> asyncio.Task[Answer | Deferred]:
        while len(self._deliveries) >= _MAX_DELIVERIES:
            del self._deliveries[next(iter(self._deliveries))]
        self._deliveries[event_id] = task = asyncio.create_task(_run(self._services, heard))
        return task

    async def _link(self, request_id: str) -> str:
        """Give the address of a request's parent message once it stands there; empty where there is no request."""
        if not await _is_taken(self._services, request_id):
            return ""
        shown = asyncio.Event()

        def hear(request: Request) -> None:
            if request.id == request_id:
                shown.set()

        with self._services.delivery.events.subscribe(hear), suppress(TimeoutError):
            if link := await self._services.delivery.permalinks.get(request_id):
                return link
            async with asyncio.timeout(LINK_TIMEOUT):
                await shown.wait()
        return await self._services.delivery.permalinks.get(request_id)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the events on the app. The work is done in a middleware: Bolt acknowledges an event before its listener."""
    mentions = Mentions(services)
    for event in ("app_mention", "message"):
        app.event(event, middleware=[mentions.handle])(mentions.answer)


def _heard(delivery: _Delivery, bot: str) -> _MentionedCommand | None:
    """Read what a message asks for; None where it is not for the bot, or no person wrote it."""
    event, written = delivery.event, delivery.event.written
    if written.bot_id or not written.user or written.user == bot or written.subtype not in _BY_PEOPLE:
        return None
    if event.channel.startswith("D") != (event.type == "message"):
        return None  # a mention in a direct message is a message there already
    (begins, words), problem = _words(written.text or "", bot), ""
    if event.type == "app_mention" and not begins:
        words, problem = "", _ABOUT
    elif any(mention[1] == bot for mention in _MENTION.finditer(words)):
        words, problem = "", _TWICE
    command, text = resolve_command(WA, _plain_verb(words))
    asked = CommandContext(
        command, text, written.user, delivery.team_id, event.channel, f"{event.channel}/{written.ts}"
    )
    note = _unread(len(written.files)) if written.files and asked.command.opens_form else ""
    return _MentionedCommand(asked, problem, note, edited=written.edited is not None, thread_ts=written.thread_ts or "")


def _words(text: str, bot: str) -> tuple[bool, str]:
    """Tell whether a text begins with the bot's mention, and give what follows, without marks around all of it."""
    rest, begins = _bare(text), False
    while (mention := _MENTION.match(rest)) and mention[1] == bot:
        rest, begins = rest[mention.end() :], True
    return begins, _bare(rest)


def _plain_verb(words: str) -> str:
    """Take the marks from the first word, which names the command."""
    verb, *rest = words.split(maxsplit=1) or [""]
    return " ".join([verb.strip(_AROUND_A_WORD), *rest])


def _bare(text: str) -> str:
    formatted = _FORMATTED.fullmatch(text.strip())
    return formatted[2] if formatted else text


def _unread(files: int) -> str:
    """Say what becomes of files, which nobody would miss otherwise."""
    return (
        f"I did not read the {'file' if files == 1 else count(files, 'file')} of this message: *Add numbers to a "
        "group* in the message's own menu does that, and so does the form."
    )


def _noted(answer: Answer, note: str) -> Answer:
    if not note:
        return answer
    if isinstance(answer, str):
        return f"{answer}\n{note}"
    return Message(f"{answer.text}\n{note}", [*answer.blocks, *(block.to_dict() for block in sections([note]))])


async def _run(services: Services, heard: _MentionedCommand) -> Answer | Deferred:
    asked = heard.asked
    if heard.problem:
        return f"{heard.problem} {command_help.IN_WORDS}"
    if heard.edited and await _is_taken(services, asked.id):
        return (
            f"This request was taken already: `{asked.id}`, and editing its message changes nothing. "
            "Write a new message for something else."
        )
    if asked.command is WA:
        return f"{command_help.IN_WORDS}\n{command_help.help_text(typed_text(asked.text))}"
    if asked.command.opens_form and not asked.text.strip():
        return command_help.offer(asked.command)
    try:
        return await HANDLERS[asked.command.verb](services, asked)
    except UserError as error:
        return error.text


async def _is_taken(services: Services, request_id: str) -> bool:
    try:
        await services.stores.requests.get(request_id)
    except LookupError:
        return False
    return True
