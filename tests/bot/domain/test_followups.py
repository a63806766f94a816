from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.followups import LABELS, Followup, offered, plan
from bot.domain.outcomes import advice
from bot.domain.requests import Details, Participant, Request, State
from providers.base import Cause, GroupChange, MembershipStatus, Operation, Outcome, Person
from tests.bot.runtime.making import people, request


def done(operation: Operation = Operation.ADD, details: Details | None = None, **changes: str) -> Request:
    asked = replace(request("R1", state=State.DONE), operation=operation, details=details or Details())
    return replace(asked, **changes)  # type: ignore[arg-type]


def answered(*outcomes: Outcome, operation: Operation = Operation.ADD) -> list[Participant]:
    return [
        replace(p, outcome=outcome, operation=operation, submissions=1)
        for p, outcome in zip(people(len(outcomes)), outcomes, strict=True)
    ]


def keys(lines: Sequence[Participant]) -> list[int]:
    """Give the numbers of the people, as `making.person` counts them."""
    return [int(line.person.phone[-7:]) for line in lines]


MIXED = answered(
    Outcome.ADDED,
    Outcome.ALREADY_DONE,
    Outcome.REFUSED,
    Outcome.FAILED,
    Outcome.NOT_ATTEMPTED,
    Outcome.UNKNOWN,
    Outcome.RATE_LIMITED,
    Outcome.NOT_ON_WHATSAPP,
)


