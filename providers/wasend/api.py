"""The calls to one session at Wasend: variants tried in turn, refusals told apart, and what a failure really was."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

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
)
from providers.http import HttpClient, Query, Reply
from providers.wasend.errors import (
    ELSEWHERE,
    NO_SUCH_PATH,
    OF_GROUP,
    LostSession,
    Refusals,
    body_of,
    envelope_of,
    is_empty,
    read_error,
    unknown_after,
    words_of,
    write_error,
)
from providers.wasend.records import MembersReply
from providers.wasend.replies import SessionReply
from providers.wasend.variants import Dialect, Point, Variant

_NOT_CONNECTED = frozenset({"CREATED", "STARTING", "STOPPED", "ERROR"})
"""The session states that the SDK's README names beside CONNECTED."""

_Model = TypeVar("_Model", bound=BaseModel)
_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Call:
    """A write that may be sent."""

    method: str
    path: str
    body: Any = None


class Api:
    """What all parts of the adapter share.

    Args:
        http: the client, with the API key in its headers.
        session: the session's uniqueSessionId.
        clock: gives the time in seconds, from any start.
    """

    def __init__(self, http: HttpClient, session: str, clock: Callable[[], float]) -> None:
        self._http = http
        self.session = session
        self.groups_path = f"/{quote(session, safe='')}/groups"
        self.dialect = Dialect(clock)

    def path(self, group_id: str, rest: str = "") -> str:
        """Give a group's path, with a literal `@` as the SDK has it (observed)."""
        return f"{self.groups_path}/{quote(group_id, safe='@')}{rest}"

    async def read(
        self, path: str, model: type[_Model], query: Query | None = None, refusals: Refusals = OF_GROUP
    ) -> _Model:
        """Read `model`. Raises `ProviderError`."""
        return await self._understood(await self._http.read("GET", path, params=query), model, refusals)

    async def read_either(self, point: Point, paths: Mapping[Variant, str], model: type[_Model]) -> _Model:
        """Read `model` at the path that the server has. A 404 at both is about the group."""
        for variant in self.dialect.order(point):
            reply = await self._http.read("GET", paths[variant])
            if reply.status not in NO_SUCH_PATH:
                break
        answer = await self._understood(reply, model, OF_GROUP)
        self.dialect.learn(point, variant)
        return answer

    async def members(self, group_id: str) -> MembersReply:
        """Read a group's members (listGroupParticipants): one path in both variants, so a 404 is about the group."""
        return await self.read(self.path(group_id, "/participants"), MembersReply)

    async def write(self, call: Call, refusals: Refusals) -> Reply:
        """Send a write once, and give its 2xx answer. Raises `ProviderError`."""
        return await self.checked(await self.send(call), refusals)

    async def send(self, call: Call) -> Reply:
        """Send a write once, and give its answer, whatever it is. Raises `ProviderError` where none came."""
        try:
            return await self._http.write(call.method, call.path, body=call.body)
        except OutcomeUnknown as error:
            raise await self._explained(error) from error

    async def send_either(
        self, point: Point, calls: Mapping[Variant, Call], absent: Collection[int] = NO_SUCH_PATH
    ) -> Reply:
        """Send a write in the variant that the server speaks, and give the last answer, whatever it is.

        The other variant is sent only after one of the statuses `absent`, which prove that nothing was done.
        """
        for variant in self.dialect.order(point):
            reply = await self.send(calls[variant])
            if reply.status not in absent:
                break
        if reply.ok and (reply.body is not None or is_empty(reply)):
            self.dialect.learn(point, variant)
        return reply

    async def checked(self, reply: Reply, refusals: Refusals) -> Reply:
        """Give a 2xx answer to a write back. Raises `ProviderError` for every other."""
        if not reply.ok:
            raise await self._explained(write_error(reply, refusals))
        return reply

    async def told(self, read: Callable[[], _Told]) -> _Told:
        """Give what `read` reads in a 2xx answer to a write. Raises `OutcomeUnknown` where it tells nothing."""
        try:
            return read()
        except OutcomeUnknown as error:
            raise await self._explained(error) from error

    async def without_path(self, group_id: str, reply: Reply) -> ProviderError:
        """Tell a call that this server does not have from a group that it does not know, by reading the group."""
        try:
            await self.members(group_id)
        except ProviderError as error:
            return error
        return NotSupported(
            "This Wasend server has no such call.", code=str(reply.status), provider_text=words_of(reply)
        )

    async def half_way(self, group_id: str, reply: Reply) -> ProviderError:
        """Give the error of a change of several people that was refused (`HALF_WAY`).

        It is open what that did, unless the group is gone or the session is not connected.
        """
        if reply.status == httpx.codes.NOT_FOUND:
            error = await self.without_path(group_id, reply)
        else:
            error = await self._explained(write_error(reply, OF_GROUP))
        if isinstance(error, GroupNotFound | AccountDisconnected):
            return error
        return unknown_after(reply, "Wasend refused it, perhaps after some of them")

    async def account(self) -> Account:
        """Read the state of the session (getSession), which also checks the API key."""
        reply = await self._http.read("GET", f"/sessions/{quote(self.session, safe='')}")
        if reply.status == httpx.codes.NOT_FOUND:
            return Account(AccountState.DISCONNECTED, "Wasend does not know the session")
        state = _parsed(reply, SessionReply, ELSEWHERE).state
        if state == "CONNECTED":
            return Account(AccountState.CONNECTED, "connected")
        if state in _NOT_CONNECTED:
            return Account(AccountState.DISCONNECTED, f"the session is {state}")
        return Account(AccountState.UNKNOWN, f"session status {state[:40]!r}")

    async def aclose(self) -> None:
        """Close the connections to Wasend."""
        await self._http.aclose()

    async def _understood(self, reply: Reply, model: type[_Model], refusals: Refusals) -> _Model:
        try:
            return _parsed(reply, model, refusals)
        except ProviderError as error:
            raise await self._explained(error) from error

    async def _explained(self, error: ProviderError) -> ProviderError:
        """Ask for the session's state after a failure without a clear meaning, and say so where it is not connected.

        How a group call on a session that is not connected fails is not documented; its state is. What was open stays
        so: the session may have been lost after the call.
        """
        if type(error) not in {InvalidRequest, ProviderFault, OutcomeUnknown}:
            return error
        try:
            account = await self.account()
        except ProviderError:
            return error
        if account.state is not AccountState.DISCONNECTED:
            return error
        kind = LostSession if isinstance(error, OutcomeUnknown) else AccountDisconnected
        return kind(f"Not connected at Wasend: {account.detail}.", code=error.code, provider_text=error.provider_text)


def _parsed(reply: Reply, model: type[_Model], refusals: Refusals) -> _Model:
    if not reply.ok or envelope_of(reply).reports_failure:
        raise read_error(reply, refusals)
    return replace(reply, body=body_of(reply)).parse(model)
