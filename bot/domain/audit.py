"""The entries of the audit journal: every request, decision, refusal, result and configuration."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.approvals import ApprovalState, Vote
from bot.domain.requests import Request, RequestItem
from providers.base import Verdict
from providers.text import clean_text


class EntryKind(StrEnum):
    """The kind of an entry.

    A `REFUSED_CLICK` is a click or a command without permission. A `VERDICT` is the result of one person. A `STATE` is
    a new state of a request without a decision: it expired, or a person withdrew or stopped it. A `SCHEDULE` is a sync
    that a person started or ended. A `DISCLOSURE` is what a person was shown or sent: numbers, or a link.
    """

    REQUEST = "request"
    DECISION = "decision"
    REFUSED_CLICK = "refused_click"
    VERDICT = "verdict"
    STATE = "state"
    CONFIGURATION = "configuration"
    SCHEDULE = "schedule"
    DISCLOSURE = "disclosure"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the audit journal.

    Texts are stored without what JSON allows but databases refuse: zero bytes, and half a surrogate pair.

    Attributes:
        at: the time, aware.
        actor: the Slack user id of the person who did it, for a verdict the requester; empty if no person did it.
        typed: the text as typed for the person of a verdict. This and the following are empty for all other kinds.
        details: everything else, in JSON values; numbers are integers.
    """

    kind: EntryKind
    at: datetime
    actor: str = ""
    request_id: str = ""
    operation: str = ""
    connection: str = ""
    group_id: str = ""
    typed: str = ""
    phone: str = ""
    outcome: str = ""
    evidence: str = ""
    provider_code: str = ""
    provider_message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            object.__setattr__(self, name, _plain(getattr(self, name)))
        object.__setattr__(self, "details", _plain(self.details))

    def as_dict(self) -> dict[str, Any]:
        """Return the entry in JSON values, in the order of the exports."""
        return {
            "request_id": self.request_id,
            "operation": self.operation,
            "connection": self.connection,
            "group_id": self.group_id,
            "typed": self.typed,
            "phone": self.phone,
            "outcome": self.outcome,
            "evidence": self.evidence,
            "provider_code": self.provider_code,
            "provider_message": self.provider_message,
            "at": format_timestamp(self.at),
            "kind": self.kind.value,
            "actor": self.actor,
            "details": self.details,
        }


_TEXTS = tuple(f.name for f in fields(AuditEntry) if f.name not in {"kind", "at", "details"})


def request_entries(request: Request, people: Sequence[RequestItem]) -> list[AuditEntry]:
    """Return the entries of a new request, including the verdicts on its rejected entries."""
    details = {
        "group_name": request.group_name,
        "channel": request.channel,
        "reason": request.reason,
        "people": [p.person.key for p in people if p.outcome is None],
        "duplicates": request.duplicates,
        "rule": request.rule,
        "asked": request.options,
    }
    entry = AuditEntry(EntryKind.REQUEST, request.asked_at, request.requester, **_about(request), details=details)
    answered = [
        verdict_entry(
            request, p, Verdict(p.person.key, p.outcome, p.evidence, p.provider_code, p.provider_message), p.at
        )
        for p in people
        if p.outcome is not None and p.at is not None
    ]
    return [entry, *answered]


def vote_entry(request: Request, vote: Vote, state: ApprovalState) -> AuditEntry:
    """Return the entry of a vote that counts, with the state of the approval after it."""
    details = {"choice": vote.choice, "reason": vote.reason, "state": state}
    return AuditEntry(EntryKind.DECISION, vote.at, vote.user_id, **_about(request), details=details)


def refused_click_entry(
    request_id: str, request: Request | None, *, actor: str, action: str, code: str, at: datetime
) -> AuditEntry:
    """Return the entry of a click that was refused with this code; `request` is None if the id is unknown."""
    about = _about(request) if request else {"request_id": request_id}
    return AuditEntry(EntryKind.REFUSED_CLICK, at, actor, **about, details={"action": action, "code": code})


