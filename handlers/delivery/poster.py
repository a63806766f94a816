"""Posts each message once, even if the process crashes before it has saved that it was posted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.metadata import Metadata
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.requests import Request
from bot.storage.postings import Posting, Postings
from handlers.clients.errors import MalformedAnswer, error_code, is_closed, is_refusal
from handlers.views.blocks import Message

EVENT = "rollcall_posting"
_MAX_PLAIN_TEXT = 3_000
"""Maximum characters of the text that is posted if Slack refuses the blocks."""
_CLOCK_SKEW = 60
"""Seconds by which Slack's clock may be behind ours."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel, or with `thread_ts` a thread in it."""

    channel: str
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A text file. After a crash it is found again by its name, so the name is unique to the request.

    Attributes:
        name: the file's name.
        content: its text.
        comment: the text of the message with the file.
    """

    name: str
    content: str
    comment: str


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A message or file to post once: `send` posts it and returns its id; `id_in` returns its id in a message."""

    request: Request
    name: str
    send: Callable[[Destination], Awaitable[str]]
    id_in: Callable[[dict[str, Any]], str]


class FileRefused(Exception):
    """Slack accepts no file from the bot: uploads are off, the app lacks the scope, or there is no such method."""


class Poster:
    """Posts and updates the messages of requests. Each message has a name that is unique to its request.

    A message has its request and name as metadata. If a crash leaves open whether it was posted, the channel is
    searched for it before it is posted again (conversations.history and .replies with `include_all_metadata`).

    If Slack refuses a message, its text is sent without blocks; if it refuses that or the destination, the next
    destination is tried, and at last the requester's direct messages. Errors that aren't refusals are raised: a later
    call may succeed, or the answer isn't Slack's.
    """

    def __init__(self, client: AsyncWebClient, postings: Postings) -> None:
        self._client = client
        self._postings = postings

    async def find(self, request: Request, name: str) -> Posting | None:
        """Return where a message was posted; None if it wasn't, or that is unknown."""
        posting = await self._postings.get(request.id, name)
        return posting if posting and posting.ts else None

    async def posted_names(self, request: Request, prefix: str) -> list[str]:
        """Return the names of a request's messages that begin with a prefix."""
        return await self._postings.names(request.id, prefix)

    async def open_direct_message(self, user_id: str) -> Destination | None:
        """Open a person's direct messages (conversations.open), and return them; None if that isn't possible."""
        try:
            opened = await self._client.conversations_open(users=[user_id])
        except SlackApiError as error:
            if not is_refusal(error):
                raise
            log.warning("person_unreachable", user=user_id, error=error_code(error))
            return None
        return Destination(_id((opened["channel"] or {}).get("id"), "conversations.open"))

    async def post(self, request: Request, name: str, content: Message, *destinations: Destination) -> Posting:
        """Post a message once, and return where it was posted; without `ts` if every destination refused it."""
        metadata = Metadata(event_type=EVENT, event_payload={"request": request.id, "name": name})
        send = partial(self._send, content, metadata, str(uuid5(NAMESPACE_URL, f"{request.id}/{name}")))
        return await self._deliver(_Outgoing(request, name, send, partial(_ts_of, metadata)), destinations)

    async def upload(self, request: Request, name: str, file: OutgoingFile, *destinations: Destination) -> Posting:
        """Upload a file once. The posting has the id of the file instead of a `ts`. Raises `FileRefused`."""
        outgoing = _Outgoing(request, name, partial(self._share, file), partial(_id_of, file))
        return await self._deliver(outgoing, destinations)

    async def update(self, posting: Posting, content: Message) -> None:
        """Update a message. If it was deleted, nothing happens."""
        change = partial(self._client.chat_update, channel=posting.channel, ts=posting.ts, parse="none")
        try:
            await _send_or_shorten(change, content, instead=[])
        except SlackApiError as error:
            if not is_refusal(error):
                raise
            log.warning("message_not_updated", channel=posting.channel, error=error_code(error))

    async def _deliver(self, outgoing: _Outgoing, destinations: Sequence[Destination]) -> Posting:
        known = await self._postings.reserve(outgoing.request.id, outgoing.name, destinations[0].channel)
        if known is not None:
            if known.ts:
                return known
            destinations = _from_channel(destinations, known.channel)
            if id_ := await self._find_sent(outgoing, destinations[0]):
                return await self._save(outgoing, Posting(known.channel, id_))
        for destination in destinations:
            if destination is not destinations[0]:
                await self._save(outgoing, Posting(destination.channel, ""))
            if sent := await self._try_send(outgoing, destination):
                return await self._save(outgoing, sent)
        if direct := await self.open_direct_message(outgoing.request.requester):
            await self._save(outgoing, Posting(direct.channel, ""))
            if sent := await self._try_send(outgoing, direct):
                return await self._save(outgoing, sent)
        log.error("message_undeliverable", request=outgoing.request.id, posting=outgoing.name)
        return Posting(destinations[-1].channel, "")

    async def _try_send(self, outgoing: _Outgoing, destination: Destination) -> Posting | None:
        """Post to a destination that is saved already, so that it is searched after a crash; None if it is refused."""
        try:
            return Posting(destination.channel, await outgoing.send(destination))
        except SlackApiError as error:
            if not is_refusal(error):
                raise
            log.warning(
                "destination_refused", request=outgoing.request.id, posting=outgoing.name, error=error_code(error)
            )
            return None

    async def _save(self, outgoing: _Outgoing, posting: Posting) -> Posting:
        await self._postings.save(outgoing.request.id, outgoing.name, posting)
        return posting

    async def _send(self, content: Message, metadata: Metadata, message_id: str, destination: Destination) -> str:
        post = partial(
            self._client.chat_postMessage,
            channel=destination.channel,
            thread_ts=destination.thread_ts or None,
            metadata=metadata,
            client_msg_id=message_id,
            unfurl_links=False,
            unfurl_media=False,
        )
        return _id((await _send_or_shorten(post, content, instead=None))["ts"], "chat.postMessage")

    async def _share(self, file: OutgoingFile, destination: Destination) -> str:
        try:
            response = await self._client.files_upload_v2(
                channel=destination.channel,
                thread_ts=destination.thread_ts or None,
                filename=file.name,
                content=file.content,
                initial_comment=file.comment,
            )
        except SlackApiError as error:
            if is_refusal(error) and not is_closed(error):
                raise FileRefused(error_code(error)) from error
            raise
        files = response["files"] or [{}]
        return _id(files[0].get("id"), "files.completeUploadExternal")

    async def _find_sent(self, outgoing: _Outgoing, destination: Destination) -> str:
        """Search a destination for what may have been posted, and return its id; empty if it isn't found."""
        oldest = outgoing.request.asked_at.timestamp() - _CLOCK_SKEW
        try:
            async for message in self._messages(destination, oldest):
                if found := outgoing.id_in(message):
                    return found
        except SlackApiError as error:
            if not is_refusal(error):
                raise
            log.warning("history_not_read", request=outgoing.request.id, posting=outgoing.name, error=error_code(error))
        return ""

    async def _messages(self, destination: Destination, oldest: float) -> AsyncIterator[dict[str, Any]]:
        since = f"{oldest:.6f}"
        cursor: str | None = None
        while cursor != "":
            if destination.thread_ts:
                page = await self._client.conversations_replies(
                    channel=destination.channel,
                    ts=destination.thread_ts,
                    oldest=since,
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor,
                )
            else:
                page = await self._client.conversations_history(
                    channel=destination.channel, oldest=since, include_all_metadata=True, limit=200, cursor=cursor
                )
            for message in page["messages"] or ():
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""


