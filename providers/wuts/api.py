"""The calls to WUTS. Reads are parsed, writes are sent once, failures are raised."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from providers.base import AccountDisconnected, GroupNotFound, ProviderError, ProviderFault
from providers.http import HttpClient, Model, Reply
from providers.responses import outcome_unknown
from providers.wuts.errors import error_for

_NOT_FOUND: Mapping[str, type[ProviderError]] = {
    "/groups/": GroupNotFound,
    "/communities/": GroupNotFound,
    "/status": AccountDisconnected,
}
"""The meaning of a 404, by the start of the path."""


class Api:
    """The WUTS API.

    Args:
        client: the client, with the token in its headers.
    """

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def read(self, model: type[Model], method: str, path: str, body: Any = None) -> Model:
        """Read `model`. Raises `ProviderError`."""
        reply = await self._client.read(method, path, body=body)
        if error := error_for(reply, not_found=_not_found(path)):
            raise error
        return reply.parse(model)

    async def write(
        self, method: str, path: str, body: Any = None, *, not_found: type[ProviderError] | None = None
    ) -> Reply:
        """Send a write once and return its response, which reports a success.

        Args:
            method: the HTTP method.
            path: the contract's path.
            body: the JSON to send.
            not_found: the meaning of a 404; None for that of the path.

        Raises:
            OutcomeUnknown: it was sent, and the response leaves open what was done.
            ProviderError: nothing was done.
        """
        reply = await self._client.write(method, path, body=body)
        if error := error_for(reply, not_found=not_found or _not_found(path), wrote=True):
            raise error
        return reply

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _not_found(path: str) -> type[ProviderError]:
    return next((kind for start, kind in _NOT_FOUND.items() if path.startswith(start)), ProviderFault)


def check_done(reply: Reply) -> None:
    """Raise `OutcomeUnknown` for a 202: WUTS will make the change later."""
    if reply.accepted_for_later:
        raise outcome_unknown(reply, "WUTS will make the change later")


def group_path(group_id: str) -> str:
    """Return the path of a group."""
    return f"/groups/{quote(group_id, safe='@')}"


def community_path(community_id: str) -> str:
    """Return the path of a community, whose JID looks like a group's."""
    return f"/communities/{quote(community_id, safe='@')}"
