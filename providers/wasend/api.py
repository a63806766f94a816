"""The calls to one session at Wasend: two API variants, errors, and the session's state behind a failure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    GroupNotFound,
    InvalidRequest,
    NotSupported,
    OutcomeUnknown,
    ProviderError,
    ProviderFault,
    SessionLost,
)
from providers.http import HttpClient, Model, Query, Reply
from providers.wasend.errors import (
    MEMBER_CALL,
    NO_SUCH_PATH,
    SESSION_CALL,
    ErrorKinds,
    body_of,
    envelope_of,
    error_for,
    is_empty,
    text_of,
    unknown_after,
)
from providers.wasend.models import MembersReply, SessionReply
from providers.wasend.variants import ApiVariant, Endpoint, KnownVariants

_NOT_CONNECTED = frozenset({"CREATED", "STARTING", "STOPPED", "ERROR"})
"""The session states that the SDK's README names beside CONNECTED."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Call:
    """A write: its method, path and body."""

    method: str
    path: str
    body: Any = None


class Api:
    """The Wasend API, used by one session.

    Args:
        http: the client, with the API key in its headers.
        session: the session's uniqueSessionId.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, http: HttpClient, session: str, clock: Callable[[], float]) -> None:
        self._http = http
        self.session = session
        self.groups_path = f"/{quote(session, safe='')}/groups"
        self.variants = KnownVariants(clock)

    def path(self, group_id: str, rest: str = "") -> str:
        """Return a group's path, with a literal `@` as in the SDK (observed)."""
        return f"{self.groups_path}/{quote(group_id, safe='@')}{rest}"

    async def read(
        self, path: str, model: type[Model], query: Query | None = None, kinds: ErrorKinds = MEMBER_CALL
    ) -> Model:
        """Read `model`. Raises `ProviderError`."""
        return await self._parse(await self._http.read("GET", path, params=query), model, kinds)

    async def read_either(self, endpoint: Endpoint, paths: Mapping[ApiVariant, str], model: type[Model]) -> Model:
        """Read `model` at the path that the server has. A 404 at both paths is about the group."""
        for variant in self.variants.order(endpoint):
            reply = await self._http.read("GET", paths[variant])
            if reply.status not in NO_SUCH_PATH:
                break
        answer = await self._parse(reply, model, MEMBER_CALL)
        self.variants.learn(endpoint, variant)
        return answer

    async def members(self, group_id: str) -> MembersReply:
        """Read a group's members (listGroupParticipants): one path in both variants, so a 404 is about the group."""
        return await self.read(self.path(group_id, "/participants"), MembersReply)

    async def write(self, call: Call, kinds: ErrorKinds) -> Reply:
        """Send a write once and return its 2xx response. Raises `ProviderError`."""
        return await self.check(await self.send(call), kinds)

    async def send(self, call: Call) -> Reply:
        """Send a write once and return its response, whatever the status. Raises `ProviderError` if none came."""
        try:
            return await self._http.write(call.method, call.path, body=call.body)
        except OutcomeUnknown as error:
            raise await self._explain(error) from error

    async def send_either(
        self, endpoint: Endpoint, calls: Mapping[ApiVariant, Call], absent: Collection[int] = NO_SUCH_PATH
    ) -> Reply:
        """Send a write in the variant that the server has. Return the last response, whatever the status.

        The other variant is sent only after one of the statuses in `absent`, which prove that nothing was done.
        """
        for variant in self.variants.order(endpoint):
            reply = await self.send(calls[variant])
            if reply.status not in absent:
                break
        if reply.ok and (reply.body is not None or is_empty(reply)):
            self.variants.learn(endpoint, variant)
        return reply

    async def check(self, reply: Reply, kinds: ErrorKinds) -> Reply:
        """Return the response to a write if it is a 2xx. Raises `ProviderError` for every other."""
        if not reply.ok:
            raise await self._explain(error_for(reply, kinds, wrote=True))
        return reply

    async def parse(self, parser: Callable[[], _Result]) -> _Result:
        """Return what `parser` finds in the 2xx response to a write. Raises `OutcomeUnknown` if it finds nothing."""
        try:
            return parser()
        except OutcomeUnknown as error:
            raise await self._explain(error) from error

    async def error_for_no_path(self, group_id: str, reply: Reply) -> ProviderError:
        """Return the error for a missing path: an unknown group, or a call that this server doesn't have.

        Reading the group shows which of the two it is.
        """
        try:
            await self.members(group_id)
        except ProviderError as error:
            return error
        return NotSupported(
            "This Wasend server doesn't have this call.", code=str(reply.status), provider_text=text_of(reply)
        )

    async def partial_failure(self, group_id: str, reply: Reply) -> ProviderError:
        """Return the error of a change of several people that was rejected with a status of `PARTIAL_FAILURE`.

        Its result isn't known, unless the group doesn't exist or the session isn't connected.
        """
        if reply.status == httpx.codes.NOT_FOUND:
            error = await self.error_for_no_path(group_id, reply)
        else:
            error = await self._explain(error_for(reply, MEMBER_CALL, wrote=True))
        if isinstance(error, GroupNotFound | AccountDisconnected):
            return error
        return unknown_after(reply, "Wasend rejected the request, perhaps after changing some of the people")

    async def account(self) -> Account:
        """Read the state of the session (getSession), which also checks the API key."""
        reply = await self._http.read("GET", f"/sessions/{quote(self.session, safe='')}")
        if reply.status == httpx.codes.NOT_FOUND:
            return Account(AccountState.DISCONNECTED, "Wasend doesn't know the session")
        state = _parse_read(reply, SessionReply, SESSION_CALL).state
        if state == "CONNECTED":
            return Account(AccountState.CONNECTED, "connected")
        if state in _NOT_CONNECTED:
            return Account(AccountState.DISCONNECTED, f"the session is {state}")
        return Account(AccountState.UNKNOWN, f"session status {state[:40]!r}")

    async def aclose(self) -> None:
        """Close the connections to Wasend."""
        await self._http.aclose()

    async def _parse(self, reply: Reply, model: type[Model], kinds: ErrorKinds) -> Model:
        try:
            return _parse_read(reply, model, kinds)
        except ProviderError as error:
            raise await self._explain(error) from error

    async def _explain(self, error: ProviderError) -> ProviderError:
        """Return a clearer error for an ambiguous failure if the session isn't connected.

        How a group call fails on a session that isn't connected is not documented; the state of the session is. An
        unknown result stays unknown, because the session may have been lost after the call.
        """
        if type(error) not in {InvalidRequest, ProviderFault, OutcomeUnknown}:
            return error
        try:
            account = await self.account()
        except ProviderError:
            return error
        if account.state is not AccountState.DISCONNECTED:
            return error
        kind = SessionLost if isinstance(error, OutcomeUnknown) else AccountDisconnected
        message = f"Wasend isn't connected to WhatsApp: {account.detail}."
        return kind(message, code=error.code, provider_text=error.provider_text)


def _parse_read(reply: Reply, model: type[Model], kinds: ErrorKinds) -> Model:
    if not reply.ok or envelope_of(reply).reports_failure:
        raise error_for(reply, kinds, wrote=False)
    return replace(reply, body=body_of(reply)).parse(model)
