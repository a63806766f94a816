import asyncio
import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.exc import DBAPIError

from bot.domain.outcomes import Tally
from bot.domain.requests import TRANSITIONS, RequestItem, RequestState
from bot.storage.database import Database
from bot.storage.requests import DueWork, RequestStore
from providers.base import Evidence, MembershipStatus, Operation, Outcome, Person, Verdict
from tests.bot.storage.samples import people, person, request, rule

_numbers = itertools.count()
NOW = datetime(2030, 5, 1, 12, 0, 0, 123457, UTC)

WAS_THERE = Verdict("", Outcome.ALREADY_DONE, Evidence.OBSERVED)


@pytest.fixture
def journal(database: Database) -> RequestStore:
    return RequestStore(database)


async def test_what_was_written_is_read_again(journal: RequestStore) -> None:
    asked = request(needs=rule(quorum=2), asked_at=NOW)
    everybody = [
        RequestItem(0, person(0)),
        RequestItem(1, Person("123@lid", lid="123@lid"), before=MembershipStatus.ABSENT, submissions=1),
        RequestItem(2, Person("nobody"), outcome=Outcome.INVALID, provider_message="no number", at=NOW),
    ]
    assert await journal.create(asked, everybody)
    assert await journal.get("R1") == asked
    assert await journal.items("R1") == everybody


async def test_a_rule_without_a_reminder_is_read_again(journal: RequestStore) -> None:
    asked = request(needs=replace(rule(), remind_after=None))
    await journal.create(asked, [])
    assert await journal.get("R1") == asked


async def test_a_request_that_is_not_there_is_a_lookup_error(journal: RequestStore) -> None:
    with pytest.raises(LookupError, match="R404"):
        await journal.get("R404")


async def test_the_same_request_twice_changes_nothing(journal: RequestStore) -> None:
    first = request(asked_at=NOW)
    assert await journal.create(first, people(2))
    assert not await journal.create(replace(first, reason="another"), people(3))
    assert await journal.get("R1") == first
    assert await journal.items("R1") == people(2)


async def test_the_same_request_many_times_at_once_is_written_once(journal: RequestStore) -> None:
    asked = request()
    created = await asyncio.gather(*(journal.create(asked, people(3)) for _ in range(5)))
    assert sorted(created) == [False] * 4 + [True]
    assert await journal.items("R1") == people(3)


async def test_a_request_whose_people_cannot_be_written_is_not_written(journal: RequestStore) -> None:
    twice_the_same_place = [RequestItem(0, person(0)), RequestItem(0, person(1))]
    with pytest.raises(DBAPIError):
        await journal.create(request(), twice_the_same_place)
    with pytest.raises(LookupError):
        await journal.get("R1")


async def test_a_new_request_is_due_until_it_was_handed_over(journal: RequestStore) -> None:
    await journal.create(request("R1", asked_at=NOW), [])
    await journal.create(request("R0", asked_at=NOW + timedelta(seconds=1)), [])
    assert await journal.due(time.time()) == [
        DueWork("R1", RequestState.RECEIVED),
        DueWork("R0", RequestState.RECEIVED),
    ]
    await journal.mark_dispatched(DueWork("R1", RequestState.RECEIVED))
    assert await journal.due(time.time()) == [DueWork("R0", RequestState.RECEIVED)]


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED])
async def test_a_decided_request_is_due_again(journal: RequestStore, end: RequestState) -> None:
    await journal.create(request(needs=rule()), [])
    await journal.mark_dispatched(DueWork("R1", RequestState.RECEIVED))
    await journal.hold_if_required("R1")
    assert await journal.due(time.time()) == []
    assert await journal.transition("R1", end)
    assert await journal.due(time.time()) == [DueWork("R1", end)]


