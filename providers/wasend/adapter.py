"""Wasend: WhatsApp groups through a session at Wasend (contract `contracts/wasend.openapi.yaml`)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    AddResult,
    Capability,
    Group,
    GroupNotFound,
    InvalidRequest,
    Operation,
    Outcome,
    OutcomeUnknown,
    Person,
    Presence,
    ProviderError,
    ProviderFault,
    RateLimited,
)
from providers.http import TIMEOUT, HttpClient, Query, Reply
from providers.wasend.people import presences_of, verdicts_of
from providers.wasend.replies import (
    AddReply,
    GroupRecord,
    GroupsReply,
    MembersReply,
    SessionReply,
    add_error,
    envelope_of,
    read_error,
    words_of,
)

BASE_URL = "https://api.wasend.dev"
"""The contract's server, the default in the documentation and in the SDK."""

PAGE = 50
"""Groups on a page: the default; the largest accepted limit is not documented."""

_Model = TypeVar("_Model", bound=BaseModel)

_NOT_CONNECTED = frozenset({"CREATED", "STARTING", "STOPPED", "ERROR"})
"""The session states that the SDK's README names beside CONNECTED."""


class Wasend:
    """One session at Wasend.

    `add_limit` is ours, for the contract leaves it open: ten is the only limit that any comparable provider documents,
    and no more than ten people are in doubt when one answer is lost. Nothing says that reads show a write at once.

    Args:
        http: the client, with the API key in its headers.
        session: the session's uniqueSessionId.
    """

    add_limit: ClassVar[int] = 10
    capabilities: ClassVar[Mapping[Operation, Capability]] = {
        Operation.LIST: Capability.GROUPS_READ,
        Operation.ADD: Capability.GROUPS_WRITE,
    }

    def __init__(self, http: HttpClient, session: str) -> None:
        self._http = http
        self._session = quote(session, safe="")

    async def groups(self) -> AsyncIterator[Group]:
        """Give every group of the session (listGroups), without member lists, which would make the pages heavy.

        The documentation's pages say whether more follow; the SDK's bare arrays do not, so there a short page is the
        last. A page that brings nothing new is the last in any case.
        """
        seen: set[str] = set()
        offset, more = 0, True
        while more:
            page = await self._page(offset)
            new = {record.id: record for record in page.groups if record.id not in seen}
            for record in new.values():
                yield record.as_group(record.id)
            seen.update(new)
            offset += len(page.groups)
            more = bool(new) and page.more_after(PAGE)

    async def group(self, group_id: str) -> Group:
        """Read one group: at the documentation's path (getGroupInfo), else at the SDK's (getGroup).

        A 404 is what a missing path and a missing group have in common. At the SDK's path it can only be the group,
        and a record for another id than the asked one is not taken.
        """
        path = self._group_path(group_id)
        try:
            record = await self._read(f"{path}/info", GroupRecord)
        except GroupNotFound:
            record = await self._read(path, GroupRecord)
        if record.id.partition("@")[0] != group_id.partition("@")[0]:
            raise ProviderFault("Wasend answered with another group than the one asked for.")
        return record.as_group(group_id)

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Look for `people` in the member list (listGroupParticipants), which has no pages."""
        reply = await self._read(f"{self._group_path(group_id)}/participants", MembersReply)
        return presences_of(people, reply.participants)

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Add people (addGroupParticipants) and judge each by the entries of `added` and `failed` that name them.

        `success` is not read where the lists name anybody: the contract does not define it for a partial failure, and
        for the same reason a `success: false` that names nobody leaves the effect open. `notify` keeps its default.
        `AddResult.error` is set when WhatsApp rate-limited a participant, for that concerns the whole sender.
        """
        if len(people) > self.add_limit:
            raise ValueError(f"Wasend adds at most {self.add_limit} people in one call")
        path = f"{self._group_path(group_id)}/participants/add"
        reply = await self._http.write("POST", path, body={"participants": [person.key for person in people]})
        if not reply.ok:
            raise await self._explained(add_error(reply))
        answer = _add_answer(reply)
        verdicts = verdicts_of(people, answer)
        limited = next((v for v in verdicts if v.outcome is Outcome.RATE_LIMITED), None)
        if limited is None:
            return AddResult(verdicts)
        return AddResult(
            verdicts, RateLimited("WhatsApp refuses additions by this session for now.", code=limited.provider_code)
        )

    async def account(self) -> Account:
        """Read the state of the session (getSession), which also checks the API key."""
        try:
            state = (await self._get(f"/sessions/{self._session}", SessionReply)).state
        except GroupNotFound:
            return Account(AccountState.DISCONNECTED, "Wasend does not know the session")
        if state == "CONNECTED":
            return Account(AccountState.CONNECTED, "connected")
        if state in _NOT_CONNECTED:
            return Account(AccountState.DISCONNECTED, f"the session is {state}")
        return Account(AccountState.UNKNOWN, f"session status {state[:40]!r}")

    async def aclose(self) -> None:
        """Close the connections to Wasend."""
        await self._http.aclose()

    def _group_path(self, group_id: str) -> str:
        """Give a group's path, with a literal `@` as the SDK has it (observed)."""
        return f"/{self._session}/groups/{quote(group_id, safe='@')}"

    async def _page(self, offset: int) -> GroupsReply:
        query: Query = {"limit": PAGE, "offset": offset, "exclude[]": "participants"}
        try:
            return await self._read(f"/{self._session}/groups", GroupsReply, query)
        except GroupNotFound as error:
            raise AccountDisconnected(
                "Wasend does not know the session.", code=error.code, words=error.words
            ) from error

    async def _read(self, path: str, model: type[_Model], query: Query | None = None) -> _Model:
        try:
            return await self._get(path, model, query)
        except ProviderError as error:
            raise await self._explained(error) from error

    async def _get(self, path: str, model: type[_Model], query: Query | None = None) -> _Model:
        reply = await self._http.read("GET", path, params=query)
        if not reply.ok or envelope_of(reply).success is False:
            raise read_error(reply)
        return reply.parse(model)

    async def _explained(self, error: ProviderError) -> ProviderError:
        """Ask for the session's state after a failure without a clear meaning, and give `AccountDisconnected` if so.

        How a group call on a session that is not connected fails is not documented; its state is.
        """
        if type(error) not in {InvalidRequest, ProviderFault}:
            return error
        try:
            account = await self.account()
        except ProviderError:
            return error
        if account.state is not AccountState.DISCONNECTED:
            return error
        return AccountDisconnected(f"Not connected at Wasend: {account.detail}.", code=error.code, words=error.words)


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Wasend:
    """Make the adapter.

    Args:
        base_url: where Wasend is; None for `BASE_URL`.
        token: the API key, sent as a bearer token.
        account: the session's uniqueSessionId.
        transport: another transport than the network.
        timeout: the client's time-outs.

    Raises:
        ValueError: `account` is empty.
    """
    if not account.strip():
        raise ValueError("wasend needs `account`: the session's uniqueSessionId")
    headers = {"Authorization": f"Bearer {token}"}
    http = HttpClient((base_url or BASE_URL).rstrip("/"), headers=headers, timeout=timeout, transport=transport)
    return Wasend(http, account.strip())


def _add_answer(reply: Reply) -> AddReply:
    """Read the two lists. Raises `OutcomeUnknown` where they cannot be read or name nobody."""
    try:
        answer = reply.parse(AddReply)
    except ProviderFault as error:
        raise OutcomeUnknown(error.message, code=error.code, words=words_of(reply)) from error
    if not answer.added and not answer.failed:
        raise OutcomeUnknown("Wasend's answer names nobody.", code=str(reply.status), words=words_of(reply))
    return answer
