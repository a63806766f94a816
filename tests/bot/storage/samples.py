"""Sample requests, people and rules."""

from datetime import UTC, datetime, timedelta

from bot.domain.access import Actor, Capability, Role
from bot.domain.approvals import ApprovalRule
from bot.domain.requests import Request, RequestItem, RequestState
from providers.base import Operation, Person

LEAD = Role("lead", frozenset({"U1LEAD", "U2LEAD", "U3LEAD", "U0ASKED"}), frozenset({Capability.APPROVE}))
ASKED = Actor("U0ASKED")
FIRST, SECOND, THIRD = Actor("U1LEAD"), Actor("U2LEAD"), Actor("U3LEAD")


def rule(*, quorum: int = 1, hours: float = 24, remind: timedelta | None = None) -> ApprovalRule:
    return ApprovalRule(
        operations=frozenset({Operation.ADD, Operation.REMOVE}),
        groups=("launch-*", "120363041234567890@g.us"),
        min_participants=2,
        approvers=("lead",),
        quorum=quorum,
        expires_after=timedelta(hours=hours),
        remind_after=remind,
    )


def request(
    id_: str = "R1",
    *,
    needs: ApprovalRule | None = None,
    state: RequestState = RequestState.RECEIVED,
    asked_at: datetime | None = None,
    connection: str = "support",
) -> Request:
    return Request(
        id=id_,
        operation=Operation.ADD,
        connection=connection,
        group_id="120363041234567890@g.us",
        group_name="launch-team",
        requester=ASKED.user_id,
        channel="C0TEAM",
        reason="they start on Monday",
        rule=needs,
        duplicates=1,
        asked_at=asked_at or datetime.now(UTC),
        state=state,
    )


def person(number: int) -> Person:
    return Person(f"0{number}", phone=f"+1415{number:07d}")


def people(count: int) -> list[RequestItem]:
    return [RequestItem(number, person(number)) for number in range(count)]
