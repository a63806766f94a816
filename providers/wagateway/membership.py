"""The members of a group at the WhatsApp Gateway: read from stored data by LID, changed live by phone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from providers.base import (
    Evidence,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    Operation,
    Outcome,
    PeopleResult,
    Person,
    ProviderError,
    Verdict,
    verdicts_for_error,
)
from providers.cache import TTLCache
from providers.wagateway.api import Api, group_path
from providers.wagateway.contacts import ContactDirectory, MemberAddress
from providers.wagateway.errors import outcome_unknown
from providers.wagateway.models import GroupRecord, MemberRecord, Page
from providers.wagateway.numbers import NumberChecker

STATUS_TTL = 3600.0
"""The seconds for which a status that was read counts as the status before a change."""


@dataclass(frozen=True, slots=True)
class SuccessMeaning:
    """The meaning of a 204 for one person, by the contract's own words.

    Attributes:
        status: the person's status now.
        outcomes: the outcome by the status before, if that is certain.
    """

    status: str
    outcomes: Mapping[MembershipStatus, Outcome]


_MEANINGS: Mapping[Operation, SuccessMeaning] = MappingProxyType(
    {
        Operation.REMOVE: SuccessMeaning(
            "not in the group",
            {
                MembershipStatus.PRESENT: Outcome.REMOVED,
                MembershipStatus.MEMBER: Outcome.REMOVED,
                MembershipStatus.ADMIN: Outcome.REMOVED,
                MembershipStatus.ABSENT: Outcome.ALREADY_DONE,
            },
        ),
        Operation.PROMOTE: SuccessMeaning(
            "an admin", {MembershipStatus.MEMBER: Outcome.PROMOTED, MembershipStatus.ADMIN: Outcome.ALREADY_DONE}
        ),
        Operation.DEMOTE: SuccessMeaning(
            "an ordinary member",
            {MembershipStatus.ADMIN: Outcome.DEMOTED, MembershipStatus.MEMBER: Outcome.ALREADY_DONE},
        ),
    }
)


class Membership:
    """The members of the groups of one session.

    Args:
        api: the API of the session.
        contacts: the phones of LIDs.
        numbers: the number checks.
        clock: returns the time in seconds, from any start.
    """

    def __init__(
        self, api: Api, contacts: ContactDirectory, numbers: NumberChecker, clock: Callable[[], float]
    ) -> None:
        self._api = api
        self._contacts = contacts
        self._numbers = numbers
        self._statuses: TTLCache[MembershipStatus] = TTLCache(STATUS_TTL, clock)

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Look up `people` in the stored member list (`listGroupMembers`), whose records have LIDs.

        The statuses are cached for the next change. No absence is certain in an incomplete list: an empty one, because
        the account itself is in every group that it administers, or one that is shorter than the group's own count
        (`getGroup`). No presence is certain in a longer one: it may include people who left, and which of them isn't
        documented.
        """
        members = [member async for page in self._pages(group_id) for member in page]
        found = {person.key: MembershipStatus.UNKNOWN for person in people}
        if members:
            found |= await self._contacts.memberships(group_id, members, people)
        if set(found.values()) - {MembershipStatus.UNKNOWN}:
            surplus = len(members) - (await self._member_count(group_id) or len(members))
            for key, status in found.items():
                if surplus < 0 if status is MembershipStatus.ABSENT else surplus > 0:
                    found[key] = MembershipStatus.UNKNOWN
        for key, status in found.items():
            self._statuses.set(f"{group_id} {key}", status)
        return found

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the stored members as the pages arrive, with their phones if the gateway knows them."""
        async for members in self._pages(group_id):
            phones = await self._contacts.phones_of(group_id, members)
            for member, digits in zip(members, phones, strict=True):
                yield Member(f"+{digits}" if digits else "", member.lid, member.name, member.status)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check each number (`checkContact`), then add those with an account in one call (`addGroupMembers`).

        The gateway doesn't report about single people: they are `UNKNOWN` until the group is read again. If a check
        fails, no one is added.
        """
        found = await self._numbers.jids_of(people)
        decided = {verdict.key for verdict in found.verdicts}
        rest = [person for person in people if person.key not in decided]
        try:
            if found.error is not None:
                raise found.error
            if found.jids:
                await self._add(group_id, list(dict.fromkeys(found.jids.values())))
        except ProviderError as error:
            if not found.verdicts:
                raise
            return PeopleResult(found.verdicts + verdicts_for_error(error, rest), error)
        unknown = (Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, "204") for person in rest)
        return PeopleResult((*found.verdicts, *unknown))

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people one by one (`removeGroupMember`). It succeeds also for a person who isn't in the group."""

        async def remove(path: str) -> None:
            await self._api.write_as_admin("DELETE", group_path(group_id), path)

        return await self._change_each(group_id, people, Operation.REMOVE, remove)

    async def set_role(self, group_id: str, people: Sequence[Person], operation: Operation) -> PeopleResult:
        """Promote or demote people one by one (`promoteGroupMember`, `demoteGroupMember`).

        It succeeds also for a person who has the role already. A person who isn't in the group is a 404, and so is an
        unknown group: the group is read to distinguish them.

        Args:
            group_id: the group's JID.
            people: the members.
            operation: `PROMOTE` or `DEMOTE`, which is also the end of the path.
        """
        group = group_path(group_id)
        group_exists = False

        async def change(path: str) -> None:
            nonlocal group_exists
            try:
                await self._api.write_as_admin("POST", group, f"{path}/{operation}")
            except GroupNotFound as error:
                if not group_exists:
                    await self._api.read(group, not_found=GroupNotFound)
                    group_exists = True
                message = "The gateway found no such member in the group."
                raise InvalidRequest(message, code=error.code, provider_text=error.provider_text) from None

        return await self._change_each(group_id, people, operation, change)

    async def _pages(self, group_id: str) -> AsyncIterator[list[MemberAddress]]:
        path = f"{group_path(group_id)}/members"
        async for records in self._api.pages(path, Page[MemberRecord], not_found=GroupNotFound):
            members = map(MemberAddress.of, records)
            yield [member for member in members if member.status is not MembershipStatus.ABSENT]

    async def _member_count(self, group_id: str) -> int:
        """Read the stored number of members; 0 if the group has none."""
        reply = await self._api.read(group_path(group_id), not_found=GroupNotFound)
        return reply.parse(GroupRecord).participant_count or 0

    async def _add(self, group_id: str, jids: Sequence[str]) -> None:
        """Add JIDs. After a 400 to several the result isn't known: one malformed JID may not affect the others."""
        body = {"participants": list(jids)}
        try:
            await self._api.write_as_admin("POST", group_path(group_id), "/members", body=body)
        except InvalidRequest as error:
            raise outcome_unknown(error) if len(jids) > 1 else error from None

    async def _change_each(
        self, group_id: str, people: Sequence[Person], operation: Operation, call: Callable[[str], Awaitable[None]]
    ) -> PeopleResult:
        """Make one call for each person; `call` takes the member's path below the group's.

        The error of a call is its person's. After one that stops sending, the others aren't attempted.

        Raises:
            ProviderError: from the first call, if it stops sending or is the only one.
        """
        verdicts: list[Verdict] = []
        for index, person in enumerate(people):
            before = self._take_status(group_id, person)
            try:
                jid = await self._numbers.member_jid(person)
                await call(f"/members/{jid.replace('@', '%40')}")
            except InvalidRequest as error:
                verdicts += verdicts_for_error(error, [person])
            except ProviderError as error:
                if not verdicts and (error.stops_sending or len(people) == 1):
                    raise
                verdicts += verdicts_for_error(error, [person])
                if error.stops_sending:
                    rest = people[index + 1 :]
                    verdicts += (Verdict(left.key, Outcome.NOT_ATTEMPTED, cause=error.cause) for left in rest)
                    return PeopleResult(tuple(verdicts), error)
            else:
                verdicts.append(_verdict(person, _MEANINGS[operation], before))
        return PeopleResult(tuple(verdicts))

    def _take_status(self, group_id: str, person: Person) -> MembershipStatus:
        """Return the status that was last read, and drop it, because the person's status is about to change."""
        key = f"{group_id} {person.key}"
        before = self._statuses.get(key)
        self._statuses.discard(key)
        return before or MembershipStatus.UNKNOWN


def _verdict(person: Person, meaning: SuccessMeaning, before: MembershipStatus) -> Verdict:
    """Return the verdict after a 204. It reports the status now; the one before shows whether that is a change."""
    outcome = meaning.outcomes.get(before, Outcome.UNKNOWN)
    if outcome is Outcome.UNKNOWN:
        text = f"The gateway reports that this person is now {meaning.status}. Their status before isn't known."
        return Verdict(person.key, outcome, Evidence.NONE, "204", text)
    return Verdict(person.key, outcome, Evidence.REPORTED, "204")
