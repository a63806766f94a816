"""Finds people among the contacts of a WA.cr tenant, by the fewest calls (`contracts/wacr.openapi.yaml`)."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from providers.base import Person
from providers.cache import TTLCache
from providers.http import Query
from providers.identity import same_person_keys
from providers.wacr.api import MOST_PAGES, Page, WacrApi
from providers.wacr.models import Contact

PEOPLE_PER_PAGE = 5
"""A list is read for at most one page in so many people; those not seen by then are searched one by one. So a short
list costs a page or two, and an endless one a fifth more than searching alone."""

SEARCHED_DIGITS = 4
"""How many of a phone's last digits are searched. How phones are stored is not documented; so many stand together in
most of those with separators, and all forms of one phone end with them. A hundred contacts or so have them in common
where there are 100,000, which is one page."""

REMEMBER = 600.0
"""Seconds for which the ids of a person's contacts are remembered: they were looked up before they are changed."""


TAIL = 9
"""Last digits by which a phone that is stored without its country code may be somebody's; a shorter phone by all it
has. They hold nothing of what stands for the country code (`0`, `8`, a carrier's code), and few others share them."""


class Wanted:
    """People who are looked for among contacts: what is not theirs is not kept, however long the list.

    Attributes:
        found: the contacts of each person.
        alike: contacts that may be a person's, if their phone is not stored with its country code.
        comparable: whether every contact shows its phone.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self.found: dict[Person, list[Contact]] = {person: [] for person in people}
        self.alike: dict[Person, list[Contact]] = {person: [] for person in people}
        self.comparable = True
        self._by_digits: dict[str, set[Person]] = {}
        self._by_tail: dict[str, set[Person]] = {}
        for person in people:
            for digits in same_person_keys(person.digits):
                self._by_digits.setdefault(digits, set()).add(person)
                for length in range(1, TAIL + 1):
                    self._by_tail.setdefault(digits[-length:], set()).add(person)

    def take(self, contacts: Sequence[Contact]) -> None:
        """Keep those contacts that are somebody's, or may be."""
        for contact in contacts:
            owners = self._by_digits.get(contact.digits, set())
            for person in owners:
                self.found[person].append(contact)
            for person in self._by_tail.get(contact.digits[-TAIL:], set()) - owners:
                self.alike[person].append(contact)
            self.comparable = self.comparable and contact.can_be_compared

    @property
    def all_found(self) -> bool:
        """True where everybody has a contact."""
        return all(self.found.values())


