"""The contacts of a session at the WhatsApp Gateway. It lists members by LID, so their phones are read and cached."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from providers.base import MembershipReading, MembershipStatus, Person, ProviderError
from providers.cache import DAY_SECONDS, TTLCache
from providers.http import Query
from providers.identity import same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.wagateway.api import MAX_CONCURRENT_READS, Api, call_for_each
from providers.wagateway.errors import PersonNotFound
from providers.wagateway.models import ContactRecord, MemberRecord, Page

PAGE_SIZE = 200
"""The maximum number of contacts on one page of `listContacts`."""

MAX_LOOKUPS = 100
"""The maximum number of contacts read one by one for one read of a member list; the next read continues."""

LOOKUPS_PER_SEARCH = 10
"""The look-ups that may be needed for each person before a search is worth it: in vain it costs a tenth more."""

SEARCHED_DIGITS = 8
"""The number of a phone's last digits that are searched for: all its variants end with them."""

LOOKUP_RETRY_SECONDS = 60.0
"""The time after which a LID without a known phone is looked up again."""


@dataclass(frozen=True, slots=True)
class MemberAddress:
    """A member in the stored list: LID, phone in digits, status, and since when in Unix milliseconds."""

    lid: str
    digits: str
    status: MembershipStatus
    since: int
    name: str = ""

    @classmethod
    def of(cls, record: MemberRecord) -> "MemberAddress":
        """Return the part of a record that is needed."""
        return cls(record.lid_key, record.digits, record.status, record.first_seen_at or 0, record.tag or "")


