from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.followups import LABELS, Followup, available_followups, plan_followup
from bot.domain.outcomes import advice
from bot.domain.requests import Request, RequestItem, RequestOptions, RequestState
from providers.base import Cause, GroupChange, MembershipStatus, Operation, Outcome, Person
from tests.bot.storage.samples import people, request


def done(operation: Operation = Operation.ADD, options: RequestOptions | None = None, **changes: str) -> Request:
    asked = replace(request("R1", state=RequestState.DONE), operation=operation, options=options or RequestOptions())
    return replace(asked, **changes)  # type: ignore[arg-type]


def answered(*outcomes: Outcome, operation: Operation = Operation.ADD) -> list[RequestItem]:
    return [
        replace(p, outcome=outcome, operation=operation, submissions=1)
        for p, outcome in zip(people(len(outcomes)), outcomes, strict=True)
    ]


def keys(lines: Sequence[RequestItem]) -> list[int]:
    """Return the numbers of the people, as `making.person` counts them."""
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
    planned = plan_followup(done(), MIXED, followup)
    assert (planned.operation, keys(planned.items)) == (operation, chosen)
    assert all(line.outcome is None and line.submissions == 0 for line in planned.items)
    assert (planned.options.parent, planned.options.follow) == ("R1", followup.value)
    assert [line.position for line in planned.items] == list(range(len(chosen)))
    assert {line.operation for line in planned.items} == {operation}


@pytest.mark.parametrize("cause", Cause)
def test_what_would_fail_again_for_the_same_cause_is_not_offered_to_be_repeated(cause: Cause) -> None:
    roster = [replace(p, cause=cause) for p in answered(Outcome.FAILED, Outcome.NOT_ATTEMPTED)]
    lasting = cause in {Cause.NO_GROUP, Cause.IMPOSSIBLE, Cause.INVALID}
    again = (Followup.AGAIN,) if lasting else (Followup.RETRY, Followup.RESUME, Followup.AGAIN)
    assert available_followups(done(), roster) == again
    for p in roster:
        assert p.outcome is not None
        words = advice(p.outcome, cause)
        assert words
        assert not (lasting and any(said in words for said in ("try again", "retry", "resume")))


def test_only_what_makes_sense_is_offered_and_only_after_the_end() -> None:
    assert available_followups(done(), MIXED) == tuple(Followup)
    assert available_followups(done(), answered(Outcome.ALREADY_DONE)) == (Followup.AGAIN,)
    assert available_followups(replace(done(), state=RequestState.RUNNING), MIXED) == ()
    assert available_followups(replace(done(), state=RequestState.EXPIRED), people(2)) == (Followup.AGAIN,)
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
    planned = plan_followup(done(operation), answered(outcome, operation=operation), Followup.UNDO)
    assert (planned.operation, planned.items[0].operation) == (opposite, opposite)


def test_the_undo_of_a_sync_turns_each_line_around() -> None:
    roster = [*answered(Outcome.ADDED), *answered(Outcome.REMOVED, operation=Operation.REMOVE)]
    planned = plan_followup(done(Operation.SYNC), roster, Followup.UNDO)
    assert [line.operation for line in planned.items] == [Operation.REMOVE, Operation.ADD]
    assert planned.operation is Operation.SYNC

    assert planned.options.note == "Adds 1 and removes 1."


def test_a_sync_that_only_reported_is_resumed_by_doing_it() -> None:
    roster = answered(Outcome.NOT_ATTEMPTED)
    told = "Adds 1 and removes 0. 2 not on the list stay."
    planned = plan_followup(done(Operation.SYNC, RequestOptions(look_only=True, note=told)), roster, Followup.RESUME)
    assert (len(planned.items), planned.options.look_only, planned.options.note) == (1, False, told)


def test_a_sync_of_which_some_failed_is_retried_for_those_alone_and_says_so() -> None:
    roster = [*answered(Outcome.FAILED), *answered(Outcome.REMOVED, operation=Operation.REMOVE)]
    asked = done(Operation.SYNC, RequestOptions(note="Adds 1 and removes 1."))
    assert plan_followup(asked, roster, Followup.RETRY).options.note == "Adds 1 and removes 0."
    assert plan_followup(asked, answered(Outcome.UNKNOWN), Followup.VERIFY).options.note == ""


def test_only_the_whole_request_keeps_the_time_that_was_asked_for() -> None:
    later = RequestOptions(run_at=datetime(2031, 1, 1, tzinfo=UTC))
    assert plan_followup(done(options=later), MIXED, Followup.AGAIN).options.run_at == later.run_at
    assert plan_followup(done(options=later), MIXED, Followup.RETRY).options.run_at is None


def test_a_look_keeps_how_people_stood_before() -> None:
    [unknown] = answered(Outcome.UNKNOWN)
    planned = plan_followup(done(), [replace(unknown, before=MembershipStatus.ABSENT)], Followup.VERIFY)
    assert planned.items[0].before is MembershipStatus.ABSENT
    assert planned.options.look_only


def test_a_group_that_was_made_is_filled_and_never_made_again() -> None:
    roster = answered(Outcome.ADDED, Outcome.FAILED, operation=Operation.CREATE)
    made = done(Operation.CREATE, RequestOptions(subject="Spring Fair"))
    assert plan_followup(made, roster, Followup.RETRY).operation is Operation.ADD
    assert plan_followup(made, roster, Followup.AGAIN).items == ()
    unmade = replace(made, group_id="")
    assert plan_followup(unmade, roster, Followup.RETRY).operation is Operation.CREATE
    assert plan_followup(unmade, roster, Followup.RETRY).options.subject == "Spring Fair"


def test_a_group_that_may_have_been_made_is_not_made_again() -> None:
    roster = answered(Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED, operation=Operation.CREATE)
    unsure = done(Operation.CREATE, RequestOptions(subject="Spring Fair"), group_id="")
    assert plan_followup(unsure, roster, Followup.RESUME).items == ()


def test_nothing_is_undone_that_cannot_be() -> None:
    sent = [RequestItem(0, Person("the group"), Operation.SEND, outcome=Outcome.SENT)]
    assert plan_followup(done(Operation.SEND, RequestOptions(text="hello")), sent, Followup.UNDO).items == ()
    changed = [RequestItem(0, Person("name"), Operation.SETTINGS, outcome=Outcome.FAILED)]
    retry = plan_followup(
        done(Operation.SETTINGS, RequestOptions(change=GroupChange(subject="N"))), changed, Followup.RETRY
    )
    assert retry.options.change == GroupChange(subject="N")


@given(st.lists(st.sampled_from(list(Outcome)), max_size=8), st.sampled_from(list(Followup)))
def test_a_followup_names_nobody_who_was_not_there(outcomes: list[Outcome], followup: Followup) -> None:
    roster = answered(*outcomes)
    planned = plan_followup(done(), roster, followup)
    assert set(keys(planned.items)) <= set(keys(roster))
    assert len(set(keys(planned.items))) == len(planned.items)
