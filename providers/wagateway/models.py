"""The responses of the WhatsApp Gateway (the schemas of `contracts/wagateway.openapi.yaml`)."""

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
"""The contract describes member and admin, and gateways also list people who left. Other words don't give the role."""


class _Payload(BaseModel):
    """The gateway writes camelCase, and documents no field as always present."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class GroupRecord(_Payload):
    """A stored group (schema `Group`)."""

    group_jid: str = ""
    subject: str | None = None
    description: str | None = None
    participant_count: int | None = None
    is_announce: bool | None = None
    is_locked: bool | None = None

    def to_group(self, group_id: str = "") -> Group:
        """Return the group as the adapter's interface has it, with `group_id` if the record has no JID."""
        return Group(
            self.group_jid or group_id,
            self.subject or "",
            self.participant_count,
            description=self.description,
            announce_only=self.is_announce,
            locked=self.is_locked,
        )


class CreatedReply(_Payload):
    """A new group. The contract says that the response has the group's info, and none of its fields."""

    id: str | None = Field(default=None, validation_alias=AliasChoices("groupJid", "jid", "gid", "id"))
    nested: "CreatedReply | None" = Field(default=None, validation_alias=AliasChoices("group", "data"))

    @property
    def jid(self) -> str:
        """The group's JID, in any of the places; empty if there is none."""
        if self.id and GROUP_JID.fullmatch(self.id):
            return self.id
        return self.nested.jid if self.nested else ""


class JoinReply(_Payload):
    """The response of `joinGroup`."""

    group_jid: str = ""


class InviteReply(_Payload):
    """The response of `getGroupInvite` and `revokeGroupInvite`."""

    invite: str = Field(min_length=1)


class Identity(_Payload):
    """The identity of a person: a member's `lid`, or a contact's `identity`, with any of the fields.

    The page of the member list mentions a JID, and its example has only a `lid` (`x-contradictions`): all are read.
    """

    lid: str | None = None
    jid: str | None = None
    phone_jid: str | None = None
    phone_number: str | None = None

    @property
    def lid_key(self) -> str:
        """The LID without device suffix (`123@lid`); empty if there is none."""
        return lid_of(self.lid or "") or lid_of(self.jid or "")

    @property
    def digits(self) -> str:
        """The phone in digits; empty if there is none. The LID's own digits aren't a phone, whatever field has them."""
        number = _PHONE_NUMBER.fullmatch(self.phone_number or "")
        phones = [phone_digits(jid or "") for jid in (self.phone_jid, self.jid, self.lid)]
        phones.append(number[1] if number else "")
        return next((digits for digits in phones if digits and f"{digits}@lid" != self.lid_key), "")


class MemberRecord(Identity):
    """A stored member (schema `GroupMember`); `first_seen_at` in Unix milliseconds, `tag` a nickname."""

    role: str | None = None
    tag: str | None = None
    first_seen_at: int | None = None

    @property
    def status(self) -> MembershipStatus:
        """The role; `ABSENT` for a person who left, `PRESENT` if the word doesn't give the role."""
        return _ROLES.get((self.role or "").casefold(), MembershipStatus.PRESENT)


class ContactRecord(Identity):
    """A contact: `getContact` nests its `identity`; the format of the items of `listContacts` isn't documented."""

    nested: Identity | None = Field(default=None, validation_alias="identity")

    @property
    def identity(self) -> Identity:
        """The identity, nested or not."""
        return self.nested or self


class CheckReply(_Payload):
    """The response of `checkContact` about one number; `is_on_whatsapp` is None if it doesn't say."""

    is_on_whatsapp: bool | None = Field(default=None, alias="isOnWhatsApp")
    jid: str | None = None


class SessionReply(_Payload):
    """A session (schema `Session`): `working` is the connected state, the others aren't published."""

    status: str | None = None
    rate_per_min: int | None = None
    rate_per_hour: int | None = None


class SentReply(_Payload):
    """A SendResult: the reference calls the message's id `waMessageId`, the guide `messageId` (`x-contradictions`)."""

    message_id: str | None = Field(default=None, validation_alias=AliasChoices("waMessageId", "messageId"))


Record = TypeVar("Record", bound=BaseModel)


class Page(_Payload, Generic[Record]):
    """One page of a list. After the last one, the cursor is empty, null or missing."""

    data: list[Record]
    next_cursor: str | None = None


class ErrorDetail(_Payload):
    """The content of an error envelope; empty if it isn't as documented."""

    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, reply: Reply) -> "ErrorDetail | None":
        """Read the error envelope of a response; None if it has none."""
        if not isinstance(reply.body, dict) or not reply.body.get("error"):
            return None
        try:
            return _ErrorEnvelope.model_validate(reply.body).error
        except ValidationError:
            return cls()


class _ErrorEnvelope(_Payload):
    error: ErrorDetail