async def test_what_was_handed_over_late_does_not_hide_what_is_due_since(journal: RequestStore) -> None:
    await journal.create(request(needs=rule()), [])
    await journal.hold_if_required("R1")
    await journal.transition("R1", RequestState.APPROVED)
    await journal.mark_dispatched(DueWork("R1", RequestState.RECEIVED))
    assert await journal.due(time.time()) == [DueWork("R1", RequestState.APPROVED)]


async def test_a_running_request_is_not_due(journal: RequestStore) -> None:
    await journal.create(request(), [])
    await journal.transition("R1", RequestState.RUNNING)
    assert await journal.due(time.time()) == []


async def test_only_a_request_with_a_rule_waits_for_approval(journal: RequestStore) -> None:
    await journal.create(request("R1", needs=rule()), [])
    await journal.create(request("R2"), [])
    for id_ in ("R1", "R2"):
        await journal.hold_if_required(id_)
    assert (await journal.get("R1")).state is RequestState.WAITING
    assert (await journal.get("R2")).state is RequestState.RECEIVED


async def test_asking_for_approval_again_does_not_take_a_decision_back(journal: RequestStore) -> None:
    await journal.create(request(needs=rule()), [])
    await journal.hold_if_required("R1")
    await journal.transition("R1", RequestState.APPROVED)
    await journal.hold_if_required("R1")
    assert (await journal.get("R1")).state is RequestState.APPROVED


async def test_a_waiting_request_expires_when_its_time_is_over_and_not_before(journal: RequestStore) -> None:
    await journal.create(request(needs=rule(hours=1), asked_at=NOW), [])
    await journal.hold_if_required("R1")
    over = (NOW + timedelta(hours=1)).timestamp()
    assert await journal.next_due_at(over - 1) == over
    await journal.expire(over - 0.001)
    assert (await journal.get("R1")).state is RequestState.WAITING
    await journal.expire(over)
    assert (await journal.get("R1")).state is RequestState.EXPIRED
    assert await journal.next_due_at(over - 1) is None


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED])
async def test_a_decided_request_does_not_expire(journal: RequestStore, end: RequestState) -> None:
    await journal.create(request(needs=rule(), asked_at=NOW), [])
    await journal.hold_if_required("R1")
    await journal.transition("R1", end)
    await journal.expire((NOW + timedelta(days=9)).timestamp())
    assert (await journal.get("R1")).state is end


async def test_the_next_expiry_is_the_soonest_of_those_that_wait_or_will(journal: RequestStore) -> None:
    for hours in (4, 1, 2, 3):
        await journal.create(request(f"R{hours}", needs=rule(hours=hours), asked_at=NOW), [])
    for id_ in ("R1", "R3", "R4"):
        await journal.hold_if_required(id_)
    await journal.transition("R1", RequestState.APPROVED)
    assert await journal.next_due_at(NOW.timestamp()) == (NOW + timedelta(hours=2)).timestamp()


async def test_a_request_that_could_not_be_asked_in_time_is_not_waited_for(journal: RequestStore) -> None:
    """Else the dispatcher would look again without a pause until it is asked."""
    await journal.create(request(needs=rule(hours=1), asked_at=NOW), [])
    assert await journal.next_due_at((NOW + timedelta(hours=1)).timestamp()) is None


async def test_moving_on_twice_at_once_happens_once(journal: RequestStore) -> None:
    await journal.create(request(needs=rule()), [])
    await journal.hold_if_required("R1")
    ends = [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED]
    moved = await asyncio.gather(*(journal.transition("R1", end) for end in ends))
    assert moved.count(True) == 1
    assert (await journal.get("R1")).state is ends[moved.index(True)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(RequestState), max_size=6), start=st.sampled_from(RequestState))
async def test_a_request_only_ever_moves_to_a_state_that_may_follow(
    journal: RequestStore, wanted: list[RequestState], start: RequestState
) -> None:
    id_ = f"R{next(_numbers)}"
    await journal.create(request(id_, state=start), [])
    state = start
    for to in wanted:
        allowed = to in TRANSITIONS[state]
        assert await journal.transition(id_, to) is allowed
        state = to if allowed else state
        assert (await journal.get(id_)).state is state


