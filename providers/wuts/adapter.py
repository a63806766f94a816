"""WUTS (`contracts/wuts.openapi.yaml`): WhatsApp groups through the device of the token's user.

An add answers participant records without a verdict, so standing in them says nothing: the number check before the
add is the only report about a person, and reading the group back is the caller's.
"""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    AddResult,
    Capability,
    Evidence,
    Group,
    InvalidRequest,
    Operation,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    Presence,
    ProviderError,
    ProviderFault,
    RateLimited,
    Verdict,
    judge,
)
from providers.http import TIMEOUT, HttpClient
from providers.identity import same_person_keys
from providers.wuts.replies import (
    AddAnswer,
    CheckAnswer,
    GroupAnswer,
    GroupsAnswer,
    ListedGroup,
    ResolveAnswer,
    StatusAnswer,
    deciding_lids,
    presences_among,
    read_error,
    rejected_people,
    reported,
)

BASE_URL = "https://api.wuts.com.br"
RESOLVE_LIMIT = 160
"""Identifiers in one `resolveContacts` call, by the contract."""
REMEMBER = 24 * 3600.0
"""Seconds for which a number check and the phone behind a LID are taken as still true."""

# A number check or a look-up of LIDs only helps: these do not stop the add or the read that it was for.
_HELP_MAY_FAIL = (PermissionMissing, InvalidRequest, ProviderFault)

Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)


