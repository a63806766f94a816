"""The contacts of a WA.cr tenant: found with the fewest calls, or created (`contracts/wacr.openapi.yaml`)."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from providers.base import InvalidRequest, Person
from providers.cache import TTLCache
from providers.http import Query, Reply
from providers.identity import same_person_keys
from providers.wacr.api import MAX_PAGES, Api, Page
from providers.wacr.models import BatchReply, Contact, NamedRecord

PEOPLE_PER_PAGE = 5
"""The people for whom one page of a list is read. Those who aren't found on these pages are searched for one by one.
A short list then costs a page or two, and a very long one a fifth more than searching alone."""

SEARCHED_DIGITS = 4
"""The number of a phone's last digits that are searched for. How phones are stored isn't documented. Most formats with
separators keep four digits together, and all variants of a phone end with them. Of 100,000 contacts about a hundred
share them, which is one page."""

COMPARED_DIGITS = 9
"""The number of last digits by which a phone stored without its country code may be a person's; a shorter phone is
compared by all its digits. They don't include a trunk prefix (`0`, `8`, a carrier code), and few people share them."""

CACHE_TTL = 600.0
"""The seconds for which contact ids and groups are cached: people are looked up before they are changed."""


class ContactMatches:
    """The contacts of people. Contacts of others aren't kept, however long the list is.

    Attributes:
        found: the contacts of each person.
        similar: the contacts that may be a person's if their phone is stored without country code.
        comparable: whether every contact shows its phone.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self.found: dict[Person, list[Contact]] = {person: [] for person in people}
        self.similar: dict[Person, list[Contact]] = {person: [] for person in people}
        self.comparable = True
        self._by_digits: dict[str, set[Person]] = {}
        self._by_last_digits: dict[str, set[Person]] = {}
        for person in people:
            for digits in same_person_keys(person.digits):
                self._by_digits.setdefault(digits, set()).add(person)
                for length in range(1, COMPARED_DIGITS + 1):
                    self._by_last_digits.setdefault(digits[-length:], set()).add(person)

    def add(self, contacts: Iterable[Contact]) -> None:
        """Keep the contacts that are, or may be, one of the people."""
        for contact in contacts:
            owners = self._by_digits.get(contact.digits, set())
            for person in owners:
                self.found[person].append(contact)
            for person in self._by_last_digits.get(contact.digits[-COMPARED_DIGITS:], set()) - owners:
                self.similar[person].append(contact)
            self.comparable = self.comparable and contact.is_comparable

    @property
    def all_found(self) -> bool:
        """True if every person has a contact."""
        return all(self.found.values())


@dataclass(frozen=True, slots=True)
class GroupContacts:
    """The contacts of people in a group's list.

    Attributes:
        matches: the listed contacts, except those that are outside of the group by their own fields.
        complete: whether the list was read to its end.
        empty: whether the list has no contact at all.
    """

    matches: ContactMatches
    complete: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class KnownContacts:
    """The known contacts of a person, who may have several.

    Attributes:
        ids: the person's own contacts, the best first.
        similar: the contacts that may be the person's if their phone is stored without country code.
        group: the group whose contacts were read; None for all contacts.
        complete: whether all of these were read.
        opted_out: whether one of the person's contacts has opted out of messages.
    """

    ids: tuple[int, ...] = ()
    similar: tuple[Contact, ...] = ()
    group: int | None = None
    complete: bool = False
    opted_out: bool = False

    @classmethod
    def of(cls, person: Person, matches: ContactMatches, group: int | None, *, complete: bool) -> "KnownContacts":
        """Return what a list or a search shows of a person."""
        contacts = best_first(person, matches.found[person])
        opted_out = any(contact.is_opted_out for contact in contacts)
        ids = tuple(contact.id for contact in contacts)
        return cls(ids, tuple(matches.similar[person]), group, complete, opted_out)

    def covers(self, group: int) -> bool:
        """Return whether these are all contacts of the person in the group."""
        return self.complete and self.group in {None, group}

    def only_id(self, group: int) -> tuple[int, ...]:
        """Return the id of the person's only contact; empty if the group may have another one of theirs."""
        return self.ids if self.covers(group) and len(self.ids) == 1 else ()

    def may_remain_in(self, group: int) -> bool:
        """Return whether the group has a contact that may be the person's."""
        return any(contact.is_in(group) is not False for contact in self.similar)


