"""Groups and members as Wasend lists them, in the documentation's shape and in the SDK's."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from providers.base import Group, Member, MembershipStatus
from providers.identity import digits_of, lid_of, same_person_keys
from providers.provider_text import ProviderText

_Told = TypeVar("_Told")


def _amount(value: Any) -> int | None:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if whole else None


# What is of another type is not told: a detail that cannot be read does not hide the group.
Flag = Annotated[bool | None, BeforeValidator(lambda value: value if isinstance(value, bool) else None)]
Text = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]
Amount = Annotated[int | None, BeforeValidator(_amount)]


class MemberRow(BaseModel):
    """A row of a member list; `lid`, `error` and `addRequest` are the SDK's."""

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
        """Every form of the member's number, in digits; empty where only a LID is known, also posing as a phone."""
        shown = phone_forms(self.phone or "") | phone_forms(self.jid or "")
        return frozenset(digits for digits in shown if f"{digits}@lid" not in self.lids)

    @property
    def digits(self) -> str:
        """The member's number as it is listed; empty where there is none in `phones`."""
        shown = (digits_of(self.phone or ""), digits_of(self.jid or ""))
        return next((one for one in shown if one and one in self.phones), "")

    @property
    def lids(self) -> frozenset[str]:
        """The member's LID."""
        return frozenset({lid_of(self.lid or ""), lid_of(self.jid or "")}) - {""}

    @property
    def stands_in_group(self) -> bool:
        """False where the row carries an error or an add request, whose meaning the SDK does not explain."""
        return not self.error and not self.add_request

    @property
    def status(self) -> MembershipStatus:
        """How the row says that the member stands."""
        if not self.stands_in_group:
            return MembershipStatus.UNKNOWN
        if self.is_admin or self.is_super_admin:
            return MembershipStatus.ADMIN
        return MembershipStatus.PRESENT if self.is_admin is None else MembershipStatus.MEMBER

    def as_member(self) -> Member:
        """Give the member in the words of the protocol."""
        return Member(f"+{self.digits}" if self.digits else "", next(iter(self.lids), ""), self.name, self.status)


class MembersReply(BaseModel):
    """The answer of listGroupParticipants: `{participants}` (docs), or a bare array (SDK)."""

    participants: list[MemberRow]

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"participants": body} if isinstance(body, list) else body


class Settings(BaseModel):
    """A group's settings under `settings`: two words for each flag, by the page."""

    announce: Flag = None
    messages_admin_only: Flag = Field(None, alias="messagesAdminOnly")
    restrict: Flag = None
    info_admin_only: Flag = Field(None, alias="infoAdminOnly")
    ephemeral: Amount = None


MaybeSettings = Annotated[Settings, BeforeValidator(lambda value: value if isinstance(value, dict) else {})]


class GroupRecord(BaseModel):
    """A group: under `info` or `group` (docs), or bare (SDK, lists, a new group).

    Its id is `jid` in lists, for a new group and in the SDK, else `id`. `name` goes before `subject`: the info sample
    has both with different values, and lists have `name` only. A flag that is told twice and differently is not told.
    The unit of the documentation's `ephemeral` is not stated; it is taken to be the SDK's, which is seconds.
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
    settings: MaybeSettings = Field(default_factory=Settings)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return body.get("info") or body.get("group") or body

    @property
    def rows(self) -> list[MemberRow]:
        """The members as far as they can be read."""
        return [row for row in map(_row_of, self.participants or ()) if row]

    def as_group(self, group_id: str) -> Group:
        """Give the group in the words of the protocol; an empty member list is one that was left out."""
        told = self.settings
        return Group(
            group_id,
            self.name or self.subject or "",
            len(self.participants) if self.participants else self.count,
            self.description,
            _agreed((self.is_announce, told.announce, told.messages_admin_only)),
            _agreed((self.is_locked, told.restrict, told.info_admin_only)),
            self._seconds(),
        )

    def _seconds(self) -> int | None:
        told = _agreed((self.timer, self.settings.ephemeral))
        if told is None:
            return 0 if self.is_ephemeral is False else None
        return told if self.is_ephemeral in {None, bool(told)} else None


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


def phone_forms(text: str) -> frozenset[str]:
    """Give every form of a number, with or without plus, or of a user JID; none for all else."""
    digits = digits_of(text)
    return same_person_keys(digits) if digits else frozenset()


def _row_of(body: Any) -> MemberRow | None:
    try:
        return MemberRow.model_validate(body)
    except ValidationError:
        return None


def _agreed(told: Iterable[_Told | None]) -> _Told | None:
    """Give the one thing that is told; None where nothing is, or different things are."""
    different = {one for one in told if one is not None}
    return different.pop() if len(different) == 1 else None
