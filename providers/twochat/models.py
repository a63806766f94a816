"""The successful responses of 2Chat (schemas of `contracts/twochat.openapi.yaml`). Almost any field may be missing."""

from pydantic import BaseModel

from providers.base import Group, Member, MembershipStatus, Usage
from providers.identity import lid_of, phone_beside
from providers.member_index import status_of_flags
from providers.responses import ProviderText


class MemberRecord(BaseModel):
    """An entry of a member list. The contract shows no `role`; some stored lists mark people who left by it."""

    wa_participant_id: str | None = None
    phone_number: str | None = None
    wa_pushname: str | None = None
    wa_is_admin: bool | None = None
    wa_is_super_admin: bool | None = None
    role: str | None = None

    @property
    def lid(self) -> str:
        """The member's LID (`123@lid`); empty if the entry has a phone."""
        return lid_of(self.wa_participant_id or "")

    @property
    def phone(self) -> str:
        """The member's phone in digits; empty if only a LID is known, also one in the field for the phone."""
        return phone_beside(self.lid, self.phone_number, self.wa_participant_id)

    @property
    def status(self) -> MembershipStatus:
        """The role, by the two flags; PRESENT if they don't give it."""
        return status_of_flags(is_admin=self.wa_is_admin, is_super_admin=self.wa_is_super_admin)

    def to_member(self) -> Member:
        """Return the member as the adapter's interface has it."""
        return Member(f"+{self.phone}" if self.phone else "", self.lid, self.wa_pushname or "", self.status)


class GroupRecord(BaseModel):
    """A group, from a list (without members) or a single read.

    `wa_subject` and `is_read_only` are left out: their contents are not documented.
    """

    uuid: str = ""
    wa_group_name: str | None = None
    size: int | None = None
    participants: list[MemberRecord] | None = None

    def to_group(self, group_id: str) -> Group:
        """Return the group as the adapter's interface has it."""
        return Group(group_id, self.wa_group_name or "", self.size)

    @property
    def members(self) -> list[MemberRecord]:
        """The members; empty if the answer doesn't list them."""
        return [member for member in self.participants or () if member.role != "left"]

    @property
    def is_complete(self) -> bool:
        """Whether all members are listed, as many as are counted. An empty list isn't: the account is a member.

        Whether a long list has pages is not documented, so one without a count may be only the first of them.
        """
        return bool(self.members) and self.size is not None and self.size <= len(self.members)


class GroupReply(BaseModel):
    """The response of getGroup."""

    data: GroupRecord


class GroupsReply(BaseModel):
    """The response of listGroups."""

    data: list[GroupRecord]


class Channel(BaseModel):
    """A connected number. One number can have several channels: WW is WhatsApp Web."""

    phone_number: str | None = None
    connection_status: str | None = None
    channel_type: str | None = None


class ChannelsReply(BaseModel):
    """The response of listNumbers."""

    numbers: list[Channel]


class CheckReply(BaseModel):
    """The response of checkNumber. A malformed number gets `is_valid` False and nothing about WhatsApp."""

    is_valid: bool
    on_whatsapp: bool | None = None

    @property
    def answer(self) -> bool | None:
        """Whether the number has WhatsApp; None if the response doesn't say."""
        return self.on_whatsapp if self.is_valid else None


class SentReply(BaseModel):
    """The response of sendMessage."""

    message_uuid: ProviderText = ""


class NewGroup(BaseModel):
    """The group in the response of createGroup; for its people see `providers.twochat.membership`."""

    uuid: str | None = None
    name: str | None = None


class CreatedReply(BaseModel):
    """The response of createGroup."""

    group: NewGroup


class _Customer(BaseModel):
    blocked: bool | None = None


class _Limits(BaseModel):
    requests_per_minute: float | None = None


class _Counters(BaseModel):
    api_request_count: float | None = None
    max_api_request_count: float | None = None
    number_check_count: float | None = None
    max_number_check_count: float | None = None


class InfoReply(BaseModel):
    """The response of getAccountInfo."""

    account: _Customer = _Customer()
    limits: _Limits = _Limits()
    usage: _Counters = _Counters()

    @property
    def allowances(self) -> list[Usage]:
        """The limits and usage of the account, as far as they are known."""
        used = self.usage
        usages = (
            Usage("API requests", used.api_request_count, used.max_api_request_count),
            Usage("number checks", used.number_check_count, used.max_number_check_count),
            Usage("requests a minute", limit=self.limits.requests_per_minute),
        )
        return [usage for usage in usages if usage.used is not None or usage.limit is not None]
