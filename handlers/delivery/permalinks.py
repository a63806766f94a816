"""The links to requests' messages. A link never changes, so each is read once."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.storage.postings import Postings
from handlers.clients.errors import READ_ERRORS, reason_of

READ_TIMEOUT = 1.0
"""Seconds to read the links of a list. Links that arrive later are shown the next time."""
_LINK_TIMEOUT = 1.0
"""Seconds to read one link: a person waits for it."""
_MAX_ENTRIES = 2000

log = structlog.get_logger(__name__)


class Permalinks:
    """The links to the parent messages of requests, with a cache.

    Args:
        client: calls Slack (chat.getPermalink).
        postings: the messages that were posted.
    """

    def __init__(self, client: AsyncWebClient, postings: Postings) -> None:
        self._client = client
        self._postings = postings
        self._known: dict[str, str] = {}

    async def get(self, request_id: str) -> str:
        """Return the link to a request; empty if it has no message yet, or Slack doesn't answer."""
        if not (link := self._known.get(request_id, "")) and (link := await self._read(request_id)):
            self._save({request_id: link})
        return link

    async def get_many(self, request_ids: Iterable[str]) -> dict[str, str]:
        """Return the links to requests by their ids, without those that can't be read in time."""
        ids = dict.fromkeys(request_ids)
        known = {id_: self._known[id_] for id_ in ids if id_ in self._known}
        tasks = {id_: asyncio.ensure_future(self._read(id_)) for id_ in ids if id_ not in known}
        if tasks:
            _, late = await asyncio.wait(tasks.values(), timeout=READ_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        read = {id_: task.result() for id_, task in tasks.items() if not task.cancelled() and not task.exception()}
        new = {id_: link for id_, link in read.items() if link}
        self._save(new)
        return known | new

    async def _read(self, request_id: str) -> str:
        posting = await self._postings.get(request_id, "parent")
        if posting is None or not posting.ts:
            return ""
        try:
            async with asyncio.timeout(_LINK_TIMEOUT):
                answer = await self._client.chat_getPermalink(channel=posting.channel, message_ts=posting.ts)
                return str(answer["permalink"] or "")
        except READ_ERRORS as error:
            log.warning("permalink_not_read", request=request_id, error=reason_of(error))
            return ""

    def _save(self, links: Mapping[str, str]) -> None:
        if len(self._known) > _MAX_ENTRIES:
            self._known.clear()
        self._known |= links