class ContactDirectory:
    """The phone behind each LID, and the canonical variant of each number that was checked. Cached for a day.

    Args:
        api: the API of the session.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._clock = clock
        self._canonical: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._phone_of_lid: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._lid_of_phone: TTLCache[str] = TTLCache(DAY_SECONDS, clock)
        self._looked_up_at: TTLCache[float] = TTLCache(DAY_SECONDS, clock)
        self._lists_without_phones: TTLCache[bool] = TTLCache(DAY_SECONDS, clock)

    def canonical(self, digits: str) -> str:
        """Return the digits of the account's JID, if the number was checked; empty otherwise."""
        return self._canonical.get(digits) or ""

    def set_canonical(self, digits: str, canonical: str, lid: str = "") -> None:
        """Store the answer of a number check."""
        self._canonical.set(digits, canonical)
        self._learn(lid, canonical)

    def listed(self, digits: str) -> str:
        """Return the variant of a number under which a contact or a member was seen; empty if none was."""
        variants = same_person_keys(digits)
        phones = (self._phone_of_lid.get(self._lid_of_phone.get(variant) or "") for variant in sorted(variants))
        return next((phone for phone in phones if phone in variants), "")

    def key_of(self, lid: str, digits: str) -> MemberKey:
        """Return what is known of a person. A LID found by phone counts only while it still has that phone."""
        digits = digits or self._phone_of_lid.get(lid) or ""
        if not digits:
            return MemberKey(lid)
        variants = same_person_keys(digits) | same_person_keys(self.canonical(digits) or digits)
        lids = (self._lid_of_phone.get(variant) or "" for variant in sorted(variants))
        return MemberKey(
            lid or next((known for known in lids if self._phone_of_lid.get(known) in variants), ""), variants
        )

    async def memberships(
        self, group_id: str, members: Sequence[MemberAddress], people: Sequence[Person]
    ) -> MembershipReading:
        """Return by key the status of people among members. Contacts are read only while they may decide it.

        All contacts of the group come in pages (`listContacts`), if that costs fewer calls than one for each member who
        is still unknown (`getContact`). For few people, contacts are searched before many members are looked up.
        Raises `ProviderError`.
        """
        found = self._compare(members, people)
        if found.undecided:
            await self._read_contacts(group_id, members)
            found = self._compare(members, people)
        unknown = [person for person in people if person.key in found.undecided]
        lids = (await self._likely_first(group_id, self._unresolved(members), unknown))[:MAX_LOOKUPS]
        while found.undecided and lids:
            await self._look_up(lids[:MAX_CONCURRENT_READS])
            lids = lids[MAX_CONCURRENT_READS:]
            found = self._compare(members, people)
        return found

    async def phones_of(self, group_id: str, members: Sequence[MemberAddress]) -> list[str]:
        """Return the phone of each member in digits, empty if the gateway doesn't know it. Raises `ProviderError`."""
        for member in members:
            self._learn(member.lid, member.digits)
        await self._read_contacts(group_id, members)
        await self._look_up(self._unresolved(members)[:MAX_LOOKUPS])
        return [member.digits or self._phone_of_lid.get(member.lid) or "" for member in members]

    async def phone_of(self, lid: str) -> str:
        """Return the phone behind a LID (`getContact`) in digits, empty if the gateway doesn't know it.

        Raises `ProviderError`.
        """
        if known := self._phone_of_lid.get(lid):
            return known
        try:
            reply = await self._api.read(f"/contacts/{lid.replace('@', '%40')}", not_found=PersonNotFound)
        except PersonNotFound:
            digits = ""
        else:
            digits = reply.parse(ContactRecord).identity.digits
            if f"{digits}@lid" == lid:  # the contact may not have its LID
                digits = ""
        self._looked_up_at.set(lid, self._clock())
        self._learn(lid, digits)
        return digits

    def _compare(self, members: Iterable[MemberAddress], people: Iterable[Person]) -> MembershipReading:
        index = MemberIndex()
        for member in members:
            self._learn(member.lid, member.digits)
            known = self.key_of(member.lid, member.digits)
            index.add(MemberKey(known.lid, known.phones, member.status))
        return index.read({person.key: self.key_of(person.lid, person.digits) for person in people})

    def _unresolved(self, members: Iterable[MemberAddress]) -> list[str]:
        """Return the LIDs without a known phone: first those never looked up, and of these the newest members."""
        retry_before = self._clock() - LOOKUP_RETRY_SECONDS
        lids = []
        for member in members:
            if member.lid and not member.digits and not self._phone_of_lid.get(member.lid):
                looked_up_at = self._looked_up_at.get(member.lid)
                if looked_up_at is None or looked_up_at <= retry_before:
                    lids.append((looked_up_at is not None, -member.since, member.lid))
        return [lid for _, _, lid in sorted(lids)]

    async def _read_contacts(self, group_id: str, members: Sequence[MemberAddress]) -> None:
        """Read the group's contacts, unless few members are unknown or the contacts have shown no phones before.

        The format of the items isn't documented, so they may have no phones.
        """
        pages = -(-len(members) // PAGE_SIZE)
        if len(self._unresolved(members)) <= pages or self._lists_without_phones.get(group_id):
            return
        params: Query = {"group": group_id, "limit": PAGE_SIZE}
        has_phones = False
        async for records in self._api.pages("/contacts", Page[ContactRecord], params=params):
            for identity in (record.identity for record in records):
                self._learn(identity.lid_key, identity.digits)
                has_phones |= bool(identity.lid_key and identity.digits)
        if not has_phones:
            self._lists_without_phones.set(group_id, value=True)

    async def _likely_first(self, group_id: str, lids: list[str], people: Iterable[Person]) -> list[str]:
        """Sort those LIDs first that a search for a phone finds (`listContacts`, `q`). It may also match a name."""
        phones = {person.digits[-SEARCHED_DIGITS:] for person in people if person.digits}
        likely: set[str] = set()
        if len(phones) * LOOKUPS_PER_SEARCH <= min(len(lids), MAX_LOOKUPS):
            for phone in sorted(phones):
                params: Query = {"group": group_id, "q": phone, "limit": PAGE_SIZE}
                reply = await self._api.read("/contacts", params=params)
                likely.update(record.identity.lid_key for record in reply.parse(Page[ContactRecord]).data)
        return sorted(lids, key=lambda lid: lid not in likely)

    async def _look_up(self, lids: Sequence[str]) -> None:
        """Read the phones behind LIDs. Raises the first error."""
        for result in await call_for_each(lids, self.phone_of):
            if isinstance(result, ProviderError):
                raise result

    def _learn(self, lid: str, digits: str) -> None:
        if lid and digits:
            self._phone_of_lid.set(lid, digits)
            for variant in same_person_keys(digits):
                self._lid_of_phone.set(variant, lid)