def refused_command_entry(
    *, actor: str, operation: str, connection: str, group_id: str, code: str, at: datetime, request_id: str = ""
) -> AuditEntry:
    """Return the entry of a request that was refused with this code; the id is the one that it would have had."""
    about = {"request_id": request_id, "operation": operation, "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.REFUSED_CLICK, at, actor, **about, details={"action": "ask", "code": code})


def schedule_entry(
    *, actor: str, connection: str, group_id: str, at: datetime, details: Mapping[str, Any]
) -> AuditEntry:
    """Return the entry of a sync that was started or ended; `details` describe it."""
    about = {"operation": "sync", "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.SCHEDULE, at, actor, **about, details=details)


def disclosure_entry(
    *, actor: str, what: str, connection: str, group_id: str, at: datetime, request_id: str = ""
) -> AuditEntry:
    """Return the entry of something that a person was shown or sent, such as an export or an invite link."""
    about = {"request_id": request_id, "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.DISCLOSURE, at, actor, **about, details={"what": what})


def verdict_entry(request: Request, item: RequestItem, verdict: Verdict, at: datetime) -> AuditEntry:
    """Return the entry of the verdict on one person of a request."""
    person = item.person
    details = {"lid": person.lid} if person.lid else {}
    if item.operation != request.operation:
        details["operation"] = item.operation
    return AuditEntry(
        EntryKind.VERDICT,
        at,
        request.requester,
        **_about(request),
        typed=person.raw,
        phone=person.phone,
        outcome=verdict.outcome,
        evidence=verdict.evidence,
        provider_code=verdict.provider_code,
        provider_message=verdict.provider_message,
        details=details,
    )


def transition_entry(request: Request, state: str, at: datetime, actor: str = "") -> AuditEntry:
    """Return the entry of a request's new state, a `RequestState` or `stopped`; no actor if it expired."""
    return AuditEntry(EntryKind.STATE, at, actor, **_about(request), details={"state": state})


def configuration_entry(summary: Mapping[str, Any], at: datetime) -> AuditEntry:
    """Return the entry of the configuration at a start; `summary` is the part of it that isn't secret."""
    configuration = _plain(summary)
    digest = hashlib.sha256(canonical_json(configuration).encode()).hexdigest()
    return AuditEntry(EntryKind.CONFIGURATION, at, details={"digest": digest, "configuration": configuration})


def canonical_json(value: Any) -> str:
    """Return a value of an entry as its only JSON text, by RFC 8785, "JSON Canonicalization Scheme".

    Keys are sorted by code points, which for our own keys is the RFC's order.

    >>> canonical_json({"b": "é", "a": [1, True]})
    '{"a":[1,true],"b":"é"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def format_timestamp(at: datetime) -> str:
    """Return a time in ISO 8601, UTC, always with microseconds, so that texts sort by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _about(request: Request) -> dict[str, str]:
    return {
        "request_id": request.id,
        "operation": request.operation,
        "connection": request.connection,
        "group_id": request.group_id,
    }


def _plain(value: Any) -> Any:
    """Return a value in JSON values: dataclasses as the fields that differ from their default, bytes as SHA-256."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case datetime():
            return format_timestamp(value)
        case timedelta():
            return f"{value.total_seconds():g}s"
        case bytes():
            return f"sha256:{hashlib.sha256(value).hexdigest()}"
        case Mapping():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case AbstractSet() | Sequence():
            return [_plain(item) for item in (sorted(value) if isinstance(value, AbstractSet) else value)]
        case _ if is_dataclass(value):
            values = {f.name: (getattr(value, f.name), f.default) for f in fields(value)}
            return {name: _plain(item) for name, (item, default) in values.items() if item != default}
    return str(value)


def _text(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return str(value)
    return clean_text(value.replace("\0", ""))
