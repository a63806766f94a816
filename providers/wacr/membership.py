"""Who is in a WA.cr group, and who comes and goes (`contracts/wacr.openapi.yaml`).

Membership calls take contact ids and answer with a count, so people are looked up first, and the count judges them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from providers.base import (
    Evidence,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
    PeopleResult,
    Person,
    ProviderError,
)
from providers.cache import TTLCache
from providers.wacr.api import WacrApi
from providers.wacr.contacts import REMEMBER, AddressBook, Wanted, best_first
from providers.wacr.creation import ContactMaker
from providers.wacr.errors import ContactLimitReached
from providers.wacr.models import Added, Record, Removed, message_of, unwrapped
from providers.wacr.tally import Run

FEW = 2
"""So many contacts are created one by one: a batch, and putting its contacts into the group, are two calls too."""


class Membership:
    """The groups of one tenant and the contacts in them."""

    def __init__(self, api: WacrApi, clock: Callable[[], float]) -> None:
        self._api = api
        self._book = AddressBook(api, clock)
        self._maker = ContactMaker(api)
        self._there: TTLCache[bool] = TTLCache(REMEMBER, clock)

    async def record(self, group: int) -> Record:
        """Read a group (getGroup). Raises `GroupNotFound` and other `ProviderError`."""
        record = unwrapped(await self._api.read(f"/groups/{group}", "groups:read")).parse(Record)
        self.note(group, there=True)
        return record

    def note(self, group: int, *, there: bool) -> None:
        """Remember whether a group was seen lately, so that it need not be looked up before people are added."""
        if there:
            self._there.set(str(group), value=True)
        else:
            self._there.discard(str(group))

    async def membership(self, group: int, people: Sequence[Person]) -> Mapping[Person, MembershipStatus]:
        """Tell how people stand in the group: from its contacts (filter[group_id]), else by searching for each.

        A found contact tells by its own list of groups, which may hold the id of a group that was deleted: where
        somebody is present the group is read too. In what form phones are stored is not documented: a search that finds
        nothing leaves `UNKNOWN`, and so does a contact with a phone that may be the person's.
        Raises `GroupNotFound` and other `ProviderError`.
        """
        standing = await self._by_contacts(group, people)
        if MembershipStatus.PRESENT in standing.values():
            await self.record(group)
        return standing

    async def add(self, group: int, people: Sequence[Person]) -> PeopleResult:
        """Put the contacts of people into the group in one call, and make contacts for those who have none.

        One or two contacts are created inside the group (createContact), each by a call that tells about its person.
        More are created by one batchCreateContacts and then put into the group by one addContactsToGroup: two calls
        however many they are. That risks no wrong verdict, because a batch alone makes nobody a member: what its
        answer shows is used for nothing but ids, the count of the second call judges, and whoever is missing in the
        answer gets a call of their own. What is lost is evidence (`inferred`, not `reported`), and where the second
        call fails, contacts are left behind outside of the group, which the next try finds.

        Raises `ProviderError` when nothing is known about anybody.
        """
        run = Run(people)
        try:
            await self._add(run, group)
        except ProviderError as error:
            return run.stopped(error)
        return run.result()

    async def remove(self, group: int, people: Sequence[Person]) -> PeopleResult:
        """Take all contacts of people out of the group in one call; whoever is seen outside is done already.

        Nobody is called gone while the group has another contact that may be theirs.
        Raises `ProviderError` when nothing is known about anybody.
        """
        run = Run(people)
        try:
            await self._look(run, group, [person for person in run.people if not self._book.remembered(person)])
            inside = {p: await self._book.all_in(group, p) for p in run.people if not run.has(p)}
            if inside:
                await self._change(run, group, {p: known.ids for p, known in inside.items()}, Outcome.REMOVED)
            for person in (p for p, known in inside.items() if known.may_stay_in(group)):
                run.tell(person, Outcome.UNKNOWN, Evidence.NONE, "", "Another contact in the group may be theirs.")
        except ProviderError as error:
            return run.stopped(error)
        return run.result()

    async def _by_contacts(self, group: int, people: Sequence[Person]) -> Mapping[Person, MembershipStatus]:
        if not people:
            return {}
        look = await self._book.look(group, people)
        if look.empty and look.whole:
            await self.record(group)  # an unknown group has no contacts either
        standing = {}
        for person, found in look.shown.found.items():
            if found:
                standing[person] = MembershipStatus.PRESENT
            elif not look.whole:
                standing[person] = _stands(group, person, await self._book.search(person))
            else:
                told_apart = look.shown.comparable and not look.shown.alike[person]
                standing[person] = MembershipStatus.ABSENT if told_apart else MembershipStatus.UNKNOWN
        return standing

    async def _look(self, run: Run, group: int, people: Sequence[Person]) -> None:
        """Judge those for whom there is nothing to take out of the group."""
        for person, standing in (await self._by_contacts(group, people)).items():
            if standing is MembershipStatus.ABSENT:
                run.tell(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif not self._book.remembered(person):
                run.tell(person, Outcome.UNKNOWN, Evidence.NONE, "", "WA.cr shows no contact with this phone.")

    async def _add(self, run: Run, group: int) -> None:
        waiting = {p: ids for p in run.people if (ids := self._book.only(group, p))}
        contacts = await self._book.find([person for person in run.people if person not in waiting])
        inside = {p for p, found in contacts.items() if any(contact.is_in(group) for contact in found)}
        if inside:
            await self.record(group)  # they may hold the id of a deleted group
        missing = []
        for person, found in contacts.items():
            if person in inside:
                run.tell(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif found:
                waiting[person] = (best_first(person, found)[0].id,)
            else:
                missing.append(person)
        if waiting:
            await self._change(run, group, waiting, Outcome.ADDED)
        elif missing and not self._there.get(str(group)):
            await self.record(group)  # before contacts are made for a group that is not there
        await self._add_missing(run, group, missing)

    async def _add_missing(self, run: Run, group: int, people: Sequence[Person]) -> None:
        made: dict[Person, tuple[int, ...]] = {}
        if len(people) > FEW:
            made = await self._make(run, people)
            if made:
                await self._change(run, group, made, Outcome.ADDED)
        late = {p: found for p in people if p not in made and (found := await self._make_inside(run, group, p))}
        if late:
            await self._change(run, group, late, Outcome.ADDED)

    async def _make(self, run: Run, people: Sequence[Person]) -> dict[Person, tuple[int, ...]]:
        """Make contacts by one call; none where it is refused as a whole, since each alone may be taken."""
        await self._maker.origin()
        run.sending = tuple(people)
        try:
            return {person: (contact.id,) for person, contact in (await self._maker.many(people)).items()}
        except (InvalidRequest, ContactLimitReached):
            run.sending = ()
            return {}

    async def _make_inside(self, run: Run, group: int, person: Person) -> tuple[int, ...]:
        """Make a contact inside the group and judge its person.

        Gives the contact's id, without a verdict, where one with this phone turns out to be there, outside the group.
        """
        await self._maker.origin()
        run.sending = (person,)
        try:
            contact, reply = await self._maker.inside(group, person)
        except InvalidRequest as error:
            return await self._find_again(run, group, person, error)
        told = (Outcome.ADDED, Evidence.REPORTED) if contact.is_in(group) else (Outcome.UNKNOWN, Evidence.NONE)
        run.tell(person, *told, str(reply.status), message_of(reply))
        return ()

    async def _find_again(self, run: Run, group: int, person: Person, error: InvalidRequest) -> tuple[int, ...]:
        """Search for the contact that kept another from being made: it was stored meanwhile, or hides its phone."""
        found = (await self._book.search(person)).found[person] if "already exists" in error.provider_text else []
        if any(contact.is_in(group) for contact in found):
            await self.record(group)
            run.tell(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
        elif found:
            return (best_first(person, found)[0].id,)
        else:
            run.refuse(person, error)
        return ()

    async def _change(self, run: Run, group: int, contacts: Mapping[Person, Collection[int]], done: Outcome) -> None:
        """Put contacts into the group (`done` is `ADDED`) or take them out, and judge their people by the count."""
        ids = sorted({number for numbers in contacts.values() for number in numbers})
        run.sending = tuple(contacts)
        method, answer = ("POST", Added) if done is Outcome.ADDED else ("DELETE", Removed)
        path, body = f"/groups/{group}/contacts", {"contact_ids": ids}
        try:
            counted, reply = await self._api.write(method, path, "groups:write", body, answer, repeatable=True)
        except (InvalidRequest, GroupNotFound) as error:
            self._book.forget(contacts)  # one of them may be gone
            self.note(group, there=False)
            raise await self._as_far_as_told(group, error, done, len(ids)) from None
        self.note(group, there=True)
        unsure = [person for person in contacts if self._book.has_opted_out(person)]
        run.count(contacts, done, counted.number, of=len(ids), code=str(reply.status), unsure=unsure)

    async def _as_far_as_told(self, group: int, error: ProviderError, done: Outcome, of: int) -> ProviderError:
        """Give the refusal of a change; what it did stays open where it may have come half way.

        Adding refuses the whole call for one bad id. What removing does with an id that is nobody's is not documented,
        nor whether it runs in one transaction.
        """
        if done is Outcome.ADDED or of == 1:
            return error
        if isinstance(error, GroupNotFound):
            try:
                await self.record(group)
            except GroupNotFound:
                return error
            except ProviderError:
                pass  # then nobody knows what was not found
        message = "WA.cr refused the removal, and does not say whether some had left before."
        return OutcomeUnknown(message, code=error.code, provider_text=error.provider_text)


def _stands(group: int, person: Person, searched: Wanted) -> MembershipStatus:
    """Tell from the person's own contacts whether one of them is in the group."""
    own = [contact.is_in(group) for contact in searched.found[person]]
    if any(own):
        return MembershipStatus.PRESENT
    others = [contact.is_in(group) for contact in searched.alike[person]]
    all_outside = {*own, *others} == {False}
    return MembershipStatus.ABSENT if own and all_outside and searched.comparable else MembershipStatus.UNKNOWN
