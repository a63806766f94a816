"""Who is who at the WhatsApp Gateway: it acts by phone and lists by LID, so both are learnt and kept for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from providers.base import (
    InvalidRequest,
    MembershipStatus,
    NotOnWhatsApp,
    NumberCheck,
    Outcome,
    Person,
    ProviderError,
    ProviderFault,
)
from providers.cache import DAY_SECONDS, TTLCache
from providers.http import Query
from providers.identity import lid_of, phone_digits, same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.wagateway.api import Gateway
from providers.wagateway.errors import PersonNotFound
from providers.wagateway.models import CheckRow, ContactRow, MemberRow, Page

AT_ONCE = 4
"""Reads under way at the same time in one call of the adapter; the gateway documents no limit for reads."""

CONTACTS_PAGE = 200
"""The largest page of `listContacts`."""

LOOKUPS_PER_READ = 100
"""Most contacts asked for one by one in one read of a member list; who is left is asked for in the next."""

LOOKUPS_FOR_A_SEARCH = 10
"""Lookups that may be needed for each person who is searched for first: in vain it adds no more than a tenth."""

SEARCHED_DIGITS = 8
"""Last digits of a phone that are searched for: all its forms end with them."""

_MINUTE = 60.0

Item = TypeVar("Item")
Result = TypeVar("Result")


class NoNumber(InvalidRequest):
    """No phone of the person is known: nothing was sent for them."""

    outcome = Outcome.INVALID


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a member list: what the row says of the person, and since when in Unix milliseconds."""

    lid: str
    digits: str
    standing: MembershipStatus
    since: int
    name: str = ""

    @classmethod
    def of(cls, row: MemberRow) -> "Seat":
        """Keep what is needed of a row."""
        return cls(row.lid_key, row.digits, row.status, row.first_seen_at or 0, row.tag or "")


