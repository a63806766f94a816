"""What 2Chat says: its bodies, its statuses, and what both mean in the vocabulary of `providers.base`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    CredentialsRejected,
    Evidence,
    Group,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
    Verdict,
)
from providers.http import Reply, rate_limited
from providers.identity import lid_of, phone_digits, same_person_keys

BUSY = 486
"""Not a registered status: the number still works on an earlier request, this one was not begun."""

LONGEST_WORDS = 300
"""Characters kept of what 2Chat says."""

_MEANINGS: Mapping[int, Outcome] = {
    200: Outcome.ADDED,
    401: Outcome.FAILED,
    403: Outcome.REFUSED,
    404: Outcome.NOT_ON_WHATSAPP,
    408: Outcome.RECENTLY_LEFT,
    409: Outcome.ALREADY_DONE,
    417: Outcome.REFUSED,
    419: Outcome.GROUP_FULL,
    421: Outcome.PENDING,
    429: Outcome.RATE_LIMITED,
}
"""A participant's `statusCode`. 2Chat documents 200 only; the others are WhatsApp's, as whatsapp-web.js and other
libraries read them (the contract's x-unverified). 401 is contested (no admin, or blocked), so it stays `failed`."""

_ERRORS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "2Chat could not read the request."),
    401: (CredentialsRejected, "2Chat does not accept the API key."),
    402: (AccountRestricted, "The 2Chat trial is over, or its credits are spent."),
    403: (PermissionMissing, "2Chat does not allow this."),
    404: (GroupNotFound, "2Chat does not know this group (a new one can take minutes), or not the acting number."),
    406: (InvalidRequest, "2Chat does not support this here."),
    409: (AccountDisconnected, "The connected number is starting again; nothing was done. Try in a few seconds."),
    410: (AccountDisconnected, "The connected number is connecting or disconnecting; nothing was done."),
    422: (InvalidRequest, "2Chat found the request invalid."),
}
"""HTTP statuses of the one API-wide table (page api-response-codes); 409 and 410 are states of the phone."""

_NUMBER = re.compile(r"\+?([0-9]{5,15})")
_TIMED_OUT = re.compile(r"time[sd]?[ -]?out", re.IGNORECASE)
_TOO_MANY = re.compile(r"\b429\b|rate-overlimit")
_NOT_ADMIN = re.compile(r"\badmin.*\bgroup\b|\bgroup\b.*\badmin", re.IGNORECASE | re.DOTALL)


def text_of(value: Any) -> str:
    """Give words of any JSON type as one short line of text; empty for null."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return " ".join(text.split())[:LONGEST_WORDS]


Words = Annotated[str, BeforeValidator(text_of)]


class Envelope(BaseModel):
    """What every body may carry: `success`, and an error's words under one of three names."""

    success: bool | None = None
    error_message: Words = ""
    message: Words = ""
    detail: Words = ""

    @property
    def words(self) -> str:
        """The error's words, in the order of preference that the contract's Error schema gives."""
        return self.error_message or self.message or self.detail


class Entry(BaseModel):
    """What an add says of one number."""

    code: int | None = Field(None, alias="statusCode")
    message: Words = ""
    invite_sent: bool | None = Field(None, alias="isInviteV4Sent")


class AddReply(BaseModel):
    """The answer to an add: normally a map of entries by number."""

    participants: Any = None

    @property
    def entries(self) -> dict[str, Entry]:
        """The entries by the digits of their number; what cannot be read is left out, its person stays unknown."""
        found: dict[str, Entry] = {}
        for key, value in self.participants.items() if isinstance(self.participants, dict) else ():
            try:
                entry = Entry.model_validate(value)
            except ValidationError:
                continue
            if (digits := digits_of(key)) and entry.code is not None:
                found[digits] = entry
        return found


class Member(BaseModel):
    """A row of a member list. The contract shows no `role`; stored lists are known to keep people who left by it."""

    wa_participant_id: str | None = None
    phone_number: str | None = None
    role: str | None = None

    @property
    def lid(self) -> str:
        """The member's LID (`123@lid`); empty where the row is known by a phone."""
        return lid_of(self.wa_participant_id or "")

    @property
    def phone(self) -> str:
        """The member's digits; empty where only a LID is known, also when it poses as a phone number."""
        shown = digits_of(self.phone_number or "")
        if shown and f"{shown}@lid" != self.lid:
            return shown
        return phone_digits(self.wa_participant_id or "")


class GroupDetail(BaseModel):
    """A group, as a list (without members) and as a single read give it."""

    uuid: str = ""
    wa_group_name: str | None = None
    size: int | None = None
    participants: list[Member] | None = None

    def as_group(self, group_id: str) -> Group:
        """Give the group in the words of the protocol."""
        return Group(group_id, self.wa_group_name or "", self.size)


class GroupReply(BaseModel):
    """The answer of getGroup."""

    data: GroupDetail


class GroupsReply(BaseModel):
    """The answer of listGroups."""

    data: list[GroupDetail]


