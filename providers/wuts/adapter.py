"""WUTS (`contracts/wuts.openapi.yaml`): WhatsApp groups and communities through the device of the token's user.

The response to a change of participants lists records without a result, so being listed proves nothing. The number
check before it is the only report about a person; the caller reads the group afterwards.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar

import httpx

from providers.base import (
    Ability,
    Account,
    AccountState,
    Action,
    ChangeResult,
    Created,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipReading,
    MembershipStatus,
    NotOnWhatsApp,
    NumberCheck,
    OutcomeUnknown,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
)
from providers.http import TIMEOUT, HttpClient
from providers.wuts.api import Api, check_done, community_path, group_path
from providers.wuts.capabilities import ABILITIES
from providers.wuts.changes import change_group
from providers.wuts.errors import ValuesRejected
from providers.wuts.membership import (
    ADD_OUTCOMES,
    OTHER_OUTCOMES,
    Addressed,
    ContactDirectory,
    rejections,
    result_of,
    result_of_failure,
)
from providers.wuts.models import (
    GROUP_JID,
    CreatedReply,
    GroupRecord,
    GroupReply,
    GroupsReply,
    InviteReply,
    JoinReply,
    PeopleReply,
    SentReply,
    StatusReply,
)

BASE_URL = "https://api.wuts.com.br"
MAX_TEXT_LENGTH = 4096
"""The maximum length of a text in characters, by the contract's sample of a validation error."""


