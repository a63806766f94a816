"""The members of a group at the WhatsApp Gateway: read from stored data by LID, changed live by phone."""

import time
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
from providers.wagateway.api import Gateway, group_path
from providers.wagateway.errors import outcome_unknown
from providers.wagateway.models import GroupRow, MemberRow, Page
from providers.wagateway.people import Directory, Seat, together

LOOK_LASTS = 3600.0
"""Seconds for which a look into a group tells how somebody stood before they are changed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a 204 says of one person, by the contract's own words for it.

    Attributes:
        now: how they stand.
        change: what became of those who stood so before, as far as that tells.
    """

    now: str
    change: Mapping[MembershipStatus, Outcome]


_REPORTS: Mapping[Operation, Report] = MappingProxyType(
    {
        Operation.REMOVE: Report(
            "not in the group",
            {
                MembershipStatus.PRESENT: Outcome.REMOVED,
                MembershipStatus.MEMBER: Outcome.REMOVED,
                MembershipStatus.ADMIN: Outcome.REMOVED,
                MembershipStatus.ABSENT: Outcome.ALREADY_DONE,
            },
        ),
        Operation.PROMOTE: Report(
            "an admin", {MembershipStatus.MEMBER: Outcome.PROMOTED, MembershipStatus.ADMIN: Outcome.ALREADY_DONE}
        ),
        Operation.DEMOTE: Report(
            "an ordinary member",
            {MembershipStatus.ADMIN: Outcome.DEMOTED, MembershipStatus.MEMBER: Outcome.ALREADY_DONE},
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who of some people can be addressed.

    Attributes:
        jids: by `Person.key`.
        verdicts: of those who cannot.
        error: what kept the others from being looked up.
    """

    jids: Mapping[str, str]
    verdicts: tuple[Verdict, ...]
    error: ProviderError | None


class Members:
    """Reads and changes who is in the groups of a session.

    Args:
        gateway: the session.
        directory: who is who there.
    """

    def __init__(self, gateway: Gateway, directory: Directory) -> None:
        self._gateway = gateway
        self._directory = directory
        self._before: TTLCache[MembershipStatus] = TTLCache(LOOK_LASTS, time.monotonic)

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Look for `people` in the stored member list (`listGroupMembers`), which names its rows by LID.

        What was seen is remembered for who is changed next. Nobody is absent from a list that is not whole: one in
        which nobody stands, since the account itself is in every group that it administers, or one that is shorter
        than the group's own count (`getGroup`). Nobody is present by a list that is longer: it may hold people who
        left, and which of them is not documented.
        """
        seats = [seat async for page in self._seats(group_id) for seat in page]
        found = {person.key: MembershipStatus.UNKNOWN for person in people}
        if seats:
            found |= await self._directory.find(group_id, seats, people)
        if set(found.values()) - {MembershipStatus.UNKNOWN}:
            surplus = len(seats) - (await self._count(group_id) or len(seats))
            for key, standing in found.items():
                if surplus < 0 if standing is MembershipStatus.ABSENT else surplus > 0:
                    found[key] = MembershipStatus.UNKNOWN
        for key, standing in found.items():
            self._before.set(f"{group_id} {key}", standing)
        return found

    async def listed(self, group_id: str) -> AsyncIterator[Member]:
        """Give the stored members page after page, with their phones as far as the gateway tells them."""
        async for seats in self._seats(group_id):
            phones = await self._directory.name(group_id, seats)
            for seat, digits in zip(seats, phones, strict=True):
                yield Member(f"+{digits}" if digits else "", seat.lid, seat.name, seat.standing)

    async def addressed(self, people: Sequence[Person]) -> Addressed:
        """Look up the JID of each of `people` by the number check."""

        async def look_up(person: Person) -> str | Verdict:
            try:
                return await self._directory.jid_of(person)
            except InvalidRequest as error:
                return verdicts_for_error(error, [person])[0]

        found = dict(zip([person.key for person in people], await together(people, look_up), strict=True))
        return Addressed(
            {key: jid for key, jid in found.items() if isinstance(jid, str)},
            tuple(verdict for verdict in found.values() if isinstance(verdict, Verdict)),
            next((error for error in found.values() if isinstance(error, ProviderError)), None),
        )

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check each number (`checkContact`), then add those with an account in one call (`addGroupMembers`).

        Of these the gateway says nothing: they are `UNKNOWN` until the group is read again. When a check cannot be
        had, nobody is added.
        """
        checked = await self.addressed(people)
        answered = {verdict.key for verdict in checked.verdicts}
        rest = [person for person in people if person.key not in answered]
        try:
            if checked.error is not None:
                raise checked.error
            if checked.jids:
                await self._add(group_id, list(dict.fromkeys(checked.jids.values())))
        except ProviderError as error:
            if not checked.verdicts:
                raise
            return PeopleResult(checked.verdicts + verdicts_for_error(error, rest), error)
        silent = (Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, "204") for person in rest)
        return PeopleResult((*checked.verdicts, *silent))

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people one by one (`removeGroupMember`), which succeeds also for somebody who was not there."""

        async def remove(path: str) -> None:
            await self._gateway.write_as_admin("DELETE", group_path(group_id), path)

        return await self._one_by_one(group_id, people, Operation.REMOVE, remove)

    async def give_role(self, group_id: str, people: Sequence[Person], operation: Operation) -> PeopleResult:
        """Promote or demote people one by one (`promoteGroupMember`, `demoteGroupMember`).

        Who had the role already is a success, somebody who is not in the group a 404: as is a group that is not there,
        so the group is read to tell them apart.

        Args:
            group_id: the group's JID.
            people: whom.
            operation: to promote or to demote, as the path ends.
        """
        group = group_path(group_id)
        group_is_there = False

        async def change(path: str) -> None:
            nonlocal group_is_there
            try:
                await self._gateway.write_as_admin("POST", group, f"{path}/{operation}")
            except GroupNotFound as error:
                if not group_is_there:
                    await self._gateway.read(group, missing=GroupNotFound)
                    group_is_there = True
                message = "The gateway finds no such member in the group."
                raise InvalidRequest(message, code=error.code, provider_text=error.provider_text) from None

        return await self._one_by_one(group_id, people, operation, change)

    async def _seats(self, group_id: str) -> AsyncIterator[list[Seat]]:
        path = f"{group_path(group_id)}/members"
        async for rows in self._gateway.pages(path, Page[MemberRow], missing=GroupNotFound):
            yield [seat for seat in map(Seat.of, rows) if seat.standing is not MembershipStatus.ABSENT]

    async def _count(self, group_id: str) -> int:
        """Read how many members the group is stored to have; 0 where that is not told."""
        reply = await self._gateway.read(group_path(group_id), missing=GroupNotFound)
        return reply.parse(GroupRow).participant_count or 0

    async def _add(self, group_id: str, jids: Sequence[str]) -> None:
        """Send an add. Whether a malformed JID spoils the good ones is undocumented, so a 400 to several is open."""
        try:
            await self._gateway.write_as_admin(
                "POST", group_path(group_id), "/members", body={"participants": list(jids)}
            )
        except InvalidRequest as error:
            raise outcome_unknown(error) if len(jids) > 1 else error from None

    async def _one_by_one(
        self, group_id: str, people: Sequence[Person], operation: Operation, call: Callable[[str], Awaitable[None]]
    ) -> PeopleResult:
        """Make one call for each person; `call` takes the member's path below the group's.

        An error of one person is that person's; one that stops the sender leaves the others not attempted.

        Raises:
            ProviderError: the first call, when it stops the sender or is the only one.
        """
        verdicts: list[Verdict] = []
        for place, person in enumerate(people):
            before = self._seen_before(group_id, person)
            try:
                jid = await self._directory.member_jid(person)
                await call(f"/members/{jid.replace('@', '%40')}")
            except InvalidRequest as error:
                verdicts += verdicts_for_error(error, [person])
            except ProviderError as error:
                if not verdicts and (error.stops_sending or len(people) == 1):
                    raise
                verdicts += verdicts_for_error(error, [person])
                if error.stops_sending:
                    verdicts += (
                        Verdict(left.key, Outcome.NOT_ATTEMPTED, cause=error.cause) for left in people[place + 1 :]
                    )
                    return PeopleResult(tuple(verdicts), error)
            else:
                verdicts.append(_judged(person, _REPORTS[operation], before))
        return PeopleResult(tuple(verdicts))

    def _seen_before(self, group_id: str, person: Person) -> MembershipStatus:
        """Give what the last look showed of somebody, once: they are about to stand differently."""
        seat = f"{group_id} {person.key}"
        before = self._before.get(seat)
        self._before.discard(seat)
        return before or MembershipStatus.UNKNOWN


def _judged(person: Person, report: Report, before: MembershipStatus) -> Verdict:
    """Judge somebody by a 204: it reports how they stand now, and the look before tells whether that is new."""
    outcome = report.change.get(before, Outcome.UNKNOWN)
    if outcome is Outcome.UNKNOWN:
        words = f"The gateway reports them as {report.now}; how they stood before is not known."
        return Verdict(person.key, outcome, Evidence.NONE, "204", words)
    return Verdict(person.key, outcome, Evidence.REPORTED, "204")
