"""What WA.cr answers, as far as it is read (`contracts/wacr.openapi.yaml`); unknown fields are passed over."""

import re
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from providers.base import Member, Usage
from providers.http import Reply

UNLIMITED = -1
"""The limit of a feature that has none (`UsageEntry`, `LimitEntry`)."""

_SHORTEST, _LONGEST = 7, 15
"""Digits of a phone with its country code: E.164 allows 15, and the shortest in use have seven."""

_ONE_NUMBER = re.compile(r"[0-9\s()+.-]*")


class Record(BaseModel):
    """Anything with an id and a name: a group, a contact source, a contact status."""

    id: int
    name: str = ""


class Contact(BaseModel):
    """A CRM contact. The documentation promises none of its fields but tells of all; the id is indispensable."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: int
    phone: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    group_id: list[int] | None = None
    groups: list[Record] | None = None
    is_opted_out: bool | None = None

    @property
    def can_be_compared(self) -> bool:
        """False where the phone is left out, or is more than a number; null, or a text without digits, is nobody's."""
        written = self.phone or ""
        one_number = _ONE_NUMBER.fullmatch(written) or not re.search(r"\d", written)
        return "phone" in self.model_fields_set and bool(one_number)

    @property
    def digits(self) -> str:
        """The phone's digits with the country code. The stored form is not documented, so digits alone count."""
        return re.sub(r"\D", "", self.phone or "").lstrip("0")

    def is_in(self, group: int) -> bool | None:
        """Tell whether the contact holds the group's id; None where the answer lists no groups.

        None also where `group_id` and `groups` differ: whether the id of no group is kept is not documented.
        """
        told = set() if self.group_id is None else {group in self.group_id}
        told |= set() if self.groups is None else {any(record.id == group for record in self.groups)}
        return told.pop() if len(told) == 1 else None

    def as_member(self) -> Member:
        """Give the contact as a member; contacts have no role. A phone without a country code is no E.164 phone."""
        written = (self.phone or "").strip()
        international = _SHORTEST <= len(self.digits) <= _LONGEST and (written[:1] != "0" or written[:2] == "00")
        name = " ".join(part for part in (self.firstname, self.lastname) if part)
        return Member(f"+{self.digits}", name=name) if international else Member(name=name or written)


class Counted(BaseModel):
    """The answer of a call that changes who is in a group: of how many contacts it did."""

    number: int


class Added(Counted):
    """The answer of addContactsToGroup: how many were not members before."""

    number: int = Field(validation_alias="contacts_added")


class Removed(Counted):
    """The answer of removeContactsFromGroup: how many were members before."""

    number: int = Field(validation_alias="contacts_removed")


class Batch(BaseModel):
    """The answer of batchCreateContacts. How failed entries look is not documented, so those created alone are read."""

    summary: dict[str, Any]
    success: bool = True
    created: list[Contact] | None = None


class SentText(BaseModel):
    """The answer of sendTextMessage; `status` is `sent` where the message was accepted."""

    message_id: str = ""
    status: str = ""


class Tenant(BaseModel):
    """The tenant behind the token (getAccount). Under which key its subscription comes is not documented."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    status: str = ""

    @property
    def plan(self) -> str:
        """The plan and the state of its subscription, in the provider's words; empty where they are not told."""
        told = (self._subscription.get(field) for field in ("plan_name", "status"))
        return " ".join(str(word) for word in told if word)

    @property
    def has_run_out(self) -> bool:
        """Whether the tenant is not active, or its subscription has expired; one that was cancelled may still last."""
        return self.status != "active" or str(self._subscription.get("status")).casefold() == "expired"

    @property
    def _subscription(self) -> dict[str, Any]:
        found = (v for v in (self.model_extra or {}).values() if isinstance(v, dict) and v.get("plan_name"))
        return next(found, {})


class Allowance(BaseModel):
    """One counted feature, in either of the two answers about them."""

    current: float | None = None
    limit: float | None = None
    feature_name: str = ""


class Allowances(BaseModel):
    """The features that are counted (getAccountUsage, and `limits` of getAccountLimits)."""

    contacts: Allowance | None = None
    conversations: Allowance | None = None
    campaigns: Allowance | None = None
    staff: Allowance | None = None
    api_calls_per_minute: Allowance | None = None


class PlanLimits(BaseModel):
    """The plan's ceilings (getAccountLimits)."""

    limits: Allowances = Field(default_factory=Allowances)


def usages(used: Allowances, most: Allowances) -> list[Usage]:
    """Put two answers together: the one counts what is used, the other one gives the features their names."""
    found = []
    for key in Allowances.model_fields:
        counted, named = getattr(used, key) or Allowance(), getattr(most, key) or Allowance()
        limit = named.limit if counted.limit is None else counted.limit
        if counted.current is not None or limit is not None:
            ceiling = None if limit == UNLIMITED else limit
            found.append(Usage(named.feature_name or key, counted.current, ceiling))
    return found


def unwrapped(reply: Reply) -> Reply:
    """Give the answer's `data`, or the whole body where it has none, as the published client does."""
    if isinstance(reply.body, dict) and "data" in reply.body:
        return replace(reply, body=reply.body["data"])
    return reply


def message_of(reply: Reply) -> str:
    """Give the `message` of a success; empty where it has none."""
    message = reply.body.get("message") if isinstance(reply.body, dict) else None
    return message if isinstance(message, str) else ""


def is_success(reply: Reply) -> bool:
    """Tell whether a 2xx whose body nobody documents says that it was done: by no body, or by an envelope of success.

    An envelope has a message, data or `success`; whatever else came may be another's answer, such as a login page.
    """
    if not reply.text.strip():
        return True
    body = reply.body
    if not isinstance(body, dict) or reports_failure(reply):
        return False
    return bool(body.get("success")) or "message" in body or "data" in body


def reports_failure(reply: Reply) -> bool:
    """Tell whether an envelope says that it went wrong, whatever its status and its data.

    The answer to a batch, known by its `summary`, reports errors of single entries, and its success for itself.
    """
    body = reply.body
    if not isinstance(body, dict) or "summary" in body:
        return False
    return body.get("success") is False or bool(body.get("error")) or bool(body.get("errors"))
