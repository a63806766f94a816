"""The membership of people in a WA.cr group (`contracts/wacr.openapi.yaml`).

Calls that change a group take contact ids and answer with a count. So people are looked up first, and the count decides
their verdicts.
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
from providers.wacr.api import Api
from providers.wacr.contacts import CACHE_TTL, AddressBook, ContactCreator, ContactMatches, best_first
from providers.wacr.errors import ContactLimitReached
from providers.wacr.models import AddedReply, NamedRecord, RemovedReply, message_of, unwrap
from providers.wacr.tally import BatchTally

MAX_SINGLE_CREATIONS = 2
"""Up to so many contacts are created one by one: creating a batch and adding it to the group takes two calls too."""


class Membership:
    """The groups of one tenant and the contacts in them.

    Args:
        api: the WA.cr API.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._book = AddressBook(api, clock)
        self._creator = ContactCreator(api)
        self._existing: TTLCache[bool] = TTLCache(CACHE_TTL, clock)

    async def read_group(self, group: int) -> NamedRecord:
        """Read a group (getGroup). Raises `GroupNotFound` and other `ProviderError`."""
        record = unwrap(await self._api.read(f"/groups/{group}", "groups:read")).parse(NamedRecord)
        self.remember_group(group)
        return record

    def remember_group(self, group: int) -> None:
        """Store that a group exists, so that it isn't read again before contacts are created for it."""
        self._existing.set(str(group), value=True)

    def forget_group(self, group: int) -> None:
        """Drop the cached existence of a group."""
        self._existing.discard(str(group))

    async def membership(self, group: int, people: Sequence[Person]) -> Mapping[Person, MembershipStatus]:
        """Return the status of people, from the group's contacts (filter[group_id]), else by a search for each.

        A contact lists its own groups, perhaps also a deleted one: if a person is present, the group is read too. How
        phones are stored isn't documented, so a search without a result leaves `UNKNOWN`, and so does a contact whose
        phone may be the person's. Raises `GroupNotFound` and other `ProviderError`.
        """
        statuses = await self._statuses(group, people)
        if MembershipStatus.PRESENT in statuses.values():
            await self.read_group(group)
        return statuses

    async def add(self, group: int, people: Sequence[Person]) -> PeopleResult:
        """Add the contacts of people to the group in one call, and create contacts for people without one.

        One or two contacts are created in the group (createContact), each by a call that reports about its person. More
        are created by one batchCreateContacts and added by one addContactsToGroup: two calls, however many they are.
        That risks no wrong verdict. A batch adds no one to the group, and only ids are read from its response. The
        count of the second call decides, and people who are missing from the response get a call of their own. The
        price is weaker evidence (`inferred`, not `reported`). If the second call fails, the new contacts remain outside
        of the group, and the next attempt finds them.

        Raises:
            ProviderError: no verdict is known.
        """
        tally = BatchTally(people)
        try:
            await self._add(tally, group)
        except ProviderError as error:
            return tally.result_of_failure(error)
        return tally.result()

    async def remove(self, group: int, people: Sequence[Person]) -> PeopleResult:
        """Remove all contacts of people from the group in one call. People who aren't in it are already done.

        The outcome is unknown while the group has another contact that may be the person's.

        Raises:
            ProviderError: no verdict is known.
        """
        tally = BatchTally(people)
        try:
            await self._find_absent(tally, group, [p for p in tally.people if not self._book.known(p).ids])
            inside = {p: await self._book.all_in_group(group, p) for p in tally.people if p not in tally}
            if inside:
                await self._change(tally, group, {p: known.ids for p, known in inside.items()}, Outcome.REMOVED)
            for person in (p for p, known in inside.items() if known.may_remain_in(group)):
                tally.record(person, Outcome.UNKNOWN, text="Another contact in the group may be this person's.")
        except ProviderError as error:
            return tally.result_of_failure(error)
        return tally.result()

    async def _statuses(self, group: int, people: Sequence[Person]) -> Mapping[Person, MembershipStatus]:
        if not people:
            return {}
        listed = await self._book.list_group(group, people)
        if listed.empty and listed.complete:
            await self.read_group(group)  # an unknown group has no contacts either
        statuses = {}
        for person, found in listed.matches.found.items():
            if found:
                statuses[person] = MembershipStatus.PRESENT
            elif not listed.complete:
                statuses[person] = _status(group, person, await self._book.search(person))
            else:
                is_certain = listed.matches.comparable and not listed.matches.similar[person]
                statuses[person] = MembershipStatus.ABSENT if is_certain else MembershipStatus.UNKNOWN
        return statuses

    async def _find_absent(self, tally: BatchTally, group: int, people: Sequence[Person]) -> None:
        """Record the verdicts of people without a contact to remove."""
        for person, status in (await self._statuses(group, people)).items():
            if status is MembershipStatus.ABSENT:
                tally.record(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif not self._book.known(person).ids:
                tally.record(person, Outcome.UNKNOWN, text="WA.cr shows no contact with this phone.")

    async def _add(self, tally: BatchTally, group: int) -> None:
        outside = {p: ids for p in tally.people if (ids := self._book.known(p).only_id(group))}
        contacts = await self._book.find([person for person in tally.people if person not in outside])
        inside = {p for p, found in contacts.items() if any(contact.is_in(group) for contact in found)}
        if inside:
            await self.read_group(group)  # they may have the id of a deleted group
        missing = []
        for person, found in contacts.items():
            if person in inside:
                tally.record(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
            elif found:
                outside[person] = (best_first(person, found)[0].id,)
            else:
                missing.append(person)
        if outside:
            await self._change(tally, group, outside, Outcome.ADDED)
        elif missing and not self._existing.get(str(group)):
            await self.read_group(group)  # before contacts are created for a group that doesn't exist
        await self._add_missing(tally, group, missing)

    async def _add_missing(self, tally: BatchTally, group: int, people: Sequence[Person]) -> None:
        created: dict[Person, tuple[int, ...]] = {}
        if len(people) > MAX_SINGLE_CREATIONS:
            created = await self._create_batch(tally, people)
            if created:
                await self._change(tally, group, created, Outcome.ADDED)
        others = [person for person in people if person not in created]
        found = {p: ids for p in others if (ids := await self._create_in_group(tally, group, p))}
        if found:
            await self._change(tally, group, found, Outcome.ADDED)

    async def _create_batch(self, tally: BatchTally, people: Sequence[Person]) -> dict[Person, tuple[int, ...]]:
        """Create contacts in one call. Return none if it is rejected as a whole: each alone may be accepted."""
        await self._creator.defaults()
        tally.in_flight = tuple(people)
        try:
            created = await self._creator.create_batch(people)
        except (InvalidRequest, ContactLimitReached):
            tally.in_flight = ()
            return {}
        return {person: (contact.id,) for person, contact in created.items()}

    async def _create_in_group(self, tally: BatchTally, group: int, person: Person) -> tuple[int, ...]:
        """Create a contact in the group and record the verdict.

        Return the contact's id, without a verdict, if the person turns out to have a contact outside of the group.
        """
        await self._creator.defaults()
        tally.in_flight = (person,)
        try:
            contact, reply = await self._creator.create_in_group(group, person)
        except InvalidRequest as error:
            return await self._search_after_rejection(tally, group, person, error)
        outcome = Outcome.ADDED if contact.is_in(group) else Outcome.UNKNOWN
        tally.reported(person, outcome, str(reply.status), message_of(reply))
        return ()

    async def _search_after_rejection(
        self, tally: BatchTally, group: int, person: Person, error: InvalidRequest
    ) -> tuple[int, ...]:
        """Search for the contact because of which a new one was rejected: it is more recent, or its phone is hidden."""
        found = (await self._book.search(person)).found[person] if "already exists" in error.provider_text else []
        if any(contact.is_in(group) for contact in found):
            await self.read_group(group)
            tally.record(person, Outcome.ALREADY_DONE, Evidence.OBSERVED)
        elif found:
            return (best_first(person, found)[0].id,)
        else:
            tally.record_error(person, error)
        return ()

    async def _change(
        self, tally: BatchTally, group: int, contacts: Mapping[Person, Collection[int]], done: Outcome
    ) -> None:
        """Add contacts to the group (`done` is `ADDED`) or remove them, and record the verdicts by the count."""
        ids = sorted({contact_id for own in contacts.values() for contact_id in own})
        tally.in_flight = tuple(contacts)
        method, model = ("POST", AddedReply) if done is Outcome.ADDED else ("DELETE", RemovedReply)
        path, body = f"/groups/{group}/contacts", {"contact_ids": ids}
        try:
            changed, reply = await self._api.write(method, path, "groups:write", body, model, repeatable=True)
        except (InvalidRequest, GroupNotFound) as error:
            self._book.forget(contacts)  # one of them may have been deleted
            self.forget_group(group)
            raise await self._error_after_rejection(group, error, done, len(ids)) from None
        self.remember_group(group)
        unsure = [person for person in contacts if self._book.known(person).opted_out]
        tally.record_count(contacts, done, changed.count, of=len(ids), code=str(reply.status), unsure=unsure)

    async def _error_after_rejection(self, group: int, error: ProviderError, done: Outcome, of: int) -> ProviderError:
        """Return the error of a rejected change; `OutcomeUnknown` if it may have been made in part.

        Adding rejects the whole call for one bad id. How removing treats an unknown id isn't documented, nor whether it
        is one transaction.
        """
        if done is Outcome.ADDED or of == 1:
            return error
        if isinstance(error, GroupNotFound):
            try:
                await self.read_group(group)
            except GroupNotFound:
                return error
            except ProviderError:
                pass  # then it isn't known what wasn't found
        message = "WA.cr rejected the removal but may have removed some people before."
        return OutcomeUnknown(message, code=error.code, provider_text=error.provider_text)


def _status(group: int, person: Person, matches: ContactMatches) -> MembershipStatus:
    """Return the status of a person by the contacts that a search found."""
    own = [contact.is_in(group) for contact in matches.found[person]]
    if any(own):
        return MembershipStatus.PRESENT
    similar = [contact.is_in(group) for contact in matches.similar[person]]
    all_outside = {*own, *similar} == {False}
    return MembershipStatus.ABSENT if own and all_outside and matches.comparable else MembershipStatus.UNKNOWN
