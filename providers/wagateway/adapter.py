"""WhatsApp Gateway: groups of one session, changed in silence and read back through LIDs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

import httpx
from pydantic import ValidationError

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
    MembershipStatus,
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
from providers.http import TIMEOUT, HttpClient, Model, Reply
from providers.wagateway.api import ANSWER, ANY_SUCCESS, Gateway, group_path
from providers.wagateway.capabilities import ABILITIES
from providers.wagateway.changes import carry_out
from providers.wagateway.errors import PersonNotFound, outcome_unknown
from providers.wagateway.membership import Members
from providers.wagateway.models import GROUP_JID, CreatedRow, GroupRow, InviteRow, JoinedRow, Page, SentRow, SessionRow
from providers.wagateway.people import Directory, together


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> "WaGateway":
    """Make the adapter of one session.

    Args:
        base_url: the gateway's host, with or without `/api/v1`; the contract has no public default.
        token: an API key (`wa_…`) or a login JWT; the gateway takes both as a bearer token.
        account: the session's id.
        transport: another transport than the network.
        timeout: seconds for the parts of one exchange.

    Raises:
        ValueError: `base_url` or `account` is missing.
    """
    if not base_url:
        raise ValueError("WhatsApp Gateway has no public host: set base_url to your gateway's.")
    if not account:
        raise ValueError("WhatsApp Gateway needs account: the id of the session.")
    http = HttpClient(
        base_url.rstrip("/").removesuffix("/api/v1"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout,
        transport=transport,
    )
    return WaGateway(Gateway(http, account))


class WaGateway(Provider):
    """One session at a WhatsApp Gateway."""

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, gateway: Gateway, directory: Directory | None = None) -> None:
        self._gateway = gateway
        self._directory = directory or Directory(gateway)
        self._members = Members(gateway, self._directory)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give the stored groups of the session (`listGroups`)."""
        async for rows in self._gateway.pages("/groups", Page[GroupRow]):
            for row in rows:
                if row.group_jid and (shown := row.group("")).matches(search):
                    yield shown

    async def group(self, group_id: str) -> Group:
        """Read one stored group (`getGroup`)."""
        reply = await self._gateway.read(group_path(group_id), missing=GroupNotFound)
        row = reply.parse(GroupRow)
        if not row.group_jid and row.subject is None:
            raise ProviderFault(
                "The gateway's answer tells of no group.", code=str(reply.status), provider_text=reply.text
            )
        return row.group(group_id)

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Look for `people` in the stored member list (`listGroupMembers`) through their LIDs."""
        return await self._members.membership(group_id, people)

    def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give the stored members (`listGroupMembers`), with their phones as far as stored contacts tell them."""
        return self._members.listed(group_id)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Check each number, then add those with an account in one silent call (`addGroupMembers`)."""
        return await self._members.add(group_id, people)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people one by one (`removeGroupMember`)."""
        return await self._members.remove(group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members admins one by one (`promoteGroupMember`)."""
        return await self._members.give_role(group_id, people, Operation.PROMOTE)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins members one by one (`demoteGroupMember`)."""
        return await self._members.give_role(group_id, people, Operation.DEMOTE)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Make a group (`createGroup`) with those who are on WhatsApp; of them the gateway says nothing.

        Raises:
            InvalidRequest: nobody is; the gateway makes no group without people.
            ProviderError: a number check could not be had, or as every write.
        """
        checked = await self._members.addressed(people)
        if checked.error is not None:
            raise checked.error
        jids = list(dict.fromkeys(checked.jids.values()))
        if not jids:
            raise _nobody(checked.verdicts)
        body = {"name": subject, "participants": jids}
        reply = await self._gateway.write(
            "POST", "/groups", body=body, success=ANY_SUCCESS, missing=AccountDisconnected
        )
        if reply.status == httpx.codes.ACCEPTED or not reply.body or not isinstance(reply.body, dict):
            raise _undocumented(reply)
        silent = (Verdict(key, Outcome.UNKNOWN, Evidence.NONE, str(reply.status)) for key in checked.jids)
        return Created(await self._new_group(reply, subject), (*checked.verdicts, *silent))

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change subject, description and settings in one call (`updateGroup`); it offers nothing else."""
        result = await carry_out(self._gateway, group_id, change)
        cannot = {action: self._unsupported(action) for action in change.actions if action not in self.abilities}
        return ChangeResult(result.done, {**result.failed, **cannot})

    async def invite_link(self, group_id: str) -> str:
        """Read the invite link (`getGroupInvite`)."""
        return (await self._gateway.read_invite(group_path(group_id))).parse(InviteRow).invite

    async def reset_invite_link(self, group_id: str) -> str:
        """Make the invite link invalid and give the new one (`revokeGroupInvite`), in one call."""
        reply = await self._gateway.write_as_admin("DELETE", group_path(group_id), "/invite", success=ANSWER)
        return _parsed(reply, InviteRow).invite

    async def join(self, invite: str) -> Group | None:
        """Join a group by its link or code (`joinGroup`); the answer tells its JID and nothing else."""
        reply = await self._gateway.write(
            "POST", "/groups:join", body={"invite": invite}, success=ANSWER, missing=AccountDisconnected
        )
        joined = _parsed(reply, JoinedRow).group_jid
        return Group(joined, "") if GROUP_JID.fullmatch(joined) else None

    async def leave(self, group_id: str) -> None:
        """Leave a group (`leaveGroup`)."""
        await self._gateway.write("POST", f"{group_path(group_id)}:leave")

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each number (`checkContact`), some at a time; what was answered before an error is remembered.

        A number that the gateway finds malformed is told as open, unless all are: then its error is raised.
        """
        malformed: list[InvalidRequest] = []

        async def check(person: Person) -> NumberCheck:
            try:
                return await self._directory.check(person)
            except InvalidRequest as error:
                malformed.append(error)
                return NumberCheck(None, lid=person.lid)

        checks: dict[str, NumberCheck] = {}
        for person, answer in zip(people, await together(people, check), strict=True):
            if isinstance(answer, ProviderError):
                raise answer
            checks[person.key] = answer
        if malformed and len(malformed) == len(people):
            raise malformed[0]
        return checks

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group (`sendMessage`) and wait until WhatsApp has acknowledged it.

        Raises `OutcomeUnknown` where no message of WhatsApp's is named: a 202, which has only queued the text, too.
        """
        group_path(group_id)
        return await self._send(group_id, text, GroupNotFound)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text to a person (`sendMessage`), whose number is checked first: to nobody it would seem sent.

        Raises:
            InvalidRequest: the person has no phone or no account; its `outcome` says which.
            ProviderError: as every write.
        """
        jid = await self._directory.jid_of(person)
        try:
            return await self._send(jid, text, PersonNotFound)
        except PersonNotFound:
            # A person who is not found looks like a session that is not.
            await self._gateway.read("/contacts", params={"limit": 1})
            raise

    async def account(self) -> Account:
        """Read the session's state (`getSession`), which takes the `manage` permission.

        Without it the token is checked by a read of stored data, which says nothing of the connection.
        """
        try:
            reply = await self._gateway.read("")
        except PermissionMissing:
            await self._gateway.read("/contacts", params={"limit": 1})
            return Account(AccountState.UNKNOWN, "The token lacks `manage`, so the session's state cannot be read.")
        status = reply.parse(SessionRow).status
        if not status:
            return Account(AccountState.UNKNOWN, "The gateway gives no status for the session.")
        state = AccountState.CONNECTED if status == "working" else AccountState.DISCONNECTED
        return Account(state, status)

    async def limits(self) -> Sequence[Usage]:
        """Read how many messages the session may send (`getSession`); how many it sent is not told."""
        row = (await self._gateway.read("")).parse(SessionRow)
        allowed = {"messages per minute": row.rate_per_min, "messages per hour": row.rate_per_hour}
        return [Usage(name, limit=most) for name, most in allowed.items() if most is not None]

    async def aclose(self) -> None:
        """Close the connections to the gateway."""
        await self._gateway.aclose()

    async def _send(self, to: str, text: str, missing: type[ProviderError]) -> str:
        body = {"type": "text", "to": to, "text": text}
        reply = await self._gateway.write("POST", "/messages", body=body, success=ANSWER, missing=missing)
        if not (message_id := _parsed(reply, SentRow).message_id):
            raise _undocumented(reply)
        return message_id

    async def _new_group(self, reply: Reply, subject: str) -> Group | None:
        """Find the JID of a group just made, whose place in the answer is undocumented.

        The new group is promised to be in `listGroups` at once: there it is the only one of its name, or not told.
        """
        try:
            if jid := CreatedRow.model_validate(reply.body).jid:
                return Group(jid, subject)
        except ValidationError:
            pass  # the answer has another shape, and the list tells
        try:
            namesakes = [group async for group in self.groups(subject) if group.subject == subject]
        except ProviderError:
            return None
        return namesakes[0] if len(namesakes) == 1 else None


def _nobody(verdicts: Sequence[Verdict]) -> InvalidRequest:
    """Make the error of a group for which nobody is left, with the gateway's words about the first."""
    message = "The gateway makes no group without somebody who is on WhatsApp."
    if not verdicts:
        return InvalidRequest(message)
    kind = NotOnWhatsApp if {verdict.outcome for verdict in verdicts} == {Outcome.NOT_ON_WHATSAPP} else InvalidRequest
    return kind(message, code=verdicts[0].provider_code, provider_text=verdicts[0].provider_message)


def _parsed(reply: Reply, model: type[Model]) -> Model:
    """Read the answer of a write that was done. Raises `OutcomeUnknown` for a body of another shape."""
    try:
        return reply.parse(model)
    except ProviderFault as error:
        raise outcome_unknown(error) from None


def _undocumented(reply: Reply) -> ProviderError:
    return outcome_unknown(ProviderFault("", code=str(reply.status), provider_text=reply.text))
