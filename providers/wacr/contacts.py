"""Finds people among the contacts of a WA.cr tenant, by the fewest calls (`contracts/wacr.openapi.yaml`)."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from providers.base import Person
from providers.http import Query
from providers.identity import same_person_keys
from providers.wacr.api import Contact, WacrApi

PEOPLE_PER_PAGE = 5
"""A list is read for at most one page in so many people; those not seen by then are searched one by one. So a short
list costs a page or two, and an endless one a fifth more than searching alone."""


class AddressBook:
    """The tenant's contacts (listContacts). No filter on phone is documented, so they are compared here, by digits."""

    def __init__(self, api: WacrApi) -> None:
        self._api = api

    async def find(self, people: Sequence[Person]) -> dict[Person, list[Contact]]:
        """Give the contacts of each person: from the whole book if it is short, else by searching."""
        listed, whole = await self._list(people, len(people) // PEOPLE_PER_PAGE, {})
        contacts = {person: [contact for contact in listed if contact.is_of(person)] for person in people}
        for person, found in contacts.items():
            if not found and not whole:
                contacts[person] = await self.search(person)
        return contacts

    async def members(self, group: int, people: Sequence[Person]) -> tuple[list[Contact], bool]:
        """List a group's contacts until all `people` were seen or the list gets long; and whether that was the end."""
        return await self._list(people, max(1, len(people) // PEOPLE_PER_PAGE), {"filter[group_id]": group})

    async def search(self, person: Person) -> list[Contact]:
        """Search for the digits that all forms of the person's phone end with."""
        return await self._search(person, _shared_ending(same_person_keys(person.digits)))

    async def search_by_ending(self, person: Person) -> list[Contact]:
        """Search for the last four digits, which stand together also in most phones stored with separators."""
        return await self._search(person, person.digits[-4:])

    async def _list(self, people: Sequence[Person], budget: int, params: Query) -> tuple[list[Contact], bool]:
        listed: list[Contact] = []
        for number in range(1, budget + 1):
            page = await self._api.page("/contacts", "contacts:read", number, {"sort": "id", **params})
            listed += page.read(Contact)
            if not page.more:
                return listed, True
            if all(any(contact.is_of(person) for contact in listed) for person in people):
                break
        return listed, False

    async def _search(self, person: Person, term: str) -> list[Contact]:
        found: list[Contact] = []
        number, more = 1, True
        while more:
            page = await self._api.page("/contacts", "contacts:read", number, {"search": term})
            found += [contact for contact in page.read(Contact) if contact.is_of(person)]
            number, more = number + 1, page.more
        return found


def best(person: Person, found: Sequence[Contact]) -> Contact:
    """Choose among contacts that are all the person's: the one with the very phone, then the oldest."""
    return min(found, key=lambda contact: (person.digits not in (contact.phone or ""), contact.id))


def _shared_ending(forms: Iterable[str]) -> str:
    columns = zip(*(digits[::-1] for digits in forms), strict=False)
    return "".join(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))[::-1]
