"""WA.cr APP API v2, where a group is a contact list of the CRM and a member is a contact that holds its id.

Facts are from `contracts/wacr.openapi.yaml`. Membership calls take contact ids, so people are looked up first. Those
without a contact get one, created inside the group: that answer tells about one person, and leaves no contact behind
outside of the group, unlike a batch create, whose entries take no groups and whose errors nobody documents.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

import httpx

from providers.base import (
    Account,
    AccountState,
    AddResult,
    Capability,
    Evidence,
    Group,
    GroupNotFound,
    InvalidRequest,
    Operation,
    Outcome,
    PermissionMissing,
    Person,
    Presence,
    ProviderError,
    Verdict,
    judge,
)
from providers.http import TIMEOUT
from providers.wacr.api import Added, Contact, Record, Tenant, WacrApi, message_of, unwrapped
from providers.wacr.contacts import AddressBook, best

DEFAULT_URL = "https://app.wa.cr"


class Wacr:
    """One tenant of WA.cr.

    Args:
        base_url: the instance's domain, with or without `/api/v2`.
        token: an API token with the scopes groups:read, groups:write, contacts:read and contacts:write.
        timeout: seconds, for each phase of a call.
        transport: another transport than the network.
    """

    add_limit: ClassVar[int] = 12
    """The contract names no limit. At the default of 60 calls a minute, reading, adding and reading back 12 people
    takes 57 calls at worst, when each must be searched for and created; 13 would take 61."""

    capabilities: ClassVar[Mapping[Operation, Capability]] = MappingProxyType(
        {Operation.LIST: Capability.GROUPS_READ, Operation.ADD: Capability.GROUPS_WRITE}
    )

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = WacrApi(base_url, token, timeout, transport)
        self._book = AddressBook(self._api)
        self._origin: dict[str, int] = {}

    async def groups(self) -> AsyncIterator[Group]:
        """Give every contact list of the tenant (listGroups). Raises `ProviderError`."""
        number, more = 1, True
        while more:
            page = await self._api.page("/groups", "groups:read", number, {"sort": "name"})
            for record in page.read(Record):
                yield Group(str(record.id), record.name)
            number, more = number + 1, page.more

    async def group(self, group_id: str) -> Group:
        """Read one contact list (getGroup). Raises `GroupNotFound` and other `ProviderError`."""
        reply = await self._api.read(f"/groups/{_number(group_id)}", "groups:read")
        record = unwrapped(reply).parse(Record)
        return Group(str(record.id), record.name)

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Read the group's contacts (listContacts, filter[group_id]); where they are many, search for each person.

        A found contact tells by its own list of groups. A search that finds nothing leaves `UNKNOWN`, because in what
        form phones are stored and searched is not documented; so does a LID, which the CRM does not know.
        Raises `GroupNotFound` and other `ProviderError`.
        """
        group = _number(group_id)
        phones = [person for person in people if person.digits]
        listed, whole = await self._book.members(group, phones)
        if whole and not listed:
            await self.group(group_id)  # an unknown group has no contacts either
        presence = dict.fromkeys((person.key for person in people), Presence.UNKNOWN)
        for person in phones:
            if any(c.is_of(person) and c.is_in(group) is not False for c in listed):
                presence[person.key] = Presence.PRESENT
            elif whole:
                comparable = all(contact.can_be_compared for contact in listed)
                presence[person.key] = Presence.ABSENT if comparable else Presence.UNKNOWN
            else:
                presence[person.key] = _stands(group, await self._book.search(person))
        return presence

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Add the contacts of people to the group in one call, and create the missing contacts inside the group.

        The call for contacts answers with a count: all or none of them is `inferred`, in between nobody can tell who.
        One bad id makes it fail for all, and then nothing was done. Raises `ProviderError` when nothing is known.
        """
        group = _number(group_id)
        contacts = await self._book.find([person for person in people if person.digits])
        run = _Run(people)
        waiting: dict[Person, int] = {}
        missing: list[Person] = []
        for person, found in contacts.items():
            if any(contact.is_in(group) for contact in found):
                run.tell(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif found:
                waiting[person] = best(person, found).id
            else:
                missing.append(person)
        try:
            if waiting:
                await self._join(run, group, waiting)
            elif missing:
                await self.group(group_id)  # before contacts are made for a group that is not there
            late = {person: contact for person in missing if (contact := await self._create(run, group, person))}
            if late:
                await self._join(run, group, late)
        except ProviderError as error:
            return run.stopped(error)
        return run.result()

    async def account(self) -> Account:
        """Read the tenant (getAccount). Raises `ProviderError`."""
        try:
            reply = await self._api.read("/account", "account:read")
        except PermissionMissing as error:
            return Account(AccountState.UNKNOWN, f"The token is accepted. {error.message}")
        tenant = unwrapped(reply).parse(Tenant)
        if not tenant.status:
            return Account(AccountState.UNKNOWN, tenant.name)
        state = AccountState.CONNECTED if tenant.status == "active" else AccountState.RESTRICTED
        detail = f"{tenant.name} ({tenant.status}); adding needs groups:write, contacts:read and contacts:write"
        return Account(state, detail)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.aclose()

    async def _join(self, run: "_Run", group: int, contacts: Mapping[Person, int]) -> None:
        """Put contacts into the group (addContactsToGroup) and judge their people by the count."""
        ids = sorted(set(contacts.values()))
        run.sending = tuple(contacts)
        path = f"/groups/{group}/contacts"
        answer, reply = await self._api.write(path, "groups:write", {"contact_ids": ids}, Added)
        match answer.contacts_added:
            case added if added == len(ids):
                outcome, evidence = Outcome.ADDED, Evidence.INFERRED
            case 0:
                outcome, evidence = Outcome.ALREADY_DONE, Evidence.INFERRED
            case _:
                outcome, evidence = Outcome.UNKNOWN, Evidence.NONE
        words = f"contacts_added: {answer.contacts_added} of {len(ids)}"
        for person in contacts:
            run.tell(person, outcome, evidence, str(reply.status), words)

    async def _create(self, run: "_Run", group: int, person: Person) -> int | None:
        """Create a contact inside the group (createContact) and judge its person.

        Gives the id of the contact, without a verdict, where one with this phone turns out to exist outside the group.
        """
        origin = await self._origin_ids()
        run.sending = (person,)
        body = {"firstname": person.phone, "lastname": "Rollcall", "phone": person.phone, "type": "lead"}
        try:
            contact, reply = await self._api.write(
                "/contacts", "contacts:write", {**body, **origin, "groups": [group]}, Contact
            )
        except InvalidRequest as error:
            self._origin.clear()  # the source or the status may be gone
            found = await self._book.search_by_ending(person) if "already exists" in error.words else []
            if any(c.is_in(group) for c in found):
                run.tell(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif found:
                return best(person, found).id
            else:
                run.verdicts.update({v.key: v for v in judge(error, [person])})
            return None
        told = (Outcome.ADDED, Evidence.REPORTED) if contact.is_in(group) else (Outcome.UNKNOWN, Evidence.NONE)
        run.tell(person, *told, str(reply.status), message_of(reply))
        return None

    async def _origin_ids(self) -> dict[str, int]:
        """Give the source and the status that a new contact must name: the first of each, read once."""
        for field, path in (("source_id", "/sources"), ("status_id", "/statuses")):
            if field not in self._origin:
                records = (await self._api.page(path, "to read contact sources and statuses", 1)).read(Record)
                if not records:
                    raise InvalidRequest(f"WA.cr needs at least one entry under {path} to create a contact.")
                self._origin[field] = records[0].id
        return dict(self._origin)


class _Run:
    """One add in progress: who was judged, and for whom a write was sent last."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.sending: tuple[Person, ...] = ()
        self.verdicts: dict[str, Verdict] = {}
        for person in people:
            if not person.digits:
                self.tell(person, Outcome.INVALID, Evidence.NONE, "", "WA.cr knows people by phone; a LID has none.")

    def tell(self, person: Person, outcome: Outcome, evidence: Evidence, code: str = "", words: str = "") -> None:
        self.verdicts[person.key] = Verdict(person.key, outcome, evidence, code, words[:300])

    def result(self, error: ProviderError | None = None) -> AddResult:
        return AddResult(tuple(self.verdicts[person.key] for person in self.people), error)

    def stopped(self, error: ProviderError) -> AddResult:
        """Judge those whose write failed by the error; those after them were not attempted."""
        failed = [person for person in self.sending if person.key not in self.verdicts]
        if not self.verdicts and len(failed) in (0, len(self.people)):
            raise error
        self.verdicts.update({verdict.key: verdict for verdict in judge(error, failed)})
        for person in self.people:
            if person.key not in self.verdicts:
                self.tell(person, Outcome.NOT_ATTEMPTED, Evidence.NONE, error.code, error.message)
        return self.result(error)


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - every maker of an adapter takes it; here the token names the tenant
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Wacr:
    """Make the adapter for one connection; without `base_url` it speaks to the provider's own domain."""
    return Wacr(base_url or DEFAULT_URL, token, timeout=timeout, transport=transport)


def _number(group_id: str) -> int:
    """Read a group id. Raises `GroupNotFound` for one that is not a whole number, without asking the provider."""
    if not (group_id.isascii() and group_id.isdecimal()):
        raise GroupNotFound("WA.cr knows groups by whole numbers only.")
    return int(group_id)


def _stands(group: int, found: Sequence[Contact]) -> Presence:
    """Tell from the person's own contacts whether one of them is in the group."""
    standing = [contact.is_in(group) for contact in found]
    if any(standing):
        return Presence.PRESENT
    return Presence.ABSENT if found and None not in standing else Presence.UNKNOWN
