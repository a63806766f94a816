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
    MembershipReading,
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
from providers.wasend.changes import GroupUpdate
from providers.wasend.errors import (
    ADMIN_CALL,
    MEMBER_CALL,
    NO_SUCH_BODY,
    NO_SUCH_PATH,
    PARTIAL_FAILURE,
    PARTIAL_FAILURE_OF_ADD,
    SESSION_CALL,
    Envelope,
    ErrorKinds,
    parse_success,
    unknown_after,
)
from providers.wasend.membership import (
    NumberChecker,
    check_batch,
    created_verdicts,
    jids_of,
    memberships_of,
    names_people,
    numbers_of,
    result_of,
)
from providers.wasend.models import (
    INVITE_LINK,
    GroupRecord,
    GroupsReply,
    InviteReply,
    JoinReply,
    SentReply,
    invite_code_of,
)
from providers.wasend.variants import ApiVariant, Endpoint

BASE_URL = "https://api.wasend.dev"
"""The server in the contract, the default in the documentation and in the SDK."""

PAGE_SIZE = 50
"""The groups on a page: Wasend's default. The maximum is not documented."""

_NOT_SENT = frozenset({"failed", "error"})
"""The message statuses that contradict a sent text. The set of values is not documented."""


class Wasend(Provider):
    """One session at Wasend. Whether a read shows a write immediately is not documented.

    Documentation and SDK disagree about paths and bodies. The server's variant is found by its responses (`variants`).
    A write is sent in the second variant only after a response that proves that the first did nothing.

    Args:
        http: the client, with the API key in its headers.
        session: the session's uniqueSessionId.
        clock: returns the time in seconds, from any start.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, http: HttpClient, session: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(http, session, clock)
        self._numbers = NumberChecker(self._api, clock)
        self._variants = NumberVariants(clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield every group of the session (listGroups), without member lists, which would make the pages large.

        The search is done here: whether Wasend's own search ignores case is not documented, so it may miss groups. The
        documentation's pages say whether more follow; the SDK's bare arrays don't, and the maximum page size is not
        documented. So the last page is the one that says so or that brings nothing new.
        """
        seen: set[str] = set()
        offset, more = 0, True
        while more:
            query: Query = {"limit": PAGE_SIZE, "offset": offset, "exclude[]": "participants"}
            page = await self._api.read(self._api.groups_path, GroupsReply, query, SESSION_CALL)
            new = {record.id: record.to_group(record.id) for record in page.groups if record.id not in seen}
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
            Endpoint.READ_GROUP, {ApiVariant.DOCS: f"{path}/info", ApiVariant.SDK: path}, GroupRecord
        )
        if record.id.partition("@")[0] != group_id.partition("@")[0]:
            raise ProviderFault("Wasend answered with a different group.")
        return record.to_group(group_id)

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the members (listGroupParticipants). The list has no pages."""
        for member in (await self._api.members(group_id)).participants:
            yield member.to_member()

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Look up `people` in the member list (listGroupParticipants)."""
        members = (await self._api.members(group_id)).participants
        self._variants.learn(people, {member.digits for member in members})
        return memberships_of(people, members)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add people (addGroupParticipants). `notify` keeps its default, here and in similar calls.

        If a number isn't found and has variants, they are checked (checkContactExists), and the person is added under
        the right one.
        """
        check_batch(people)
        first = await self._add(group_id, people)
        return await retry_with_variants(
            self._variants, people, first, check=self._numbers.check, add=lambda again: self._add(group_id, again)
        )

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people: a DELETE with a body (docs), or a POST (SDK). Both take JIDs."""
        path, body = self._api.path(group_id, "/participants"), jids_of(people, self._variants)
        calls = {ApiVariant.DOCS: Call("DELETE", path, body), ApiVariant.SDK: Call("POST", f"{path}/remove", body)}
        return await self._change_people(Action.REMOVE, Endpoint.REMOVE, calls, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Promote members, at the path that the server has. Both take JIDs."""
        calls = self._role_calls(group_id, "promote", jids_of(people, self._variants))
        return await self._change_people(Action.PROMOTE, Endpoint.PROMOTE, calls, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Demote admins, at the path that the server has. Both take phone numbers."""
        calls = self._role_calls(group_id, "demote", numbers_of(people, self._variants))
        return await self._change_people(Action.DEMOTE, Endpoint.DEMOTE, calls, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Create a group with phone numbers (createGroup). If none of the people has one, no group is created."""
        check_batch(people)
        phones = list(dict.fromkeys(person.phone for person in people if person.phone))
        if people and not phones:
            return Created(None, created_verdicts(people, ()))
        body = {"name": subject, "participants": [{"id": phone} for phone in phones]}
        reply = await self._api.write(Call("POST", self._api.groups_path, body), SESSION_CALL)
        record = parse_success(reply, GroupRecord)
        return Created(Group(record.id, record.name or subject), created_verdicts(people, record.members))

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group with a call for each value, and one for both flags if the server has it."""
        return await GroupUpdate(self._api, group_id, change, lambda: self.group(group_id)).run()

    async def invite_link(self, group_id: str) -> str:
        """Read the invite code (getInviteCode) and return it as a link."""
        path = self._api.path(group_id, "/invite-code")
        return INVITE_LINK + (await self._api.read(path, InviteReply, kinds=ADMIN_CALL)).code

    async def reset_invite_link(self, group_id: str) -> str:
        """Revoke the invite code (revokeInviteCode). The response has the new one."""
        call = Call("POST", self._api.path(group_id, "/invite-code/revoke"))
        return INVITE_LINK + parse_success(await self._api.write(call, ADMIN_CALL), InviteReply).code

    async def join(self, invite: str) -> Group | None:
        """Join a group (joinGroup). The documentation and the SDK name the field for the code differently."""
        path, code = f"{self._api.groups_path}/join", invite_code_of(invite)
        calls = {
            ApiVariant.DOCS: Call("POST", path, {"inviteCode": code}),
            ApiVariant.SDK: Call("POST", path, {"code": code}),
        }
        reply = await self._api.send_either(Endpoint.JOIN, calls, NO_SUCH_BODY)
        record = parse_success(await self._api.check(reply, SESSION_CALL), JoinReply).group
        return record.to_group(record.id) if record else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (leaveGroup). If the response doesn't confirm it, a group that can't be read does."""
        reply = await self._api.write(Call("POST", self._api.path(group_id, "/leave")), MEMBER_CALL)
        if parse_success(reply, Envelope).success and not reply.accepted_for_later:
            return
        unconfirmed = unknown_after(reply, "Wasend's answer doesn't confirm that the account left the group")
        try:
            await self._api.members(group_id)
        except GroupNotFound:
            return
        except ProviderError as error:
            raise unconfirmed from error
        raise unconfirmed

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (checkContactExists), one in each call. A person known only by a LID can't be checked."""
        return await self._numbers.check(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group (sendText)."""
        return await self._send(group_id, text, MEMBER_CALL)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text to a phone number (sendText)."""
        if not person.phone:
            raise InvalidRequest("Wasend needs a phone number to send a text.", code="no_phone")
        return await self._send(person.phone, text, SESSION_CALL)

    async def account(self) -> Account:
        """Read the state of the session (getSession), which also checks the API key."""
        return await self._api.account()

    async def aclose(self) -> None:
        """Close the connections to Wasend."""
        await self._api.aclose()

    async def _add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        call = Call("POST", self._api.path(group_id, "/participants/add"), numbers_of(people, self._variants))
        reply = await self._api.send(call)
        await self._check_partial_failure(group_id, people, reply, PARTIAL_FAILURE_OF_ADD)
        return await self._result(Action.ADD, people, reply)

    def _role_calls(self, group_id: str, verb: str, body: Mapping[str, Any]) -> Mapping[ApiVariant, Call]:
        return {
            ApiVariant.DOCS: Call("POST", self._api.path(group_id, f"/participants/{verb}"), body),
            ApiVariant.SDK: Call("POST", self._api.path(group_id, f"/admin/{verb}"), body),
        }

    async def _change_people(
        self,
        action: Action,
        endpoint: Endpoint,
        calls: Mapping[ApiVariant, Call],
        group_id: str,
        people: Sequence[Person],
    ) -> PeopleResult:
        check_batch(people)
        known = self._api.variants.is_known(endpoint)
        reply = await self._api.send_either(endpoint, calls)
        await self._check_partial_failure(group_id, people, reply, PARTIAL_FAILURE)
        if reply.status in NO_SUCH_PATH and not known:
            raise await self._api.error_for_no_path(group_id, reply)
        return await self._result(action, people, reply)

    async def _check_partial_failure(
        self, group_id: str, people: Sequence[Person], reply: Reply, statuses: Collection[int]
    ) -> None:
        """Raise if the rejection of several people may be due to one of them."""
        if len(people) > 1 and reply.status in statuses and not names_people(reply):
            raise await self._api.partial_failure(group_id, reply)

    async def _result(self, action: Action, people: Sequence[Person], reply: Reply) -> PeopleResult:
        """Return the verdicts by the lists, whatever the status: that of a partial failure is not documented."""
        if not names_people(reply):
            await self._api.check(reply, ADMIN_CALL)
        return await self._api.parse(lambda: result_of(action, people, reply))

    async def _send(self, to: str, text: str, kinds: ErrorKinds) -> str:
        body = {"session": self._api.session, "to": to, "text": text}
        reply = await self._api.write(Call("POST", "/sendText", body), kinds)
        message = await self._api.parse(lambda: parse_success(reply, SentReply))
        if message.status.casefold() in _NOT_SENT:
            raise unknown_after(reply, f"Wasend accepted the text with the status “{message.status[:20]}”")
        return message.id


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> Wasend:
    """Build the adapter.

    Args:
        base_url: the address of Wasend; None for `BASE_URL`.
        token: the API key, sent as a bearer token.
        account: the session's uniqueSessionId.
        transport: replaces the network.
        timeout: the client's timeouts.
        clock: returns the time in seconds, from any start.

    Raises:
        ValueError: `account` is empty.
    """
    if not account.strip():
        raise ValueError("wasend needs `account`: the session's uniqueSessionId")
    headers = {"Authorization": f"Bearer {token}"}
    http = HttpClient((base_url or BASE_URL).rstrip("/"), headers=headers, timeout=timeout, transport=transport)
    return Wasend(http, account.strip(), clock)
