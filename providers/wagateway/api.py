"""The calls to one session at the WhatsApp Gateway (`contracts/wagateway.openapi.yaml`, whose operations are named)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from providers.base import (
    AccountDisconnected,
    GroupNotFound,
    NotGroupAdmin,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import HttpClient, Query, Reply
from providers.wagateway.errors import error_for, outcome_unknown
from providers.wagateway.models import GROUP_JID, ErrorDetail, Page, Record

NO_CONTENT = frozenset({int(httpx.codes.NO_CONTENT)})
"""The success of most writes: 204, without a body."""
OK = frozenset({int(httpx.codes.OK)})
ANY_SUCCESS = range(200, 300)

MAX_CONCURRENT_READS = 4
"""The reads in progress at a time for one call of the adapter: our value, no limit for reads is documented."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Api:
    """The WhatsApp Gateway API, used by one session.

    Args:
        http: the client, with the token in its headers.
        session: the session's id.
    """

    def __init__(self, http: HttpClient, session: str) -> None:
        self._http = http
        self._root = f"/api/v1/sessions/{quote(session, safe='')}"

    async def read(
        self, path: str, *, params: Query | None = None, not_found: type[ProviderError] = AccountDisconnected
    ) -> Reply:
        """Read a path of the session. `not_found` is the meaning of a 404. Raises `ProviderError`."""
        reply = await self._http.read("GET", self._root + path, params=params)
        if not reply.ok or ErrorDetail.of(reply):
            raise error_for(reply, not_found)
        return reply

    async def check_session(self) -> None:
        """Read one stored contact, which fails if the session doesn't exist. Raises `ProviderError`."""
        await self.read("/contacts", params={"limit": 1})

    async def pages(
        self,
        path: str,
        page: type[Page[Record]],
        *,
        params: Query | None = None,
        not_found: type[ProviderError] = AccountDisconnected,
    ) -> AsyncIterator[list[Record]]:
        """Yield the pages of a list.

        Raises:
            ProviderFault: a cursor came a second time, so the list would never end.
            ProviderError: as `read`.
        """
        seen = {""}
        cursor = ""
        while True:
            query = {**(params or {}), **({"cursor": cursor} if cursor else {})}
            answer = (await self.read(path, params=query, not_found=not_found)).parse(page)
            yield answer.data
            cursor = answer.next_cursor or ""
            if not cursor:
                return
            if cursor in seen:
                raise ProviderFault("The gateway's list doesn't end: a page cursor came twice.")
            seen.add(cursor)

    async def write(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        success: Container[int] = NO_CONTENT,
        not_found: type[ProviderError] = GroupNotFound,
    ) -> Reply:
        """Send a write once and return its response, whose status is one of `success`.

        Raises:
            OutcomeUnknown: there is no response, or an undocumented one: another 2xx, a success with an error envelope,
                a failure with another status.
            ProviderError: as `read`; nothing was done.
        """
        reply = await self._http.write(method, self._root + path, body=body)
        if reply.status in success and not ErrorDetail.of(reply):
            return reply
        error = error_for(reply, not_found)
        raise outcome_unknown(error) if isinstance(error, ProviderFault) else error

    async def write_as_admin(
        self, method: str, group: str, path: str, *, body: Any = None, success: Container[int] = NO_CONTENT
    ) -> Reply:
        """Send a write below the path `group`, for which the account has to be an admin of the group.

        After a 403 the invite link is read. It needs a group admin too, but only `read` of the token
        (`getGroupInvite`), so it shows which of the two is missing.

        Raises:
            NotGroupAdmin, PermissionMissing: a 403.
            ProviderError: as `write`.
        """
        try:
            return await self.write(method, group + path, body=body, success=success)
        except PermissionMissing as error:
            forbidden = error
        try:
            await self.read(f"{group}/invite", not_found=GroupNotFound)
        except PermissionMissing:
            raise not_group_admin(forbidden) from None
        except ProviderError:
            raise not_group_admin(forbidden, or_permission="send") from None
        message = "The token lacks the gateway's `send` permission."
        raise PermissionMissing(message, code=forbidden.code, provider_text=forbidden.provider_text)

    async def read_invite(self, group: str) -> Reply:
        """Read the invite link (`getGroupInvite`), for which the account has to be an admin of the group.

        After a 403 the group is read (`getGroup`), which needs no admin and the same permission.

        Raises:
            NotGroupAdmin, PermissionMissing: a 403.
            ProviderError: as `read`.
        """
        try:
            return await self.read(f"{group}/invite", not_found=GroupNotFound)
        except PermissionMissing as error:
            forbidden = error
        try:
            await self.read(group, not_found=GroupNotFound)
        except PermissionMissing:
            raise forbidden from None
        except ProviderError:
            raise not_group_admin(forbidden, or_permission="read") from None
        raise not_group_admin(forbidden)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def group_path(group_id: str) -> str:
    """Return the path of a group within its session. Raises `GroupNotFound` if it can't be a group's JID."""
    if not GROUP_JID.fullmatch(group_id):
        raise GroupNotFound("This isn't a WhatsApp Gateway group id: those end in @g.us.")
    return f"/groups/{quote(group_id, safe='')}"


def not_group_admin(error: ProviderError, *, or_permission: str = "") -> NotGroupAdmin:
    """Return the error for a 403 to an account that isn't an admin, or whose token may lack `or_permission`."""
    alternative = f", or the token lacks the gateway's `{or_permission}` permission" if or_permission else ""
    message = f"The account isn't an admin of the group{alternative}."
    return NotGroupAdmin(message, code=error.code, provider_text=error.provider_text)


async def call_for_each(
    items: Iterable[Item], call: Callable[[Item], Awaitable[Result]]
) -> list[Result | ProviderError]:
    """Call for each of `items`, `MAX_CONCURRENT_READS` at a time, and return the results or errors in their order.

    The first error stops the calls; the items that were not called for have this error too.
    """
    limit = asyncio.Semaphore(MAX_CONCURRENT_READS)
    errors: list[ProviderError] = []

    async def call_for(item: Item) -> Result | ProviderError:
        async with limit:
            if not errors:
                try:
                    return await call(item)
                except ProviderError as error:
                    errors.append(error)
            return errors[0]

    return await asyncio.gather(*map(call_for, items))
