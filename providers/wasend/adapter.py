"""Wasend: WhatsApp groups through a session at Wasend (contract `contracts/wasend.openapi.yaml`)."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

import httpx

from providers.base import (
    Ability,
    Account,
    Action,
    ChangeResult,
    Created,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    NumberCheck,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
)
from providers.http import TIMEOUT, HttpClient, Query, Reply
from providers.number_variants import NumberVariants, retry_with_variants
from providers.wasend.api import Api, Call
from providers.wasend.capabilities import ABILITIES
from providers.wasend.changes import Changing
from providers.wasend.errors import (
    ELSEWHERE,
    HALF_WAY,
    NO_SUCH_BODY,
    NO_SUCH_PATH,
    OF_ADMINS,
    OF_GROUP,
    ON_THE_ADD_PAGE,
    Envelope,
    Refusals,
    accepted,
    unknown_after,
)
from providers.wasend.membership import created_verdicts, fit, jids_of, judged, memberships_of, names_people, numbers_of
from providers.wasend.numbers import Numbers
from providers.wasend.records import GroupRecord, GroupsReply
from providers.wasend.replies import LINK, InviteReply, JoinReply, SentReply, code_of
from providers.wasend.variants import Point, Variant

BASE_URL = "https://api.wasend.dev"
"""The contract's server, the default in the documentation and in the SDK."""

PAGE = 50
"""Groups on a page: the default; the largest accepted limit is not documented."""

_UNSENT = frozenset({"failed", "error"})
"""Message statuses that would speak against a text having gone out; the set of values is not documented."""