class Channel(BaseModel):
    """A connected number. One number can be several channels: WW is WhatsApp Web."""

    phone_number: str | None = None
    connection_status: str | None = None
    channel_type: str | None = None


class ChannelsReply(BaseModel):
    """The answer of listNumbers."""

    numbers: list[Channel]


def digits_of(text: str) -> str:
    """Give the digits of a number, with or without plus, or of a user JID; empty for all else."""
    match = _NUMBER.fullmatch(text.strip())
    return match[1] if match else phone_digits(text.strip())


def verdict_of(person: Person, entries: Mapping[str, Entry], unaccepted: frozenset[str]) -> Verdict:
    """Judge one person. WhatsApp may have normalised the numbers of the reply, so every form is looked up.

    The contract does not say whether an unaccepted number has an entry too: an entry that tells a reason is kept, one
    that tells success contradicts the list and leaves the person unknown.
    """
    if not person.phone:
        return Verdict(person.key, Outcome.INVALID, provider_message="2Chat adds people by phone number only.")
    forms = (person.digits, *same_person_keys(person.digits))
    entry = next((entries[form] for form in forms if form in entries), None)
    listed = not unaccepted.isdisjoint(forms)
    if entry is None:
        if listed:
            return Verdict(
                person.key,
                Outcome.INVALID,
                Evidence.REPORTED,
                "unaccepted_numbers",
                "The number is invalid or has no WhatsApp account.",
            )
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="2Chat's answer does not name this number.")
    outcome = _meaning(entry)
    if listed and outcome in {Outcome.ADDED, Outcome.ALREADY_DONE}:
        outcome = Outcome.UNKNOWN
    evidence = Evidence.NONE if outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return Verdict(person.key, outcome, evidence, str(entry.code), entry.message)


def _meaning(entry: Entry) -> Outcome:
    """Read a participant's code.

    `isInviteV4Sent` counts with 403 only, the one code with which whatsapp-web.js sends a private invitation. 408 is
    also what a library's own time-out looks like, and 500 wraps other codes.
    """
    match entry.code:
        case 403 if entry.invite_sent:
            return Outcome.INVITED
        case 408 if _TIMED_OUT.search(entry.message):
            return Outcome.UNKNOWN
        case 500 if _TOO_MANY.search(entry.message):
            return Outcome.RATE_LIMITED
        case code:
            return _MEANINGS.get(code or 0, Outcome.FAILED)


def unaccepted_in(value: Any) -> Iterator[str]:
    """Find the digits in `unaccepted_numbers`, wherever it sits: its place in the add reply is not documented."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _all_digits(inner) if key == "unaccepted_numbers" else unaccepted_in(inner)


def _all_digits(value: Any) -> Iterator[str]:
    """Find every number in a list of strings, in a list of objects or in a map by number."""
    if isinstance(value, str) and (digits := digits_of(value)):
        yield digits
    elif isinstance(value, dict):
        yield from _all_digits([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for inner in value:
            yield from _all_digits(inner)


def envelope_of(reply: Reply) -> Envelope:
    """Read what every body may carry; an empty envelope for a body of another shape."""
    try:
        return Envelope.model_validate(reply.body)
    except ValidationError:
        return Envelope()


def words_of(reply: Reply) -> str:
    """Give 2Chat's own words in a body, or the beginning of the body itself."""
    return envelope_of(reply).words or text_of(reply.text)


def nobody_named(reply: Reply) -> ProviderError:
    """Make the error of a 2xx that names nobody; how 2Chat answers when the number is no group admin is not said."""
    words = words_of(reply)
    if envelope_of(reply).success is False and _NOT_ADMIN.search(words):
        return NotGroupAdmin("The connected number is not an admin of the group.", code=str(reply.status), words=words)
    return OutcomeUnknown("2Chat's answer names nobody.", code=str(reply.status), words=words)


def error_of(reply: Reply, *, wrote: bool) -> ProviderError:
    """Read a status outside 2xx. The effect of a write is open after a 5xx, a 408, and what is no error status."""
    words, code = words_of(reply), str(reply.status)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, words=words)
    if reply.status == BUSY:
        return RateLimited("The connected number is still busy with an earlier request.", code=code, words=words)
    if reply.status in _ERRORS:
        kind, message = _forbidden(words) if reply.status == httpx.codes.FORBIDDEN else _ERRORS[reply.status]
        return kind(message, code=code, words=words)
    if httpx.codes.is_client_error(reply.status) and reply.status != httpx.codes.REQUEST_TIMEOUT:
        return InvalidRequest("2Chat refused the request.", code=code, words=words)
    if wrote:
        return OutcomeUnknown("2Chat failed while adding; only reading back can tell.", code=code, words=words)
    return ProviderFault("2Chat failed.", code=code, words=words)


def _forbidden(words: str) -> tuple[type[ProviderError], str]:
    """Tell apart what 403 may be: no key (recorded by a third party), no group admin (not documented), or the rest."""
    if words == "Not authenticated":
        return CredentialsRejected, "2Chat got no API key."
    if _NOT_ADMIN.search(words):
        return NotGroupAdmin, "The connected number is not an admin of the group."
    return _ERRORS[403]
