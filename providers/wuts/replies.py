"""What WUTS says: its bodies, its four shapes of an error, and what they mean in the words of `providers.base`."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    Presence,
    ProviderError,
    ProviderFault,
    Verdict,
)
from providers.http import Reply, rate_limited
from providers.identity import lid_of, phone_digits, same_person_keys
from providers.roll import Known, Roll

_NOT_READY_CODES = frozenset({"DEVICE_NOT_READY", "DEVICE_DISCONNECTED"})
_INVALID_CODES = frozenset({"VALIDATION_ERROR", "INVALID_REQUEST"})

_STATUS_ERRORS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "WUTS found the request wrong."),
    401: (CredentialsRejected, "WUTS does not accept the token."),
    403: (PermissionMissing, "WUTS allows the token's user no such call on this group; its role, or admin rights."),
    422: (InvalidRequest, "WUTS found the request wrong."),
}

_RECORD_CODES: Mapping[str, Outcome] = {
    "401": Outcome.FAILED,  # not an admin, or blocked: the code does not tell which
    "403": Outcome.REFUSED,
    "404": Outcome.NOT_ON_WHATSAPP,
    "408": Outcome.RECENTLY_LEFT,
    "409": Outcome.ALREADY_DONE,
    "417": Outcome.REFUSED,
    "419": Outcome.GROUP_FULL,
    "421": Outcome.PENDING,
    "429": Outcome.RATE_LIMITED,
    "500": Outcome.FAILED,
}
"""WhatsApp's own codes for one participant. 200 is left out: a read-back proves membership, an undocumented 200 not."""


class _NestedError(BaseModel):
    code: str | None = None
    message: str | None = None


class _Rejected(BaseModel):
    message: str | None = None
    value: Any = None


class _Failure(BaseModel):
    """The four error shapes in one: standard, short and bare differ in what is missing, nested has an object."""

    success: bool | None = None
    error: str | _NestedError | None = None
    error_code: str | None = None
    validation: list[_Rejected] | None = None

    @property
    def code(self) -> str:
        nested = self.error.code if isinstance(self.error, _NestedError) else None
        return self.error_code or nested or ""

    @property
    def words(self) -> str:
        return (self.error.message if isinstance(self.error, _NestedError) else self.error) or ""


class Member(BaseModel):
    """A participant record. `error` and `code` are on no page; WhatsApp libraries have them, so they may appear."""

    jid: str | None = None
    phone_number: str | None = None
    lid: str | None = None
    error: Any = None
    code: Any = None
    message: Any = None

    @property
    def phone(self) -> str:
        """The member's phone in digits, empty where only a LID is known."""
        return phone_digits(self.jid or "") or _digits(self.phone_number)

    @property
    def lid_jid(self) -> str:
        """The member's LID, empty where only a phone is known."""
        return lid_of(self.jid or "") or lid_of(self.lid or "")

    @property
    def said(self) -> str:
        """WhatsApp's code for this person, empty where the record holds none that is known."""
        return next((str(code) for code in (self.error, self.code) if str(code) in _RECORD_CODES), "")


class ListedGroup(BaseModel):
    """A group; `participants` only where one group is read."""

    jid: str
    name: str | None = None
    members_count: int | None = None
    participants: list[Member] | None = None


class GroupsAnswer(BaseModel):
    """The answer of `listGroups`."""

    groups: list[ListedGroup] | None


class GroupAnswer(BaseModel):
    """The answer of `getGroup`."""

    group: ListedGroup


class AddAnswer(BaseModel):
    """The answer of `addGroupParticipants`: the people acted on, whatever became of them."""

    participants: list[Member] | None = None


class CheckAnswer(BaseModel):
    """The answer of `checkContactsOnWhatsApp`: on WhatsApp or not, by number in digits."""

    data: dict[str, bool | None]


class Contact(BaseModel):
    """An identity of `resolveContacts`; to be matched by `input`, for the answer may hold fewer than were asked."""

    input: str | None = None
    resolved_jid: str | None = None
    phone_number: str | None = None

    @property
    def lid(self) -> str:
        """The LID that was asked about."""
        return lid_of(self.input or "")

    @property
    def phone(self) -> str:
        """The phone behind it in digits, empty where none is known."""
        return phone_digits(self.resolved_jid or "") or _digits(self.phone_number)


class ResolveAnswer(BaseModel):
    """The answer of `resolveContacts`."""

    items: list[Contact]


class Session(BaseModel):
    """The state of a device; of `status` only the value `connected` is documented."""

    connected: bool | None = None
    is_logged_in: bool | None = None
    status: str | None = None


