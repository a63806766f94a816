"""What 2Chat answers when it worked (schemas of `contracts/twochat.openapi.yaml`); nearly any field may be missing."""

from pydantic import BaseModel

from providers import base
from providers.base import MembershipStatus, Usage
from providers.identity import lid_of, phone_beside
from providers.provider_text import ProviderText


class Row(BaseModel):
    """A row of a member list. The contract shows no `role`; stored lists are known to keep people who left by it."""

    wa_participant_id: str | None = None
    phone_number: str | None = None
    wa_pushname: str | None = None
    wa_is_admin: bool | None = None
    wa_is_super_admin: bool | None = None
    role: str | None = None

    @property
    def lid(self) -> str:
        """The member's LID (`123@lid`); empty where the row is known by a phone."""
        return lid_of(self.wa_participant_id or "")

    @property
    def phone(self) -> str:
        """The member's digits; empty where only a LID is known, also when it poses as a phone number."""
        return phone_beside(self.lid, self.phone_number, self.wa_participant_id)

    @property
    def status(self) -> MembershipStatus:
        """The role, by the two flags; PRESENT where they do not tell."""
        if self.wa_is_admin or self.wa_is_super_admin:
            return MembershipStatus.ADMIN
        return MembershipStatus.PRESENT if self.wa_is_admin is None else MembershipStatus.MEMBER

    @property
    def member(self) -> base.Member:
        """The member in the words of the protocol."""
        phone = f"+{self.phone}" if self.phone else ""
        return base.Member(phone, self.lid, self.wa_pushname or "", self.status)


class GroupRecord(BaseModel):
    """A group, as a list (without members) and as a single read give it.

    `wa_subject` and `is_read_only` are left out: what they hold is not documented.
    """

    uuid: str = ""
    wa_group_name: str | None = None
    size: int | None = None
    participants: list[Row] | None = None

    def as_group(self, group_id: str) -> base.Group:
        """Give the group in the words of the protocol."""
        return base.Group(group_id, self.wa_group_name or "", self.size)

    @property
    def rows(self) -> list[Row]:
        """The members; none where the answer has no list of them."""
        return [row for row in self.participants or () if row.role != "left"]

    @property
    def whole(self) -> bool:
        """Whether all are listed, as many as are counted: never where nobody is, for the account itself is a member.

        Whether a long list has pages is not documented, so one without a count beside it may be the first of some.
        """
        return bool(self.rows) and self.size is not None and self.size <= len(self.rows)


class GroupReply(BaseModel):
    """The answer of getGroup."""

    data: GroupRecord


class GroupsReply(BaseModel):
    """The answer of listGroups."""

    data: list[GroupRecord]


class Channel(BaseModel):
    """A connected number. One number can be several channels: WW is WhatsApp Web."""

    phone_number: str | None = None
    connection_status: str | None = None
    channel_type: str | None = None


class ChannelsReply(BaseModel):
    """The answer of listNumbers."""

    numbers: list[Channel]


class CheckReply(BaseModel):
    """The answer of checkNumber. A malformed number gets `is_valid` False and nothing about WhatsApp."""

    is_valid: bool
    on_whatsapp: bool | None = None

    @property
    def answer(self) -> bool | None:
        """Whether the number has WhatsApp; None where that is not told."""
        return self.on_whatsapp if self.is_valid else None


class SentReply(BaseModel):
    """The answer of sendMessage."""

    message_uuid: ProviderText = ""


class MadeGroup(BaseModel):
    """What createGroup says of the group; of its people, see `providers.twochat.people`."""

    uuid: str | None = None
    name: str | None = None


class CreatedReply(BaseModel):
    """The answer of createGroup."""

    group: MadeGroup


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
    """The answer of getAccountInfo."""

    account: _Customer = _Customer()
    limits: _Limits = _Limits()
    usage: _Counters = _Counters()

    @property
    def allowances(self) -> list[Usage]:
        """What the account may use and has used, as far as it is told."""
        used = self.usage
        told = (
            Usage("API requests", used.api_request_count, used.max_api_request_count),
            Usage("number checks", used.number_check_count, used.max_number_check_count),
            Usage("requests a minute", limit=self.limits.requests_per_minute),
        )
        return [usage for usage in told if usage.used is not None or usage.limit is not None]
