import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.requests import RequestState
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.work_queue import MAX_WORK, DueWork, WorkQueue
from tests.bot.storage.samples import request, rule

NOW = datetime(2030, 5, 1, 12, 0, 0, 123457, UTC)


@pytest.fixture
def store(database: Database) -> RequestStore:
    return RequestStore(database)


@pytest.fixture
def queue(database: Database) -> WorkQueue:
    return WorkQueue(database)


async def test_a_new_request_is_due_until_it_is_dispatched(store: RequestStore, queue: WorkQueue) -> None:
    await store.create(request("R1", asked_at=NOW), [])
    await store.create(request("R0", asked_at=NOW + timedelta(seconds=1)), [])
    assert (await queue.due(time.time())).work == [
        DueWork("R1", RequestState.RECEIVED),
        DueWork("R0", RequestState.RECEIVED),
    ]
    await queue.mark_dispatched([DueWork("R1", RequestState.RECEIVED)])
    assert (await queue.due(time.time())).work == [DueWork("R0", RequestState.RECEIVED)]


async def test_decided_requests_come_first_and_then_the_requesters_take_turns(
    store: RequestStore, queue: WorkQueue
) -> None:
    for number, (id_, requester, connection) in enumerate(
        [
            ("A1", "UA", "x"),
            ("A2", "UA", "x"),
            ("A3", "UA", "x"),
            ("A4", "UA", "y"),
            ("B1", "UB", "x"),
            ("C1", "UC", "x"),
        ]
    ):
        new = request(id_, asked_at=NOW + timedelta(seconds=number), connection=connection)
        await store.create(replace(new, requester=requester), [])
    await store.create(request("D1", needs=rule(), asked_at=NOW + timedelta(hours=1)), [])
    await store.hold_if_required("D1")
    await store.transition("D1", RequestState.APPROVED)
    assert [due.request_id for due in (await queue.due(time.time())).work] == ["D1", "A1", "A4", "B1", "C1", "A2", "A3"]


async def test_only_so_much_work_is_read_at_a_time(store: RequestStore, queue: WorkQueue) -> None:
    for number in range(MAX_WORK + 1):
        await store.create(request(f"R{number}"), [])
    assert len((await queue.due(time.time())).work) == MAX_WORK


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED])
async def test_a_decided_request_is_due_again(store: RequestStore, queue: WorkQueue, end: RequestState) -> None:
    await store.create(request(needs=rule()), [])
    await queue.mark_dispatched([DueWork("R1", RequestState.RECEIVED)])
    await store.hold_if_required("R1")
    assert (await queue.due(time.time())).work == []
    assert await store.transition("R1", end)
    assert (await queue.due(time.time())).work == [DueWork("R1", end)]


async def test_a_late_dispatch_does_not_hide_newer_work(store: RequestStore, queue: WorkQueue) -> None:
    await store.create(request(needs=rule()), [])
    await store.hold_if_required("R1")
    await store.transition("R1", RequestState.APPROVED)
    await queue.mark_dispatched([DueWork("R1", RequestState.RECEIVED)])
    assert (await queue.due(time.time())).work == [DueWork("R1", RequestState.APPROVED)]


async def test_a_running_request_is_not_due(store: RequestStore, queue: WorkQueue) -> None:
    await store.create(request(), [])
    await store.transition("R1", RequestState.RUNNING)
    assert (await queue.due(time.time())).work == []


async def test_a_waiting_request_expires_at_its_time(store: RequestStore, queue: WorkQueue) -> None:
    await store.create(request(needs=rule(hours=1), asked_at=NOW), [])
    await store.hold_if_required("R1")
    over = (NOW + timedelta(hours=1)).timestamp()
    assert (await queue.due(over - 1)).next_at == over
    await queue.expire(over - 0.001)
    assert (await store.get("R1")).state is RequestState.WAITING
    await queue.expire(over)
    assert (await store.get("R1")).state is RequestState.EXPIRED
    assert (await queue.due(over - 1)).next_at is None


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED])
async def test_a_decided_request_does_not_expire(store: RequestStore, queue: WorkQueue, end: RequestState) -> None:
    await store.create(request(needs=rule(), asked_at=NOW), [])
    await store.hold_if_required("R1")
    await store.transition("R1", end)
    await queue.expire((NOW + timedelta(days=9)).timestamp())
    assert (await store.get("R1")).state is end


async def test_the_next_expiry_is_the_soonest(store: RequestStore, queue: WorkQueue) -> None:
    for hours in (4, 1, 2, 3):
        await store.create(request(f"R{hours}", needs=rule(hours=hours), asked_at=NOW), [])
    for id_ in ("R1", "R3", "R4"):
        await store.hold_if_required(id_)
    await store.transition("R1", RequestState.APPROVED)
    assert (await queue.due(NOW.timestamp())).next_at == (NOW + timedelta(hours=2)).timestamp()


async def test_a_passed_expiry_is_not_waited_for(store: RequestStore, queue: WorkQueue) -> None:
    """Otherwise the dispatcher would read the queue in a busy loop."""
    await store.create(request(needs=rule(hours=1), asked_at=NOW), [])
    assert (await queue.due((NOW + timedelta(hours=1)).timestamp())).next_at is None
