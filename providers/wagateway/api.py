"""The calls of the WhatsApp Gateway: paths and pages.

By `contracts/wagateway.openapi.yaml`; operations are named as there.
"""

from collections.abc import AsyncIterator, Container
from typing import Any
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
from providers.wagateway.models import GROUP_JID, Page, Problem, Row

EMPTY = frozenset({int(httpx.codes.NO_CONTENT)})
"""The success of most writes: 204, without a body."""
ANSWER = frozenset({int(httpx.codes.OK)})
ANY_SUCCESS = range(200, 300)


class Gateway:
    """One session at the gateway.

    Args:
        http: the client, with the credentials.
        session: the session's id; opaque.
    """

    def __init__(self, http: HttpClient, session: str) -> None:
        self._http = http
        self._root = f"/api/v1/sessions/{quote(session, safe='')}"

    async def read(
        self, path: str, *, params: Query | None = None, missing: type[ProviderError] = AccountDisconnected
    ) -> Reply:
        """Read a path of the session. `missing` is what a 404 means there. Raises `ProviderError`."""
        reply = await self._http.read("GET", self._root + path, params=params)
        if not reply.ok or Problem.of(reply):
            raise error_for(reply, missing)
        return reply

    async def pages(
        self,
        path: str,
        page: type[Page[Row]],
        *,
        params: Query | None = None,
        missing: type[ProviderError] = AccountDisconnected,
    ) -> AsyncIterator[list[Row]]:
        """Give the pages of a list.

        Raises:
            ProviderFault: a cursor came a second time, so that the list would never end; and as `read`.
        """
        seen = {""}
        cursor = ""
        while True:
            query = {**(params or {}), **({"cursor": cursor} if cursor else {})}
            answer = (await self.read(path, params=query, missing=missing)).parse(page)
            yield answer.data
            cursor = answer.next_cursor or ""
            if not cursor:
                return
            if cursor in seen:
                raise ProviderFault("The gateway's list does not end: a page cursor came twice.")
            seen.add(cursor)

    async def write(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        success: Container[int] = EMPTY,
        missing: type[ProviderError] = GroupNotFound,
    ) -> Reply:
        """Change something, once; returning says that one of the documented successes came.

        Raises:
            OutcomeUnknown: no answer, or one that is not documented: another success or a 202, an error envelope inside
                a success, a refusal by another status.
            ProviderError: as `read`; nothing was done.
        """
        reply = await self._http.write(method, self._root + path, body=body)
        if reply.status in success and not Problem.of(reply):
            return reply
        error = error_for(reply, missing)
        raise outcome_unknown(error) if isinstance(error, ProviderFault) else error

    async def write_as_admin(
        self, method: str, group: str, path: str, *, body: Any = None, success: Container[int] = EMPTY
    ) -> Reply:
        """Change something below the path `group`, for which the account has to be an admin of the group.

        Raises:
            NotGroupAdmin, PermissionMissing: 403, told apart by a further read.
            ProviderError: as `write`.
        """
        try:
            return await self.write(method, group + path, body=body, success=success)
        except PermissionMissing as error:
            raise await self._why_forbidden(group, error) from None

    async def read_invite(self, group: str) -> Reply:
        """Read the invite link (`getGroupInvite`): of the credential it needs `read`, of the account an admin's rights.

        Raises:
            NotGroupAdmin, PermissionMissing: 403, told apart by a read that needs no admin (`getGroup`).
            ProviderError: as `read`.
        """
        try:
            return await self.read(f"{group}/invite", missing=GroupNotFound)
        except PermissionMissing as error:
            forbidden = error
        try:
            await self.read(group, missing=GroupNotFound)
        except PermissionMissing:
            raise forbidden from None
        except ProviderError:
            message = "The account is not an admin of the group, or the token lacks the gateway's `read` permission."
        else:
            message = "The account is not an admin of the group."
        raise NotGroupAdmin(message, code=forbidden.code, provider_text=forbidden.provider_text)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _why_forbidden(self, group: str, error: ProviderError) -> ProviderError:
        """Tell the two causes of a 403 apart.

        Reading the invite link needs a group admin too, but of the credential only `read` (`getGroupInvite`).
        """
        try:
            await self.read(f"{group}/invite", missing=GroupNotFound)
        except PermissionMissing:
            message = "The account is not an admin of the group."
        except ProviderError:
            message = "The account is not an admin of the group, or the token lacks the gateway's `send` permission."
        else:
            message = "The token lacks the gateway's `send` permission."
            return PermissionMissing(message, code=error.code, provider_text=error.provider_text)
        return NotGroupAdmin(message, code=error.code, provider_text=error.provider_text)


def group_path(group_id: str) -> str:
    """Give the path of a group within its session. Raises `GroupNotFound` for what cannot be a group's JID."""
    if not GROUP_JID.fullmatch(group_id):
        raise GroupNotFound("The gateway names a group by its JID, which ends in @g.us.")
    return f"/groups/{quote(group_id, safe='')}"
