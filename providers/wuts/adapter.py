"""WUTS (`contracts/wuts.openapi.yaml`): WhatsApp groups and communities through the device of the token's user.

A change of participants answers records without a verdict, so standing in them says nothing: the number check before
it is the only report about a person, and reading the group back is the caller's.
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
    MembershipStatus,
    NumberCheck,
    OutcomeUnknown,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
)
from providers.http import TIMEOUT, HttpClient
from providers.wuts.api import Api, community_path, group_path, parsed, read_leniently, settled
from providers.wuts.capabilities import ABILITIES
from providers.wuts.changes import change_group
from providers.wuts.errors import NotOnWhatsApp, Rejected
from providers.wuts.membership import Addressed, Directory
from providers.wuts.models import (
    GROUP_JID,
    CreatedAnswer,
    GroupAnswer,
    GroupRow,
    GroupsAnswer,
    InviteAnswer,
    JoinAnswer,
    PeopleAnswer,
    SentAnswer,
    StatusAnswer,
)
from providers.wuts.verdicts import AFTER_ADD, AFTER_ANOTHER, failed, judged, rejected

BASE_URL = "https://api.wuts.com.br"
LONGEST_TEXT = 4096
"""Characters of one text, by the contract's sample of a validation error."""


class Wuts(Provider):
    """The device behind one WUTS token.

    Args:
        client: sends to WUTS, with the token.
        clock: gives seconds; by it number checks and the phones behind LIDs are remembered.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, client: HttpClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(client)
        self._directory = Directory(self._api, clock)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give the groups of the device (`listGroups`; the contract has no pages). Raises `ProviderError`."""
        answer = await self._api.read(GroupsAnswer, "GET", "/groups")
        for group in answer.groups or ():
            if group.shown.matches(search):
                yield group.shown

    async def group(self, group_id: str) -> Group:
        """Read one group (`getGroup`). Raises `GroupNotFound` and other `ProviderError`."""
        return (await self._group(group_id)).shown

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give the members (`getGroup`), with the phones behind LIDs (`resolveContacts`) as far as WUTS knows them.

        Raises:
            ProviderFault: after all that were listed, where WUTS counts others than it lists, or lists nobody.
            ProviderError: the members could not be read.
        """
        group = await self._group(group_id)
        phones = await self._directory.resolve({m.lid_jid for m in group.members if m.lid_jid and not m.phone})
        for member in group.members:
            digits = member.phone or phones.get(member.lid_jid, "")
            yield Member(f"+{digits}" if digits else "", member.lid_jid, status=member.status)
        if not group.whole:
            raise ProviderFault("WUTS does not list all members of the group.")

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Read the members (`getGroup`), and the phones behind LIDs (`resolveContacts`) where they decide.

        Raises:
            ProviderError: the members could not be read.
        """
        group = await self._group(group_id)
        seen = await self._directory.memberships(people, group.members)
        if group.whole:
            return seen
        return {key: MembershipStatus.UNKNOWN if was is MembershipStatus.ABSENT else was for key, was in seen.items()}

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check the numbers (`checkContactsOnWhatsApp`), then add the rest (`addGroupParticipants`) in one call.

        Raises:
            ProviderError: nothing is known about anybody.
        """
        addressed = await self._directory.check_in(people)
        return await self._deal("POST", group_path(group_id), people, addressed, "add")

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people (`removeGroupParticipants`) in one call. Raises `ProviderError`."""
        return await self._deal("DELETE", group_path(group_id), people, await self._directory.address(people), "remove")

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members admins (`addGroupParticipants` takes every action) in one call. Raises `ProviderError`."""
        return await self._deal("POST", group_path(group_id), people, await self._directory.address(people), "promote")

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins members (`addGroupParticipants` takes every action) in one call. Raises `ProviderError`."""
        return await self._deal("POST", group_path(group_id), people, await self._directory.address(people), "demote")

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Check the numbers, then make a group with the rest (`createGroup`); with nobody left none is made.

        Raises:
            ProviderError: WUTS did not take it, or `OutcomeUnknown`.
        """
        addressed = await self._directory.check_in(people)
        if people and not addressed.jids:
            return Created(None, tuple(addressed.unfit.values()))
        return await self._create("/groups", subject, people, addressed)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group (`updateGroup`, `setGroupPicture`, `setGroupEphemeral`): each at most once, if all is well."""
        return await change_group(self._api, group_id, change)

    async def invite_link(self, group_id: str) -> str:
        """Read the invite link (`getGroupInviteLink`). Raises `ProviderError`."""
        return (await self._api.read(InviteAnswer, "GET", f"{group_path(group_id)}/invite")).invite_link

    async def reset_invite_link(self, group_id: str) -> str:
        """Have another invite link issued (`resetGroupInviteLink`). Raises `ProviderError`."""
        reply = await self._api.write("POST", f"{group_path(group_id)}/invite/reset")
        return parsed(reply, InviteAnswer).invite_link

    async def join(self, invite: str) -> Group | None:
        """Join by link (`joinGroup`); a code is made one, since the contract does not tell the field for codes.

        Only an answer that denies that an admin has to agree proves membership; it tells the JID and nothing else.

        Raises:
            GroupNotFound: the link leads nowhere.
            ProviderError: WUTS did not take it, or `OutcomeUnknown`.
        """
        link = invite if "/" in invite else f"https://chat.whatsapp.com/{invite}"
        answer = parsed(await self._api.write("POST", "/groups/join", {"link": link}), JoinAnswer)
        joined = answer.group_jid if answer.pending_approval is False else None
        return Group(joined, "") if joined else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (`leaveGroup`). Raises `ProviderError`."""
        settled(await self._api.write("DELETE", f"{group_path(group_id)}/leave"))

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (`checkContactsOnWhatsApp`), and those behind LIDs (`resolveContacts`), once a day each."""
        return await self._directory.check_numbers(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text (`sendText`). What is no group's JID is refused here: WUTS would take digits for a person."""
        if not GROUP_JID.fullmatch(group_id):
            raise InvalidRequest("WUTS names a group by its JID, which ends in @g.us.")
        return await self._send(group_id, text, missing=GroupNotFound)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Check the number, then send a text (`sendText`); for a LID to the phone behind it (`resolveContacts`).

        Raises:
            NotOnWhatsApp: the number has no account; nothing was sent.
            OutcomeUnknown: also where WUTS took the text, but not the check of the number before it.
            ProviderError: WUTS did not take it.
        """
        if not person.phone:
            digits = (await self._directory.resolve({person.lid})).get(person.lid)
            if not digits:
                raise InvalidRequest("WUTS knows no phone number for this LID, and sends texts to numbers.")
            return await self._send(digits, text)
        addressed = await self._directory.check_in([person])
        if addressed.unfit:
            raise NotOnWhatsApp("The number is not on WhatsApp.", code="false", provider_text="contact check: false")
        message_id = await self._send(addressed.jids[person].partition("@")[0], text)
        if not self._directory.has_account(person):
            raise OutcomeUnknown(
                "WUTS took the text, but could not tell whether the number is on WhatsApp.", provider_text=message_id
            )
        return message_id

    async def account(self) -> Account:
        """Read the device's session (`checkSessionStatus`): 200 whatever its state. Raises `ProviderError`."""
        session = (await self._api.read(StatusAnswer, "GET", "/status")).data
        if session.connected is False or session.is_logged_in is False:
            return Account(AccountState.DISCONNECTED, session.status or "")
        state = AccountState.CONNECTED if session.connected else AccountState.UNKNOWN
        return Account(state, session.status or "")

    async def create_community(self, name: str, people: Sequence[Person]) -> Created:
        """Check the numbers, then make a community (`createCommunity`), with nobody too. Raises as `create`."""
        return await self._create("/communities", name, people, await self._directory.check_in(people))

    async def add_to_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check the numbers, then add the rest to a community (`addCommunityParticipants`). Raises as `add`."""
        addressed = await self._directory.check_in(people)
        return await self._deal("POST", community_path(community_id), people, addressed)

    async def remove_from_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a community (`removeCommunityParticipants`). Raises `ProviderError`."""
        addressed = await self._directory.address(people)
        return await self._deal("DELETE", community_path(community_id), people, addressed)

    async def aclose(self) -> None:
        """Close the connections to WUTS."""
        await self._api.aclose()

    async def _group(self, group_id: str) -> GroupRow:
        return (await self._api.read(GroupAnswer, "GET", group_path(group_id))).group

    async def _deal(
        self, method: str, place: str, people: Sequence[Person], addressed: Addressed, action: str = ""
    ) -> PeopleResult:
        """Send one change of participants, and judge the people from its answer.

        Where WUTS names values that it does not take, the others are sent without them: a validation comes before the
        change, and were it otherwise, the change is the same when it is sent twice. A community gets no `action`:
        whether it takes one is not documented.
        """
        if not addressed.jids:
            return PeopleResult(tuple(addressed.unfit.values()))
        body = {"participants": addressed.participants, **({"action": action} if action else {})}
        try:
            reply = await self._api.write(method, f"{place}/participants", body)
            records = parsed(reply, PeopleAnswer).participants or ()
        except ProviderError as error:
            if invalid := rejected(error, addressed):
                return await self._deal(method, place, people, addressed.without(invalid), action)
            return failed(error, people, addressed)
        is_add = method == "POST" and action in {"", "add"}
        return judged(records, people, addressed, AFTER_ADD if is_add else AFTER_ANOTHER)

    async def _create(self, path: str, name: str, people: Sequence[Person], addressed: Addressed) -> Created:
        try:
            reply = await self._api.write("POST", path, {"name": name, "participants": addressed.participants})
        except Rejected as error:
            return Created(None, failed(error, people, addressed.without(rejected(error, addressed))).verdicts)
        answer = read_leniently(reply, CreatedAnswer)
        return Created(answer.made_group, judged(answer.made.participants or (), people, addressed, AFTER_ADD).verdicts)

    async def _send(self, number: str, text: str, *, missing: type[ProviderError] = ProviderFault) -> str:
        if not 1 <= len(text) <= LONGEST_TEXT:
            raise InvalidRequest("WUTS sends texts of 1 to 4,096 characters.")
        reply = await self._api.write("POST", "/send/text", {"number": number, "text": text}, missing=missing)
        return read_leniently(reply, SentAnswer).message_id or ""


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,  # noqa: ARG001 - the registry makes all adapters alike; here the token names the user
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Wuts:
    """Make the adapter of one connection; `base_url` None is WUTS's own, `account` is not needed."""
    headers = {"Authorization": f"Bearer {token}"}
    return Wuts(HttpClient(base_url or BASE_URL, headers=headers, timeout=timeout, transport=transport))