class Wuts(Provider):
    """The device behind one WUTS token.

    Args:
        client: the client, with the token in its headers.
        clock: returns the time in seconds, for the caches of number checks and of the phones of LIDs.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, client: HttpClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(client)
        self._directory = ContactDirectory(self._api, clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield the groups of the device (`listGroups`; the contract has no pages). Raises `ProviderError`."""
        answer = await self._api.read(GroupsReply, "GET", "/groups")
        for record in answer.groups or ():
            if (group := record.to_group()).matches(search):
                yield group

    async def group(self, group_id: str) -> Group:
        """Read one group (`getGroup`). Raises `GroupNotFound` and other `ProviderError`."""
        return (await self._group(group_id)).to_group()

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the members (`getGroup`), with the phones of LIDs (`resolveContacts`) as far as WUTS knows them.

        Raises:
            ProviderFault: after the listed members, if WUTS counts another number than it lists, or lists none.
            ProviderError: the members couldn't be read.
        """
        group = await self._group(group_id)
        phones = await self._directory.resolve({m.lid_jid for m in group.members if m.lid_jid and not m.phone})
        for member in group.members:
            digits = member.phone or phones.get(member.lid_jid, "")
            yield Member(f"+{digits}" if digits else "", member.lid_jid, status=member.status)
        if not group.is_complete:
            raise ProviderFault("WUTS doesn't list all members of the group.")

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Look up `people` among the members (`getGroup`), and the phones of LIDs (`resolveContacts`) if they decide.

        Raises:
            ProviderError: the members couldn't be read.
        """
        group = await self._group(group_id)
        found = await self._directory.memberships(people, group.members)
        if group.is_complete:
            return found
        unlisted = {key: MembershipStatus.UNKNOWN for key, status in found.items() if not status.is_member}
        return MembershipReading({**found, **unlisted}, lids=found.lids)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check the numbers (`checkContactsOnWhatsApp`), then add the rest (`addGroupParticipants`) in one call.

        Raises:
            ProviderError: no verdict is known.
        """
        addressed = await self._directory.address_accounts(people)
        return await self._change_people("POST", group_path(group_id), people, addressed, "add")

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people (`removeGroupParticipants`) in one call. Raises `ProviderError`."""
        return await self._change_people(
            "DELETE", group_path(group_id), people, await self._directory.address_members(people), "remove"
        )

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Promote members (`addGroupParticipants` takes every action) in one call. Raises `ProviderError`."""
        return await self._change_people(
            "POST", group_path(group_id), people, await self._directory.address_members(people), "promote"
        )

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Demote admins (`addGroupParticipants` takes every action) in one call. Raises `ProviderError`."""
        return await self._change_people(
            "POST", group_path(group_id), people, await self._directory.address_members(people), "demote"
        )

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Check the numbers, then create a group with the rest (`createGroup`). If none is left, no group is created.

        Raises:
            ProviderError: WUTS rejected it, or `OutcomeUnknown`.
        """
        addressed = await self._directory.address_accounts(people)
        if people and not addressed.jids:
            return Created(None, tuple(addressed.rejected.values()))
        return await self._create("/groups", subject, people, addressed)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group (`updateGroup`, `setGroupPicture`, `setGroupEphemeral`), with at most one call for each."""
        return await change_group(self._api, group_id, change)

    async def invite_link(self, group_id: str) -> str:
        """Read the invite link (`getGroupInviteLink`). Raises `ProviderError`."""
        return (await self._api.read(InviteReply, "GET", f"{group_path(group_id)}/invite")).invite_link

    async def reset_invite_link(self, group_id: str) -> str:
        """Reset the invite link (`resetGroupInviteLink`) and return the new one. Raises `ProviderError`."""
        reply = await self._api.write("POST", f"{group_path(group_id)}/invite/reset")
        return reply.parse_result(InviteReply).invite_link

    async def join(self, invite: str) -> Group | None:
        """Join by link (`joinGroup`). A code is sent as a link, because the contract has no field for codes.

        Only a response that says that no admin has to approve proves membership. It has the JID and nothing else.

        Raises:
            GroupNotFound: the link doesn't lead to a group.
            ProviderError: WUTS rejected it, or `OutcomeUnknown`.
        """
        link = invite if "/" in invite else f"https://chat.whatsapp.com/{invite}"
        answer = (await self._api.write("POST", "/groups/join", {"link": link})).parse_result(JoinReply)
        joined = answer.group_jid if answer.pending_approval is False else None
        return Group(joined, "") if joined else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (`leaveGroup`). Raises `ProviderError`."""
        check_done(await self._api.write("DELETE", f"{group_path(group_id)}/leave"))

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (`checkContactsOnWhatsApp`), and those of LIDs (`resolveContacts`), each once a day."""
        return await self._directory.check_numbers(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text (`sendText`). Anything but a group's JID is rejected: WUTS would take digits for a person."""
        if not GROUP_JID.fullmatch(group_id):
            raise InvalidRequest("This isn't a WUTS group id: those end in @g.us.")
        return await self._send(group_id, text, not_found=GroupNotFound)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Check the number, then send a text (`sendText`). A LID is resolved to its phone (`resolveContacts`).

        Raises:
            NotOnWhatsApp: the number has no account; nothing was sent.
            OutcomeUnknown: also if WUTS accepted the text but not the number check before it.
            ProviderError: WUTS rejected it.
        """
        if not person.phone:
            digits = (await self._directory.resolve({person.lid})).get(person.lid)
            if not digits:
                raise InvalidRequest("WUTS needs a phone number to send a text, and doesn't know that of this LID.")
            return await self._send(digits, text)
        addressed = await self._directory.address_accounts([person])
        if addressed.rejected:
            raise NotOnWhatsApp("The number isn't on WhatsApp.", code="false", provider_text="contact check: false")
        message_id = await self._send(addressed.jids[person].partition("@")[0], text)
        if not self._directory.has_account(person):
            raise OutcomeUnknown(
                "WUTS accepted the text, but couldn't check if the number is on WhatsApp.",
                provider_text=message_id,
            )
        return message_id

    async def account(self) -> Account:
        """Read the device's session (`checkSessionStatus`): 200 whatever its state. Raises `ProviderError`."""
        session = (await self._api.read(StatusReply, "GET", "/status")).data
        if session.connected is False or session.is_logged_in is False:
            return Account(AccountState.DISCONNECTED, session.status or "")
        state = AccountState.CONNECTED if session.connected else AccountState.UNKNOWN
        return Account(state, session.status or "")

    async def create_community(self, name: str, people: Sequence[Person]) -> Created:
        """Check the numbers, then create a community (`createCommunity`), even if none is left. Raises as `create`."""
        return await self._create("/communities", name, people, await self._directory.address_accounts(people))

    async def add_to_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check the numbers, then add the rest to a community (`addCommunityParticipants`). Raises as `add`."""
        addressed = await self._directory.address_accounts(people)
        return await self._change_people("POST", community_path(community_id), people, addressed)

    async def remove_from_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a community (`removeCommunityParticipants`). Raises `ProviderError`."""
        addressed = await self._directory.address_members(people)
        return await self._change_people("DELETE", community_path(community_id), people, addressed)

    async def aclose(self) -> None:
        """Close the connections to WUTS."""
        await self._api.aclose()

    async def _group(self, group_id: str) -> GroupRecord:
        return (await self._api.read(GroupReply, "GET", group_path(group_id))).group

    async def _change_people(
        self, method: str, path: str, people: Sequence[Person], addressed: Addressed, action: str = ""
    ) -> PeopleResult:
        """Send one change of participants and return the verdicts from its response.

        If WUTS rejects some values, the others are sent again without them: validation comes before the change, and
        sending the change twice does no harm. A community gets no `action`: whether it takes one is not documented.
        """
        if not addressed.jids:
            return PeopleResult(tuple(addressed.rejected.values()))
        body = {"participants": addressed.participants, **({"action": action} if action else {})}
        try:
            reply = await self._api.write(method, f"{path}/participants", body)
            records = reply.parse_result(PeopleReply).participants or ()
        except ProviderError as error:
            if invalid := rejections(error, addressed):
                return await self._change_people(method, path, people, addressed.without(invalid), action)
            return result_of_failure(error, people, addressed)
        is_add = method == "POST" and action in {"", "add"}
        return result_of(records, people, addressed, ADD_OUTCOMES if is_add else OTHER_OUTCOMES)

    async def _create(self, path: str, name: str, people: Sequence[Person], addressed: Addressed) -> Created:
        try:
            reply = await self._api.write("POST", path, {"name": name, "participants": addressed.participants})
        except ValuesRejected as error:
            left = addressed.without(rejections(error, addressed))
            return Created(None, result_of_failure(error, people, left).verdicts)
        answer = reply.parse_or(CreatedReply())
        records = answer.created.participants or ()
        return Created(answer.created_group, result_of(records, people, addressed, ADD_OUTCOMES).verdicts)

    async def _send(self, number: str, text: str, *, not_found: type[ProviderError] = ProviderFault) -> str:
        if not 1 <= len(text) <= MAX_TEXT_LENGTH:
            raise InvalidRequest("WUTS sends texts of 1 to 4,096 characters.")
        reply = await self._api.write("POST", "/send/text", {"number": number, "text": text}, not_found=not_found)
        return reply.parse_or(SentReply()).message_id or ""


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - all factories have the same parameters; here the token identifies the user
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> Wuts:
    """Build the adapter of one connection. `base_url` None is WUTS's own; `account` isn't needed."""
    headers = {"Authorization": f"Bearer {token}"}
    client = HttpClient(base_url or BASE_URL, headers=headers, timeout=timeout, transport=transport)
    return Wuts(client, clock=clock)
