"""What the audit journal keeps: one entry for everything that was asked, decided, refused, answered and configured."""

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


class EntryKind(StrEnum):
    """What an entry is about.

    A `REFUSED_CLICK` is a click or a command that somebody had no right to; a `VERDICT` is what became of one person; a
    `STATE` is where a request went without a decision, by time or by somebody who withdrew or stopped it. A `SCHEDULE`
    is a sync that somebody started or ended, a `DISCLOSURE` what somebody was shown or given: numbers, or a link.
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
    """One thing that happened.

    Texts are kept without what JSON can hold and databases refuse: zero bytes, and half a surrogate pair.

    Attributes:
        at: when, aware.
        actor: the Slack user id of who did it, for a verdict of who asked for it; empty: nobody, by time or at a start.
        typed: what was typed for the person of a verdict; this and the following are empty for all other kinds.
        details: what else is to be known, in values that JSON has; numbers are whole ones.
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
        """Give everything in values that JSON has, in the order of the exports."""
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
    """Tell of a new request, and of the entries of its roster that are answered already, since they name nobody."""
    told = {
        "group_name": request.group_name,
        "channel": request.channel,
        "reason": request.reason,
        "people": [p.person.key for p in people if p.outcome is None],
        "duplicates": request.duplicates,
        "rule": request.rule,
        "asked": request.options,
    }
    entry = AuditEntry(EntryKind.REQUEST, request.asked_at, request.requester, **_about(request), details=told)
    answered = [
        verdict_entry(
            request, p, Verdict(p.person.key, p.outcome, p.evidence, p.provider_code, p.provider_message), p.at
        )
        for p in people
        if p.outcome is not None and p.at is not None
    ]
    return [entry, *answered]


def vote_entry(request: Request, vote: Vote, state: ApprovalState) -> AuditEntry:
    """Tell of a vote that counts, and of the state that the approval is in through it."""
    told = {"choice": vote.choice, "reason": vote.reason, "state": state}
    return AuditEntry(EntryKind.DECISION, vote.at, vote.user_id, **_about(request), details=told)


def refused_click_entry(
    request_id: str, request: Request | None, *, actor: str, action: str, code: str, at: datetime
) -> AuditEntry:
    """Tell of a click on a request (None: there is none of this id) that changed nothing, and why, by its code."""
    about = _about(request) if request else {"request_id": request_id}
    return AuditEntry(EntryKind.REFUSED_CLICK, at, actor, **about, details={"action": action, "code": code})


def refused_command_entry(
    *, actor: str, operation: str, connection: str, group_id: str, code: str, at: datetime, request_id: str = ""
) -> AuditEntry:
    """Tell of something that was asked for and refused, and why, by its code; the id is what it would have got."""
    about = {"request_id": request_id, "operation": operation, "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.REFUSED_CLICK, at, actor, **about, details={"action": "ask", "code": code})


def schedule_entry(
    *, actor: str, connection: str, group_id: str, at: datetime, details: Mapping[str, Any]
) -> AuditEntry:
    """Tell of a sync that somebody started or ended; `details` say which, and what it is."""
    about = {"operation": "sync", "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.SCHEDULE, at, actor, **about, details=details)


def disclosure_entry(
    *, actor: str, what: str, connection: str, group_id: str, at: datetime, request_id: str = ""
) -> AuditEntry:
    """Tell of something that somebody was shown or given, in a few words: an export, an invite link."""
    about = {"request_id": request_id, "connection": connection, "group_id": group_id}
    return AuditEntry(EntryKind.DISCLOSURE, at, actor, **about, details={"what": what})


def verdict_entry(request: Request, participant: RequestItem, verdict: Verdict, at: datetime) -> AuditEntry:
    """Tell what became of one person of a request."""
    person = participant.person
    told = {"lid": person.lid} if person.lid else {}
    if participant.operation != request.operation:
        told["operation"] = participant.operation
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
        details=told,
    )


def transition_entry(request: Request, state: str, at: datetime, actor: str = "") -> AuditEntry:
    """Tell that a request is in another state, a `State` or `stopped`: by time, or by who withdrew or stopped it."""
    return AuditEntry(EntryKind.STATE, at, actor, **_about(request), details={"state": state})


def configuration_entry(summary: Mapping[str, Any], at: datetime) -> AuditEntry:
    """Tell with which configuration the bot started; `summary` is the part of it that is no secret."""
    told = _plain(summary)
    digest = hashlib.sha256(canonical_json(told).encode()).hexdigest()
    return AuditEntry(EntryKind.CONFIGURATION, at, details={"digest": digest, "configuration": told})


def canonical_json(value: Any) -> str:
    """Write a value of an entry as the one JSON text of it, by RFC 8785, "JSON Canonicalization Scheme".

    Keys are sorted by code points, which for our own keys is the RFC's order.

    >>> canonical({"b": "é", "a": [1, True]})
    '{"a":[1,true],"b":"é"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def format_timestamp(at: datetime) -> str:
    """Write a moment in ISO 8601, UTC, always with microseconds: so earlier is less, also as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _about(request: Request) -> dict[str, str]:
    return {
        "request_id": request.id,
        "operation": request.operation,
        "connection": request.connection,
        "group_id": request.group_id,
    }


def _plain(value: Any) -> Any:
    """Bring a value into what JSON has: our dataclasses as what differs from the default, bytes as their SHA-256."""
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
            told = {f.name: (getattr(value, f.name), f.default) for f in fields(value)}
            return {name: _plain(item) for name, (item, default) in told.items() if item != default}
    return str(value)


def _text(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return str(value)
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