class Wasend(Provider):
    """One session at Wasend. Nothing says that reads show a write at once.

    Documentation and SDK disagree in paths and bodies; the server's own way is found by its answers (`dialect`), and
    a write goes out in a second variant only after an answer that proves that the first did nothing.

    Args:
        http: the client, with the API key in its headers.
        session: the session's uniqueSessionId.
        clock: gives the time in seconds, from any start.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, http: HttpClient, session: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(http, session, clock)
        self._numbers = Numbers(self._api, clock)
        self._forms = NumberVariants(clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give every group of the session (listGroups), without member lists, which would make the pages heavy.

        They are searched here: whether Wasend's own search minds capital letters is not documented, so it may leave out
        groups that are meant. The documentation's pages say whether more follow; the SDK's bare arrays do not, and how
        many groups a page holds at most is not documented. So the last page is one that says so or brings nothing new.
        """
        seen: set[str] = set()
        offset, more = 0, True
        while more:
            query: Query = {"limit": PAGE, "offset": offset, "exclude[]": "participants"}
            page = await self._api.read(self._api.groups_path, GroupsReply, query, ELSEWHERE)
            new = {record.id: record.as_group(record.id) for record in page.groups if record.id not in seen}
            for group in new.values():
                if group.matches(search):
                    yield group
            seen.update(new)
            offset += len(page.groups)
            more = bool(new) and page.pagination.has_more is not False

    async def group(self, group_id: str) -> Group:
        """Read one group: at the documentation's path (getGroupInfo), or at the SDK's (getGroup)."""
        path = self._api.path(group_id)
        record = await self._api.read_either(
            Point.READ_GROUP, {Variant.DOCS: f"{path}/info", Variant.SDK: path}, GroupRecord
        )
        if record.id.partition("@")[0] != group_id.partition("@")[0]:
            raise ProviderFault("Wasend answered with another group than the one asked for.")
        return record.as_group(group_id)

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give the members (listGroupParticipants), whose list has no pages."""
        for row in (await self._api.members(group_id)).participants:
            yield row.as_member()

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Look for `people` in the member list (listGroupParticipants)."""
        rows = (await self._api.members(group_id)).participants
        self._forms.learn(people, {row.digits for row in rows})
        return memberships_of(people, rows)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add people (addGroupParticipants). `notify` keeps its default, here and in the calls like it.

        Whoever is not found and has another form of the number is checked (checkContactExists) and added in that.
        """
        fit(people)
        first = await self._add(group_id, people)
        return await retry_with_variants(
            self._forms, people, first, check=self._numbers.check, add=lambda again: self._add(group_id, again)
        )

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people: a DELETE with a body (docs), or a POST (SDK). Both take JIDs."""
        path, body = self._api.path(group_id, "/participants"), jids_of(people, self._forms)
        calls = {Variant.DOCS: Call("DELETE", path, body), Variant.SDK: Call("POST", f"{path}/remove", body)}
        return await self._change_people(Action.REMOVE, Point.REMOVE, calls, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members admins, at the path that the server has. Both take JIDs."""
        calls = self._role_calls(group_id, "promote", jids_of(people, self._forms))
        return await self._change_people(Action.PROMOTE, Point.PROMOTE, calls, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins members, at the path that the server has. Both take phone numbers."""
        calls = self._role_calls(group_id, "demote", numbers_of(people, self._forms))
        return await self._change_people(Action.DEMOTE, Point.DEMOTE, calls, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Make a group (createGroup), whose people are phone numbers; with nobody left who has one none is made."""
        fit(people)
        phones = list(dict.fromkeys(person.phone for person in people if person.phone))
        if people and not phones:
            return Created(None, created_verdicts(people, ()))
        body = {"name": subject, "participants": [{"id": phone} for phone in phones]}
        reply = await self._api.write(Call("POST", self._api.groups_path, body), ELSEWHERE)
        record = accepted(reply, GroupRecord)
        return Created(Group(record.id, record.name or subject), created_verdicts(people, record.rows))

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group: a call for each thing, and one for both flags where the server has it."""
        return await Changing(self._api, group_id, change, lambda: self.group(group_id)).run()

    async def invite_link(self, group_id: str) -> str:
        """Read the invite code (getInviteCode), which makes the link."""
        path = self._api.path(group_id, "/invite-code")
        return LINK + (await self._api.read(path, InviteReply, refusals=OF_ADMINS)).code

    async def reset_invite_link(self, group_id: str) -> str:
        """Revoke the invite code (revokeInviteCode), which answers with the new one."""
        call = Call("POST", self._api.path(group_id, "/invite-code/revoke"))
        return LINK + accepted(await self._api.write(call, OF_ADMINS), InviteReply).code

    async def join(self, invite: str) -> Group | None:
        """Join a group (joinGroup). The documentation and the SDK name the field for the code differently."""
        path, code = f"{self._api.groups_path}/join", code_of(invite)
        calls = {
            Variant.DOCS: Call("POST", path, {"inviteCode": code}),
            Variant.SDK: Call("POST", path, {"code": code}),
        }
        reply = await self._api.send_either(Point.JOIN, calls, NO_SUCH_BODY)
        record = accepted(await self._api.checked(reply, ELSEWHERE), JoinReply).group
        return record.as_group(record.id) if record else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (leaveGroup). Where the answer does not say so, the group that cannot be read any more does."""
        reply = await self._api.write(Call("POST", self._api.path(group_id, "/leave")), OF_GROUP)
        if accepted(reply, Envelope).success and reply.status != httpx.codes.ACCEPTED:
            return
        silence = unknown_after(reply, "Wasend's answer does not say that it did it")
        try:
            await self._api.members(group_id)
        except GroupNotFound:
            return
        except ProviderError as error:
            raise silence from error
        raise silence

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (checkContactExists), one a call; who is known by a LID alone cannot be checked."""
        return await self._numbers.check(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group (sendText)."""
        return await self._send(group_id, text, OF_GROUP)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text to a phone number (sendText)."""
        if not person.phone:
            raise InvalidRequest("Wasend sends texts to phone numbers only.", code="no_phone")
        return await self._send(person.phone, text, ELSEWHERE)

    async def account(self) -> Account:
        """Read the state of the session (getSession), which also checks the API key."""
        return await self._api.account()

    async def aclose(self) -> None:
        """Close the connections to Wasend."""
        await self._api.aclose()

    async def _add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        call = Call("POST", self._api.path(group_id, "/participants/add"), numbers_of(people, self._forms))
        reply = await self._api.send(call)
        await self._look_half_way(group_id, people, reply, HALF_WAY - ON_THE_ADD_PAGE)
        return await self._judged(Action.ADD, people, reply)

    def _role_calls(self, group_id: str, verb: str, body: Mapping[str, Any]) -> Mapping[Variant, Call]:
        return {
            Variant.DOCS: Call("POST", self._api.path(group_id, f"/participants/{verb}"), body),
            Variant.SDK: Call("POST", self._api.path(group_id, f"/admin/{verb}"), body),
        }

    async def _change_people(
        self, action: Action, point: Point, calls: Mapping[Variant, Call], group_id: str, people: Sequence[Person]
    ) -> PeopleResult:
        fit(people)
        known = self._api.dialect.knows(point)
        reply = await self._api.send_either(point, calls)
        await self._look_half_way(group_id, people, reply, HALF_WAY)
        if reply.status in NO_SUCH_PATH and not known:
            raise await self._api.without_path(group_id, reply)
        return await self._judged(action, people, reply)

    async def _look_half_way(
        self, group_id: str, people: Sequence[Person], reply: Reply, statuses: Collection[int]
    ) -> None:
        """Raise where a refusal of several people may be of one of them."""
        if len(people) > 1 and reply.status in statuses and not names_people(reply):
            raise await self._api.half_way(group_id, reply)

    async def _judged(self, action: Action, people: Sequence[Person], reply: Reply) -> PeopleResult:
        """Judge by the lists, whatever the status beside them: what comes with a partial failure is not documented."""
        if not names_people(reply):
            await self._api.checked(reply, OF_ADMINS)
        return await self._api.told(lambda: judged(action, people, reply))

    async def _send(self, to: str, text: str, refusals: Refusals) -> str:
        body = {"session": self._api.session, "to": to, "text": text}
        reply = await self._api.write(Call("POST", "/sendText", body), refusals)
        message = await self._api.told(lambda: accepted(reply, SentReply))
        if message.status.casefold() in _UNSENT:
            raise unknown_after(reply, f"Wasend took the text, with the status {message.status[:20]!r}")
        return message.id


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Wasend:
    """Make the adapter.

    Args:
        base_url: where Wasend is; None for `BASE_URL`.
        token: the API key, sent as a bearer token.
        account: the session's uniqueSessionId.
        transport: another transport than the network.
        timeout: the client's time-outs.

    Raises:
        ValueError: `account` is empty.
    """
    if not account.strip():
        raise ValueError("wasend needs `account`: the session's uniqueSessionId")
    headers = {"Authorization": f"Bearer {token}"}
    http = HttpClient((base_url or BASE_URL).rstrip("/"), headers=headers, timeout=timeout, transport=transport)
    return Wasend(http, account.strip())
