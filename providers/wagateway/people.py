"""Who is who at the WhatsApp Gateway: it adds by phone and lists by LID, so both are learnt and kept for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from providers.base import Evidence, InvalidRequest, Outcome, Person, Presence, Verdict
from providers.http import Query
from providers.identity import lid_of, phone_digits, same_person_keys
from providers.roll import Known, Roll
from providers.wagateway.api import ContactRow, Gateway, MemberRow, NotStored, NumberCheck, Page

AT_ONCE = 4
"""Reads under way at the same time in one call of the adapter; the gateway documents no limit for reads."""

CONTACTS_PAGE = 200
"""The largest page of `listContacts`."""

LOOKUPS_PER_READ = 100
"""Most contacts asked for one by one in one read of a member list; who is left is asked for in the next."""

_DAY = 24 * 3600.0
_MINUTE = 60.0
_MOST_KEPT = 100_000


class Directory:
    """What is known of people: the number checks that found an account, and the phone behind each LID.

    Only good news is kept: a number without an account and a LID without a phone are asked about again, the latter
    after a minute.

    Args:
        gateway: the session to ask.
        clock: the time in seconds, from any start.
    """

    def __init__(self, gateway: Gateway, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gateway = gateway
        self._canonical = _Memory(_DAY, clock)
        self._phone_of_lid = _Memory(_DAY, clock)
        self._lid_of_phone = _Memory(_DAY, clock)
        self._asked = _Memory(_MINUTE, clock)
        self._lists_without_phones = _Memory(_DAY, clock)

    async def jid_of(self, person: Person) -> str | Verdict:
        """Give the JID to add `person` by, or the verdict of a person who cannot be added.

        A number has no account only when none of the forms has one in which its account may be listed. Raises
        `ProviderError` when the number check (`checkContact`) cannot be had.
        """
        digits = person.digits or await self._phone_behind(person.lid)
        if not digits:
            words = "The gateway knows no phone number for this LID."
            return Verdict(person.key, Outcome.INVALID, provider_message=words)
        try:
            found = self._canonical.get(digits) or await self._check(digits)
        except InvalidRequest as error:
            return Verdict(person.key, Outcome.INVALID, Evidence.REPORTED, error.code, error.words)
        if not found:
            return Verdict(person.key, Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED, "isOnWhatsApp: false")
        return f"{found}@s.whatsapp.net"

    async def find(
        self, group_id: str, members: Sequence[MemberRow], people: Sequence[Person]
    ) -> Mapping[str, Presence]:
        """Tell who of `people` is among the `members` of a group, asking for contacts only as long as it matters.

        All contacts of the group come in pages (`listContacts`), where that costs less than one call for each member
        still unknown (`getContact`). Raises `ProviderError`.
        """
        for member in members:
            self._learn(member.lid_key, member.digits)
        found = self._compare(members, people)
        pages = -(-len(members) // CONTACTS_PAGE)
        worth_listing = len(self._strangers(members)) > pages and not self._lists_without_phones.get(group_id)
        if _open(found) and worth_listing:
            await self._read_contacts(group_id)
            found = self._compare(members, people)
        strangers = self._strangers(members)[:LOOKUPS_PER_READ]
        while _open(found) and strangers:
            await _together(self._phone_behind(lid) for lid in strangers[:AT_ONCE])
            strangers = strangers[AT_ONCE:]
            found = self._compare(members, people)
        return found

    def _compare(self, members: Iterable[MemberRow], people: Iterable[Person]) -> dict[str, Presence]:
        roll = Roll.of(self._known(member.lid_key, member.digits) for member in members)
        return {person.key: roll.find(self._known(person.lid, person.digits)) for person in people}

    def _known(self, lid: str, digits: str) -> Known:
        """Put together what is known of a person; a LID found by phone counts only while it still has that phone."""
        digits = digits or self._phone_of_lid.get(lid)
        if not digits:
            return Known(lid, frozenset())
        forms = same_person_keys(digits) | same_person_keys(self._canonical.get(digits) or digits)
        lids = (self._lid_of_phone.get(form) for form in sorted(forms))
        return Known(lid or next((found for found in lids if self._phone_of_lid.get(found) in forms), ""), forms)

    def _strangers(self, members: Iterable[MemberRow]) -> list[str]:
        """Give the LIDs without a known phone, those never asked about and last seen joining first."""
        unknown = [
            member
            for member in members
            if member.lid_key and not self._known(member.lid_key, member.digits).phones
            if not self._asked.get(member.lid_key)
        ]
        unknown.sort(key=lambda member: (member.lid_key in self._asked, -(member.first_seen_at or 0)))
        return [member.lid_key for member in unknown]

    async def _check(self, digits: str) -> str:
        """Check a number, then the other forms it may have; give the digits of the account's JID, empty for none."""
        for form in sorted(same_person_keys(digits), key=lambda form: form != digits):
            reply = await self._gateway.read("/contacts/check", params={"phone": form})
            answer = reply.parse(NumberCheck)
            if answer.is_on_whatsapp is None:
                return digits
            if answer.is_on_whatsapp:
                jid = answer.jid or ""
                canonical = phone_digits(jid) or form
                self._canonical.put(digits, canonical)
                self._learn(lid_of(jid), canonical)
                return canonical
        return ""

    async def _read_contacts(self, group_id: str) -> None:
        """Learn from the group's contacts, and note when the rows, whose shape is undocumented, name no phones."""
        params: Query = {"group": group_id, "limit": CONTACTS_PAGE}
        rows = [row.who async for row in self._gateway.pages("/contacts", Page[ContactRow], params=params)]
        for row in rows:
            self._learn(row.lid_key, row.digits)
        if not any(row.lid_key and row.digits for row in rows):
            self._lists_without_phones.put(group_id, "yes")

    async def _phone_behind(self, lid: str) -> str:
        """Give the phone in digits behind a LID (`getContact`), empty where the gateway knows none."""
        if known := self._phone_of_lid.get(lid):
            return known
        try:
            reply = await self._gateway.read(f"/contacts/{lid.replace('@', '%40')}", missing=NotStored)
        except NotStored:
            digits = ""
        else:
            digits = reply.parse(ContactRow).who.digits
        self._asked.put(lid, "yes")
        self._learn(lid, digits)
        return digits

    def _learn(self, lid: str, digits: str) -> None:
        if lid and digits:
            self._phone_of_lid.put(lid, digits)
            for form in same_person_keys(digits):
                self._lid_of_phone.put(form, lid)


class _Memory:
    """Keeps a text by a text for some seconds, the oldest forgotten first when there are too many."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    def __contains__(self, key: str) -> bool:
        """True also for what is too old to be given."""
        return key in self._kept

    def get(self, key: str) -> str:
        """Give what was put, empty where it was not or is too old."""
        at, value = self._kept.get(key, (0.0, ""))
        return value if value and self._clock() - at < self._seconds else ""

    def put(self, key: str, value: str) -> None:
        """Keep `value`, in place of what was kept by this key."""
        self._kept.pop(key, None)
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock(), value)


def _open(found: Mapping[str, Presence]) -> bool:
    return Presence.UNKNOWN in found.values()


async def _together(calls: Iterable[Awaitable[object]]) -> None:
    """Wait for all of `calls`, then raise the first error among them."""
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
