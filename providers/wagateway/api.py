"""The calls of the WhatsApp Gateway: paths, pages, rows, and what its errors mean.

By `contracts/wagateway.openapi.yaml`; operations are named as there.
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import HttpClient, Query, Reply, rate_limited
from providers.identity import lid_of, phone_digits

_GROUP_JID = re.compile(r"[0-9-]+@g\.us")
_PHONE_NUMBER = re.compile(r"\+?([0-9]+)")


class _Payload(BaseModel):
    """The gateway writes camelCase, and documents no field as always present."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class GroupRow(_Payload):
    """A stored group (schema `Group`)."""

    group_jid: str = ""
    subject: str | None = None
    participant_count: int | None = None


class Identity(_Payload):
    """Who somebody is: a member row's `lid`, a contact's `identity`, whichever of the fields it carries.

    The member list's page speaks of a JID, and its example has only a `lid` (`x-contradictions`): all are read.
    """

    lid: str | None = None
    jid: str | None = None
    phone_jid: str | None = None
    phone_number: str | None = None

    @property
    def lid_key(self) -> str:
        """The LID without a device (`123@lid`); empty where none is given."""
        return lid_of(self.lid or "") or lid_of(self.jid or "")

    @property
    def digits(self) -> str:
        """The phone in digits; empty where none is given."""
        for jid in (self.phone_jid, self.jid, self.lid):
            if digits := phone_digits(jid or ""):
                return digits
        number = _PHONE_NUMBER.fullmatch(self.phone_number or "")
        return number[1] if number else ""


class MemberRow(Identity):
    """A stored member (schema `GroupMember`); `first_seen_at` in Unix milliseconds."""

    role: str | None = None
    first_seen_at: int | None = None


class ContactRow(Identity):
    """A contact: `getContact` nests who it is under `identity`; the shape of `listContacts`' items is undocumented."""

    identity: Identity | None = None

    @property
    def who(self) -> Identity:
        """The identity, wherever it stands."""
        return self.identity or self


class NumberCheck(_Payload):
    """What `checkContact` says of one number; `is_on_whatsapp` None where it says nothing."""

    is_on_whatsapp: bool | None = Field(default=None, alias="isOnWhatsApp")
    jid: str | None = None


class SessionRow(_Payload):
    """A session (schema `Session`): `working` is the connected state, the list of the others is not published."""

    status: str | None = None


Row = TypeVar("Row", bound=BaseModel)


class Page(_Payload, Generic[Row]):
    """One page of a list; the end is written as an empty cursor, as null, or not at all."""

    data: list[Row]
    next_cursor: str | None = None


class NotStored(ProviderError):
    """The gateway has no stored contact with this LID."""


class _Problem(_Payload):
    code: str = ""
    message: str = ""


class _ErrorEnvelope(_Payload):
    error: _Problem


_BY_STATUS: dict[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "The gateway found the request malformed."),
    401: (CredentialsRejected, "The gateway does not accept the token."),
    403: (PermissionMissing, "The token lacks a permission at the gateway."),
    422: (InvalidRequest, "The gateway found the request malformed."),
}
_MISSING: dict[type[ProviderError], str] = {
    AccountDisconnected: "The gateway knows no session with this id for this token; check the connection's account.",
    GroupNotFound: "The gateway knows no such group in this session, or no such session.",
    NotStored: "The gateway has no contact with this LID.",
}


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
        if not reply.ok:
            raise _failure(reply, missing)
        return reply

    async def pages(
        self,
        path: str,
        page: type[Page[Row]],
        *,
        params: Query | None = None,
        missing: type[ProviderError] = AccountDisconnected,
    ) -> AsyncIterator[Row]:
        """Give the rows of a list, page after page.

        Raises:
            ProviderFault: a cursor came a second time, so that the list would never end; and as `read`.
        """
        seen = {""}
        cursor = ""
        while True:
            query = {**(params or {}), **({"cursor": cursor} if cursor else {})}
            answer = (await self.read(path, params=query, missing=missing)).parse(page)
            for row in answer.data:
                yield row
            cursor = answer.next_cursor or ""
            if not cursor:
                return
            if cursor in seen:
                raise ProviderFault("The gateway's list does not end: a page cursor came twice.")
            seen.add(cursor)

    async def add_members(self, group_id: str, jids: Sequence[str]) -> None:
        """Ask for `jids` to be added (`addGroupMembers`); returning says only that the request went through.

        Raises:
            InvalidRequest: a 400 to a list of one, whose JID is therefore the malformed one.
            OutcomeUnknown: no answer, an undocumented one, a 5xx, or a 400 to several: whether a malformed JID
                spoils the good ones is undocumented.
            NotGroupAdmin, PermissionMissing: 403, told apart by a further read.
            ProviderError: as `read`.
        """
        path = group_path(group_id)
        reply = await self._http.write("POST", f"{self._root}{path}/members", body={"participants": list(jids)})
        if reply.status == httpx.codes.NO_CONTENT:
            return
        error = _failure(reply, GroupNotFound)
        if isinstance(error, PermissionMissing):
            raise await self._why_forbidden(path, error)
        undecided = isinstance(error, ProviderFault) and (
            reply.ok or reply.status == httpx.codes.REQUEST_TIMEOUT or httpx.codes.is_server_error(reply.status)
        )
        if undecided or (isinstance(error, InvalidRequest) and len(jids) > 1):
            raise OutcomeUnknown(
                "The gateway's answer leaves open what the add did.", code=error.code, words=error.words
            )
        raise error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _why_forbidden(self, path: str, error: ProviderError) -> ProviderError:
        """Tell the two causes of a 403 apart.

        Reading the invite link needs a group admin too, but of the credential only `read` (`getGroupInvite`).
        """
        try:
            await self.read(f"{path}/invite", missing=GroupNotFound)
        except PermissionMissing:
            message = "The account is not an admin of the group."
        except ProviderError:
            message = "The account is not an admin of the group, or the token lacks the gateway's `send` permission."
        else:
            return PermissionMissing(
                "The token lacks the gateway's `send` permission.", code=error.code, words=error.words
            )
        return NotGroupAdmin(message, code=error.code, words=error.words)


def group_path(group_id: str) -> str:
    """Give the path of a group within its session. Raises `GroupNotFound` for what cannot be a group's JID."""
    if not _GROUP_JID.fullmatch(group_id):
        raise GroupNotFound("The gateway names a group by its JID, which ends in @g.us.")
    return f"/groups/{quote(group_id, safe='')}"


def _failure(reply: Reply, missing: type[ProviderError]) -> ProviderError:
    """Make the error of an answer that is not the documented success; `missing` is what a `not_found` means."""
    problem = _problem(reply)
    code = problem.code or str(reply.status)
    words = problem.message or reply.text
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, code=code, words=words)
    kind, message = _BY_STATUS.get(
        reply.status, (ProviderFault, "The gateway gave an answer that it does not document.")
    )
    if problem.code == "not_found":
        kind, message = missing, _MISSING[missing]
    elif problem.code == "not_implemented":
        kind, message = AccountDisconnected, "The WhatsApp session is not connected."
    return kind(message, code=code, words=words)


def _problem(reply: Reply) -> _Problem:
    try:
        return _ErrorEnvelope.model_validate(reply.body).error
    except ValidationError:
        return _Problem()
