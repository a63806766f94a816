"""The responses of WA.cr, as far as they are read (`contracts/wacr.openapi.yaml`). Unknown fields are ignored."""

import re
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from providers.base import Group, Member, Usage
from providers.http import Reply

UNLIMITED = -1
"""The limit of a feature without one (`UsageEntry`, `LimitEntry`)."""

_MIN_DIGITS, _MAX_DIGITS = 7, 15
"""The digits of a phone with its country code: E.164 allows 15, and the shortest in use have seven."""

_ONE_NUMBER = re.compile(r"[0-9\s()+.-]*")


class NamedRecord(BaseModel):
    """A record with an id and a name: a group, a contact source, a contact status."""

    id: int
    name: str = ""

    def to_group(self) -> Group:
        """Return the group as the adapter's interface has it; the size isn't reported."""
        return Group(str(self.id), self.name)


class Contact(BaseModel):
    """A CRM contact. The documentation describes all fields and promises none; only the id is required."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: int
    phone: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    group_id: list[int] | None = None
    groups: list[NamedRecord] | None = None
    is_opted_out: bool | None = None

    @property
    def is_comparable(self) -> bool:
        """False if the phone is missing or is more than a number. Null, or a text without digits, is no phone."""
        written = self.phone or ""
        one_number = _ONE_NUMBER.fullmatch(written) or not re.search(r"\d", written)
        return "phone" in self.model_fields_set and bool(one_number)

    @property
    def digits(self) -> str:
        """The phone's digits with the country code. The stored format isn't documented, so only digits count."""
        return re.sub(r"\D", "", self.phone or "").lstrip("0")

    def is_in(self, group: int) -> bool | None:
        """Return whether the contact has the group's id; None if the response lists no groups.

        None also if `group_id` and `groups` differ: whether contacts keep the id of a deleted group isn't documented.
        """
        answers = set() if self.group_id is None else {group in self.group_id}
        answers |= set() if self.groups is None else {any(record.id == group for record in self.groups)}
        return answers.pop() if len(answers) == 1 else None

    def to_member(self) -> Member:
        """Return the contact as a member. Contacts have no role. A phone without country code isn't an E.164 phone."""
        written = (self.phone or "").strip()
        international = _MIN_DIGITS <= len(self.digits) <= _MAX_DIGITS and (written[:1] != "0" or written[:2] == "00")
        name = " ".join(part for part in (self.firstname, self.lastname) if part)
        return Member(f"+{self.digits}", name=name) if international else Member(name=name or written)


class CountReply(BaseModel):
    """The response to a change of a group's contacts: how many it changed."""

    count: int


class AddedReply(CountReply):
    """The response of addContactsToGroup: how many contacts weren't in the group before."""

    count: int = Field(validation_alias="contacts_added")


class RemovedReply(CountReply):
    """The response of removeContactsFromGroup: how many contacts were in the group before."""

    count: int = Field(validation_alias="contacts_removed")


class BatchReply(BaseModel):
    """The response of batchCreateContacts. The format of failed entries isn't documented, so only `created` is read."""

    summary: dict[str, Any]
    success: bool = True
    created: list[Contact] | None = None


class SentReply(BaseModel):
    """The response of sendTextMessage; `status` is `sent` if the message was accepted."""

    message_id: str = ""
    status: str = ""


class AccountReply(BaseModel):
    """The tenant behind the token (getAccount). The key of its subscription isn't documented."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    status: str = ""

    @property
    def plan(self) -> str:
        """The plan and the state of its subscription, in the provider's words; empty if not reported."""
        words = (self._subscription.get(field) for field in ("plan_name", "status"))
        return " ".join(str(word) for word in words if word)

    @property
    def has_expired(self) -> bool:
        """Whether the tenant isn't active, or its subscription has expired. A cancelled one may still be running."""
        return self.status != "active" or str(self._subscription.get("status")).casefold() == "expired"

    @property
    def _subscription(self) -> dict[str, Any]:
        found = (v for v in (self.model_extra or {}).values() if isinstance(v, dict) and v.get("plan_name"))
        return next(found, {})


class FeatureUsage(BaseModel):
    """The usage and the limit of one feature; each of the two responses has a part of it."""

    current: float | None = None
    limit: float | None = None
    feature_name: str = ""


class UsageReply(BaseModel):
    """The counted features (getAccountUsage, and `limits` of getAccountLimits)."""

    contacts: FeatureUsage | None = None
    conversations: FeatureUsage | None = None
    campaigns: FeatureUsage | None = None
    staff: FeatureUsage | None = None
    api_calls_per_minute: FeatureUsage | None = None


class LimitsReply(BaseModel):
    """The limits of the plan (getAccountLimits)."""

    limits: UsageReply = Field(default_factory=UsageReply)


def merge_usage(used: UsageReply, limits: UsageReply) -> list[Usage]:
    """Merge the two responses: one has the usage, the other the names of the features."""
    found = []
    for key in UsageReply.model_fields:
        counted, named = getattr(used, key) or FeatureUsage(), getattr(limits, key) or FeatureUsage()
        limit = named.limit if counted.limit is None else counted.limit
        if counted.current is not None or limit is not None:
            found.append(Usage(named.feature_name or key, counted.current, None if limit == UNLIMITED else limit))
    return found


def unwrap(reply: Reply) -> Reply:
    """Return the response's `data`, or the whole body if it has none, as the published client does."""
    if isinstance(reply.body, dict) and "data" in reply.body:
        return replace(reply, body=reply.body["data"])
    return reply


def message_of(reply: Reply) -> str:
    """Return the `message` of a success; empty if it has none."""
    message = reply.body.get("message") if isinstance(reply.body, dict) else None
    return message if isinstance(message, str) else ""


def is_success(reply: Reply) -> bool:
    """Return whether a 2xx with an undocumented body reports a success: an empty body, or a successful envelope.

    An envelope has a message, data or `success`. Any other body may be from another server, such as a login page.
    """
    if not reply.text.strip():
        return True
    body = reply.body
    if not isinstance(body, dict) or reports_failure(reply):
        return False
    return bool(body.get("success")) or "message" in body or "data" in body


def reports_failure(reply: Reply) -> bool:
    """Return whether an envelope reports a failure, whatever its status and its data.

    A batch's response, recognised by its `summary`, lists the errors of single entries and has its own `success`.
    """
    body = reply.body
    if not isinstance(body, dict) or "summary" in body:
        return False
    return body.get("success") is False or bool(body.get("error")) or bool(body.get("errors"))
