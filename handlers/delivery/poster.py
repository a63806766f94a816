"""Posts a message once, whatever crashes between posting it and keeping that it was posted."""

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
from handlers.clients.errors import error_code, is_closed, is_message_refused
from handlers.views.blocks import Message

EVENT = "rollcall_posting"
_MAX_PLAIN_TEXT = 3_000
"""Characters of the plain text that is posted where Slack refuses the blocks."""
_CLOCK_SKEW = 60
"""Seconds by which Slack's clock may be behind ours."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something is posted: a channel, or with `thread_ts` a thread in it."""

    channel: str
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A text file with the words that introduce it. The name is found again after a crash, so it is the request's own.

    Attributes:
        name: the file's name.
        content: its text.
        comment: the message that goes with it.
    """

    name: str
    content: str
    comment: str


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """Something to post once: `send` posts it and gives its id, `found_in` gives that id if a message is it."""

    request: Request
    name: str
    send: Callable[[Destination], Awaitable[str]]
    found_in: Callable[[dict[str, Any]], str]


class Poster:
    """Posts and updates the messages of requests, each by a name of its own.

    A message carries its request and name as metadata. Where a crash left open whether it was posted, the channel is
    searched for it before it is posted again (conversations.history and .replies with `include_all_metadata`). Where a
    place is closed the next one is tried, and after the last one the requester's direct messages.
    """

    def __init__(self, client: AsyncWebClient, postings: Postings) -> None:
        self._client = client
        self._postings = postings

    async def find(self, request: Request, name: str) -> Posting | None:
        """Give where a message stands; None when it was not posted, or nobody knows."""
        posting = await self._postings.get(request.id, name)
        return posting if posting and posting.ts else None

    async def posted_names(self, request: Request, prefix: str) -> list[str]:
        """Give the names, of those that begin so, of a request's messages."""
        return await self._postings.names(request.id, prefix)

    async def open_direct_message(self, user_id: str) -> Destination | None:
        """Give where a person's direct messages are (conversations.open); None where they cannot be reached."""
        try:
            opened = await self._client.conversations_open(users=[user_id])
        except SlackApiError as error:
            if not is_closed(error):
                raise
            log.warning("person_is_gone", user=user_id, error=error_code(error))
            return None
        return Destination(str(opened["channel"]["id"]))

    async def post(self, request: Request, name: str, content: Message, *places: Destination) -> Posting:
        """Post a message, unless it was posted already. Gives where it stands; without `ts` where nothing can be."""
        metadata = Metadata(event_type=EVENT, event_payload={"request": request.id, "name": name})
        send = partial(self._send, content, metadata, str(uuid5(NAMESPACE_URL, f"{request.id}/{name}")))
        return await self._deliver(_Outgoing(request, name, send, partial(_ts_of, metadata)), places)

    async def upload(self, request: Request, name: str, file: OutgoingFile, *places: Destination) -> Posting:
        """Put a file somewhere, unless it is there already. The posting has the id of the file in place of a `ts`."""
        return await self._deliver(_Outgoing(request, name, partial(self._share, file), partial(_id_of, file)), places)

    async def update(self, posting: Posting, content: Message) -> None:
        """Change a message that was posted; nothing happens where it is gone."""
        change = partial(self._client.chat_update, channel=posting.channel, ts=posting.ts, parse="none")
        try:
            await _shown(change, content, instead=[])
        except SlackApiError as error:
            if not is_closed(error) and not is_message_refused(error):
                raise
            log.warning("message_not_updated", channel=posting.channel, error=error_code(error))

    async def _deliver(self, parcel: _Outgoing, places: Sequence[Destination]) -> Posting:
        known = await self._postings.get(parcel.request.id, parcel.name)
        if known is not None and known.ts:
            return known
        if known is None:
            await self._postings.reserve(parcel.request.id, parcel.name, places[0].channel)
        else:
            places = _rest_of(places, known.channel)
            if before := await self._sent_before(parcel, places[0]):
                return await self._keep(parcel, Posting(known.channel, before))
        for place in places:
            if place is not places[0]:
                await self._keep(parcel, Posting(place.channel, ""))
            if sent := await self._try(parcel, place):
                return await self._keep(parcel, sent)
        if direct := await self.open_direct_message(parcel.request.requester):
            await self._keep(parcel, Posting(direct.channel, ""))
            if sent := await self._try(parcel, direct):
                return await self._keep(parcel, sent)
        log.error("nobody_to_tell", request=parcel.request.id, posting=parcel.name)
        return Posting(places[-1].channel, "")

    async def _try(self, parcel: _Outgoing, place: Destination) -> Posting | None:
        """Post here; None when this place is closed. The ledger names it already: after a crash it is searched."""
        try:
            return Posting(place.channel, await parcel.send(place))
        except SlackApiError as error:
            if not is_closed(error):
                raise
            log.warning("place_is_closed", request=parcel.request.id, posting=parcel.name, error=error_code(error))
            return None

    async def _keep(self, parcel: _Outgoing, posting: Posting) -> Posting:
        await self._postings.save(parcel.request.id, parcel.name, posting)
        return posting

    async def _send(self, content: Message, metadata: Metadata, message_id: str, place: Destination) -> str:
        post = partial(
            self._client.chat_postMessage,
            channel=place.channel,
            thread_ts=place.thread_ts or None,
            metadata=metadata,
            client_msg_id=message_id,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str((await _shown(post, content, instead=None))["ts"])

    async def _share(self, file: OutgoingFile, place: Destination) -> str:
        response = await self._client.files_upload_v2(
            channel=place.channel,
            thread_ts=place.thread_ts or None,
            filename=file.name,
            content=file.content,
            initial_comment=file.comment,
        )
        return str(response["files"][0]["id"])

    async def _sent_before(self, parcel: _Outgoing, place: Destination) -> str:
        """Search a place for what may have been posted. Empty when it is not there or nobody may look."""
        oldest = parcel.request.asked_at.timestamp() - _CLOCK_SKEW
        try:
            async for message in self._messages(place, oldest):
                if found := parcel.found_in(message):
                    return found
        except SlackApiError as error:
            if not is_closed(error) and error_code(error) != "missing_scope":
                raise
            log.warning("cannot_look", request=parcel.request.id, posting=parcel.name, error=error_code(error))
        return ""

    async def _messages(self, place: Destination, oldest: float) -> AsyncIterator[dict[str, Any]]:
        since = f"{oldest:.6f}"
        cursor: str | None = None
        while cursor != "":
            if place.thread_ts:
                page = await self._client.conversations_replies(
                    channel=place.channel,
                    ts=place.thread_ts,
                    oldest=since,
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor,
                )
            else:
                page = await self._client.conversations_history(
                    channel=place.channel, oldest=since, include_all_metadata=True, limit=200, cursor=cursor
                )
            for message in page["messages"]:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""


async def _shown(
    send: Callable[..., Awaitable[AsyncSlackResponse]], content: Message, *, instead: list[Any] | None
) -> AsyncSlackResponse:
    """Send a message, and where Slack refuses the blocks its text alone, with `instead` for blocks.

    Without blocks chat.update keeps those from before; an empty list removes them. Raises `SlackApiError`.
    """
    try:
        return await send(text=content.text, blocks=content.blocks)
    except SlackApiError as error:
        if not is_message_refused(error):
            raise
        log.error("message_refused", error=error_code(error))  # noqa: TRY400 - no crash
        return await send(text=content.text[:_MAX_PLAIN_TEXT], blocks=instead)


def _rest_of(places: Sequence[Destination], channel: str) -> Sequence[Destination]:
    """Give the places from the one in `channel` on; where it is none of them, it is the direct messages."""
    for number, place in enumerate(places):
        if place.channel == channel:
            return places[number:]
    return (Destination(channel),)


def _ts_of(metadata: Metadata, message: dict[str, Any]) -> str:
    carried = message.get("metadata") or {}
    same = carried.get("event_type") == metadata.event_type and carried.get("event_payload") == metadata.event_payload
    return str(message["ts"]) if same else ""


def _id_of(file: OutgoingFile, message: dict[str, Any]) -> str:
    return next((str(shared["id"]) for shared in message.get("files", ()) if shared.get("name") == file.name), "")
