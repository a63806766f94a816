"""The calls of WUTS: what is read is parsed, what is changed is sent once, what fails is raised."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from providers.base import AccountDisconnected, GroupNotFound, OutcomeUnknown, ProviderError, ProviderFault
from providers.http import HttpClient, Reply
from providers.wuts.errors import read_error

Model = TypeVar("Model", bound=BaseModel)

_MISSING: Mapping[str, type[ProviderError]] = {
    "/groups/": GroupNotFound,
    "/communities/": GroupNotFound,
    "/status": AccountDisconnected,
}
"""What a 404 means, by how the path begins."""


class Api:
    """WUTS over one client, which holds the token."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def read(self, model: type[Model], method: str, path: str, body: Any = None) -> Model:
        """Read something. Raises `ProviderError`."""
        reply = await self._client.read(method, path, body=body)
        if error := read_error(reply, missing=_missing(path)):
            raise error
        return reply.parse(model)

    async def write(
        self, method: str, path: str, body: Any = None, *, missing: type[ProviderError] | None = None
    ) -> Reply:
        """Change something, once; returning says that WUTS reports a success.

        Args:
            method: the HTTP method.
            path: the contract's path.
            body: the JSON to send.
            missing: what a 404 means, where the path does not tell.

        Raises:
            OutcomeUnknown: it was sent, and the answer leaves open what was done.
            ProviderError: nothing was done.
        """
        reply = await self._client.write(method, path, body=body)
        if error := read_error(reply, missing=missing or _missing(path), write=True):
            raise error
        return reply

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _missing(path: str) -> type[ProviderError]:
    return next((kind for start, kind in _MISSING.items() if path.startswith(start)), ProviderFault)


def settled(reply: Reply) -> None:
    """Hold a success to having happened. Raises `OutcomeUnknown` for a 202, by which it is to be done later."""
    if reply.status == httpx.codes.ACCEPTED:
        raise OutcomeUnknown("WUTS does it later; only reading back can tell.", code=str(reply.status))


def parsed(reply: Reply, model: type[Model]) -> Model:
    """Read the answer to a write. Raises `OutcomeUnknown` where it is of another shape."""
    try:
        return reply.parse(model)
    except ProviderFault as fault:
        raise OutcomeUnknown(fault.message, code=fault.code, provider_text=reply.text) from None


def read_leniently(reply: Reply, model: type[Model]) -> Model:
    """Read the answer to a write that succeeded whatever else it tells; one of another shape tells nothing."""
    try:
        return reply.parse(model)
    except ProviderFault:
        return model()


def group_path(group_id: str) -> str:
    """Give the path of one group."""
    return f"/groups/{quote(group_id, safe='@')}"


def community_path(community_id: str) -> str:
    """Give the path of one community, whose JID has the form of a group's."""
    return f"/communities/{quote(community_id, safe='@')}"
