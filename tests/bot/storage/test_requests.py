import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from bot.domain.outcomes import Tally
from bot.domain.requests import TRANSITIONS, RequestItem, RequestState
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.sqlite import SqliteConnection
from providers.base import Evidence, MembershipStatus, Operation, Outcome, Person, Verdict
from tests.bot.storage.samples import people, person, request, rule

_numbers = itertools.count()
NOW = datetime(2030, 5, 1, 12, 0, 0, 123457, UTC)

WAS_THERE = Verdict("", Outcome.ALREADY_DONE, Evidence.OBSERVED)


@pytest.fixture
def store(database: Database) -> RequestStore:
    return RequestStore(database)


async def test_a_written_request_is_read_back(store: RequestStore) -> None:
    original = request(needs=rule(quorum=2), asked_at=NOW)
    items = [
        RequestItem(0, replace(person(0), name="Rita \N{GRINNING FACE}")),
        RequestItem(1, Person("123@lid", lid="123@lid"), before=MembershipStatus.ABSENT, submissions=1),
        RequestItem(2, Person("nobody"), outcome=Outcome.INVALID, provider_message="no number", at=NOW),
    ]
    assert await store.create(original, items)
    assert await store.get("R1") == original
    assert await store.items("R1") == items


async def test_a_rule_without_a_reminder_is_read_back(store: RequestStore) -> None:
    original = request(needs=replace(rule(), remind_after=None))
    await store.create(original, [])
    assert await store.get("R1") == original


async def test_a_missing_request_is_a_lookup_error(store: RequestStore) -> None:
    with pytest.raises(LookupError, match="R404"):
        await store.get("R404")


async def test_creating_a_request_twice_changes_nothing(store: RequestStore) -> None:
    first = request(asked_at=NOW)
    assert await store.create(first, people(2))
    assert not await store.create(replace(first, reason="another"), people(3))
    assert await store.get("R1") == first
    assert await store.items("R1") == people(2)


async def test_a_request_created_concurrently_is_written_once(store: RequestStore) -> None:
    original = request()
    created = await asyncio.gather(*(store.create(original, people(3)) for _ in range(5)))
    assert sorted(created) == [False] * 4 + [True]
    assert await store.items("R1") == people(3)


async def test_a_request_whose_people_cannot_be_written_is_not_written(store: RequestStore) -> None:
    duplicate_positions = [RequestItem(0, person(0)), RequestItem(0, person(1))]
    with pytest.raises(DBAPIError):
        await store.create(request(), duplicate_positions)
    with pytest.raises(LookupError):
        await store.get("R1")


async def test_only_a_request_with_a_rule_waits_for_approval(store: RequestStore) -> None:
    await store.create(request("R1", needs=rule()), [])
    await store.create(request("R2"), [])
    for id_ in ("R1", "R2"):
        await store.hold_if_required(id_)
    assert (await store.get("R1")).state is RequestState.WAITING
    assert (await store.get("R2")).state is RequestState.RECEIVED


async def test_holding_a_request_again_does_not_revert_a_decision(store: RequestStore) -> None:
    await store.create(request(needs=rule()), [])
    await store.hold_if_required("R1")
    await store.transition("R1", RequestState.APPROVED)
    await store.hold_if_required("R1")
    assert (await store.get("R1")).state is RequestState.APPROVED


async def test_concurrent_transitions_happen_once(store: RequestStore) -> None:
    await store.create(request(needs=rule()), [])
    await store.hold_if_required("R1")
    ends = [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED]
    moved = await asyncio.gather(*(store.transition("R1", end) for end in ends))
    assert moved.count(True) == 1
    assert (await store.get("R1")).state is ends[moved.index(True)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(RequestState), max_size=6), start=st.sampled_from(RequestState))
async def test_a_request_moves_only_along_its_transitions(
    store: RequestStore, wanted: list[RequestState], start: RequestState
) -> None:
    id_ = f"R{next(_numbers)}"
    await store.create(request(id_, state=start), [])
    state = start
    for to in wanted:
        allowed = to in TRANSITIONS[state]
        assert await store.transition(id_, to) is allowed
        state = to if allowed else state
        assert (await store.get(id_)).state is state


async def test_moving_a_missing_request_does_nothing(store: RequestStore) -> None:
    assert not await store.transition("R404", RequestState.RUNNING)


async def test_a_plan_answers_members_and_batches_the_others(store: RequestStore) -> None:
    await store.create(request(), people(4))
    before = {
        0: MembershipStatus.ABSENT,
        1: MembershipStatus.PRESENT,
        2: MembershipStatus.UNKNOWN,
        3: MembershipStatus.ABSENT,
    }
    await store.save_plan("R1", before, {0: 0, 2: 0, 3: 1}, {1: WAS_THERE})
    items = await store.items("R1")
    assert [p.before for p in items] == list(before.values())
    assert [(p.outcome, p.evidence) for p in items if p.outcome] == [(Outcome.ALREADY_DONE, Evidence.OBSERVED)]
    assert [p.position for p in await store.batch_items("R1", 0)] == [0, 2]
    assert [p.position for p in await store.batch_items("R1", 1)] == [3]
    assert await store.batch_items("R1", 2) == []
    assert [p.position for p in await store.unanswered_items("R1")] == [0, 2, 3]


async def test_the_last_plan_replaces_an_earlier_one(store: RequestStore) -> None:
    await store.create(request(), people(3))
    await store.save_plan("R1", dict.fromkeys(range(3), MembershipStatus.ABSENT), {0: 0, 1: 1, 2: 2}, {})
    before = {0: MembershipStatus.PRESENT, 1: MembershipStatus.ABSENT, 2: MembershipStatus.ABSENT}
    await store.save_plan("R1", before, {1: 0, 2: 0}, {0: WAS_THERE})
    assert [[p.position for p in await store.batch_items("R1", n)] for n in range(3)] == [[1, 2], [], []]


