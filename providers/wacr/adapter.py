"""WA.cr APP API v2, where a group is a contact list of the CRM and a member is a contact that holds its id.

Facts are from `contracts/wacr.openapi.yaml`.
"""

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
    MembershipStatus,
    OutcomeUnknown,
    PeopleResult,
    PermissionMissing,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
    Usage,
    verdicts_for_error,
)
from providers.http import TIMEOUT, Query
from providers.wacr.api import WacrApi
from providers.wacr.capabilities import ABILITIES
from providers.wacr.membership import Membership
from providers.wacr.models import Allowances, Contact, PlanLimits, Record, SentText, Tenant, unwrapped, usages

DEFAULT_URL = "https://app.wa.cr"


class Wacr(Provider):
    """One tenant of WA.cr.

    Args:
        base_url: the instance's domain, with or without `/api/v2`.
        token: an API token with the scopes that `abilities` names.
        timeout: seconds, for each phase of a call.
        transport: another transport than the network.
        clock: gives seconds; by it the ids of contacts are remembered.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES
    capacity: ClassVar[int | None] = None

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = WacrApi(base_url, token, timeout, transport)
        self._membership = Membership(self._api, clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give the contact lists of the tenant (listGroups). Raises `ProviderError`.

        They are searched here: whether the provider's own search minds capital letters is not documented.
        """
        async for page in self._api.pages("/groups", "groups:read", Record, {"sort": "name"}):
            for record in page.items:
                if (shown := _shown(record)).matches(search):
                    yield shown

    async def group(self, group_id: str) -> Group:
        """Read one contact list (getGroup). Raises `GroupNotFound` and other `ProviderError`."""
        return _shown(await self._membership.record(_number(group_id)))

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give the contacts of a group, page after page (listContacts, filter[group_id]).

        Raises `GroupNotFound` and other `ProviderError`.
        """
        group = _number(group_id)
        await self._membership.record(group)  # one that is not there has no contacts, or those of a deleted group
        wanted: Query = {"sort": "id", "filter[group_id]": group}
        async for page in self._api.pages("/contacts", "contacts:read", Contact, wanted):
            for contact in page.items:
                if contact.is_in(group) is not False:
                    yield contact.as_member()

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Tell who has a contact in the group; `UNKNOWN` for a LID, which the CRM does not know.

        Raises `GroupNotFound` and other `ProviderError`.
        """
        told = await self._membership.membership(_number(group_id), [person for person in people if person.digits])
        return {person.key: told.get(person, MembershipStatus.UNKNOWN) for person in people}

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Put the contacts of people into the group, and make the missing ones: see `Membership.add`."""
        return await self._membership.add(_number(group_id), people)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Take the contacts of people out of the group: see `Membership.remove`."""
        return await self._membership.remove(_number(group_id), people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Make a contact list (createGroup), and add people to it.

        An error that comes after the list is there becomes the verdict of its people. Raises `ProviderError` before.
        """
        record, _ = await self._api.write("POST", "/groups", "groups:write", {"name": subject}, Record)
        group = Group(str(record.id), record.name or subject)
        self._membership.note(record.id, there=True)
        try:
            result = await self._membership.add(record.id, people)
        except ProviderError as error:
            return Created(group, verdicts_for_error(error, people))
        return Created(group, result.verdicts)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Rename a contact list (updateGroup); it has nothing else that could be changed."""
        failed: dict[Action, ProviderError] = {
            action: self._unsupported(action) for action in change.actions if action not in self.abilities
        }
        if change.subject is None:
            return ChangeResult((), failed)
        try:
            await self._rename(_number(group_id), change.subject)
        except ProviderError as error:
            return ChangeResult((), failed | {Action.RENAME: error})
        return ChangeResult((Action.RENAME,), failed)

    async def delete(self, group_id: str) -> None:
        """Delete a contact list (deleteGroup). Raises `GroupNotFound` and other `ProviderError`."""
        group = _number(group_id)
        self._membership.note(group, there=False)
        await self._api.delete(f"/groups/{group}", "a scope to delete groups")

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text through WhatsApp's Cloud API (sendTextMessage). Gives its wamid. Raises `ProviderError`."""
        if not person.phone:
            raise InvalidRequest("WA.cr sends to phones; a LID has none.")
        body = {"phone": person.phone, "message": text}
        sent, reply = await self._api.write("POST", "/messages/text", "messages:send", body, SentText)
        if sent.status not in {"", "sent"} or not (sent.message_id or sent.status):
            raise OutcomeUnknown(
                "WA.cr does not say that it sent the text.", code=str(reply.status), provider_text=reply.text
            )
        return sent.message_id

    async def account(self) -> Account:
        """Read the tenant (getAccount). Raises `ProviderError`."""
        try:
            reply = await self._api.read("/account", "account:read")
        except PermissionMissing as error:
            if error.code != "INSUFFICIENT_SCOPE":
                raise
            return Account(AccountState.UNKNOWN, f"The token is accepted. {error.message}")
        tenant = unwrapped(reply).parse(Tenant)
        if not tenant.status:
            return Account(AccountState.UNKNOWN, tenant.name)
        state = AccountState.RESTRICTED if tenant.has_run_out else AccountState.CONNECTED
        plan = f", plan {tenant.plan}" if tenant.plan else ""
        detail = f"{tenant.name} ({tenant.status}{plan}); adding needs groups:write, contacts:read and contacts:write"
        return Account(state, detail)

    async def limits(self) -> Sequence[Usage]:
        """Read what the plan counts (getAccountUsage), and its names and calls per minute (getAccountLimits).

        An allowance without an end has no `most`. Raises `ProviderError`.
        """
        used, most = await asyncio.gather(
            self._api.read("/account/usage", "account:read"), self._api.read("/account/limits", "account:read")
        )
        found = usages(unwrapped(used).parse(Allowances), unwrapped(most).parse(PlanLimits).limits)
        if not found:
            raise ProviderFault("WA.cr tells of no allowance.", code=str(used.status))
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()

    async def _rename(self, group: int, subject: str) -> None:
        record, reply = await self._api.write("PATCH", f"/groups/{group}", "groups:write", {"name": subject}, Record)
        if record.id != group or record.name.strip() not in {"", subject.strip()}:
            words = f"It is called {record.name}." if record.id == group else ""
            raise OutcomeUnknown("WA.cr answers with another name.", code=str(reply.status), provider_text=words)


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - every maker of an adapter takes it; here the token names the tenant
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> Wacr:
    """Make the adapter for one connection; without `base_url` it speaks to the provider's own domain."""
    return Wacr(base_url or DEFAULT_URL, token, timeout=timeout, transport=transport, clock=clock)


def _shown(record: Record) -> Group:
    return Group(str(record.id), record.name)


def _number(group_id: str) -> int:
    """Read a group id. Raises `GroupNotFound` for one that is not a whole number, without asking the provider."""
    if not (group_id.isascii() and group_id.isdecimal()):
        raise GroupNotFound("WA.cr knows groups by whole numbers only.")
    return int(group_id)