@dataclass(frozen=True, slots=True)
class Look:
    """What a group's contacts tell of people.

    Attributes:
        shown: the contacts that the list shows and that are not said to be outside of the group.
        whole: whether the list was read to its end.
        empty: whether the list has no contact at all.
    """

    shown: Wanted
    whole: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What was seen of a person's contacts, of which the CRM may hold several.

    Attributes:
        ids: of those that are theirs, the best first.
        alike: those that may be theirs, if their phone is not stored with its country code.
        group: the one whose contacts were looked at; None for the whole book.
        whole: whether all of these were.
        opted_out: whether one of theirs has opted out of messages.
    """

    ids: tuple[int, ...]
    alike: tuple[Contact, ...]
    group: int | None
    whole: bool
    opted_out: bool

    def covers(self, group: int) -> bool:
        """Tell whether no contact of theirs in the group can be missing."""
        return self.whole and self.group in {None, group}

    def may_stay_in(self, group: int) -> bool:
        """Tell whether the group has a contact that may be theirs."""
        return any(contact.is_in(group) is not False for contact in self.alike)


class AddressBook:
    """The tenant's contacts (listContacts). No filter on phone is documented, so they are compared here, by digits."""

    def __init__(self, api: WacrApi, clock: Callable[[], float]) -> None:
        self._api = api
        self._known: TTLCache[Known] = TTLCache(REMEMBER, clock)

    async def find(self, people: Sequence[Person]) -> Mapping[Person, list[Contact]]:
        """Give the contacts of each person: from the whole book if it is short, else by searching."""
        wanted = Wanted(people)
        whole = await self._read(wanted, len(people) // PEOPLE_PER_PAGE, {})
        self._remember(wanted, None, whole=whole)
        for person in people:
            if not whole and not wanted.found[person]:
                wanted.found[person] = (await self.search(person)).found[person]
        return wanted.found

    async def look(self, group: int, people: Sequence[Person]) -> Look:
        """List a group's contacts until the list gets long, or it ends: whoever was seen may have another contact."""
        wanted = Wanted(people)
        empty, more = True, True
        most = max(1, len(people) // PEOPLE_PER_PAGE)
        async for page in self._pages({"sort": "id", "filter[group_id]": group}, most):
            wanted.take([contact for contact in page.items if contact.is_in(group) is not False])
            empty, more = empty and not page.items, page.more
        self._remember(wanted, group, whole=not more)
        return Look(wanted, not more, empty)

    async def search(self, person: Person) -> Wanted:
        """Search for the end of the person's phone, among all contacts."""
        wanted = Wanted([person])
        await self._read(wanted, MOST_PAGES, {"search": person.digits[-SEARCHED_DIGITS:]}, to_the_end=True)
        self._remember(wanted, None, whole=True)
        return wanted

    async def all_in(self, group: int, person: Person) -> Known:
        """Give what is known of the person's contacts, searching for those in the group where only some were seen."""
        known = self._known.get(person.phone)
        if known is not None and known.covers(group):
            return known
        seen = known.ids if known else ()
        opted_out = self.has_opted_out(person)
        searched = await self.search(person)
        found = tuple(contact.id for contact in best_first(person, searched.found[person]))
        ids = (*found, *(number for number in seen if number not in found))
        opted_out = opted_out or self.has_opted_out(person)
        known = Known(ids, tuple(searched.alike[person]), None, whole=True, opted_out=opted_out)
        self._known.set(person.phone, known)
        return known

    def only(self, group: int, person: Person) -> tuple[int, ...]:
        """Give the id of the person's only contact; none where the group may have another one of theirs."""
        known = self._known.get(person.phone)
        return known.ids if known and known.covers(group) and len(known.ids) == 1 else ()

    def remembered(self, person: Person) -> tuple[int, ...]:
        """Give the ids of the person's contacts, the best first; none where nobody looked lately."""
        known = self._known.get(person.phone)
        return known.ids if known else ()

    def has_opted_out(self, person: Person) -> bool:
        """Tell whether a contact of the person is known to have opted out of messages."""
        known = self._known.get(person.phone)
        return known is not None and known.opted_out

    def forget(self, people: Iterable[Person]) -> None:
        """Look again the next time: a contact is not what it was."""
        for person in people:
            self._known.discard(person.phone)

    async def _read(self, wanted: Wanted, most: int, params: Query, *, to_the_end: bool = False) -> bool:
        """Read contacts until all are found, or `to_the_end`. Gives whether it was reached."""
        more = True
        pages = self._pages({"sort": "id", **params}, most)
        async with aclosing(pages):
            async for page in pages:
                wanted.take(page.items)
                more = page.more
                if wanted.all_found and not to_the_end:
                    break
        return not more

    def _remember(self, seen: Wanted, group: int | None, *, whole: bool) -> None:
        for person, contacts in seen.found.items():
            if contacts:
                ids = tuple(contact.id for contact in best_first(person, contacts))
                opted_out = any(contact.is_opted_out for contact in contacts)
                known = Known(ids, tuple(seen.alike[person]), group, whole=whole, opted_out=opted_out)
                self._known.set(person.phone, known)

    def _pages(self, params: Query, most: int) -> AsyncGenerator[Page[Contact], None]:
        return self._api.pages("/contacts", "contacts:read", Contact, params, most=most)


def best_first(person: Person, found: Sequence[Contact]) -> list[Contact]:
    """Sort contacts that are all the person's: those with the very phone first, then by age."""
    return sorted(found, key=lambda contact: (person.digits not in (contact.phone or ""), contact.id))