async def test_submissions_are_counted_for_sent_people(store: RequestStore) -> None:
    await store.create(request(), people(3))
    await store.mark_submitted("R1", [0, 2])
    await store.mark_submitted("R1", [2])
    assert [p.submissions for p in await store.items("R1")] == [1, 0, 2]


async def test_a_verdict_keeps_code_message_and_time(store: RequestStore) -> None:
    start = datetime.now(UTC)
    await store.create(request(), people(2))
    await store.save_verdicts("R1", {1: Verdict("", Outcome.REFUSED, Evidence.REPORTED, "403", "privacy: nein – 不行")})
    untouched, item = await store.items("R1")
    assert untouched == RequestItem(0, person(0))
    assert (item.outcome, item.evidence) == (Outcome.REFUSED, Evidence.REPORTED)
    assert (item.provider_code, item.provider_message) == ("403", "privacy: nein – 不行")
    assert item.at is not None
    assert start - timedelta(seconds=1) < item.at < datetime.now(UTC) + timedelta(seconds=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=())))
async def test_any_provider_text_can_be_stored(store: RequestStore, text: str) -> None:
    """JSON allows what databases refuse: zero bytes, and half an emoji of a truncated text."""
    id_ = f"R{next(_numbers)}"
    await store.create(request(id_), people(1))
    await store.save_verdicts(id_, {0: Verdict("", Outcome.FAILED, Evidence.REPORTED, text, "\0\ud83d" + text)})
    [item] = await store.items(id_)
    assert item.outcome is Outcome.FAILED
    assert all(c in item.provider_message for c in text if c.isalnum())


async def test_a_lid_of_any_length_can_be_stored(store: RequestStore) -> None:
    lid = "9" * 300 + "@lid"
    await store.create(request(), [RequestItem(0, Person(lid, lid=lid))])
    assert [p.person.lid for p in await store.items("R1")] == [lid]


async def test_verdicts_of_one_request_do_not_affect_another(store: RequestStore) -> None:
    for id_ in ("R1", "R2"):
        await store.create(request(id_), people(2))
    await store.save_plan("R1", {0: MembershipStatus.PRESENT, 1: MembershipStatus.ABSENT}, {1: 0}, {0: WAS_THERE})
    await store.mark_submitted("R1", [1])
    await store.save_verdicts("R1", {1: Verdict("", Outcome.ADDED)})
    assert await store.items("R2") == people(2)


async def test_pages_divide_the_items_in_order(store: RequestStore) -> None:
    await store.create(request(), list(reversed(people(5))))
    pages = [await store.items_page("R1", start, 2) for start in (0, 2, 4, 6)]
    assert [[p.position for p in page] for page in pages] == [[0, 1], [2, 3], [4], []]


async def test_the_tally_counts_every_item_once(store: RequestStore) -> None:
    await store.create(request(), people(5))
    assert await store.tally("R1") == Tally((), 5)
    added, unknown = Verdict("", Outcome.ADDED), Verdict("", Outcome.UNKNOWN)
    await store.save_verdicts("R1", {0: added, 3: unknown, 4: added})
    tally = await store.tally("R1")
    assert tally == Tally.of(p.outcome for p in await store.items("R1"))
    assert (tally.total, tally.answered, tally.count(Outcome.ADDED)) == (5, 3, 2)
    assert [p.position for p in await store.items_with_outcome("R1", Outcome.ADDED)] == [0, 4]


async def test_things_and_rejected_entries_are_not_people(store: RequestStore) -> None:
    thing = RequestItem(1, Person("the group"), Operation.SEND)
    rejected = RequestItem(2, Person("nobody"), outcome=Outcome.INVALID)
    await store.create(request(), [*people(1), thing, rejected])
    before = await store.tally("R1")
    await store.save_verdicts("R1", {1: Verdict("", Outcome.SENT)})
    after = await store.tally("R1")
    assert [(t.people, t.things, t.rejected) for t in (before, after)] == [(1, 1, 1)] * 2


async def test_the_work_grows_linearly_with_the_people(sqlite: Database) -> None:
    """Measured in instructions of SQLite, so that the result is the same on every machine."""
    instructions = 0

    def count() -> int:
        nonlocal instructions
        instructions += 100
        return 0

    @event.listens_for(sqlite._engine, "connect")
    def count_all(connection: SqliteConnection, _: object) -> None:
        connection.set_progress_handler(count, 100)

    store, work = RequestStore(sqlite), list[int]()
    for number in (100, 1000):
        id_, start = f"R{number}", instructions
        await store.create(request(id_), people(number))
        before = dict.fromkeys(range(number), MembershipStatus.ABSENT)
        await store.save_plan(id_, before, {n: n // 10 for n in range(number)}, {})
        for batch in range(number // 10):
            await store.mark_submitted(id_, [p.position for p in await store.batch_items(id_, batch)])
        await store.save_verdicts(id_, dict.fromkeys(range(number), Verdict("", Outcome.ADDED)))
        for start_of_page in range(0, number, 100):
            await store.items_page(id_, start_of_page, 100)
        work.append(instructions - start)
    assert work[0] > 1000
    assert work[1] < 15 * work[0]


async def test_saving_no_verdicts_changes_nothing(store: RequestStore) -> None:
    await store.create(request(), people(1))
    await store.save_verdicts("R1", {})
    await store.save_plan("R1", {}, {}, {})
    assert await store.items("R1") == people(1)
