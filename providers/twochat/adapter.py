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
    MembershipStatus,
    NumberCheck,
    Operation,
    Outcome,
    OutcomeUnknown,
    PeopleResult,
    Person,
    Provider,
    ProviderFault,
    Usage,
    Verdict,
)
from providers.http import TIMEOUT, HttpClient
from providers.identity import digits_of, same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import NumberVariants, retry_with_variants
from providers.participant_codes import rate_limit_of
from providers.twochat.account import Reception
from providers.twochat.api import Api, confirmed, group_path, not_of_one, told
from providers.twochat.capabilities import ABILITIES, MOST
from providers.twochat.changes import change_group
from providers.twochat.delay import OwnChanges
from providers.twochat.errors import NEITHER_NUMBER, NO_GROUP, NO_NUMBER, Meaning
from providers.twochat.models import CreatedReply, GroupRecord, GroupReply, GroupsReply, SentReply
from providers.twochat.numbers import Numbers
from providers.twochat.people import ACCEPTED, Answer, names_people

BASE_URL = "https://api.p.2chat.io"
"""The contract's server; every path but `/info` starts with `/open`."""


class TwoChat(Provider):
    """One connected number at 2Chat.

    Args:
        http: the client, with the API key in its headers.
        number: the connected phone, E.164 with plus; it acts in every write (`from_number`).
        clock: gives seconds; by it number checks and own changes are remembered.
    """

    abilities: ClassVar[Mapping[Action, Ability]] = ABILITIES

    def __init__(self, http: HttpClient, number: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(http, number)
        self._numbers = Numbers(self._api, clock)
        self._forms = NumberVariants(clock)
        self._own_changes = OwnChanges(clock)
        self._reception = Reception(self._api)

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give every group of the connected number, from one call (listGroups shows no paging)."""
        reply = await self._api.read(f"/open/whatsapp/groups/{self._api.number}", GroupsReply, missing=NO_NUMBER)
        for group in reply.data:
            if group.uuid and (shown := group.as_group(group.uuid)).matches(search):
                yield shown

    async def group(self, group_id: str) -> Group:
        """Read one group (getGroup). The name is `wa_group_name`."""
        return (await self._group(group_id)).as_group(group_id)

    async def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give the stored members (getGroup), which come in one answer and trail changes by some minutes.

        Raises:
            ProviderFault: after all that were listed, where 2Chat counts others than it lists, or lists nobody.
            ProviderError: the members could not be read.
        """
        group = await self._group(group_id)
        for row in group.rows:
            yield row.member
        if not group.whole:
            raise ProviderFault("2Chat does not list all members of the group.")

    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Look for `people` in the stored members (getGroup).

        They trail changes by some minutes: of somebody to whom this adapter did something lately, nothing is told that
        may be so only because the list is late.
        """
        if not people:
            return {}
        group = await self._group(group_id)
        self._forms.learn(people, {row.phone for row in group.rows})
        roll = MemberIndex(MemberKey(row.lid, frozenset({row.phone} - {""}), row.status) for row in group.rows)
        whole = group.whole

        def look(person: Person) -> MembershipStatus:
            shown = roll.find(MemberKey(person.lid, same_person_keys(person.digits) if person.phone else frozenset()))
            if shown is MembershipStatus.ABSENT and not whole:
                shown = MembershipStatus.UNKNOWN
            return self._own_changes.weigh(group_id, person, shown)

        return {person.key: look(person) for person in people}

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add at most ten people (addParticipants) and judge each from its own entry and from `unaccepted_numbers`.

        A person known only by a LID is `INVALID` here: 2Chat takes phone numbers. `PeopleResult.error` is set when
        WhatsApp rate-limited a participant, for that concerns the whole sender. Whoever is not found and has another
        form of the number is checked (checkNumber) and added in that.
        """
        first = await self._deal(Operation.ADD, group_id, people)
        return await retry_with_variants(
            self._forms,
            people,
            first,
            check=self._numbers.check,
            add=lambda again: self._deal(Operation.ADD, group_id, again),
        )

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove at most ten people (removeParticipants) and judge each by the list that holds the number."""
        return await self._deal(Operation.REMOVE, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make at most ten members admins (promoteParticipants); a success alone proves nothing about a person."""
        return await self._deal(Operation.PROMOTE, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make at most ten admins members (demoteParticipants); a success alone proves nothing about a person."""
        return await self._deal(Operation.DEMOTE, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Make a group with at most ten people (createGroup); with nobody left who has a phone none is made.

        Raises:
            OutcomeUnknown: the answer does not say whether there is a group now. It is never sent again.
            ProviderError: 2Chat did not take it.
        """
        phones = self._phones(people)
        if people and not phones:
            return Created(None, _verdicts(Answer(), Operation.ADD, people))
        body = {"group": {"name": subject, "participants": phones}}
        path = "/open/whatsapp/group/create"
        try:
            reply = await self._api.write(path, body, missing=NO_NUMBER, once=True, tells=names_people)
        except InvalidRequest as error:
            raise not_of_one(error) from None
        made = told(reply, CreatedReply).group
        verdicts = _verdicts(Answer.of(reply), Operation.ADD, people)
        if not made.uuid:
            confirmed(reply)
            return Created(None, verdicts)
        self._remember(Operation.ADD, made.uuid, people, verdicts)
        return Created(Group(made.uuid, made.name or subject), verdicts)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change the description (setGroupDescription) or the picture (setGroupPicture), a call for each."""
        return await change_group(self._api, group_id, change)

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check numbers (checkNumber), one after another, for each costs a credit and keeps the number busy."""
        return await self._numbers.check(people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Queue a text to a group (sendMessage); it is never sent again."""
        return await self._send({"to_group_uuid": group_id, "text": text}, NO_GROUP)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Queue a text to a person (sendMessage), who needs a phone number; it is never sent again."""
        if not person.phone:
            raise InvalidRequest("2Chat sends texts to phone numbers only.", code="no_phone")
        return await self._send({"to_number": person.phone, "text": text}, NEITHER_NUMBER)

    async def account(self) -> Account:
        """Read the state of the connected number (listNumbers), and whether the account is blocked (getAccountInfo)."""
        return await self._reception.state()

    async def limits(self) -> Sequence[Usage]:
        """Read the credits, the number checks and the calls a minute (getAccountInfo, at either of two places)."""
        return await self._reception.allowances()

    async def aclose(self) -> None:
        """Close the connections to 2Chat."""
        await self._api.aclose()

    async def _group(self, group_id: str) -> GroupRecord:
        return (await self._api.read(group_path(group_id), GroupReply)).data

    async def _deal(self, operation: Operation, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Send one change of participants, and judge the people from its answer.

        In a passing state of the number nothing was begun, and it is sent again a few times; after all else it is not.
        """
        phones = self._phones(people)
        if not phones:
            return PeopleResult(_verdicts(Answer(), operation, people))
        try:
            answer = await self._answer(group_path(group_id, f"{operation}-participant"), phones)
        except (OutcomeUnknown, asyncio.CancelledError):
            self._own_changes.remember(group_id, people, operation)
            raise
        verdicts = _verdicts(answer, operation, people)
        self._remember(operation, group_id, people, verdicts)
        return PeopleResult(verdicts, rate_limit_of(verdicts))

    async def _answer(self, path: str, phones: Sequence[str]) -> Answer:
        try:
            reply = await self._api.write(path, {"participants": phones}, tells=names_people)
        except InvalidRequest as error:
            raise (not_of_one(error) if len(phones) > 1 else error) from None
        answer = Answer.of(reply)
        if answer.names_nobody:
            confirmed(reply)
        return answer

    def _phones(self, people: Sequence[Person]) -> list[str]:
        """Give the phones to send, nobody twice. Raises `ValueError` for more people than one call takes."""
        if len(people) > MOST:
            raise ValueError(f"2Chat takes at most {MOST} people in one call")
        return list(dict.fromkeys(f"+{self._forms.digits(person)}" for person in people if person.phone))

    def _remember(
        self, operation: Operation, group_id: str, people: Sequence[Person], verdicts: Sequence[Verdict]
    ) -> None:
        """Remember who stands otherwise now, or may do so."""
        happened = {ACCEPTED.get(operation, Outcome.UNKNOWN), Outcome.ALREADY_DONE, Outcome.UNKNOWN}
        changed = [p for p, verdict in zip(people, verdicts, strict=True) if verdict.outcome in happened]
        self._own_changes.remember(group_id, changed, operation)

    async def _send(self, body: dict[str, str], missing: Meaning) -> str:
        reply = await self._api.write("/open/whatsapp/send-message", body, missing=missing, once=True)
        confirmed(reply)
        return told(reply, SentReply).message_uuid


def make(
    *,
    base_url: str | None,
    token: str,
    account: str,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    clock: Callable[[], float] = time.monotonic,
) -> TwoChat:
    """Make the adapter.

    Args:
        base_url: where 2Chat is, with or without `/open` at its end; None for `BASE_URL`.
        token: the API key, sent as `X-User-API-Key`.
        account: the connected phone number with its country code.
        transport: another transport than the network.
        timeout: the client's time-outs.
        clock: gives the time in seconds, from any start.

    Raises:
        ValueError: `account` is not a phone number.
    """
    digits = digits_of(account)
    if not digits:
        raise ValueError('twochat needs `account`: the connected phone number, for example "+12123334444"')
    root = (base_url or BASE_URL).rstrip("/").removesuffix("/open")
    http = HttpClient(root, headers={"X-User-API-Key": token}, timeout=timeout, transport=transport)
    return TwoChat(http, f"+{digits}", clock=clock)


def _verdicts(answer: Answer, operation: Operation, people: Sequence[Person]) -> tuple[Verdict, ...]:
    return tuple(answer.judge(person, operation) for person in people)
