"""The successful responses of Wasend. Documentation and SDK disagree on almost every format; both are read."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from providers.base import Group, Member, MembershipStatus
from providers.identity import digits_of, lid_of, same_person_keys
from providers.member_index import status_of_flags
from providers.responses import ProviderText
from providers.wasend.errors import Envelope

INVITE_LINK = "https://chat.whatsapp.com/"

_INVITE_CODE = re.compile(r"[A-Za-z0-9_-]+")

_Value = TypeVar("_Value")


def _amount(value: Any) -> int | None:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if whole else None


# A value of another type counts as missing: a detail that can't be read doesn't hide the group.
Flag = Annotated[bool | None, BeforeValidator(lambda value: value if isinstance(value, bool) else None)]
Text = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]
Amount = Annotated[int | None, BeforeValidator(_amount)]


class MemberRecord(BaseModel):
    """An entry of a member list; `lid`, `error` and `addRequest` are the SDK's."""

    jid: str | None = None
    phone: str | None = Field(None, alias="phoneNumber")
    lid: str | None = None
    name: ProviderText = Field("", alias="displayName")
    is_admin: Flag = Field(None, alias="isAdmin")
    is_super_admin: Flag = Field(None, alias="isSuperAdmin")
    error: Any = None
    add_request: Any = Field(None, alias="addRequest")

    @property
    def phones(self) -> frozenset[str]:
        """Every variant of the member's number, in digits; empty if only a LID is known, also one in a phone field."""
        variants = variants_of(self.phone or "") | variants_of(self.jid or "")
        return frozenset(digits for digits in variants if f"{digits}@lid" not in self.lids)

    @property
    def digits(self) -> str:
        """The member's number as listed; empty if `phones` is."""
        listed = (digits_of(self.phone or ""), digits_of(self.jid or ""))
        return next((digits for digits in listed if digits and digits in self.phones), "")

    @property
    def lids(self) -> frozenset[str]:
        """The member's LID."""
        return frozenset({lid_of(self.lid or ""), lid_of(self.jid or "")}) - {""}

    @property
    def is_certain(self) -> bool:
        """False for an entry with an error or an add request: the SDK doesn't explain what they mean."""
        return not self.error and not self.add_request

    @property
    def status(self) -> MembershipStatus:
        """The membership status of the entry."""
        if not self.is_certain:
            return MembershipStatus.UNKNOWN
        return status_of_flags(is_admin=self.is_admin, is_super_admin=self.is_super_admin)

    def to_member(self) -> Member:
        """Return the member as the adapter's interface has it."""
        return Member(f"+{self.digits}" if self.digits else "", next(iter(self.lids), ""), self.name, self.status)


class MembersReply(BaseModel):
    """The response of listGroupParticipants: `{participants}` (docs), or a bare array (SDK)."""

    participants: list[MemberRecord]

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"participants": body} if isinstance(body, list) else body


class Settings(BaseModel):
    """A group's settings under `settings`: two names for each flag, by the page."""

    announce: Flag = None
    messages_admin_only: Flag = Field(None, alias="messagesAdminOnly")
    restrict: Flag = None
    info_admin_only: Flag = Field(None, alias="infoAdminOnly")
    ephemeral: Amount = None


OptionalSettings = Annotated[Settings, BeforeValidator(lambda value: value if isinstance(value, dict) else {})]


class GroupRecord(BaseModel):
    """A group: under `info` or `group` (docs), or bare (SDK, lists, a new group).

    Its id is `jid` in lists, for a new group and in the SDK, otherwise `id`. `name` is preferred to `subject`: the info
    sample has both with different values, and lists have only `name`. A flag with two different values counts as
    missing. The documentation doesn't state the unit of `ephemeral`; it is taken to be seconds, as in the SDK.
    """

    id: str = Field(min_length=1, validation_alias=AliasChoices("jid", "id"))
    name: Text = None
    subject: Text = None
    description: Text = Field(None, validation_alias=AliasChoices("description", "topic"))
    participants: list[Any] | None = None
    count: Amount = Field(None, alias="participantsCount")
    is_announce: Flag = Field(None, alias="isAnnounce")
    is_locked: Flag = Field(None, alias="isLocked")
    is_ephemeral: Flag = Field(None, alias="isEphemeral")
    timer: Amount = Field(None, alias="disappearingTimer")
    settings: OptionalSettings = Field(default_factory=Settings)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return body.get("info") or body.get("group") or body

    @property
    def members(self) -> list[MemberRecord]:
        """The members whose entries can be read."""
        return [member for member in map(_member_of, self.participants or ()) if member]

    def to_group(self, group_id: str) -> Group:
        """Return the group as the adapter's interface has it. An empty member list counts as missing."""
        settings = self.settings
        return Group(
            group_id,
            self.name or self.subject or "",
            len(self.participants) if self.participants else self.count,
            self.description,
            _agreed((self.is_announce, settings.announce, settings.messages_admin_only)),
            _agreed((self.is_locked, settings.restrict, settings.info_admin_only)),
            self._seconds(),
        )

    def _seconds(self) -> int | None:
        seconds = _agreed((self.timer, self.settings.ephemeral))
        if seconds is None:
            return 0 if self.is_ephemeral is False else None
        return seconds if self.is_ephemeral in {None, bool(seconds)} else None