async def test_advancing_a_request_that_is_not_there_does_nothing(journal: RequestStore) -> None:
    assert not await journal.transition("R404", RequestState.RUNNING)


async def test_those_who_were_there_are_answered_and_the_others_wait_in_their_chunks(journal: RequestStore) -> None:
    await journal.create(request(), people(4))
    before = {
        0: MembershipStatus.ABSENT,
        1: MembershipStatus.PRESENT,
        2: MembershipStatus.UNKNOWN,
        3: MembershipStatus.ABSENT,
    }
    await journal.save_plan("R1", before, {0: 0, 2: 0, 3: 1}, {1: WAS_THERE})
    everybody = await journal.items("R1")
    assert [p.before for p in everybody] == list(before.values())
    assert [(p.outcome, p.evidence) for p in everybody if p.outcome] == [(Outcome.ALREADY_DONE, Evidence.OBSERVED)]
    assert [p.position for p in await journal.batch_items("R1", 0)] == [0, 2]
    assert [p.position for p in await journal.batch_items("R1", 1)] == [3]
    assert await journal.batch_items("R1", 2) == []
    assert [p.position for p in await journal.unanswered_items("R1")] == [0, 2, 3]


async def test_looking_again_after_a_crash_counts_only_the_last_look(journal: RequestStore) -> None:
    await journal.create(request(), people(3))
    await journal.save_plan("R1", dict.fromkeys(range(3), MembershipStatus.ABSENT), {0: 0, 1: 1, 2: 2}, {})
    before = {0: MembershipStatus.PRESENT, 1: MembershipStatus.ABSENT, 2: MembershipStatus.ABSENT}
    await journal.save_plan("R1", before, {1: 0, 2: 0}, {0: WAS_THERE})
    assert [[p.position for p in await journal.batch_items("R1", n)] for n in range(3)] == [[1, 2], [], []]


async def test_submissions_are_counted_for_those_who_are_sent(journal: RequestStore) -> None:
    await journal.create(request(), people(3))
    await journal.mark_submitted("R1", [0, 2])
    await journal.mark_submitted("R1", [2])
    assert [p.submissions for p in await journal.items("R1")] == [1, 0, 2]


async def test_a_verdict_keeps_the_providers_code_words_and_time(journal: RequestStore) -> None:
    start = datetime.now(UTC)
    await journal.create(request(), people(2))
    await journal.save_verdicts(
        "R1", {1: Verdict("", Outcome.REFUSED, Evidence.REPORTED, "403", "privacy: nein – 不行")}
    )
    untouched, judged = await journal.items("R1")
    assert untouched == RequestItem(0, person(0))
    assert (judged.outcome, judged.evidence) == (Outcome.REFUSED, Evidence.REPORTED)
    assert (judged.provider_code, judged.provider_message) == ("403", "privacy: nein – 不行")
    assert judged.at is not None
    assert start - timedelta(seconds=1) < judged.at < datetime.now(UTC) + timedelta(seconds=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(st.characters(exclude_categories=())))
async def test_any_words_of_a_provider_can_be_kept(journal: RequestStore, words: str) -> None:
    """JSON can hold what no database takes: zero bytes, and half an emoji where a text was cut."""
    id_ = f"R{next(_numbers)}"
    await journal.create(request(id_), people(1))
    await journal.save_verdicts(id_, {0: Verdict("", Outcome.FAILED, Evidence.REPORTED, words, "\0\ud83d" + words)})
    [judged] = await journal.items(id_)
    assert judged.outcome is Outcome.FAILED
    assert all(c in judged.provider_message for c in words if c.isalnum())


async def test_a_lid_of_any_length_can_be_asked_for(journal: RequestStore) -> None:
    lid = "9" * 300 + "@lid"
    await journal.create(request(), [RequestItem(0, Person(lid, lid=lid))])
    assert [p.person.lid for p in await journal.items("R1")] == [lid]


