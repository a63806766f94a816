"""2Chat: WhatsApp groups through a phone paired with 2Chat (contract `contracts/twochat.openapi.yaml`)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import httpx
import stamina
from pydantic import BaseModel

from providers.base import (
    Account,
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    AddResult,
    Capability,
    Group,
    GroupNotFound,
    Operation,
    Outcome,
    OutcomeUnknown,
    Person,
    Presence,
    ProviderFault,
    RateLimited,
)
from providers.http import TIMEOUT, HttpClient, Query, Reply
from providers.identity import same_person_keys
from providers.twochat.replies import (
    BUSY,
    AddReply,
    Channel,
    ChannelsReply,
    GroupDetail,
    GroupReply,
    GroupsReply,
    digits_of,
    envelope_of,
    error_of,
    nobody_named,
    text_of,
    unaccepted_in,
    verdict_of,
    words_of,
)

BASE_URL = "https://api.p.2chat.io"
"""The contract's server; every path used here starts with `/open`."""

BUSY_ATTEMPTS = 3
"""How often a write is sent while the number is busy: 486 says that it was not begun (page api-response-codes)."""

_Model = TypeVar("_Model", bound=BaseModel)

_STATES: Mapping[str, tuple[AccountState, str]] = {
    "C": (AccountState.CONNECTED, "connected"),
    "D": (AccountState.DISCONNECTED, "disconnected"),
    "F": (AccountState.DISCONNECTED, "the connection failed"),
}