class Directory:
    """What is known of people: the number checks, and the phone behind each LID.

    A LID without a phone is asked about again after a minute. That a number has no account is remembered for those
    who only want to know; a verdict never rests on it.

    Args:
        gateway: the session to ask.
        clock: the time in seconds, from any start.
    """

    def __init__(self, gateway: Gateway, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gateway = gateway
        self._clock = clock
        self._checked: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._phone_of_lid: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._lid_of_phone: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._asked: TTLCache[float] = TTLCache(DAY_SECONDS, clock)
        self._lists_without_phones: TTLCache[bool] = TTLCache(DAY_SECONDS, clock)

    async def jid_of(self, person: Person) -> str:
        """Give the JID of the account that `person` has, by the number check (`checkContact`).

        Raises:
            InvalidRequest: the person cannot be addressed: no phone is known (`NoNumber`), none of the forms in which
                the account may be listed has one (`NotOnWhatsApp`), or the gateway finds the number malformed.
            ProviderError: the number check cannot be had.
        """
        digits = await self._digits(person)
        found = await self._account(digits)
        if found == "":
            raise NotOnWhatsApp("The number is not on WhatsApp.", code="isOnWhatsApp: false")
        return _jid(found or digits)

    async def member_jid(self, person: Person) -> str:
        """Give the JID of somebody who may be in a group, asking only where the number has several written forms.

        Under a wrong form the gateway would find nobody, and call that a success: a check that does not tell the form
        is a `ProviderFault`. Raises as `jid_of`.
        """
        digits = await self._digits(person)
        forms = same_person_keys(digits)
        listed = (self._phone_of_lid.get(self._lid_of_phone.get(form) or "") or "" for form in sorted(forms))
        known = self._checked.get(digits) or next((phone for phone in listed if phone in forms), "")
        if not known and len(forms) > 1:
            jid = await self.jid_of(person)
            if not self._checked.get(digits):
                raise ProviderFault("The gateway does not say under which form of the number it knows the person.")
            return jid
        return _jid(known or digits)

    async def check(self, person: Person) -> NumberCheck:
        """Tell whether `person` is on WhatsApp, by what was asked within a day or by the number check.

        Raises `InvalidRequest` where the gateway finds the number malformed, and as `jid_of`.
        """
        try:
            digits = await self._digits(person)
            found = await self._account(digits, recall_absence=True)
        except NoNumber:
            return NumberCheck(None, lid=person.lid)
        if not found:
            return NumberCheck(None if found is None else False, lid=person.lid)
        return NumberCheck(True, f"+{found}", person.lid or self._known("", found).lid)

    async def find(
        self, group_id: str, seats: Sequence[Seat], people: Sequence[Person]
    ) -> Mapping[str, MembershipStatus]:
        """Tell how `people` stand among the members, asking for contacts only as long as it matters.

        All contacts of the group come in pages (`listContacts`), where that costs less than one call for each member
        still unknown (`getContact`). For few people the contacts are searched before many members are asked about.
        Raises `ProviderError`.
        """
        found = self._compare(seats, people)
        if _open(found):
            await self._read_contacts(group_id, seats)
            found = self._compare(seats, people)
        open_ = [person for person in people if found[person.key] is MembershipStatus.UNKNOWN]
        strangers = (await self._likely_first(group_id, self._strangers(seats), open_))[:LOOKUPS_PER_READ]
        while _open(found) and strangers:
            await self._ask(strangers[:AT_ONCE])
            strangers = strangers[AT_ONCE:]
            found = self._compare(seats, people)
        return found

    async def name(self, group_id: str, seats: Sequence[Seat]) -> list[str]:
        """Give the phone in digits of each seat, empty where the gateway knows none. Raises `ProviderError`."""
        for seat in seats:
            self._learn(seat.lid, seat.digits)
        await self._read_contacts(group_id, seats)
        await self._ask(self._strangers(seats)[:LOOKUPS_PER_READ])
        return [seat.digits or self._phone_of_lid.get(seat.lid) or "" for seat in seats]

    def _compare(self, seats: Iterable[Seat], people: Iterable[Person]) -> dict[str, MembershipStatus]:
        roll = MemberIndex()
        for seat in seats:
            self._learn(seat.lid, seat.digits)
            known = self._known(seat.lid, seat.digits)
            roll.add(MemberKey(known.lid, known.phones, seat.standing))
        return {person.key: roll.find(self._known(person.lid, person.digits)) for person in people}

    def _known(self, lid: str, digits: str) -> MemberKey:
        """Put together what is known of a person; a LID found by phone counts only while it still has that phone."""
        digits = digits or self._phone_of_lid.get(lid) or ""
        if not digits:
            return MemberKey(lid)
        forms = same_person_keys(digits) | same_person_keys(self._checked.get(digits) or digits)
        lids = (self._lid_of_phone.get(form) or "" for form in sorted(forms))
        return MemberKey(lid or next((found for found in lids if self._phone_of_lid.get(found) in forms), ""), forms)

    def _strangers(self, seats: Iterable[Seat]) -> list[str]:
        """Give the LIDs without a known phone, those never asked about and last seen joining first."""
        just_now = self._clock() - _MINUTE
        unknown = [
            (self._asked.get(seat.lid), seat)
            for seat in seats
            if seat.lid and not seat.digits and not self._phone_of_lid.get(seat.lid)
        ]
        due = [
            (asked is not None, -seat.since, seat.lid) for asked, seat in unknown if asked is None or asked <= just_now
        ]
        return [lid for _, _, lid in sorted(due)]

    async def _digits(self, person: Person) -> str:
        if person.digits:
            return person.digits
        if not person.lid:
            raise NoNumber("The entry names nobody.")
        digits = await self._phone_behind(person.lid)
        if not digits:
            # A contact that is not found looks like a session that is not.
            await self._gateway.read("/contacts", params={"limit": 1})
            raise NoNumber("The gateway knows no phone number for this LID.")
        return digits

    async def _account(self, digits: str, *, recall_absence: bool = False) -> str | None:
        """Check a number, then the other forms it may have.

        Gives the digits of the account's JID, empty for no account, None where the check does not say.
        """
        known = self._checked.get(digits)
        if known or (known is not None and recall_absence):
            return known
        for form in sorted(same_person_keys(digits), key=lambda form: form != digits):
            answer = (await self._gateway.read("/contacts/check", params={"phone": form})).parse(CheckRow)
            if answer.is_on_whatsapp is None:
                return None
            if answer.is_on_whatsapp:
                canonical = phone_digits(answer.jid or "") or form
                self._checked.set(digits, canonical)
                self._learn(lid_of(answer.jid or ""), canonical)
                return canonical
        self._checked.set(digits, "")
        return ""

    async def _read_contacts(self, group_id: str, seats: Sequence[Seat]) -> None:
        """Learn from the group's contacts where that is worth it: not when few are unknown, nor in vain.

        The shape of the rows is undocumented; that they name no phones is remembered.
        """
        pages = -(-len(seats) // CONTACTS_PAGE)
        if len(self._strangers(seats)) <= pages or self._lists_without_phones.get(group_id):
            return
        params: Query = {"group": group_id, "limit": CONTACTS_PAGE}
        named = False
        async for rows in self._gateway.pages("/contacts", Page[ContactRow], params=params):
            for who in (row.who for row in rows):
                self._learn(who.lid_key, who.digits)
                named |= bool(who.lid_key and who.digits)
        if not named:
            self._lists_without_phones.set(group_id, True)

    async def _likely_first(self, group_id: str, strangers: list[str], people: Iterable[Person]) -> list[str]:
        """Put those LIDs first that a search for a phone finds (`listContacts`, `q`), which may also be in a name."""
        phones = {person.digits[-SEARCHED_DIGITS:] for person in people if person.digits}
        likely: set[str] = set()
        if len(phones) * LOOKUPS_FOR_A_SEARCH <= min(len(strangers), LOOKUPS_PER_READ):
            for phone in sorted(phones):
                params: Query = {"group": group_id, "q": phone, "limit": CONTACTS_PAGE}
                reply = await self._gateway.read("/contacts", params=params)
                likely.update(row.who.lid_key for row in reply.parse(Page[ContactRow]).data)
        return sorted(strangers, key=lambda lid: lid not in likely)

    async def _ask(self, lids: Sequence[str]) -> None:
        """Ask for the phones behind LIDs. Raises the first error."""
        for result in await together(lids, self._phone_behind):
            if isinstance(result, ProviderError):
                raise result

    async def _phone_behind(self, lid: str) -> str:
        """Give the phone in digits behind a LID (`getContact`), empty where the gateway knows none."""
        if known := self._phone_of_lid.get(lid):
            return known
        try:
            reply = await self._gateway.read(f"/contacts/{lid.replace('@', '%40')}", missing=PersonNotFound)
        except PersonNotFound:
            digits = ""
        else:
            digits = reply.parse(ContactRow).who.digits
            if f"{digits}@lid" == lid:  # the contact need not name its LID
                digits = ""
        self._asked.set(lid, self._clock())
        self._learn(lid, digits)
        return digits

    def _learn(self, lid: str, digits: str) -> None:
        if lid and digits:
            self._phone_of_lid.set(lid, digits)
            for form in same_person_keys(digits):
                self._lid_of_phone.set(form, lid)


async def together(items: Iterable[Item], call: Callable[[Item], Awaitable[Result]]) -> list[Result | ProviderError]:
    """Call for each of `items`, some at a time, and give what came; the first error ends the calling.

    Who was not called for has that error too.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    errors: list[ProviderError] = []

    async def one(item: Item) -> Result | ProviderError:
        async with gate:
            if not errors:
                try:
                    return await call(item)
                except ProviderError as error:
                    errors.append(error)
            return errors[0]

    return await asyncio.gather(*map(one, items))


def _jid(digits: str) -> str:
    return f"{digits}@s.whatsapp.net"


def _open(found: Mapping[str, MembershipStatus]) -> bool:
    return MembershipStatus.UNKNOWN in found.values()