class AddressBook:
    """The contacts of the tenant (listContacts). No filter by phone is documented, so phones are compared here.

    Args:
        api: the WA.cr API.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._known: TTLCache[KnownContacts] = TTLCache(CACHE_TTL, clock)

    def known(self, person: Person) -> KnownContacts:
        """Return the cached contacts of a person, without a call."""
        return self._known.get(person.phone) or KnownContacts()

    def forget(self, people: Iterable[Person]) -> None:
        """Drop the cached contacts of people, because one of them may have changed."""
        for person in people:
            self._known.discard(person.phone)

    async def find(self, people: Sequence[Person]) -> Mapping[Person, list[Contact]]:
        """Return the contacts of each person, from the list of all contacts if it is short, otherwise by searching."""
        matches = ContactMatches(people)
        complete = await self._read(matches, len(people) // PEOPLE_PER_PAGE, {})
        self._store(matches, None, complete=complete)
        for person in people:
            if not complete and not matches.found[person]:
                matches.found[person] = (await self.search(person)).found[person]
        return matches.found

    async def list_group(self, group: int, people: Sequence[Person]) -> GroupContacts:
        """Read the first pages of a group's contacts, even after all people are found: they may have more contacts."""
        matches = ContactMatches(people)
        empty, has_more = True, True
        max_pages = max(1, len(people) // PEOPLE_PER_PAGE)
        async for page in self._pages({"sort": "id", "filter[group_id]": group}, max_pages):
            matches.add(contact for contact in page.items if contact.is_in(group) is not False)
            empty, has_more = empty and not page.items, page.has_more
        self._store(matches, group, complete=not has_more)
        return GroupContacts(matches, not has_more, empty)

    async def search(self, person: Person) -> ContactMatches:
        """Search all contacts for the last digits of the person's phone."""
        matches = ContactMatches([person])
        await self._read(matches, MAX_PAGES, {"search": person.digits[-SEARCHED_DIGITS:]}, to_the_end=True)
        self._store(matches, None, complete=True)
        return matches

    async def all_in_group(self, group: int, person: Person) -> KnownContacts:
        """Return all contacts of the person that may be in the group, by a search if the cache isn't complete."""
        known = self.known(person)
        if known.covers(group):
            return known
        found = KnownContacts.of(person, await self.search(person), None, complete=True)
        ids = (*found.ids, *(known_id for known_id in known.ids if known_id not in found.ids))
        found = replace(found, ids=ids, opted_out=known.opted_out or found.opted_out)
        self._known.set(person.phone, found)
        return found

    async def _read(self, matches: ContactMatches, max_pages: int, params: Query, *, to_the_end: bool = False) -> bool:
        """Read contacts until all people are found, or `to_the_end`. Return whether the end was reached."""
        has_more = True
        pages = self._pages({"sort": "id", **params}, max_pages)
        async with aclosing(pages):
            async for page in pages:
                matches.add(page.items)
                has_more = page.has_more
                if matches.all_found and not to_the_end:
                    break
        return not has_more

    def _store(self, matches: ContactMatches, group: int | None, *, complete: bool) -> None:
        for person, contacts in matches.found.items():
            if contacts:
                self._known.set(person.phone, KnownContacts.of(person, matches, group, complete=complete))

    def _pages(self, params: Query, max_pages: int) -> AsyncGenerator[Page[Contact], None]:
        return self._api.pages("/contacts", "contacts:read", Contact, params, max_pages=max_pages)


class ContactCreator:
    """Creates contacts. Each needs a source and a status of the tenant: the first of each is used, and read once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._defaults: dict[str, int] = {}

    async def defaults(self) -> Mapping[str, int]:
        """Return the source and the status for new contacts (x-related-operations). Raises `ProviderError`."""
        for field, path in (("source_id", "/sources"), ("status_id", "/statuses")):
            if field not in self._defaults:
                pages = self._api.pages(path, "to read contact sources and statuses", NamedRecord, max_pages=1)
                records = [record async for page in pages for record in page.items]
                if not records:
                    kind = path.removeprefix("/")
                    raise InvalidRequest(
                        f"WA.cr has no contact {kind}. Create one there, because new contacts need it."
                    )
                self._defaults[field] = records[0].id
        return self._defaults

    async def create_in_group(self, group: int, person: Person) -> tuple[Contact, Reply]:
        """Create a contact in a group (createContact). Raises `ProviderError`, also `OutcomeUnknown`."""
        body = {**await self._fields(person), "groups": [group]}
        try:
            return await self._api.write("POST", "/contacts", "contacts:write", body, Contact)
        except InvalidRequest:
            self._defaults.clear()  # the source or the status may have been deleted
            raise

    async def create_batch(self, people: Sequence[Person]) -> dict[Person, Contact]:
        """Create contacts outside of all groups (batchCreateContacts) and return those in the response.

        A phone that already has a contact is skipped. A person who is missing from the response may still have a
        contact: how skipped and failed entries identify their people isn't documented. Raises `ProviderError`.
        """
        contacts = [await self._fields(person) for person in people]
        body = {"contacts": contacts, "options": {"continue_on_error": True, "skip_duplicates": True}}
        try:
            batch, reply = await self._api.write("POST", "/contacts/batch", "contacts:write", body, BatchReply)
        except InvalidRequest:
            self._defaults.clear()
            raise
        if not batch.success:
            message = "WA.cr created none of the contacts."
            raise InvalidRequest(message, code=str(reply.status), provider_text=reply.text)
        matches = ContactMatches(people)
        matches.add(batch.created or ())
        return {person: best_first(person, found)[0] for person, found in matches.found.items() if found}

    async def _fields(self, person: Person) -> dict[str, object]:
        name = {"firstname": person.phone, "lastname": "Rollcall"}
        return {**name, "phone": person.phone, "type": "lead", **await self.defaults()}


def best_first(person: Person, contacts: Sequence[Contact]) -> list[Contact]:
    """Sort a person's contacts: those with exactly this phone first, then by age."""
    return sorted(contacts, key=lambda contact: (person.digits not in (contact.phone or ""), contact.id))
