"""WhatsApp Gateway (`contracts/wagateway.openapi.yaml`): the groups of one session.

Changes of members have no result per person, and members are listed by LID.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar

import httpx

from providers.base import (
    Ability,
    Account,
    AccountDisconnected,
    AccountState,
    Action,
    ChangeResult,
    Created,
    Evidence,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipReading,
    NotOnWhatsApp,
    NumberCheck,
    Operation,
    Outcome,
    PeopleResult,
    PermissionMissing,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
    Usage,
    Verdict,
)
from providers.http import TIMEOUT, HttpClient, Reply
from providers.responses import outcome_unknown
from providers.wagateway.api import ANY_SUCCESS, OK, Api, group_path
from providers.wagateway.capabilities import ABILITIES
from providers.wagateway.changes import change_group
from providers.wagateway.contacts import ContactDirectory
from providers.wagateway.errors import PersonNotFound
from providers.wagateway.membership import Membership
from providers.wagateway.models import (
    GROUP_JID,
    CreatedReply,
    GroupRecord,
    InviteReply,
    JoinReply,
    Page,
    SentReply,
    SessionReply,
)
from providers.wagateway.numbers import NumberChecker


class WaGateway(Provider):
    """One session at a WhatsApp Gateway.

    Args:
        api: the API of the session.
        clock: returns the time in seconds, for the caches of contacts and number checks.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES
    late_lists: ClassVar[bool] = True  # stored data (x-live: false); how soon a change shows is not documented

    def __init__(self, api: Api, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        contacts = ContactDirectory(api, clock)
        self._numbers = NumberChecker(api, contacts, clock)
        self._membership = Membership(api, contacts, self._numbers)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield the stored groups of the session (`listGroups`)."""
        async for records in self._api.pages("/groups", Page[GroupRecord]):
            for record in records:
                if record.group_jid and (group := record.to_group()).matches(search):
                    yield group

    async def group(self, group_id: str) -> Group:
        """Read one stored group (`getGroup`)."""
        reply = await self._api.read(group_path(group_id), not_found=GroupNotFound)
        record = reply.parse(GroupRecord)
        if not record.group_jid and record.subject is None:
            raise ProviderFault("The gateway's answer has no group.", code=str(reply.status), provider_text=reply.text)
        return record.to_group(group_id)

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Look up `people` in the stored member list (`listGroupMembers`) by their LIDs."""
        return await self._membership.membership(group_id, people)

    def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the stored members (`listGroupMembers`), with their phones if stored contacts have them."""
        return self._membership.members(group_id)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check each number, then add those with an account in one call (`addGroupMembers`)."""
        return await self._membership.add(group_id, people)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people one by one (`removeGroupMember`)."""
        return await self._membership.remove(group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members admins one by one (`promoteGroupMember`)."""
        return await self._membership.set_role(group_id, people, Operation.PROMOTE)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins ordinary members one by one (`demoteGroupMember`)."""
        return await self._membership.set_role(group_id, people, Operation.DEMOTE)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Create a group (`createGroup`) with the people who are on WhatsApp. The gateway doesn't report about them.

        Raises:
            InvalidRequest: none is; the gateway creates no group without people.
            ProviderError: a number check failed, or as every write.
        """
        found = await self._numbers.jids_of(people)
        if found.error is not None:
            raise found.error
        jids = list(dict.fromkeys(found.jids.values()))
        if not jids:
            raise _no_members(found.verdicts)
        body = {"name": subject, "participants": jids}
        reply = await self._api.write("POST", "/groups", body=body, success=ANY_SUCCESS, not_found=AccountDisconnected)
        if reply.accepted_for_later or not reply.body or not isinstance(reply.body, dict):
            raise _undocumented(reply)
        unknown = (Verdict(key, Outcome.UNKNOWN, Evidence.NONE, str(reply.status)) for key in found.jids)
        return Created(await self._created_group(reply, subject), (*found.verdicts, *unknown))

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change subject, description and settings in one call (`updateGroup`). Nothing else can be changed."""
        result = await change_group(self._api, group_id, change)
        unsupported = {action: self._unsupported(action) for action in change.actions if action not in self.abilities}
        return ChangeResult(result.done, {**result.failed, **unsupported})

    async def invite_link(self, group_id: str) -> str:
        """Read the invite link (`getGroupInvite`)."""
        return (await self._api.read_invite(group_path(group_id))).parse(InviteReply).invite

    async def reset_invite_link(self, group_id: str) -> str:
        """Revoke the invite link and return the new one (`revokeGroupInvite`), in one call."""
        reply = await self._api.write_as_admin("DELETE", group_path(group_id), "/invite", success=OK)
        return reply.parse_result(InviteReply).invite

    async def join(self, invite: str) -> Group | None:
        """Join a group by its link or code (`joinGroup`). The response has its JID and nothing else."""
        reply = await self._api.write(
            "POST", "/groups:join", body={"invite": invite}, success=OK, not_found=AccountDisconnected
        )
        joined = reply.parse_result(JoinReply).group_jid
        return Group(joined, "") if GROUP_JID.fullmatch(joined) else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (`leaveGroup`)."""
        await self._api.write("POST", f"{group_path(group_id)}:leave")

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each number (`checkContact`), several at a time. Answers before an error are cached.

        A number that the gateway rejects as malformed is unknown. If all are, the error is raised.
        """
        return await self._numbers.check(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group (`sendMessage`), wait until WhatsApp has acknowledged it, and return its id.

        Raises `OutcomeUnknown` if the response has no message of WhatsApp's, also for a 202, which only queued it.
        """
        group_path(group_id)  # raises for anything that isn't a group's JID
        return await self._send(group_id, text, GroupNotFound)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Check the number, then send a text (`sendMessage`). Without the check, a text to no account would seem sent.

        Raises:
            InvalidRequest: the person has no phone or no account; its `outcome` says which.
            ProviderError: as every write.
        """
        jid = await self._numbers.jid_of(person)
        try:
            return await self._send(jid, text, PersonNotFound)
        except PersonNotFound:
            await self._api.check_session()  # an unknown person looks like an unknown session
            raise

    async def account(self) -> Account:
        """Read the session's state (`getSession`), which needs the `manage` permission.

        Without it, a read of stored data checks the token. That doesn't show the connection.
        """
        try:
            reply = await self._api.read("")
        except PermissionMissing:
            await self._api.check_session()
            message = "The token lacks the gateway's `manage` permission, so the session's state isn't known."
            return Account(AccountState.UNKNOWN, message)
        status = reply.parse(SessionReply).status
        if not status:
            return Account(AccountState.UNKNOWN, "The gateway reports no status for the session.")
        state = AccountState.CONNECTED if status == "working" else AccountState.DISCONNECTED
        return Account(state, status)

    async def limits(self) -> Sequence[Usage]:
        """Read how many messages the session may send (`getSession`). How many it has sent isn't reported."""
        session = (await self._api.read("")).parse(SessionReply)
        limits = {"messages per minute": session.rate_per_min, "messages per hour": session.rate_per_hour}
        return [Usage(name, limit=limit) for name, limit in limits.items() if limit is not None]

    async def aclose(self) -> None:
        """Close the connections to the gateway."""
        await self._api.aclose()

    async def _send(self, to: str, text: str, not_found: type[ProviderError]) -> str:
        body = {"type": "text", "to": to, "text": text}
        reply = await self._api.write("POST", "/messages", body=body, success=OK, not_found=not_found)
        if not (message_id := reply.parse_result(SentReply).message_id):
            raise _undocumented(reply)
        return message_id

    async def _created_group(self, reply: Reply, subject: str) -> Group | None:
        """Return the new group, whose place in the response isn't documented; None if it isn't certain.

        The contract promises that `listGroups` has it immediately: it is certain if no other group has its name.
        """
        if jid := reply.parse_or(CreatedReply()).jid:
            return Group(jid, subject)
        try:
            same_name = [group async for group in self.groups(subject) if group.subject == subject]
        except ProviderError:
            return None
        return same_name[0] if len(same_name) == 1 else None


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> WaGateway:
    """Build the adapter of one session.

    Args:
        base_url: the gateway's host, with or without `/api/v1`; the contract has no public default.
        token: an API key (`wa_…`) or a login JWT; the gateway takes both as a bearer token.
        account: the session's id.
        transport: replaces the network.
        timeout: the client's timeouts.
        clock: returns the time in seconds, from any start.

    Raises:
        ValueError: `base_url` or `account` is missing.
    """
    if not base_url:
        raise ValueError("WhatsApp Gateway has no public host. Set base_url to your gateway's.")
    if not account:
        raise ValueError("WhatsApp Gateway needs `account`: the id of the session.")
    root = base_url.rstrip("/").removesuffix("/api/v1")
    headers = {"Authorization": f"Bearer {token}"}
    return WaGateway(Api(HttpClient(root, headers=headers, timeout=timeout, transport=transport), account), clock=clock)


def _no_members(verdicts: Sequence[Verdict]) -> InvalidRequest:
    """Return the error for a new group without people, with the gateway's words about the first."""
    message = "A new group needs at least one person who is on WhatsApp."
    if not verdicts:
        return InvalidRequest(message)
    kind = NotOnWhatsApp if {verdict.outcome for verdict in verdicts} == {Outcome.NOT_ON_WHATSAPP} else InvalidRequest
    return kind(message, code=verdicts[0].provider_code, provider_text=verdicts[0].provider_message)


def _undocumented(reply: Reply) -> ProviderError:
    return outcome_unknown(reply, "The gateway's answer doesn't say what was done", reply.text)
