"""2Chat: WhatsApp groups through a phone paired with 2Chat (contract `contracts/twochat.openapi.yaml`)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar

import httpx

from providers.base import (
    Ability,
    Account,
    Action,
    ChangeResult,
    Created,
    Group,
    GroupChange,
    InvalidRequest,
    Member,
    MembershipReading,
    NotSupported,
    NumberCheck,
    Operation,
    Outcome,
    OutcomeUnknown,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    ProviderFault,
    Usage,
    Verdict,
)
from providers.http import TIMEOUT, HttpClient
from providers.identity import digits_of
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import NumberVariants, retry_with_variants
from providers.responses import ErrorKind, outcome_unknown, rate_limit_of
from providers.twochat.account import AccountStatus
from providers.twochat.api import Api, group_path
from providers.twochat.capabilities import ABILITIES, MAX_BATCH
from providers.twochat.errors import NEITHER_NUMBER, NO_GROUP, NO_NUMBER, check_success, partial_failure, text_of
from providers.twochat.membership import ACCEPTED, NumberChecker, PeopleReply, RecentChanges, names_people
from providers.twochat.models import CreatedReply, GroupRecord, GroupReply, GroupsReply, SentReply

BASE_URL = "https://api.p.2chat.io"
"""The server in the contract. Every path except `/info` starts with `/open`."""


class TwoChat(Provider):
    """One connected number at 2Chat.

    Args:
        http: the client, with the API key in its headers.
        number: the connected phone, E.164 with plus; the sender of every write (`from_number`).
        clock: returns the time in seconds, for the caches of number checks and recent changes.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES
    late_lists: ClassVar[bool] = True  # x-conventions, consistency: "a few minutes"

    def __init__(self, http: HttpClient, number: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(http, number)
        self._numbers = NumberChecker(self._api, clock)
        self._variants = NumberVariants(clock)
        self._recent_changes = RecentChanges(clock)
        self._account_status = AccountStatus(self._api)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield every group of the connected number, from one call (listGroups shows no paging)."""
        reply = await self._api.read(f"/open/whatsapp/groups/{self._api.number}", GroupsReply, not_found=NO_NUMBER)
        for group in reply.data:
            if group.uuid and (found := group.to_group(group.uuid)).matches(search):
                yield found

    async def group(self, group_id: str) -> Group:
        """Read one group (getGroup). The name is `wa_group_name`."""
        return (await self._group(group_id)).to_group(group_id)

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Yield the stored members (getGroup). They come in one response and show changes some minutes late.

        Raises:
            ProviderFault: after the listed members, if 2Chat counts more than it lists, or lists none.
            ProviderError: the members couldn't be read.
        """
        group = await self._group(group_id)
        for member in group.members:
            yield member.to_member()
        if not group.is_complete:
            raise ProviderFault("2Chat doesn't list all members of the group.")

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Look up `people` among the stored members (getGroup).

        The list shows changes some minutes late. The status of a person whom this adapter changed lately is left open
        if it may only be due to the late list.
        """
        if not people:
            return MembershipReading({})
        group = await self._group(group_id)
        self._variants.learn(people, {member.phone for member in group.members})
        index = MemberIndex(
            (MemberKey(member.lid, frozenset({member.phone} - {""}), member.status) for member in group.members),
            complete=group.is_complete,
        )
        return MembershipReading(
            {
                person.key: self._recent_changes.reconcile(group_id, person, index.find(MemberKey.of(person)))
                for person in people
            }
        )

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add at most ten people (addParticipants). The verdicts come from the entries and from `unaccepted_numbers`.

        A person known only by a LID is `INVALID`: 2Chat takes phone numbers. `PeopleResult.error` is set if WhatsApp
        rate-limited a participant, because the limit is the account's. If a number isn't found and has variants, they
        are checked (checkNumber), and the person is added under the right one.
        """
        first = await self._change_people(Operation.ADD, group_id, people)
        return await retry_with_variants(
            self._variants,
            people,
            first,
            check=self._numbers.check,
            add=lambda again: self._change_people(Operation.ADD, group_id, again),
        )

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove at most ten people (removeParticipants). The verdicts come from the lists of numbers."""
        return await self._change_people(Operation.REMOVE, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Promote at most ten members (promoteParticipants). A success alone proves nothing about a person."""
        return await self._change_people(Operation.PROMOTE, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Demote at most ten admins (demoteParticipants). A success alone proves nothing about a person."""
        return await self._change_people(Operation.DEMOTE, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Create a group with at most ten people (createGroup). If none of them has a phone, no group is created.

        Raises:
            OutcomeUnknown: the answer doesn't say whether the group was created. It is never sent again.
            ProviderError: 2Chat rejected it.
        """
        phones = self._phones(people)
        if people and not phones:
            return Created(None, _verdicts(PeopleReply(), Operation.ADD, people))
        body = {"group": {"name": subject, "participants": phones}}
        path = "/open/whatsapp/group/create"
        try:
            reply = await self._api.write(path, body, not_found=NO_NUMBER, once=True, accept_error=names_people)
        except InvalidRequest as error:
            raise partial_failure(error) from None
        group = reply.parse_result(CreatedReply, text_of(reply)).group
        verdicts = _verdicts(PeopleReply.of(reply), Operation.ADD, people)
        if not group.uuid:
            check_success(reply)
            return Created(None, verdicts)
        self._record_changes(Operation.ADD, group.uuid, people, verdicts)
        return Created(Group(group.uuid, group.name or subject), verdicts)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change the description (setGroupDescription) and the picture (setGroupPicture), with a call for each.

        Nothing else can be changed. After an error that the other changes would meet too, none of them is sent.
        """
        done: list[Action] = []
        failed: dict[Action, ProviderError] = {}
        for action in change.actions:
            try:
                path, body = _change_call(action, change)
                stop = next((error for error in failed.values() if error.stops_sending), None)
                if stop is not None:
                    raise stop
                reply = await self._api.write(group_path(group_id, path), body)
                check_success(reply)
                if reply.accepted_for_later:
                    raise outcome_unknown(reply, "2Chat will make the change later", text_of(reply))
            except ProviderError as error:
                failed[action] = error
            else:
                done.append(action)
        return ChangeResult(tuple(done), failed)

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (checkNumber) one after another: each check costs a credit and keeps the number busy."""
        return await self._numbers.check(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Queue a text to a group (sendMessage). It is never sent again."""
        return await self._send({"to_group_uuid": group_id, "text": text}, NO_GROUP)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Queue a text to a person with a phone number (sendMessage). It is never sent again."""
        if not person.phone:
            raise InvalidRequest("2Chat needs a phone number to send a text.", code="no_phone")
        return await self._send({"to_number": person.phone, "text": text}, NEITHER_NUMBER)

    async def account(self) -> Account:
        """Read the state of the connected number (listNumbers), and whether the account is blocked (getAccountInfo)."""
        return await self._account_status.state()

    async def limits(self) -> Sequence[Usage]:
        """Read the credits, the number checks and the calls a minute (getAccountInfo, at either of its two paths)."""
        return await self._account_status.allowances()

    async def aclose(self) -> None:
        """Close the connections to 2Chat."""
        await self._api.aclose()

    async def _group(self, group_id: str) -> GroupRecord:
        return (await self._api.read(group_path(group_id), GroupReply)).data

    async def _change_people(self, operation: Operation, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Send one change of participants and return the verdicts from its response.

        In a passing state of the phone nothing was started, and the call is sent again a few times; otherwise never.
        """
        phones = self._phones(people)
        if not phones:
            return PeopleResult(_verdicts(PeopleReply(), operation, people))
        try:
            answer = await self._send_people(group_path(group_id, f"{operation}-participant"), phones)
        except (OutcomeUnknown, asyncio.CancelledError):
            self._recent_changes.record(group_id, people, operation)
            raise
        verdicts = _verdicts(answer, operation, people)
        self._record_changes(operation, group_id, people, verdicts)
        return PeopleResult(verdicts, rate_limit_of(verdicts))

    async def _send_people(self, path: str, phones: Sequence[str]) -> PeopleReply:
        try:
            reply = await self._api.write(path, {"participants": phones}, accept_error=names_people)
        except InvalidRequest as error:
            raise (partial_failure(error) if len(phones) > 1 else error) from None
        answer = PeopleReply.of(reply)
        if answer.is_empty:
            check_success(reply)
        return answer

    def _phones(self, people: Sequence[Person]) -> list[str]:
        """Return the phones to send, without duplicates. Raises `ValueError` for more people than one call takes."""
        if len(people) > MAX_BATCH:
            raise ValueError(f"2Chat takes at most {MAX_BATCH} people in one call")
        return list(dict.fromkeys(f"+{self._variants.digits(person)}" for person in people if person.phone))

    def _record_changes(
        self, operation: Operation, group_id: str, people: Sequence[Person], verdicts: Sequence[Verdict]
    ) -> None:
        """Record the people whose status changed, or may have changed."""
        recorded = {ACCEPTED.get(operation, Outcome.UNKNOWN), Outcome.ALREADY_DONE, Outcome.UNKNOWN}
        changed = [p for p, verdict in zip(people, verdicts, strict=True) if verdict.outcome in recorded]
        self._recent_changes.record(group_id, changed, operation)

    async def _send(self, body: dict[str, str], not_found: ErrorKind) -> str:
        reply = await self._api.write("/open/whatsapp/send-message", body, not_found=not_found, once=True)
        check_success(reply)
        return reply.parse_result(SentReply, text_of(reply)).message_uuid


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> TwoChat:
    """Build the adapter.

    Args:
        base_url: the address of 2Chat, with or without `/open` at its end; None for `BASE_URL`.
        token: the API key, sent as `X-User-API-Key`.
        account: the connected phone number with its country code.
        transport: replaces the network.
        timeout: the client's timeouts.
        clock: returns the time in seconds, from any start.

    Raises:
        ValueError: `account` isn't a phone number.
    """
    digits = digits_of(account)
    if not digits:
        raise ValueError('twochat needs `account`: the connected phone number, for example "+12123334444"')
    root = (base_url or BASE_URL).rstrip("/").removesuffix("/open")
    http = HttpClient(root, headers={"X-User-API-Key": token}, timeout=timeout, transport=transport)
    return TwoChat(http, f"+{digits}", clock=clock)


def _verdicts(answer: PeopleReply, operation: Operation, people: Sequence[Person]) -> tuple[Verdict, ...]:
    return tuple(answer.judge(person, operation) for person in people)


def _change_call(action: Action, change: GroupChange) -> tuple[str, dict[str, str]]:
    """Return the path and the body of a change. Raises `ProviderError` if 2Chat doesn't offer it."""
    if action is Action.DESCRIBE and change.description is not None:
        return "set-description", {"description": change.description}
    if action is Action.PICTURE and change.picture is not None:
        if not change.picture.url:
            raise InvalidRequest("2Chat needs the address of a picture, not a JPEG.", code="no_address")
        return "set-picture", {"url": change.picture.url}
    raise NotSupported(f"2Chat doesn't support this action: {action}.", code="not_supported")
