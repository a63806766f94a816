"""What WUTS answers when it worked (schemas of `contracts/wuts.openapi.yaml`); any field may be missing."""

import re
from typing import Any

from pydantic import BaseModel, Field

from providers import base
from providers.base import MembershipStatus, ProviderFault
from providers.identity import lid_of, phone_beside
from providers.participant_codes import PARTICIPANT_CODES

GROUP_JID = re.compile(r"[0-9-]+@g\.us")


class Participant(BaseModel):
    """A participant record. `error` and `code` are on no page; WhatsApp libraries have them, so they may appear."""

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
        """The member's phone in digits, empty where only a LID is known, also one that poses as a phone."""
        return phone_beside(self.lid_jid, self.jid, self.phone_number)

    @property
    def lid_jid(self) -> str:
        """The member's LID, empty where only a phone is known."""
        return lid_of(self.jid or "") or lid_of(self.lid or "")

    @property
    def status(self) -> MembershipStatus:
        """The role, by the two flags; PRESENT where they do not tell."""
        if self.is_admin or self.is_super_admin:
            return MembershipStatus.ADMIN
        return MembershipStatus.PRESENT if self.is_admin is None else MembershipStatus.MEMBER

    @property
    def said(self) -> str:
        """WhatsApp's code for this person, empty where the record holds none that is known."""
        return next((str(code) for code in (self.error, self.code) if str(code) in PARTICIPANT_CODES), "")


class LooseGroup(BaseModel):
    """A group of which nothing is sure to be told; `participants` only where one group is read or made.

    `topic` is taken as the description: WhatsApp groups have one such text, and no page tells of another.
    """

    jid: str = ""
    name: str | None = None
    topic: str | None = None
    is_announce: bool | None = None
    is_locked: bool | None = None
    members_count: int | None = None
    participants: list[Participant] | None = None

    @property
    def shown(self) -> base.Group:
        """The group as Rollcall shows it; how long messages stay is told nowhere."""
        listed = len(self.participants) if self.participants is not None else None
        return base.Group(
            self.jid,
            self.name or "",
            self.members_count if self.members_count is not None else listed,
            description=self.topic,
            announce_only=self.is_announce,
            locked=self.is_locked,
        )


class GroupRow(LooseGroup):
    """A group that was asked for; it is nothing without its JID."""

    jid: str = Field(min_length=1)

    @property
    def members(self) -> list[Participant]:
        """The members. Raises `ProviderFault` where the answer has none."""
        if self.participants is None:
            raise ProviderFault("WUTS answered with a group that has no list of members.")
        return self.participants

    @property
    def whole(self) -> bool:
        """Whether all are listed, as many as are counted: never where nobody is, for the account itself is a member."""
        return bool(self.members) and self.members_count in {None, len(self.members)}


class GroupsAnswer(BaseModel):
    """The answer of `listGroups`."""

    groups: list[GroupRow] | None


class GroupAnswer(BaseModel):
    """The answer of `getGroup`."""

    group: GroupRow


class CreatedAnswer(BaseModel):
    """The answer of `createGroup`, and of `createCommunity`, whose fields are not documented."""

    group: LooseGroup | None = None
    community: LooseGroup | None = None

    @property
    def made(self) -> LooseGroup:
        """What was made."""
        return self.group or self.community or LooseGroup()

    @property
    def made_group(self) -> base.Group | None:
        """What was made, as Rollcall shows it; None where the answer does not say which group it is."""
        return self.made.shown if GROUP_JID.fullmatch(self.made.jid) else None


class ChangedAnswer(BaseModel):
    """The answer of `updateGroup` (the group after the change), and of `setGroupEphemeral` (the timer in seconds)."""

    group: LooseGroup | None = None
    duration_seconds: int | None = None


class PeopleAnswer(BaseModel):
    """The answer of every change of participants: the people acted on, whatever became of them."""

    participants: list[Participant] | None = None


class InviteAnswer(BaseModel):
    """The answer of `getGroupInviteLink` and of `resetGroupInviteLink`."""

    invite_link: str = Field(min_length=1)


class JoinAnswer(BaseModel):
    """The answer of `joinGroup`; `pending_approval` where an admin has to agree first."""

    pending_approval: bool | None = None
    group_jid: str | None = None


class SentAnswer(BaseModel):
    """The answer of `sendText`."""

    message_id: str | None = None


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
        """The phone behind it in digits, empty where none is known, or only the LID's own digits are told."""
        return phone_beside(self.lid, self.resolved_jid, self.phone_number)


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
