"""The members of a group at the WhatsApp Gateway: read from stored data by LID, changed live by phone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from providers.base import (
    Evidence,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipReading,
    MembershipStatus,
    Operation,
    Outcome,
    PeopleResult,
    Person,
    ProviderError,
    Verdict,
    verdicts_for_error,
)
from providers.wagateway.api import Api, group_path
from providers.wagateway.contacts import ContactDirectory, MemberAddress
from providers.wagateway.errors import outcome_unknown
from providers.wagateway.models import GroupRecord, MemberRecord, Page
from providers.wagateway.numbers import NumberChecker


class Membership:
    """The members of the groups of one session.

    Args:
        api: the API of the session.
        contacts: the phones of LIDs.
        numbers: the number checks.
    """

    def __init__(self, api: Api, contacts: ContactDirectory, numbers: NumberChecker) -> None:
        self._api = api
        self._contacts = contacts
        self._numbers = numbers

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Look up `people` in the stored member list (`listGroupMembers`), whose records have LIDs.

        No absence is certain in an incomplete list: an empty one, because the account itself is in every group that it
        administers, or one that is shorter than the group's own count (`getGroup`). No presence is certain in a longer
        one: it may include people who left, and which of them isn't documented.
        """
        members = [member async for page in self._pages(group_id) for member in page]
        if not members:
            return MembershipReading(dict.fromkeys((person.key for person in people), MembershipStatus.UNKNOWN))
        found = await self._contacts.memberships(group_id, members, people)
        if not found.hidden and not set(found.values()) - {MembershipStatus.UNKNOWN}:
            return found
        surplus = len(members) - (await self._member_count(group_id) or len(members))
        if not surplus:
            return found
        certain = {key: status for key, status in found.items() if bool(status.is_member) is (surplus < 0)}
        return MembershipReading({**dict.fromkeys(found, MembershipStatus.UNKNOWN), **certain}, lids=found.lids)

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

        return await self._change_each(people, remove)

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

        return await self._change_each(people, change)

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

    async def _change_each(self, people: Sequence[Person], call: Callable[[str], Awaitable[None]]) -> PeopleResult:
        """Make one call for each person; `call` takes the member's path below the group's.

        A 204 says how the person's status is now, by the contract's own words, and not whether the call changed it.
        The error of a call is its person's. After one that stops sending, the others aren't attempted.

        Raises:
            ProviderError: from the first call, if it stops sending or is the only one.
        """
        verdicts: list[Verdict] = []
        for index, person in enumerate(people):
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
                verdicts.append(Verdict.reported(person.key, Outcome.CONFIRMED, "204"))
        return PeopleResult(tuple(verdicts))