class Pagination(BaseModel):
    """The position of a page of groups."""

    has_more: bool | None = Field(None, alias="hasMore")


class GroupsReply(BaseModel):
    """The response of listGroups: `{groups, pagination}` (docs), or a bare array (SDK)."""

    groups: list[GroupRecord]
    pagination: Pagination = Field(default_factory=Pagination)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"groups": body} if isinstance(body, list) else body


class Result(BaseModel):
    """The result of one person: the id, and a reason from an open set. A promotion adds the new flags."""

    id: ProviderText = ""
    reason: ProviderText = ""
    is_admin: Flag = Field(None, alias="isAdmin")


Results = Annotated[list[Result], BeforeValidator(lambda value: [] if value is None else value)]


class PeopleReply(Envelope):
    """The response to a call about people: two lists, under `data` (add, demote) or bare. Either may be missing."""

    done: Results = Field(
        default_factory=list, validation_alias=AliasChoices("added", "removed", "promoted", "demoted")
    )
    failed: Results = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        if isinstance(body, dict) and body.get("data") is not None:
            return {**body["data"], "success": body.get("success")} if isinstance(body["data"], dict) else None
        return body


class InviteReply(BaseModel):
    """An invite code or link: under `inviteCode` (docs), or the bare text (SDK), with or without quotes."""

    code: str = Field(alias="inviteCode", pattern=_INVITE_CODE.pattern)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        invite = body.get("inviteCode") if isinstance(body, dict) else body
        code = invite_code_of(invite) if isinstance(invite, str) else ""
        return {"inviteCode": code} if _INVITE_CODE.fullmatch(code) else None


class ChangeReply(BaseModel):
    """The response to a group change: the new values, as far as it has them."""

    success: Flag = None
    subject: Text = None
    enabled: Flag = None
    settings: OptionalSettings = Field(default_factory=Settings)


class JoinReply(BaseModel):
    """The joined group: under `group` (docs), or bare (SDK); None if it has neither."""

    group: GroupRecord | None = None

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"group": body} if isinstance(body, dict) and ("id" in body or "jid" in body) else body


class SentReply(BaseModel):
    """The accepted message (sendText). Its status values are not documented."""

    id: str = Field(min_length=1)
    status: ProviderText = ""


class CheckReply(BaseModel):
    """The response of checkContactExists. It has `jid` for known numbers only."""

    exists: bool
    jid: str | None = None


class Downstream(BaseModel):
    """The part of a session record that has the status in the SDK's list type."""

    status: str | None = None


class SessionReply(BaseModel):
    """The response of getSession. The status is at the top or under `downstream`."""

    status: str | None = None
    downstream: Downstream | None = None

    @property
    def state(self) -> str:
        """The status in upper case, as in the SDK's README; empty if the record has none."""
        return (self.status or (self.downstream.status if self.downstream else None) or "").upper()


def invite_code_of(invite: str) -> str:
    """Return the code of an invite, which may be a whole link."""
    return invite.strip().partition("?")[0].rstrip("/").rpartition("/")[2]


def variants_of(text: str) -> frozenset[str]:
    """Return every variant of a number, with or without plus, or of a user JID; empty for anything else."""
    digits = digits_of(text)
    return same_person_keys(digits) if digits else frozenset()


def _member_of(body: Any) -> MemberRecord | None:
    try:
        return MemberRecord.model_validate(body)
    except ValidationError:
        return None


def _agreed(values: Iterable[_Value | None]) -> _Value | None:
    """Return the one value among `values`; None if there is none, or if they differ."""
    different = {value for value in values if value is not None}
    return different.pop() if len(different) == 1 else None
