"""Requests and their items as rows of the database."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from bot.domain.approvals import ApprovalRule, reminder_at
from bot.domain.groups import GroupRef
from bot.domain.requests import Request, RequestItem, RequestOptions, RequestState
from bot.domain.sync import SyncSource
from providers.base import Cause, Evidence, GroupChange, MembershipStatus, Operation, Outcome, Person, Picture

_DEFAULTS = RequestOptions()


def request_row(request: Request) -> dict[str, Any]:
    """Build the row of a request."""
    rule = request.rule
    return {
        "id": request.id,
        "operation": request.operation,
        "connection": request.connection,
        "group_id": request.group_id,
        "group_name": request.group_name,
        "requester": request.requester,
        "channel": request.channel,
        "reason": request.reason,
        "rule": None if rule is None else _rule_json(rule),
        "duplicates": request.duplicates,
        "asked_at": request.asked_at.timestamp(),
        "state": request.state,
        "expires_at": None if rule is None else (request.asked_at + rule.expires_after).timestamp(),
        "remind_at": _first_reminder(request),
        "details": options_json(request.options),
        "parent": request.options.parent,
        "run_at": request.options.run_at.timestamp() if request.options.run_at else None,
        "stopped_by": request.stopped_by,
    }


def request_from_row(row: Row[Any]) -> Request:
    """Read a request from its row."""
    return Request(
        id=row.id,
        operation=Operation(row.operation),
        connection=row.connection,
        group_id=row.group_id,
        group_name=row.group_name,
        requester=row.requester,
        channel=row.channel,
        reason=row.reason,
        rule=None if row.rule is None else _rule(row.rule),
        duplicates=row.duplicates,
        asked_at=datetime.fromtimestamp(row.asked_at, UTC),
        state=RequestState(row.state),
        options=options_from_json(row.details),
        stopped_by=row.stopped_by,
        hidden=None if row.hidden is None else frozenset(json.loads(row.hidden)),
    )


def _first_reminder(request: Request) -> float | None:
    at = reminder_at(request.rule, request.asked_at, 0) if request.rule else None
    return at.timestamp() if at else None


def options_json(options: RequestOptions) -> str:
    """Build the JSON of the options that differ from the defaults; a picture's bytes are in base64."""
    options_by_name = {field.name: getattr(options, field.name) for field in fields(options)}
    values: dict[str, Any] = {
        name: value for name, value in options_by_name.items() if value != getattr(_DEFAULTS, name)
    }
    if options.run_at is not None:
        values["run_at"] = options.run_at.timestamp()
    if options.change is not None:
        values["change"] = {k: v for k, v in asdict(options.change).items() if v is not None}
        if options.change.picture is not None:
            picture = options.change.picture
            values["change"]["picture"] = {"url": picture.url, "jpeg": b64encode(picture.jpeg).decode()}
    if options.source is not None:
        values["source"] = source_json(options.source)
    return json.dumps(values)


def source_json(source: SyncSource) -> dict[str, Any]:
    """Build the JSON object of a source."""
    return {**asdict(source), "group": [source.group.connection, source.group.id] if source.group else None}


def source_from_json(values: Mapping[str, Any]) -> SyncSource:
    """Read the JSON object that `source_json` built."""
    return SyncSource(
        tuple(values["phones"]),
        values["usergroup"],
        GroupRef(*values["group"]) if values["group"] else None,
        values.get("name", ""),
    )


def options_from_json(text: str) -> RequestOptions:
    """Read the JSON that `options_json` built."""
    values = json.loads(text)
    if run_at := values.get("run_at"):
        values["run_at"] = datetime.fromtimestamp(run_at, UTC)
    if change := values.get("change"):
        if picture := change.get("picture"):
            change["picture"] = Picture(picture["url"], b64decode(picture["jpeg"]))
        values["change"] = GroupChange(**change)
    if source := values.get("source"):
        values["source"] = source_from_json(source)
    return RequestOptions(**values)


def _rule_json(rule: ApprovalRule) -> str:
    return json.dumps(
        {
            "operations": sorted(rule.operations),
            "groups": rule.groups,
            "min_participants": rule.min_participants,
            "approvers": rule.approvers,
            "quorum": rule.quorum,
            "expires_after": rule.expires_after.total_seconds(),
            "remind_after": None if rule.remind_after is None else rule.remind_after.total_seconds(),
        }
    )


def _rule(text: str) -> ApprovalRule:
    values = json.loads(text)
    remind_after = values["remind_after"]
    return ApprovalRule(
        operations=frozenset(map(Operation, values["operations"])),
        groups=tuple(values["groups"]),
        min_participants=values["min_participants"],
        approvers=tuple(values["approvers"]),
        quorum=values["quorum"],
        expires_after=timedelta(seconds=values["expires_after"]),
        remind_after=None if remind_after is None else timedelta(seconds=remind_after),
    )


def item_row(request_id: str, participant: RequestItem) -> dict[str, Any]:
    """Build the row of an item."""
    return {
        "request_id": request_id,
        "position": participant.position,
        "typed": participant.person.raw,
        "phone": participant.person.phone,
        "lid": participant.person.lid,
        "operation": participant.operation,
        "before": participant.before,
        "submissions": participant.submissions,
        "invited": participant.invited,
        "outcome": participant.outcome,
        "evidence": participant.evidence,
        "provider_code": participant.provider_code,
        "provider_message": participant.provider_message,
        "cause": participant.cause,
        "at": None if participant.at is None else participant.at.timestamp(),
        "name": participant.person.name,
    }


def item_from_row(row: Row[Any]) -> RequestItem:
    """Read an item from its row."""
    return RequestItem(
        position=row.position,
        person=Person(row.typed, row.phone, row.lid, row.name),
        operation=Operation(row.operation) if row.operation else Operation.ADD,
        before=MembershipStatus(row.before),
        submissions=row.submissions,
        invited=row.invited,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        evidence=Evidence(row.evidence),
        provider_code=row.provider_code,
        provider_message=row.provider_message,
        cause=Cause(row.cause),
        at=None if row.at is None else datetime.fromtimestamp(row.at, UTC),
    )