@pytest.mark.parametrize(
    ("followup", "operation", "chosen"),
    [
        (Followup.RETRY, Operation.ADD, [3, 6]),
        (Followup.INVITE, Operation.INVITE, [2]),
        (Followup.VERIFY, Operation.ADD, [5]),
        (Followup.RESUME, Operation.ADD, [4]),
        (Followup.UNDO, Operation.REMOVE, [0]),
        (Followup.AGAIN, Operation.ADD, [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_each_followup_is_about_those_whom_it_makes_sense_for(
    followup: Followup, operation: Operation, chosen: list[int]
) -> None:
    planned = plan(done(), MIXED, followup)
    assert (planned.operation, keys(planned.lines)) == (operation, chosen)
    assert all(line.outcome is None and line.submissions == 0 for line in planned.lines)
    assert (planned.details.parent, planned.details.follow) == ("R1", followup.value)
    assert [line.position for line in planned.lines] == list(range(len(chosen)))
    assert {line.operation for line in planned.lines} == {operation}


@pytest.mark.parametrize("cause", Cause)
def test_what_would_fail_again_for_the_same_cause_is_not_offered_to_be_repeated(cause: Cause) -> None:
    roster = [replace(p, cause=cause) for p in answered(Outcome.FAILED, Outcome.NOT_ATTEMPTED)]
    lasting = cause in {Cause.NO_GROUP, Cause.IMPOSSIBLE, Cause.INVALID}
    again = (Followup.AGAIN,) if lasting else (Followup.RETRY, Followup.RESUME, Followup.AGAIN)
    assert offered(done(), roster) == again
    for p in roster:
        assert p.outcome is not None
        words = advice(p.outcome, cause)
        assert words
        assert not (lasting and any(said in words for said in ("try again", "retry", "resume")))


def test_only_what_makes_sense_is_offered_and_only_after_the_end() -> None:
    assert offered(done(), MIXED) == tuple(Followup)
    assert offered(done(), answered(Outcome.ALREADY_DONE)) == (Followup.AGAIN,)
    assert offered(replace(done(), state=State.RUNNING), MIXED) == ()
    assert offered(replace(done(), state=State.EXPIRED), people(2)) == (Followup.AGAIN,)
    assert set(LABELS) == set(Followup)


@pytest.mark.parametrize(
    ("operation", "outcome", "opposite"),
    [
        (Operation.REMOVE, Outcome.REMOVED, Operation.ADD),
        (Operation.PROMOTE, Outcome.PROMOTED, Operation.DEMOTE),
        (Operation.DEMOTE, Outcome.DEMOTED, Operation.PROMOTE),
    ],
)
def test_an_undo_does_the_opposite(operation: Operation, outcome: Outcome, opposite: Operation) -> None:
    planned = plan(done(operation), answered(outcome, operation=operation), Followup.UNDO)
    assert (planned.operation, planned.lines[0].operation) == (opposite, opposite)


def test_the_undo_of_a_sync_turns_each_line_around() -> None:
    roster = [*answered(Outcome.ADDED), *answered(Outcome.REMOVED, operation=Operation.REMOVE)]
    planned = plan(done(Operation.SYNC), roster, Followup.UNDO)
    assert [line.operation for line in planned.lines] == [Operation.REMOVE, Operation.ADD]
    assert planned.operation is Operation.SYNC

    assert planned.details.note == "Adds 1 and removes 1."


def test_a_sync_that_only_reported_is_resumed_by_doing_it() -> None:
    roster = answered(Outcome.NOT_ATTEMPTED)
    told = "Adds 1 and removes 0. 2 not on the list stay."
    planned = plan(done(Operation.SYNC, Details(look_only=True, note=told)), roster, Followup.RESUME)
    assert (len(planned.lines), planned.details.look_only, planned.details.note) == (1, False, told)


def test_a_sync_of_which_some_failed_is_retried_for_those_alone_and_says_so() -> None:
    roster = [*answered(Outcome.FAILED), *answered(Outcome.REMOVED, operation=Operation.REMOVE)]
    asked = done(Operation.SYNC, Details(note="Adds 1 and removes 1."))
    assert plan(asked, roster, Followup.RETRY).details.note == "Adds 1 and removes 0."
    assert plan(asked, answered(Outcome.UNKNOWN), Followup.VERIFY).details.note == ""


def test_only_the_whole_request_keeps_the_time_that_was_asked_for() -> None:
    later = Details(run_at=datetime(2031, 1, 1, tzinfo=UTC))
    assert plan(done(details=later), MIXED, Followup.AGAIN).details.run_at == later.run_at
    assert plan(done(details=later), MIXED, Followup.RETRY).details.run_at is None


def test_a_look_keeps_how_people_stood_before() -> None:
    [unknown] = answered(Outcome.UNKNOWN)
    planned = plan(done(), [replace(unknown, before=MembershipStatus.ABSENT)], Followup.VERIFY)
    assert planned.lines[0].before is MembershipStatus.ABSENT
    assert planned.details.look_only


def test_a_group_that_was_made_is_filled_and_never_made_again() -> None:
    roster = answered(Outcome.ADDED, Outcome.FAILED, operation=Operation.CREATE)
    made = done(Operation.CREATE, Details(subject="Spring Fair"))
    assert plan(made, roster, Followup.RETRY).operation is Operation.ADD
    assert plan(made, roster, Followup.AGAIN).lines == ()
    unmade = replace(made, group_id="")
    assert plan(unmade, roster, Followup.RETRY).operation is Operation.CREATE
    assert plan(unmade, roster, Followup.RETRY).details.subject == "Spring Fair"


def test_a_group_that_may_have_been_made_is_not_made_again() -> None:
    roster = answered(Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED, operation=Operation.CREATE)
    unsure = done(Operation.CREATE, Details(subject="Spring Fair"), group_id="")
    assert plan(unsure, roster, Followup.RESUME).lines == ()


def test_nothing_is_undone_that_cannot_be() -> None:
    sent = [Participant(0, Person("the group"), Operation.SEND, outcome=Outcome.SENT)]
    assert plan(done(Operation.SEND, Details(text="hello")), sent, Followup.UNDO).lines == ()
    changed = [Participant(0, Person("name"), Operation.SETTINGS, outcome=Outcome.FAILED)]
    retry = plan(done(Operation.SETTINGS, Details(change=GroupChange(subject="N"))), changed, Followup.RETRY)
    assert retry.details.change == GroupChange(subject="N")


@given(st.lists(st.sampled_from(list(Outcome)), max_size=8), st.sampled_from(list(Followup)))
def test_a_followup_names_nobody_who_was_not_there(outcomes: list[Outcome], followup: Followup) -> None:
    roster = answered(*outcomes)
    planned = plan(done(), roster, followup)
    assert set(keys(planned.lines)) <= set(keys(roster))
    assert len(set(keys(planned.lines))) == len(planned.lines)