async def test_verdicts_of_one_request_leave_another_alone(journal: RequestStore) -> None:
    for id_ in ("R1", "R2"):
        await journal.create(request(id_), people(2))
    await journal.save_plan("R1", {0: MembershipStatus.PRESENT, 1: MembershipStatus.ABSENT}, {1: 0}, {0: WAS_THERE})
    await journal.mark_submitted("R1", [1])
    await journal.save_verdicts("R1", {1: Verdict("", Outcome.ADDED)})
    assert await journal.items("R2") == people(2)


async def test_pages_cut_everybody_into_parts_in_order(journal: RequestStore) -> None:
    await journal.create(request(), list(reversed(people(5))))
    pages = [await journal.items_page("R1", start, 2) for start in (0, 2, 4, 6)]
    assert [[p.position for p in page] for page in pages] == [[0, 1], [2, 3], [4], []]


async def test_the_tally_counts_everybody_once(journal: RequestStore) -> None:
    await journal.create(request(), people(5))
    assert await journal.tally("R1") == Tally((), 5)
    added, unknown = Verdict("", Outcome.ADDED), Verdict("", Outcome.UNKNOWN)
    await journal.save_verdicts("R1", {0: added, 3: unknown, 4: added})
    tally = await journal.tally("R1")
    assert tally == Tally.of(p.outcome for p in await journal.items("R1"))
    assert (tally.total, tally.answered, tally.count(Outcome.ADDED)) == (5, 3, 2)
    assert [p.position for p in await journal.items_with_outcome("R1", Outcome.ADDED)] == [0, 4]


async def test_things_and_rejected_entries_are_no_people_whatever_is_known_of_them(journal: RequestStore) -> None:
    thing = RequestItem(1, Person("the group"), Operation.SEND)
    rejected = RequestItem(2, Person("nobody"), outcome=Outcome.INVALID)
    await journal.create(request(), [*people(1), thing, rejected])
    before = await journal.tally("R1")
    await journal.save_verdicts("R1", {1: Verdict("", Outcome.SENT)})
    after = await journal.tally("R1")
    assert [(t.people, t.things, t.rejected) for t in (before, after)] == [(1, 1, 1)] * 2


async def test_ten_times_as_many_people_are_ten_times_the_work_and_not_a_hundred(sqlite: Database) -> None:
    """Counted in the instructions that SQLite runs, so that it tells the same on every machine."""
    instructions = 0

    def count() -> int:
        nonlocal instructions
        instructions += 100
        return 0

    @event.listens_for(sqlite._engine.sync_engine, "connect")
    def count_all(connection: AdaptedConnection, _: object) -> None:
        connection.run_async(lambda raw: raw.set_progress_handler(count, 100))

    journal, work = RequestStore(sqlite), list[int]()
    for number in (100, 1000):
        id_, start = f"R{number}", instructions
        await journal.create(request(id_), people(number))
        before = dict.fromkeys(range(number), MembershipStatus.ABSENT)
        await journal.save_plan(id_, before, {n: n // 10 for n in range(number)}, {})
        for chunk in range(number // 10):
            await journal.mark_submitted(id_, [p.position for p in await journal.batch_items(id_, chunk)])
        await journal.save_verdicts(id_, dict.fromkeys(range(number), Verdict("", Outcome.ADDED)))
        for start_of_page in range(0, number, 100):
            await journal.items_page(id_, start_of_page, 100)
        work.append(instructions - start)
    assert work[0] > 1000
    assert work[1] < 15 * work[0]


async def test_no_verdicts_is_no_work(journal: RequestStore) -> None:
    await journal.create(request(), people(1))
    await journal.save_verdicts("R1", {})
    await journal.save_plan("R1", {}, {}, {})
    assert await journal.items("R1") == people(1)
