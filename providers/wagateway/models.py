"""What the WhatsApp Gateway answers, row by row (the schemas of `contracts/wagateway.openapi.yaml`)."""

import re
from typing import Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from providers.base import Group, MembershipStatus
from providers.http import Reply
from providers.identity import lid_of, phone_digits

GROUP_JID = re.compile(r"[0-9-]+@g\.us")
_PHONE_NUMBER = re.compile(r"\+?([0-9]+)")

_ROLES = {"member": MembershipStatus.MEMBER, "admin": MembershipStatus.ADMIN, "left": MembershipStatus.ABSENT}
"""The contract describes member and admin, and gateways also list those who left; other words tell no role for sure."""


class _Payload(BaseModel):
    """The gateway writes camelCase, and documents no field as always present."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class GroupRow(_Payload):
    """A stored group (schema `Group`)."""

    group_jid: str = ""
    subject: str | None = None
    description: str | None = None
    participant_count: int | None = None
    is_announce: bool | None = None
    is_locked: bool | None = None

    def group(self, group_id: str) -> Group:
        """Give what Rollcall shows of it; `group_id` where the row does not name its JID."""
        return Group(
            self.group_jid or group_id,
            self.subject or "",
            self.participant_count,
            description=self.description,
            announce_only=self.is_announce,
            locked=self.is_locked,
        )


class CreatedRow(_Payload):
    """A new group: the contract knows that its info is in the answer, and none of the fields."""

    named: str | None = Field(default=None, validation_alias=AliasChoices("groupJid", "jid", "gid", "id"))
    inside: "CreatedRow | None" = Field(default=None, validation_alias=AliasChoices("group", "data"))

    @property
    def jid(self) -> str:
        """The group's JID, wherever it stands; empty where none is given."""
        own = self.named if GROUP_JID.fullmatch(self.named or "") else ""
        return own or (self.inside.jid if self.inside else "")


class JoinedRow(_Payload):
    """The answer of `joinGroup`."""

    group_jid: str = ""


class InviteRow(_Payload):
    """The answer of `getGroupInvite` and `revokeGroupInvite`."""

    invite: str = Field(min_length=1)


class Identity(_Payload):
    """Who somebody is: a member row's `lid`, a contact's `identity`, whichever of the fields it carries.

    The member list's page speaks of a JID, and its example has only a `lid` (`x-contradictions`): all are read.
    """

    lid: str | None = None
    jid: str | None = None
    phone_jid: str | None = None
    phone_number: str | None = None

    @property
    def lid_key(self) -> str:
        """The LID without a device (`123@lid`); empty where none is given."""
        return lid_of(self.lid or "") or lid_of(self.jid or "")

    @property
    def digits(self) -> str:
        """The phone in digits; empty where none is given. The LID's own digits are no phone, wherever they stand."""
        number = _PHONE_NUMBER.fullmatch(self.phone_number or "")
        told = [phone_digits(jid or "") for jid in (self.phone_jid, self.jid, self.lid)]
        told.append(number[1] if number else "")
        return next((digits for digits in told if digits and f"{digits}@lid" != self.lid_key), "")


class MemberRow(Identity):
    """A stored member (schema `GroupMember`); `first_seen_at` in Unix milliseconds, `tag` a nickname."""

    role: str | None = None
    tag: str | None = None
    first_seen_at: int | None = None

    @property
    def status(self) -> MembershipStatus:
        """The role; absent for somebody who left, present where the word tells no role."""
        return _ROLES.get((self.role or "").casefold(), MembershipStatus.PRESENT)


class ContactRow(Identity):
    """A contact: `getContact` nests who it is under `identity`; the shape of `listContacts`' items is undocumented."""

    identity: Identity | None = None

    @property
    def who(self) -> Identity:
        """The identity, wherever it stands."""
        return self.identity or self


class CheckRow(_Payload):
    """What `checkContact` says of one number; `is_on_whatsapp` None where it says nothing."""

    is_on_whatsapp: bool | None = Field(default=None, alias="isOnWhatsApp")
    jid: str | None = None


class SessionRow(_Payload):
    """A session (schema `Session`): `working` is the connected state, the list of the others is not published."""

    status: str | None = None
    rate_per_min: int | None = None
    rate_per_hour: int | None = None


class SentRow(_Payload):
    """A SendResult: the reference names the message's id `waMessageId`, the guide `messageId` (`x-contradictions`)."""

    message_id: str | None = Field(default=None, validation_alias=AliasChoices("waMessageId", "messageId"))


Row = TypeVar("Row", bound=BaseModel)


class Page(_Payload, Generic[Row]):
    """One page of a list; the end is written as an empty cursor, as null, or not at all."""

    data: list[Row]
    next_cursor: str | None = None


class Problem(_Payload):
    """What is inside the error envelope; empty where it is not as documented."""

    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, reply: Reply) -> "Problem | None":
        """Read the error envelope of an answer; None where it has none."""
        if not isinstance(reply.body, dict) or not reply.body.get("error"):
            return None
        try:
            return _ErrorEnvelope.model_validate(reply.body).error
        except ValidationError:
            return cls()


class _ErrorEnvelope(_Payload):
    error: Problem
