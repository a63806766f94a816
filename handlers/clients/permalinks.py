"""The addresses of requests' threads: they never change, so each is asked for once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

READ_TIMEOUT = 1.0
"""Seconds for the addresses of a list; those that come later are there the next time."""
_MAX_ENTRIES = 2000


class Permalinks:
    """Keeps the addresses.

    Args:
        ask: gives the address of a request's parent message, by the request's id; empty where there is none yet.
    """

    def __init__(self, ask: Callable[[str], Awaitable[str]]) -> None:
        self._ask = ask
        self._known: dict[str, str] = {}

    async def get(self, request_id: str) -> str:
        """Give the address of this request; empty where it has none yet, or nobody tells."""
        if not (link := self._known.get(request_id, "")) and (link := await self._ask(request_id)):
            self._keep({request_id: link})
        return link

    async def get_many(self, request_ids: Iterable[str]) -> dict[str, str]:
        """Give the addresses of these requests, for a list of them, as far as they are told in time."""
        wanted = dict.fromkeys(request_ids)
        known = {id_: self._known[id_] for id_ in wanted if id_ in self._known}
        asked = {id_: asyncio.ensure_future(self._ask(id_)) for id_ in wanted if id_ not in known}
        if asked:
            _, late = await asyncio.wait(asked.values(), timeout=READ_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*asked.values(), return_exceptions=True)
        told = {id_: task.result() for id_, task in asked.items() if not task.cancelled() and not task.exception()}
        new = {id_: link for id_, link in told.items() if link}
        self._keep(new)
        return known | new

    def _keep(self, links: Mapping[str, str]) -> None:
        if len(self._known) > _MAX_ENTRIES:
            self._known.clear()
        self._known |= links
