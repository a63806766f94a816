"""The successful responses of WUTS (schemas of `contracts/wuts.openapi.yaml`). Any field may be missing."""

import re
from typing import Any

from pydantic import BaseModel, Field

from providers.base import Group, MembershipStatus, ProviderFault
from providers.identity import lid_of, phone_beside
from providers.member_index import status_of_flags
from providers.responses import PARTICIPANT_CODES

GROUP_JID = re.compile(r"[0-9-]+@g\.us")


class MemberRecord(BaseModel):
    """A participant record. `error` and `code` aren't documented; WhatsApp libraries have them, so they may appear."""

    jid: str | None = None
    phone_number: str | None = None
    lid: str | None = None
    is_admin: bool | None = None
    is_super_admin: bool | None = None
    error: Any = None
    code: Any = None
    message: Any = None

    @property
    def phone(self) -> str:
        """The member's phone in digits; empty if only a LID is known, also one in a phone field."""
        return phone_beside(self.lid_jid, self.jid, self.phone_number)

    @property
    def lid_jid(self) -> str:
        """The member's LID; empty if only a phone is known."""
        return lid_of(self.jid or "") or lid_of(self.lid or "")

    @property
    def status(self) -> MembershipStatus:
        """The role, by the two flags; PRESENT if they don't give it."""
        return status_of_flags(is_admin=self.is_admin, is_super_admin=self.is_super_admin)

    @property
    def participant_code(self) -> str:
        """WhatsApp's code for this person; empty if the record has no known one."""
        return next((str(code) for code in (self.error, self.code) if str(code) in PARTICIPANT_CODES), "")


class PartialGroup(BaseModel):
    """A group whose fields may all be missing. Only the read of one group and its creation have `participants`.

    `topic` is taken as the description: WhatsApp groups have one such text, and no page mentions another.
    """

    jid: str = ""
    name: str | None = None
    topic: str | None = None
    is_announce: bool | None = None
    is_locked: bool | None = None
    members_count: int | None = None
    participants: list[MemberRecord] | None = None

    def to_group(self) -> Group:
        """Return the group as the adapter's interface has it; the timer of disappearing messages isn't known."""
        listed = len(self.participants) if self.participants is not None else None
        return Group(
            self.jid,
            self.name or "",
            self.members_count if self.members_count is not None else listed,
            description=self.topic,
            announce_only=self.is_announce,
            locked=self.is_locked,
        )


class GroupRecord(PartialGroup):
    """A listed group, or one that was read. It must have a JID."""

    jid: str = Field(min_length=1)

    @property
    def members(self) -> list[MemberRecord]:
        """The members. Raises `ProviderFault` if the response doesn't list them."""
        if self.participants is None:
            raise ProviderFault("WUTS answered with a group without a list of members.")
        return self.participants

    @property
    def is_complete(self) -> bool:
        """Whether all members are listed, as many as are counted. An empty list isn't: the account is a member."""
        return bool(self.members) and self.members_count in {None, len(self.members)}


class GroupsReply(BaseModel):
    """The response of `listGroups`."""

    groups: list[GroupRecord] | None


class GroupReply(BaseModel):
    """The response of `getGroup`."""

    group: GroupRecord


class CreatedReply(BaseModel):
    """The response of `createGroup`, and of `createCommunity`, whose fields are not documented."""

    group: PartialGroup | None = None
    community: PartialGroup | None = None

    @property
    def created(self) -> PartialGroup:
        """The new group or community."""
        return self.group or self.community or PartialGroup()

    @property
    def created_group(self) -> Group | None:
        """The new group, as the adapter's interface has it; None if the response doesn't identify it."""
        return self.created.to_group() if GROUP_JID.fullmatch(self.created.jid) else None


class ChangedReply(BaseModel):
    """The response of `updateGroup` (the group after the change), and of `setGroupEphemeral` (the timer in seconds)."""

    group: PartialGroup | None = None
    duration_seconds: int | None = None


class PeopleReply(BaseModel):
    """The response of every change of participants: the people in the call, whatever the result."""

    participants: list[MemberRecord] | None = None


class InviteReply(BaseModel):
    """The response of `getGroupInviteLink` and of `resetGroupInviteLink`."""

    invite_link: str = Field(min_length=1)


class JoinReply(BaseModel):
    """The response of `joinGroup`; `pending_approval` if an admin has to approve first."""

    pending_approval: bool | None = None
    group_jid: str | None = None


class SentReply(BaseModel):
    """The response of `sendText`."""

    message_id: str | None = None


class CheckReply(BaseModel):
    """The response of `checkContactsOnWhatsApp`: on WhatsApp or not, by number in digits."""

    data: dict[str, bool | None]


class Contact(BaseModel):
    """An identity from `resolveContacts`. It is matched by `input`, because the response may have fewer items."""

    input: str | None = None
    resolved_jid: str | None = None
    phone_number: str | None = None

    @property
    def lid(self) -> str:
        """The LID in the request."""
        return lid_of(self.input or "")

    @property
    def phone(self) -> str:
        """Its phone in digits; empty if none is known, or only the LID's own digits."""
        return phone_beside(self.lid, self.resolved_jid, self.phone_number)


class ResolveReply(BaseModel):
    """The response of `resolveContacts`."""

    items: list[Contact]


class Session(BaseModel):
    """The state of a device. The only documented value of `status` is `connected`."""

    connected: bool | None = None
    is_logged_in: bool | None = None
    status: str | None = None


class StatusReply(BaseModel):
    """The response of `checkSessionStatus`."""

    data: Session