class StatusAnswer(BaseModel):
    """The answer of `checkSessionStatus`."""

    data: Session


def _digits(number: str | None) -> str:
    """Give the digits of a user JID or of a plain number; `phone_number` is the one here and the other there."""
    match = re.fullmatch(r"\+?([0-9]+)", number or "")
    return match[1] if match else phone_digits(number or "")


def compare(person: Person, member: Member, phones: Mapping[str, str]) -> Presence:
    """Tell whether a record is this person: PRESENT, ABSENT for somebody else, UNKNOWN where nothing compares."""
    if person.lid and person.lid == member.lid_jid:
        return Presence.PRESENT
    own = person.digits or phones.get(person.lid, "")
    theirs = member.phone or phones.get(member.lid_jid, "")
    if own and theirs:
        return Presence.PRESENT if theirs in same_person_keys(own) else Presence.ABSENT
    return Presence.ABSENT if person.lid and member.lid_jid else Presence.UNKNOWN


def presences_among(
    people: Sequence[Person], members: Sequence[Member], phones: Mapping[str, str]
) -> dict[str, Presence]:
    """Tell by key which of `people` are among `members`; `phones` gives the digits behind LIDs."""
    roll = Roll.of(
        Known(m.lid_jid, frozenset({digits}) if (digits := m.phone or phones.get(m.lid_jid, "")) else frozenset())
        for m in members
    )
    return {person.key: roll.find(_known(person, phones)) for person in people}


def _known(person: Person, phones: Mapping[str, str]) -> Known:
    own = person.digits or phones.get(person.lid, "")
    return Known(person.lid, same_person_keys(own) if own else frozenset())


def deciding_lids(unsure: Sequence[Person], members: Sequence[Member]) -> set[str]:
    """Give the LIDs whose phones can end the doubt about these people: the members' for phones, else their own."""
    lids = {person.lid for person in unsure if not person.phone}
    if any(person.phone for person in unsure):
        lids |= {member.lid_jid for member in members if member.lid_jid and not member.phone}
    return lids


def reported(records: Sequence[Member], people: Collection[Person]) -> dict[str, Verdict]:
    """Judge those people whose records carry a code; a record without one says nothing."""
    return {
        person.key: Verdict(
            person.key, _RECORD_CODES[record.said], Evidence.REPORTED, record.said, str(record.message or "")[:300]
        )
        for person in people
        for record in records
        if record.said and compare(person, record, {}) is Presence.PRESENT
    }


def rejected_people(reply: Reply, people: Collection[Person]) -> dict[str, Verdict]:
    """Judge those people whose value a validation error names; the others share the error of the call."""
    failure = _failure(reply)
    return {
        person.key: Verdict(
            person.key, Outcome.INVALID, Evidence.REPORTED, failure.code, (rejected.message or failure.words)[:300]
        )
        for person in people
        for rejected in failure.validation or ()
        if compare(person, Member(jid=str(rejected.value), phone_number=str(rejected.value)), {}) is Presence.PRESENT
    }


def _failure(reply: Reply) -> _Failure:
    try:
        return _Failure.model_validate(reply.body)
    except ValidationError:
        return _Failure(success=False)


def read_error(reply: Reply, *, about_group: bool, write: bool = False) -> ProviderError | None:
    """Read a failure by code first, then by status; None where the answer is a success."""
    failure = _failure(reply)
    if reply.ok and failure.success is not False:
        return None
    code, words = failure.code or str(reply.status), failure.words or reply.text
    if reply.status == httpx.codes.TOO_MANY_REQUESTS or "rate-overlimit" in words:
        return rate_limited(reply, code=code, words=words)
    kind, message = _kind(reply.status, code, about_group=about_group and isinstance(reply.body, dict), write=write)
    return kind(message, code=code, words=words)


def _kind(status: int, code: str, *, about_group: bool, write: bool) -> tuple[type[ProviderError], str]:
    if code.upper() in _NOT_READY_CODES:
        return AccountDisconnected, "The WhatsApp device of the token's user is not connected."
    if code.upper() in _INVALID_CODES:
        return _STATUS_ERRORS[400]
    if status == httpx.codes.NOT_FOUND:
        if about_group:
            return GroupNotFound, "WUTS does not know this group, or the account is not in it."
        return ProviderFault, "WUTS has nothing at this address; check base_url."
    fallback = OutcomeUnknown if write else ProviderFault
    return _STATUS_ERRORS.get(status, (fallback, f"WUTS failed (HTTP {status})."))
