"""What Wasend says: its bodies and its statuses, and what they mean in the vocabulary of `providers.base`.

The documentation and the SDK disagree on almost every body, so each model reads both shapes.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from providers.base import (
    CredentialsRejected,
    Group,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
)
from providers.http import Reply, rate_limited
from providers.identity import lid_of, phone_digits, same_person_keys

LONGEST_WORDS = 300
"""Characters kept of what Wasend says."""

_NUMBER = re.compile(r"\+?([0-9]{5,15})")

_ERRORS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "Wasend found the request invalid."),
    401: (CredentialsRejected, "Wasend does not accept the API key."),
    403: (PermissionMissing, "Wasend does not allow this."),
    404: (GroupNotFound, "Wasend does not know the group, or not the session."),
}
"""HTTP statuses of the add page's error table, the only one published; reads are taken to share it."""


def text_of(value: Any) -> str:
    """Give words of any JSON type as one short line of text; empty for null."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return " ".join(text.split())[:LONGEST_WORDS]


Words = Annotated[str, BeforeValidator(text_of)]


class Envelope(BaseModel):
    """What every body may carry: `success`, and words as `message` or as `error`."""

    success: bool | None = None
    message: Words = ""
    error: Words = ""


class Result(BaseModel):
    """What an add says of one person: whose id, and a reason from an open set."""

    id: Words = ""
    reason: Words = ""


def _none_as_empty(value: Any) -> Any:
    return [] if value is None else value


Results = Annotated[list[Result], BeforeValidator(_none_as_empty)]


class AddReply(BaseModel):
    """The answer to an add: `{data: {added, failed}}` (docs), or the two lists bare; either may be left out."""

    added: Results = Field(default_factory=list)
    failed: Results = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        return body["data"] if isinstance(body, dict) and body.get("data") is not None else body


class Member(BaseModel):
    """A row of a member list; `lid`, `error` and `addRequest` are the SDK's."""

    jid: str | None = None
    phone: str | None = Field(None, alias="phoneNumber")
    lid: str | None = None
    error: Any = None
    add_request: Any = Field(None, alias="addRequest")

    @property
    def phones(self) -> frozenset[str]:
        """Every form of the member's number, in digits; empty where only a LID is known, also posing as a phone."""
        shown = phone_forms(self.phone or "") | phone_forms(self.jid or "")
        return frozenset(digits for digits in shown if f"{digits}@lid" not in self.lids)

    @property
    def lids(self) -> frozenset[str]:
        """The member's LID."""
        return frozenset({lid_of(self.lid or ""), lid_of(self.jid or "")}) - {""}

    @property
    def stands_in_group(self) -> bool:
        """False where the row carries an error or an add request, whose meaning the SDK does not explain."""
        return not self.error and not self.add_request


class MembersReply(BaseModel):
    """The answer of listGroupParticipants: `{participants}` (docs), or a bare array (SDK)."""

    participants: list[Member]

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"participants": body} if isinstance(body, list) else body


class GroupRecord(BaseModel):
    """A group: under `info` (docs) or bare (SDK, lists). Its id is `jid` in lists and in the SDK, `id` under `info`.

    `name` goes before `subject`: the info sample has both with different values, and lists have `name` only.
    """

    id: str = Field(min_length=1, validation_alias=AliasChoices("jid", "id"))
    name: str | None = None
    subject: str | None = None
    participants: list[Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        return body["info"] if isinstance(body, dict) and "info" in body else body

    def as_group(self, group_id: str) -> Group:
        """Give the group in the words of the protocol; an empty member list is one that was left out."""
        return Group(group_id, self.name or self.subject or "", len(self.participants) if self.participants else None)


class Pagination(BaseModel):
    """Where a page of groups stands."""

    has_more: bool | None = Field(None, alias="hasMore")


class GroupsReply(BaseModel):
    """The answer of listGroups: `{groups, pagination}` (docs), or a bare array (SDK)."""

    groups: list[GroupRecord]
    pagination: Pagination = Field(default_factory=Pagination)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"groups": body} if isinstance(body, list) else body

    def more_after(self, limit: int) -> bool:
        """Tell whether more may follow: what the page says, else whether it is as long as was asked for."""
        told = self.pagination.has_more
        return len(self.groups) >= limit if told is None else told


class Downstream(BaseModel):
    """The part of a session record where the SDK's list type has the status."""

    status: str | None = None


class SessionReply(BaseModel):
    """The answer of getSession; the status is at the top, or under `downstream`."""

    status: str | None = None
    downstream: Downstream | None = None

    @property
    def state(self) -> str:
        """The status in upper case, as the SDK's README writes it; empty where the record has none."""
        return (self.status or (self.downstream.status if self.downstream else None) or "").upper()


def phone_forms(text: str) -> frozenset[str]:
    """Give every form of a number, with or without plus, or of a user JID; none for all else."""
    digits = digits_of(text)
    return same_person_keys(digits) if digits else frozenset()


def digits_of(text: str) -> str:
    """Give the digits of a number, with or without plus, or of a user JID; empty for all else."""
    match = _NUMBER.fullmatch("".join(text.split()))
    return match[1] if match else phone_digits(text.strip())


def envelope_of(reply: Reply) -> Envelope:
    """Read what every body may carry; an empty envelope for a body of another shape."""
    try:
        return Envelope.model_validate(reply.body)
    except ValidationError:
        return Envelope()


def words_of(reply: Reply) -> str:
    """Give Wasend's own words in a body, or the beginning of the body itself."""
    envelope = envelope_of(reply)
    return envelope.message or envelope.error or text_of(reply.text)


def read_error(reply: Reply) -> ProviderError:
    """Read the failure of a call that changes nothing. No page with its statuses could be read."""
    words = words_of(reply)
    return _refusal(reply) or ProviderFault("Wasend reports a failure.", code=str(reply.status), words=words)


def add_error(reply: Reply) -> ProviderError:
    """Read the failure of an add. Its effect stays open after a 5xx, a 408, and what is no error status."""
    words, code = words_of(reply), str(reply.status)
    if reply.status == httpx.codes.FORBIDDEN:
        return NotGroupAdmin(
            "Wasend does not allow this: the session is no admin of the group.", code=code, words=words
        )
    return _refusal(reply) or OutcomeUnknown(
        "Wasend failed while adding; only reading back can tell.", code=code, words=words
    )


def _refusal(reply: Reply) -> ProviderError | None:
    """Read a status that says that nothing was done; None for every other."""
    words, code = words_of(reply), str(reply.status)
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(reply, words=words)
    if reply.status in _ERRORS:
        kind, message = _ERRORS[reply.status]
        return kind(message, code=code, words=words)
    if httpx.codes.is_client_error(reply.status) and reply.status != httpx.codes.REQUEST_TIMEOUT:
        return InvalidRequest("Wasend refused the request.", code=code, words=words)
    return None