class _Memory(Generic[Value]):
    """Keeps values for `REMEMBER` seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Value]] = {}

    def get(self, key: str) -> Value | None:
        since, value = self._kept.get(key, (float("-inf"), None))
        return value if self._clock() < since + REMEMBER else None

    def put(self, key: str, value: Value) -> None:
        now = self._clock()
        self._kept.pop(key, None)
        while self._kept and next(iter(self._kept.values()))[0] + REMEMBER <= now:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (now, value)


class Wuts:
    """The device behind one WUTS token.

    Args:
        client: sends to WUTS, with the token.
        clock: gives seconds; by it number checks and the phones behind LIDs are remembered.
    """

    # No page tells how many people one call takes, nor whether one bad person fails the whole call: ten keeps small
    # what one bad number or one lost answer can spoil.
    add_limit: ClassVar[int] = 10
    # No page tells whether a group is read live or from a cache.
    capabilities: ClassVar[Mapping[Operation, Capability]] = {
        Operation.LIST: Capability.GROUPS_READ,
        Operation.ADD: Capability.GROUPS_WRITE,
    }

    def __init__(self, client: HttpClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._on_whatsapp: _Memory[bool] = _Memory(clock)
        self._phone_of_lid: _Memory[str] = _Memory(clock)

    async def groups(self) -> AsyncIterator[Group]:
        """Give the groups of the device (`listGroups`; the contract has no pages). Raises `ProviderError`."""
        answer = await self._read(GroupsAnswer, "GET", "/groups")
        for group in answer.groups or ():
            yield _group(group)

    async def group(self, group_id: str) -> Group:
        """Read one group (`getGroup`). Raises `GroupNotFound` and other `ProviderError`."""
        return _group(await self._group(group_id))

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Read the members (`getGroup`), and the phones behind LIDs (`resolveContacts`) where they decide.

        Raises:
            ProviderError: the members could not be read.
        """
        group = await self._group(group_id)
        members = group.participants
        if members is None:
            raise ProviderFault("WUTS answered with a group that has no list of members.")
        seen = presences_among(people, members, {})
        unsure = [person for person in people if seen[person.key] is Presence.UNKNOWN]
        if unsure:
            phones = await self._resolve(deciding_lids(unsure, members))
            seen |= presences_among(unsure, members, phones)
        # A list without a count is taken as whole unless it is empty: the account itself is a member.
        whole = bool(members) if group.members_count is None else group.members_count == len(members)
        if whole:
            return seen
        return {key: Presence.UNKNOWN if was is Presence.ABSENT else was for key, was in seen.items()}

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Check the numbers (`checkContactsOnWhatsApp`), then add the rest (`addGroupParticipants`) in one call.

        Raises:
            ProviderError: nothing is known about anybody.
        """
        addresses = await self._addresses(people)
        verdicts = {person.key: _not_on_whatsapp(person) for person in people if not addresses[person.key]}
        rest = {person: addresses[person.key] for person in people if person.key not in verdicts}
        added = AddResult(())
        if rest:
            try:
                added = await self._add(group_id, rest)
            except ProviderError as error:
                if not verdicts:
                    raise
                added = AddResult(judge(error, rest), error)
        verdicts |= {verdict.key: verdict for verdict in added.verdicts}
        return AddResult(tuple(verdicts[person.key] for person in people), added.error)

    async def account(self) -> Account:
        """Read the device's session (`checkSessionStatus`): 200 whatever its state. Raises `ProviderError`."""
        try:
            session = (await self._read(StatusAnswer, "GET", "/status")).data
        except AccountDisconnected as error:
            return Account(AccountState.DISCONNECTED, error.words)
        if session.connected is False or session.is_logged_in is False:
            return Account(AccountState.DISCONNECTED, session.status or "")
        state = AccountState.CONNECTED if session.connected else AccountState.UNKNOWN
        return Account(state, session.status or "")

    async def aclose(self) -> None:
        """Close the connections to WUTS."""
        await self._client.aclose()

    async def _group(self, group_id: str) -> ListedGroup:
        return (await self._read(GroupAnswer, "GET", _group_path(group_id))).group

    async def _read(self, model: type[Model], method: str, path: str, body: Any = None) -> Model:
        reply = await self._client.read(method, path, body=body)
        if error := read_error(reply, about_group=path.startswith("/groups/")):
            raise error
        return reply.parse(model)

    async def _add(self, group_id: str, addresses: Mapping[Person, str]) -> AddResult:
        """Send the one write, and judge the people from its answer."""
        reply = await self._client.write(
            "POST",
            f"{_group_path(group_id)}/participants",
            body={"participants": list(addresses.values()), "action": "add"},
        )
        if failure := read_error(reply, about_group=True, write=True):
            named = rejected_people(reply, addresses) if isinstance(failure, InvalidRequest) else {}
            if not named:
                raise failure
            others = judge(failure, [person for person in addresses if person.key not in named])
            return AddResult((*named.values(), *others), failure)
        try:
            records = reply.parse(AddAnswer).participants or ()
        except ProviderFault as fault:
            raise OutcomeUnknown(fault.message, code=fault.code, words=reply.text) from None
        told = reported(records, addresses)
        silent = [Verdict(person.key, Outcome.UNKNOWN) for person in addresses if person.key not in told]
        limited = any(verdict.outcome is Outcome.RATE_LIMITED for verdict in told.values())
        error = RateLimited("WhatsApp refused people because of too many adds.", code="429") if limited else None
        return AddResult((*told.values(), *silent), error)

    async def _addresses(self, people: Sequence[Person]) -> dict[str, str]:
        """Give, by `Person.key`, whom to add; empty for a person none of whose numbers is on WhatsApp.

        One check holds all forms of all numbers of an add: at most two for each of ten people, which is as modest a
        batch as the undocumented limit of the call asks for.
        """
        forms = {form for person in people if person.phone for form in same_person_keys(person.digits)}
        unchecked = sorted(form for form in forms if self._on_whatsapp.get(form) is None)
        if unchecked:
            with suppress(*_HELP_MAY_FAIL):
                answer = await self._read(CheckAnswer, "POST", "/contact/check", {"numbers": unchecked})
                for form in unchecked:
                    if (on_whatsapp := answer.data.get(form)) is not None:
                        self._on_whatsapp.put(form, on_whatsapp)
        return {person.key: self._address(person) for person in people}

    def _address(self, person: Person) -> str:
        if not person.phone:
            return person.lid
        checked = {form: self._on_whatsapp.get(form) for form in same_person_keys(person.digits)}
        if all(answer is False for answer in checked.values()):
            return ""
        other_form = next((form for form, answer in checked.items() if answer), person.digits)
        digits = other_form if checked[person.digits] is False else person.digits
        return f"{digits}@s.whatsapp.net"

    async def _resolve(self, lids: Collection[str]) -> dict[str, str]:
        """Give the phones, in digits, of those LIDs that WUTS can turn into one."""
        wanted = sorted(lid for lid in lids if self._phone_of_lid.get(lid) is None)
        with suppress(*_HELP_MAY_FAIL):
            for start in range(0, len(wanted), RESOLVE_LIMIT):
                body = {"jids": wanted[start : start + RESOLVE_LIMIT]}
                for contact in (await self._read(ResolveAnswer, "POST", "/contacts/resolve", body)).items:
                    if contact.lid and contact.phone:
                        self._phone_of_lid.put(contact.lid, contact.phone)
        return {lid: phone for lid in lids if (phone := self._phone_of_lid.get(lid))}


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - the registry makes all adapters alike; here the token names the user
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Wuts:
    """Make the adapter of one connection; `base_url` None is WUTS's own, `account` is not needed."""
    headers = {"Authorization": f"Bearer {token}"}
    return Wuts(HttpClient(base_url or BASE_URL, headers=headers, timeout=timeout, transport=transport))


def _not_on_whatsapp(person: Person) -> Verdict:
    return Verdict(person.key, Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED, "false", "contact check: false")


def _group_path(group_id: str) -> str:
    return f"/groups/{quote(group_id, safe='@')}"


def _group(group: ListedGroup) -> Group:
    listed = len(group.participants) if group.participants is not None else None
    return Group(group.jid, group.name or "", group.members_count if group.members_count is not None else listed)
