"""Requests and people at their extremes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from bot.domain.approvals import ApprovalRule
from bot.domain.requests import Request, RequestItem
from providers.base import Evidence, Operation, Outcome, Person

AT = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
RULE = ApprovalRule(frozenset({Operation.ADD}), ("*",), 1, ("lead", "owner"), 2, timedelta(hours=24))
REQUEST = Request(
    id="RABCDEFGHIJKLMNOP",
    operation=Operation.ADD,
    connection="support",
    group_id="120363041234567890@g.us",
    group_name="launch-team",
    requester="U01ALICE",
    channel="C0LAUNCH",
    reason="",
    rule=None,
    duplicates=0,
    asked_at=AT,
)

EVIL = "<!channel> & <@U02BOB> \x00\x07\x1b[31m \u202eevil\u202c <https://evil.example|click>"
RIGHT_TO_LEFT = "קבוצת ההשקה الفريق"
EMOJI = "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪"
NAMES = ("launch-team", "x" * 1000, EVIL * 20, RIGHT_TO_LEFT * 20, EMOJI * 40, "&" * 1000, "*b* _i_ ~s~ `c`", "\ud800")
"""What groups may be called."""


def changed(**changes: Any) -> Request:
    return replace(REQUEST, **changes)


def person(position: int, outcome: Outcome | None = Outcome.ADDED, **changes: Any) -> RequestItem:
    """Return a person whose phone depends on the position."""
    phone = f"+1415555{position:04}"
    evidence = Evidence.REPORTED if outcome else Evidence.NONE
    sample = RequestItem(position, Person(phone, phone), outcome=outcome, evidence=evidence, at=AT)
    return replace(sample, **changes)


def mix(number: int, outcomes: Iterable[Outcome] = tuple(Outcome), **changes: Any) -> list[RequestItem]:
    return [person(n, outcome, **changes) for n, outcome in enumerate(islice(cycle(outcomes), number))]


def worst(number: int) -> list[RequestItem]:
    """Return people with the longest of everything: unreadable entries, hostile words, the longest answer."""
    typed = "&<>" * 40
    return [
        person(n, Outcome.REFUSED, person=Person(typed), provider_code="&" * 60, provider_message=EVIL * 10)
        for n in range(number)
    ]