class TwoChat:
    """One connected number at 2Chat.

    Args:
        http: the client, with the API key in its headers.
        number: the connected phone, E.164 with plus; it acts in every write (`from_number`).
    """

    add_limit: ClassVar[int] = 10
    capabilities: ClassVar[Mapping[Operation, Capability]] = {
        Operation.LIST: Capability.GROUPS_READ,
        Operation.ADD: Capability.GROUPS_WRITE,
    }

    def __init__(self, http: HttpClient, number: str) -> None:
        self._http = http
        self._number = number

    async def groups(self) -> AsyncIterator[Group]:
        """Give every group of the connected number, from one call (listGroups shows no paging)."""
        try:
            reply = await self._read(f"/open/whatsapp/groups/{self._number}", GroupsReply)
        except GroupNotFound as error:
            raise AccountDisconnected(
                "2Chat does not know the connected number.", code=error.code, words=error.words
            ) from error
        for group in reply.data:
            if group.uuid:
                yield group.as_group(group.uuid)

    async def group(self, group_id: str) -> Group:
        """Read one group (getGroup). The name is `wa_group_name`; `wa_subject` holds the description."""
        return (await self._detail(group_id)).as_group(group_id)

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Look for `people` in the stored member list (getGroup), which trails changes by some minutes."""
        detail = await self._detail(group_id)
        members = [row for row in detail.participants or () if row.role != "left"]
        phones = {form for member in members for form in same_person_keys(member.phone)} - {""}
        lids = {member.lid for member in members} - {""}
        whole = detail.participants is not None and (detail.size is None or detail.size <= len(members))
        every_phone = whole and all(member.phone for member in members)
        every_lid = whole and all(member.lid for member in members)

        def look(person: Person) -> Presence:
            if person.digits in phones or person.lid in lids:
                return Presence.PRESENT
            comparable = (person.phone and every_phone) or (person.lid and every_lid)
            return Presence.ABSENT if comparable else Presence.UNKNOWN

        return {person.key: look(person) for person in people}

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Add at most ten people (addParticipants) and judge each from its own entry and from `unaccepted_numbers`.

        While the number is busy (486, not begun) the write is sent again, at most `BUSY_ATTEMPTS` times in all; after
        any other answer it is not. A person known only by a LID is `INVALID` here: 2Chat takes phone numbers.
        `AddResult.error` is set when WhatsApp rate-limited a participant, for that concerns the whole sender.
        """
        if len(people) > self.add_limit:
            raise ValueError(f"2Chat adds at most {self.add_limit} people in one call")
        phones = [person.phone for person in people if person.phone]
        if not phones:
            return AddResult(tuple(verdict_of(person, {}, frozenset()) for person in people))
        reply = await self._write(
            f"/open/whatsapp/group/{quote(group_id, safe='')}/add-participant",
            {"from_number": self._number, "participants": phones},
        )
        try:
            entries = reply.parse(AddReply).entries
        except ProviderFault as error:
            raise OutcomeUnknown(error.message, code=error.code, words=words_of(reply)) from error
        unaccepted = frozenset(unaccepted_in(reply.body))
        if not entries and not unaccepted:
            raise nobody_named(reply)
        verdicts = tuple(verdict_of(person, entries, unaccepted) for person in people)
        limited = next((v for v in verdicts if v.outcome is Outcome.RATE_LIMITED), None)
        if limited is None:
            return AddResult(verdicts)
        return AddResult(
            verdicts,
            RateLimited(
                "WhatsApp refuses additions by this number for now.",
                code=limited.provider_code,
                words=limited.provider_message,
            ),
        )

    async def account(self) -> Account:
        """Read the state of the connected number (listNumbers, which also checks the API key and the credits)."""
        try:
            channel = await self._channel()
        except AccountRestricted as error:
            return Account(AccountState.RESTRICTED, error.words or error.message)
        except AccountDisconnected as error:
            return Account(AccountState.DISCONNECTED, error.words or error.message)
        if channel is None:
            return Account(AccountState.DISCONNECTED, "2Chat does not list the number among its connected ones.")
        status = channel.connection_status or ""
        return Account(*_STATES.get(status, (AccountState.UNKNOWN, f"connection_status {text_of(status)!r}")))

    async def aclose(self) -> None:
        """Close the connections to 2Chat."""
        await self._http.aclose()

    async def _detail(self, group_id: str) -> GroupDetail:
        return (await self._read(f"/open/whatsapp/group/{quote(group_id, safe='')}", GroupReply)).data

    async def _channel(self) -> Channel | None:
        """Find the own number. The last page is not marked as such, so it is the first that brings nothing new."""
        own = same_person_keys(digits_of(self._number))
        seen: set[str] = set()
        page = 0
        while True:
            query: Query = {"status": "all", "page_number": page, "results_per_page": 100}
            channels = (await self._read("/open/whatsapp/get-numbers", ChannelsReply, query)).numbers
            for channel in channels:
                if channel.channel_type in {None, "WW"} and digits_of(channel.phone_number or "") in own:
                    return channel
            new = {c.phone_number or "" for c in channels} - seen
            if not new:
                return None
            seen |= new
            page += 1

    async def _read(self, path: str, model: type[_Model], query: Query | None = None) -> _Model:
        reply = await self._http.read("GET", path, params=query)
        if not reply.ok:
            raise error_of(reply, wrote=False)
        if envelope_of(reply).success is False:
            raise ProviderFault("2Chat reports a failure.", code=str(reply.status), words=words_of(reply))
        return reply.parse(model)

    async def _write(self, path: str, body: Any) -> Reply:
        async for attempt in stamina.retry_context(on=_is_busy, attempts=BUSY_ATTEMPTS, wait_initial=2.0, wait_max=8.0):
            with attempt:
                reply = await self._http.write("POST", path, body=body)
                if not reply.ok:
                    raise error_of(reply, wrote=True)
                return reply
        raise AssertionError("stamina ends by a return or an error")


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> TwoChat:
    """Make the adapter.

    Args:
        base_url: where 2Chat is, with or without `/open` at its end; None for `BASE_URL`.
        token: the API key, sent as `X-User-API-Key`.
        account: the connected phone number with its country code.
        transport: another transport than the network.
        timeout: the client's time-outs.

    Raises:
        ValueError: `account` is not a phone number.
    """
    digits = digits_of(account)
    if not digits:
        raise ValueError('twochat needs `account`: the connected phone number, for example "+12123334444"')
    root = (base_url or BASE_URL).rstrip("/").removesuffix("/open")
    return TwoChat(
        HttpClient(root, headers={"X-User-API-Key": token}, timeout=timeout, transport=transport), f"+{digits}"
    )


def _is_busy(error: Exception) -> bool:
    return isinstance(error, RateLimited) and error.code == str(BUSY)