async def _send_or_shorten(
    send: Callable[..., Awaitable[AsyncSlackResponse]], content: Message, *, instead: list[Any] | None
) -> AsyncSlackResponse:
    """Send a message; if Slack refuses it, send its text alone, shortened, with `instead` as blocks.

    Without blocks chat.update keeps the old ones; an empty list removes them. Raises `SlackApiError`.
    """
    try:
        return await send(text=content.text, blocks=content.blocks)
    except SlackApiError as error:
        if not is_refusal(error) or is_closed(error):
            raise
        log.error("message_refused", error=error_code(error))  # noqa: TRY400 - it is handled
        return await send(text=content.text[:_MAX_PLAIN_TEXT], blocks=instead)


def _from_channel(destinations: Sequence[Destination], channel: str) -> Sequence[Destination]:
    """Return the destinations from the one in `channel` on. If there is none, the channel is the direct messages."""
    for number, destination in enumerate(destinations):
        if destination.channel == channel:
            return destinations[number:]
    return (Destination(channel),)


def _id(value: object, method: str) -> str:
    """Return the id in an answer. Raises `MalformedAnswer` if there is none."""
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(f"{method} answered without the id of what it made")
    return value


def _ts_of(metadata: Metadata, message: dict[str, Any]) -> str:
    found = message.get("metadata") or {}
    same = found.get("event_type") == metadata.event_type and found.get("event_payload") == metadata.event_payload
    return str(message["ts"]) if same else ""


def _id_of(file: OutgoingFile, message: dict[str, Any]) -> str:
    return next((str(shared["id"]) for shared in message.get("files", ()) if shared.get("name") == file.name), "")
