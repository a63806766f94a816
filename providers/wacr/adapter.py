"""WA.cr APP API v2 (`contracts/wacr.openapi.yaml`): a group is a contact list of the CRM, a member a contact in it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar

import httpx

from providers.base import (
    Ability,
    Account,
    AccountState,
    Action,
    ChangeResult,
    Created,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipReading,
    MembershipStatus,
    PeopleResult,
    PermissionMissing,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
    Usage,
    verdicts_for_error,
)
from providers.http import TIMEOUT, HttpClient, Query
from providers.responses import outcome_unknown
from providers.wacr.api import Api
from providers.wacr.capabilities import ABILITIES
from providers.wacr.errors import LIMIT_WINDOW_SECONDS
from providers.wacr.membership import Membership
from providers.wacr.models import (
    AccountReply,
    Contact,
    LimitsReply,
    NamedRecord,
    SentReply,
    UsageReply,
    merge_usage,
    unwrap,
)

BASE_URL = "https://app.wa.cr"


class Wacr(Provider):
    """The tenant behind one WA.cr token.

    Args:
        api: the WA.cr API.
        clock: returns the time in seconds, for the caches of contacts and groups.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES
    capacity: ClassVar[int | None] = None

    def __init__(self, api: Api, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._membership = Membership(api, clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield the contact lists of the tenant (listGroups). Raises `ProviderError`.

        They are searched here: whether the provider's own search ignores case isn't documented.
        """
        async for page in self._api.pages("/groups", "groups:read", NamedRecord, {"sort": "name"}):
            for record in page.items:
                if (group := record.to_group()).matches(search):
                    yield group

    async def group(self, group_id: str) -> Group:
        """Read one contact list (getGroup). Raises `GroupNotFound` and other `ProviderError`."""
        return (await self._membership.read_group(_parse_id(group_id))).to_group()

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the contacts of a group as the pages arrive (listContacts, filter[group_id]).

        Raises `GroupNotFound` and other `ProviderError`.
        """
        group = _parse_id(group_id)
        await self._membership.read_group(group)  # an unknown group has no contacts, or those of a deleted group
        query: Query = {"sort": "id", "filter[group_id]": group}
        async for page in self._api.pages("/contacts", "contacts:read", Contact, query):
            for contact in page.items:
                if contact.is_in(group) is not False:
                    yield contact.to_member()

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Return who has a contact in the group; `UNKNOWN` for a LID, because the CRM has none.

        Raises `GroupNotFound` and other `ProviderError`.
        """
        statuses = await self._membership.membership(
            _parse_id(group_id), [person for person in people if person.digits]
        )
        return MembershipReading({person.key: statuses.get(person, MembershipStatus.UNKNOWN) for person in people})

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add the contacts of people to the group, and create the missing ones: see `Membership.add`."""
        return await self._membership.add(_parse_id(group_id), people)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove the contacts of people from the group: see `Membership.remove`."""
        return await self._membership.remove(_parse_id(group_id), people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Create a contact list (createGroup) and add people to it.

        An error after the list was created becomes the verdict of the people. Raises `ProviderError` before.
        """
        record, _ = await self._api.write("POST", "/groups", "groups:write", {"name": subject}, NamedRecord)
        group = Group(str(record.id), record.name or subject)
        self._membership.remember_group(record.id)
        try:
            result = await self._membership.add(record.id, people)
        except ProviderError as error:
            return Created(group, verdicts_for_error(error, people))
        return Created(group, result.verdicts)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Rename a contact list (updateGroup). It has nothing else to change."""
        failed: dict[Action, ProviderError] = {
            action: self._unsupported(action) for action in change.actions if action not in self.abilities
        }
        if change.subject is None:
            return ChangeResult((), failed)
        try:
            await self._rename(_parse_id(group_id), change.subject)
        except ProviderError as error:
            return ChangeResult((), failed | {Action.RENAME: error})
        return ChangeResult((Action.RENAME,), failed)

    async def delete(self, group_id: str) -> None:
        """Delete a contact list (deleteGroup). Raises `GroupNotFound` and other `ProviderError`."""
        group = _parse_id(group_id)
        self._membership.forget_group(group)
        await self._api.delete(f"/groups/{group}", "to delete groups")

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text through WhatsApp's Cloud API (sendTextMessage) and return its wamid. Raises `ProviderError`."""
        if not person.phone:
            raise InvalidRequest("WA.cr needs a phone number to send a text, and this LID has none.")
        body = {"phone": person.phone, "message": text}
        sent, reply = await self._api.write("POST", "/messages/text", "messages:send", body, SentReply)
        if sent.status not in {"", "sent"} or not (sent.message_id or sent.status):
            raise outcome_unknown(reply, "WA.cr's answer doesn't report that the text was sent", reply.text)
        return sent.message_id

    async def account(self) -> Account:
        """Read the tenant (getAccount). Raises `ProviderError`."""
        try:
            reply = await self._api.read("/account", "account:read")
        except PermissionMissing as error:
            if error.code != "INSUFFICIENT_SCOPE":
                raise
            return Account(AccountState.UNKNOWN, f"The token is accepted. {error.message}")
        tenant = unwrap(reply).parse(AccountReply)
        if not tenant.status:
            return Account(AccountState.UNKNOWN, tenant.name)
        state = AccountState.RESTRICTED if tenant.has_expired else AccountState.CONNECTED
        plan = f", plan {tenant.plan}" if tenant.plan else ""
        detail = f"{tenant.name} ({tenant.status}{plan}); adding needs groups:write, contacts:read and contacts:write"
        return Account(state, detail)

    async def limits(self) -> Sequence[Usage]:
        """Read the usage of the plan (getAccountUsage), and its features and calls per minute (getAccountLimits).

        An unlimited feature has no `limit`. Raises `ProviderError`.
        """
        used, limits = await asyncio.gather(
            self._api.read("/account/usage", "account:read"), self._api.read("/account/limits", "account:read")
        )
        found = merge_usage(unwrap(used).parse(UsageReply), unwrap(limits).parse(LimitsReply).limits)
        if not found:
            raise ProviderFault("WA.cr reports no usage and no limits.", code=str(used.status))
        return found

    async def aclose(self) -> None:
        """Close the connections to WA.cr."""
        await self._api.aclose()

    async def _rename(self, group: int, subject: str) -> None:
        body = {"name": subject}
        record, reply = await self._api.write("PATCH", f"/groups/{group}", "groups:write", body, NamedRecord)
        if record.id != group or record.name.strip() not in {"", subject.strip()}:
            text = f"It is called {record.name}." if record.id == group else ""
            raise outcome_unknown(reply, "WA.cr answered with another name or group", text)


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - all factories have the same parameters; here the token identifies the tenant
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> Wacr:
    """Build the adapter of one connection.

    Args:
        base_url: the instance's domain, with or without `/api/v2`; None for `BASE_URL`.
        token: an API token with the scopes that `Wacr.abilities` names.
        account: isn't needed.
        transport: replaces the network.
        timeout: the client's timeouts.
        clock: returns the time in seconds, from any start.
    """
    root = (base_url or BASE_URL).rstrip("/").removesuffix("/api/v2")
    http = HttpClient(
        f"{root}/api/v2",
        headers={"Authorization": f"Bearer {token}"},
        limit_window=LIMIT_WINDOW_SECONDS,
        timeout=timeout,
        transport=transport,
    )
    return Wacr(Api(http), clock=clock)


def _parse_id(group_id: str) -> int:
    """Return a group id as a number. Raises `GroupNotFound` for anything else, without a call."""
    if not (group_id.isascii() and group_id.isdecimal()):
        raise GroupNotFound("This isn't a WA.cr group id: those are whole numbers.")
    return int(group_id)
