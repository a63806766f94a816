from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import Actor, Capability, Role, Target
from bot.domain.approvals import (
    Accepted,
    Approval,
    ApprovalRule,
    ApprovalState,
    Choice,
    RefusalCode,
    Refused,
    Vote,
    cast_vote,
    expire,
    no_eligible_approver,
    rule_for,
)
from providers.base import Operation

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEAD = Role("lead", frozenset({"U1", "U2", "S1", "UASKED"}), frozenset({Capability.APPROVE}))
MUTE = Role("mute", frozenset({"U5"}), frozenset({Capability.SEND}))
OTHER = Role("other", frozenset({"U6"}), frozenset({Capability.APPROVE}))
ROLES = (LEAD, MUTE, OTHER)
ASKED, ONE, TWO = Actor("UASKED"), Actor("U1"), Actor("U2")
LAUNCH = Target(("launch-team", "1@g.us"))
IN_GROUP = Actor("U3", frozenset({"S1"}))


def _rule(*, quorum: int = 1, approvers: tuple[str, ...] = ("lead", "mute"), least: int = 1) -> ApprovalRule:
    return ApprovalRule(frozenset({Operation.ADD}), ("launch-*",), least, approvers, quorum, timedelta(hours=24))


def _approval(quorum: int = 1) -> Approval:
    return Approval("UASKED", LAUNCH, _rule(quorum=quorum), NOON)


def _vote(approval: Approval, actor: Actor, choice: Choice = Choice.APPROVE, after: timedelta = HOUR) -> Approval:
    result = cast_vote(approval, actor, choice, NOON + after, ROLES)
    assert isinstance(result, Accepted)
    return result.approval


def _refused(result: Accepted | Refused) -> Refused:
    assert isinstance(result, Refused)
    return result


def test_the_first_rule_that_matches_wins() -> None:
    strict, lax = _rule(quorum=2, least=20), _rule(quorum=1, least=5)
    launch = Target(("launch-team", "1@g.us"))
    assert rule_for(Operation.ADD, launch, 20, (strict, lax)) is strict
    assert rule_for(Operation.ADD, launch, 20, (lax, strict)) is lax
    assert rule_for(Operation.ADD, launch, 19, (strict, lax)) is lax
    assert rule_for(Operation.ADD, launch, 4, (strict, lax)) is None
    assert rule_for(Operation.REMOVE, launch, 20, (strict, lax)) is None
    assert rule_for(Operation.ADD, Target(("finance",)), 20, (strict, lax)) is None


@pytest.mark.parametrize("actor", [ONE, IN_GROUP])
def test_one_approver_is_enough_for_a_quorum_of_one(actor: Actor) -> None:
    approval = _vote(_approval(), actor)
    assert approval.state is ApprovalState.APPROVED
    assert approval.votes == (Vote(actor.user_id, Choice.APPROVE, NOON + HOUR),)


def test_a_quorum_counts_different_people() -> None:
    waiting = _vote(_approval(quorum=2), ONE)
    assert waiting.state is ApprovalState.WAITING
    again = cast_vote(waiting, ONE, Choice.APPROVE, NOON + HOUR, ROLES)
    assert _refused(again).code is RefusalCode.ALREADY_COUNTED
    assert _vote(waiting, TWO).state is ApprovalState.APPROVED


def test_one_denial_denies() -> None:
    assert _vote(_vote(_approval(quorum=3), ONE), TWO, Choice.DENY).state is ApprovalState.DENIED


def test_who_approved_may_still_deny_and_counts_once() -> None:
    denied = _vote(_vote(_approval(quorum=2), ONE), ONE, Choice.DENY)

    assert denied.state is ApprovalState.DENIED
    assert [v.choice for v in denied.votes] == [Choice.DENY]


@pytest.mark.parametrize("choice", list(Choice))
def test_who_asked_decides_nothing_although_their_role_could(choice: Choice) -> None:
    assert _refused(cast_vote(_approval(), ASKED, choice, NOON, ROLES)).code is RefusalCode.OWN_REQUEST


@pytest.mark.parametrize(
    "actor", [Actor("U9"), Actor("U5"), Actor("U6")], ids=["no role", "no capability", "another role"]
)
def test_only_an_approver_of_the_rule_with_the_capability_decides(actor: Actor) -> None:
    refused = _refused(cast_vote(_approval(), actor, Choice.DENY, NOON, ROLES))
    assert refused.code is RefusalCode.NOT_AN_APPROVER
    assert "`lead` or `mute`" in refused.reason


