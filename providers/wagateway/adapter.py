"""WhatsApp Gateway: groups of one session, people added in silence and found again through their LIDs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

import httpx

from providers.base import (
    Account,
    AccountState,
    AddResult,
    Capability,
    Group,
    GroupNotFound,
    Operation,
    Outcome,
    PermissionMissing,
    Person,
    Presence,
    ProviderError,
    Verdict,
    judge,
)
from providers.http import TIMEOUT, HttpClient
from providers.wagateway.api import Gateway, GroupRow, MemberRow, Page, SessionRow, group_path
from providers.wagateway.people import AT_ONCE, Directory


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> "WaGateway":
    """Make the adapter of one session.

    Args:
        base_url: the gateway's host, with or without `/api/v1`; the contract has no public default.
        token: an API key (`wa_…`) or a login JWT; the gateway takes both as a bearer token.
        account: the session's id.
        transport: another transport than the network.
        timeout: seconds for the parts of one exchange.

    Raises:
        ValueError: `base_url` or `account` is missing.
    """
    if not base_url:
        raise ValueError("WhatsApp Gateway has no public host: set base_url to your gateway's.")
    if not account:
        raise ValueError("WhatsApp Gateway needs account: the id of the session.")
    http = HttpClient(
        base_url.rstrip("/").removesuffix("/api/v1"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout,
        transport=transport,
    )
    return WaGateway(Gateway(http, account))


class WaGateway:
    """One session at a WhatsApp Gateway.

    Attributes:
        add_limit: the contract names none. 20 is the `ratePerMin` of its examples: even if the gateway counted
            every person and every number check as a send, one add stays within a minute's allowance.
        capabilities: the gateway's own words are `read`, and `send` for every change of a group.
    """

    add_limit: ClassVar[int] = 20
    capabilities: ClassVar[Mapping[Operation, Capability]] = MappingProxyType(
        {Operation.LIST: Capability.GROUPS_READ, Operation.ADD: Capability.SEND}
    )

    def __init__(self, gateway: Gateway, directory: Directory | None = None) -> None:
        self._gateway = gateway
        self._directory = directory or Directory(gateway)

    async def groups(self) -> AsyncIterator[Group]:
        """Give the stored groups of the session (`listGroups`)."""
        async for row in self._gateway.pages("/groups", Page[GroupRow]):
            if row.group_jid:
                yield _group(row, row.group_jid)

    async def group(self, group_id: str) -> Group:
        """Read one stored group (`getGroup`)."""
        reply = await self._gateway.read(group_path(group_id), missing=GroupNotFound)
        return _group(reply.parse(GroupRow), group_id)

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Look for `people` in the stored member list (`listGroupMembers`), which names its rows by LID.

        A row whose role is `left` is nobody: role words beyond member and admin are not documented, and that one is
        seen at such gateways.
        """
        path = f"{group_path(group_id)}/members"
        rows = self._gateway.pages(path, Page[MemberRow], missing=GroupNotFound)
        members = [row async for row in rows if row.role != "left"]
        return await self._directory.find(group_id, members, people)

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Check each number (`checkContact`), then add those with an account in one call (`addGroupMembers`).

        Of these the gateway says nothing: they are `UNKNOWN` until the group is read again. When a check cannot be
        had, nobody is added.
        """
        checks = await self._check_all(people)
        verdicts = tuple(check for check in checks if isinstance(check, Verdict))
        jids = [check for check in checks if isinstance(check, str)]
        rest = [person for person, check in zip(people, checks, strict=True) if not isinstance(check, Verdict)]
        try:
            for check in checks:
                if isinstance(check, ProviderError):
                    raise check
            if jids:
                await self._gateway.add_members(group_id, list(dict.fromkeys(jids)))
        except ProviderError as error:
            if not verdicts:
                raise
            return AddResult(verdicts + judge(error, rest), error)
        return AddResult(verdicts + tuple(Verdict(p.key, Outcome.UNKNOWN, provider_code="204") for p in rest))

    async def account(self) -> Account:
        """Read the session's state (`getSession`), which takes the `manage` permission.

        Without it the token is checked by a read of stored data, which says nothing of the connection.
        """
        try:
            reply = await self._gateway.read("")
        except PermissionMissing:
            await self._gateway.read("/contacts", params={"limit": 1})
            return Account(AccountState.UNKNOWN, "The token lacks `manage`, so the session's state cannot be read.")
        status = reply.parse(SessionRow).status
        if not status:
            return Account(AccountState.UNKNOWN, "The gateway gives no status for the session.")
        state = AccountState.CONNECTED if status == "working" else AccountState.DISCONNECTED
        return Account(state, status)

    async def aclose(self) -> None:
        """Close the connections to the gateway."""
        await self._gateway.aclose()

    async def _check_all(self, people: Sequence[Person]) -> list[str | Verdict | ProviderError]:
        """Give each person's JID, verdict or error, some at a time; the first error ends the asking."""
        gate = asyncio.Semaphore(AT_ONCE)
        errors: list[ProviderError] = []

        async def check(person: Person) -> str | Verdict | ProviderError:
            async with gate:
                if not errors:
                    try:
                        return await self._directory.jid_of(person)
                    except ProviderError as error:
                        errors.append(error)
                return errors[0]

        return await asyncio.gather(*map(check, people))


def _group(row: GroupRow, group_id: str) -> Group:
    return Group(row.group_jid or group_id, row.subject or "", row.participant_count)