def test_who_may_not_decide_is_told_who_can() -> None:
    lead = replace(LEAD, members=frozenset({"U1", "S1", "UASKED"}))

    assert _refused(cast_vote(_approval(), Actor("U9"), Choice.APPROVE, NOON, (lead,))).eligible_approvers == (
        "S1",
        "U1",
    )
    assert _refused(cast_vote(_approval(), Actor("U9"), Choice.APPROVE, NOON, ())).eligible_approvers == ()


def test_a_late_click_is_told_who_decided_and_when() -> None:
    denied = _vote(_approval(quorum=2), ONE, Choice.DENY)
    refused = _refused(cast_vote(denied, TWO, Choice.APPROVE, NOON + 2 * HOUR, ROLES))
    assert refused.code is RefusalCode.CLOSED
    assert "already denied" in refused.reason
    assert refused.ended == denied


def test_time_is_over_at_the_minute_that_was_said() -> None:
    day = timedelta(hours=24)
    assert _vote(_approval(), ONE, after=day - timedelta(microseconds=1)).state is ApprovalState.APPROVED
    refused = _refused(cast_vote(_approval(), ONE, Choice.APPROVE, NOON + day, ROLES))
    assert refused.code is RefusalCode.CLOSED
    assert refused.ended == expire(_approval(), NOON + day)
    assert expire(_approval(), NOON + day - timedelta(microseconds=1)).state is ApprovalState.WAITING
    assert expire(_approval(), NOON + day).state is ApprovalState.EXPIRED


@pytest.mark.parametrize("state", [s for s in ApprovalState if s is not ApprovalState.WAITING])
def test_what_has_ended_does_not_expire(state: ApprovalState) -> None:
    ended = replace(_approval(), state=state, votes=(Vote("U1", Choice.DENY, NOON),))
    assert expire(ended, NOON + timedelta(days=9)) == ended


def test_who_approves_for_other_groups_does_not_decide_here() -> None:
    elsewhere = replace(LEAD, groups=("finance-*",))
    refused = _refused(cast_vote(_approval(), ONE, Choice.APPROVE, NOON, (elsewhere,)))
    assert refused.code is RefusalCode.NOT_AN_APPROVER
    assert no_eligible_approver(_rule(), LAUNCH, "UASKED", (elsewhere,)) is not None


def _people(*members: str) -> Iterable[Role]:
    return [replace(LEAD, members=frozenset(members)), MUTE, OTHER]


@pytest.mark.parametrize(
    ("members", "quorum", "can"),
    [
        (("U1",), 1, True),
        (("UASKED",), 1, False),
        (("U1", "UASKED"), 2, False),
        (("U1", "U2"), 2, True),
        (("UASKED", "S1"), 2, True),
        ((), 1, False),
    ],
)
def test_a_request_that_nobody_else_could_approve_is_known_at_once(
    members: tuple[str, ...],
    quorum: int,
    can: bool,
) -> None:
    refused = no_eligible_approver(_rule(quorum=quorum), LAUNCH, "UASKED", list(_people(*members)))
    assert (refused is None) is can
    if refused is not None:
        assert refused.code is RefusalCode.NO_ELIGIBLE_APPROVER


ACTORS = [ASKED, ONE, TWO, IN_GROUP, Actor("U5"), Actor("U6"), Actor("U9")]
clicks = st.tuples(
    st.sampled_from(ACTORS),
    st.sampled_from([Choice.APPROVE, Choice.APPROVE, Choice.DENY, "tick"]),
    st.integers(0, 300),
)


def _apply(approval: Approval, actor: Actor, action: str, at: datetime) -> Approval:
    match action:
        case "tick":
            return expire(approval, at)
        case _:
            result = cast_vote(approval, actor, Choice(action), at, ROLES)
    return result.approval if isinstance(result, Accepted) else approval


@settings(max_examples=200)
@given(st.integers(1, 3), st.lists(clicks, max_size=12))
def test_whatever_people_click_there_is_one_end_and_it_is_earned(
    quorum: int, sequence: list[tuple[Actor, str, int]]
) -> None:
    approval, at = _approval(quorum), NOON
    for actor, action, minutes in sequence:
        at += timedelta(minutes=minutes)
        before, approval = approval, _apply(approval, actor, action, at)
        if before.state is not ApprovalState.WAITING:
            assert approval == before
        if approval.state is not before.state and approval.state in {ApprovalState.APPROVED, ApprovalState.DENIED}:
            assert at < approval.expires_at
    voters = [v.user_id for v in approval.votes]
    denials = [v for v in approval.votes if v.choice is Choice.DENY]
    assert len(set(voters)) == len(voters)
    assert set(voters) <= {"U1", "U2", "U3"}
    assert (approval.state is ApprovalState.APPROVED) == (len(voters) >= quorum and not denials)
    assert (approval.state is ApprovalState.DENIED) == bool(denials)
