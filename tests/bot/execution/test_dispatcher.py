import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

import pytest

from bot.domain.requests import RequestState
from bot.execution.dispatcher import MAX_BEGINNING, Dispatcher
from bot.execution.engine import Engine
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.work_queue import DueWork, WorkQueue
from bot.tasks import OpenRequests
from tests.bot.storage.samples import request, rule


class RecordingEngine:
    """An engine that records the work, and fails when the test says so."""

    def __init__(self) -> None:
        self.work: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.broken = False
        self.taken = asyncio.Condition()
        self.begins = True
        self.begun: list[asyncio.Event] = []

    async def start(self, name: str, request_id: str, *_: int) -> asyncio.Event:
        async with self.taken:
            self.taken.notify_all()
            if self.broken or request_id in self.refuses:
                self.work.append(("error", request_id))
                raise ConnectionError("the engine is away")
            self.work.append((name, request_id))
        self.begun.append(asyncio.Event())
        if self.begins:
            self.begun[-1].set()
        return self.begun[-1]

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.taken:
            await self.taken.wait_for(done)


@pytest.fixture
def store(sqlite: Database) -> RequestStore:
    return RequestStore(sqlite)


@pytest.fixture
def queue(sqlite: Database) -> WorkQueue:
    return WorkQueue(sqlite)


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()


@asynccontextmanager
async def _running(queue: WorkQueue, engine: RecordingEngine, interval: float = 3600) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(queue, cast("Engine", engine), OpenRequests(), interval=interval)
    async with asyncio.timeout(20), dispatcher.running():
        yield dispatcher


async def test_a_request_written_before_a_crash_is_started(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    await store.create(request("R1"), [])
    async with _running(queue, engine):
        await engine.until(lambda: ("open", "R1") in engine.work)


@pytest.mark.parametrize(
    ("state", "workflow"),
    [
        (RequestState.APPROVED, "carry_out"),
        (RequestState.DENIED, "close"),
        (RequestState.EXPIRED, "close"),
    ],
)
async def test_each_state_has_its_workflow(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine, state: RequestState, workflow: str
) -> None:
    await store.create(request("R1", needs=rule(), state=state), [])
    async with _running(queue, engine):
        await engine.until(lambda: (workflow, "R1") in engine.work)


async def test_waking_starts_new_work(store: RequestStore, queue: WorkQueue, engine: RecordingEngine) -> None:
    async with _running(queue, engine) as dispatcher:
        for id_ in ("R1", "R2"):
            await store.create(request(id_), [])
            dispatcher.wake()
            await engine.until(partial(engine.work.__contains__, ("open", id_)))


async def test_the_queue_is_read_without_waking(store: RequestStore, queue: WorkQueue, engine: RecordingEngine) -> None:
    async with _running(queue, engine, interval=0.01):
        await store.create(request("R1"), [])
        await engine.until(lambda: ("open", "R1") in engine.work)


async def test_started_work_is_not_started_again(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    await store.create(request("R1"), [])
    async with _running(queue, engine) as dispatcher:
        await engine.until(lambda: len(engine.work) == 1)
        await store.create(request("R2"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R2") in engine.work)
    async with _running(queue, engine) as dispatcher:
        await store.create(request("R3"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R3") in engine.work)
    assert [id_ for _, id_ in engine.work] == ["R1", "R2", "R3"]


async def test_work_is_started_again_after_an_engine_error(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    await store.create(request("R1"), [])
    engine.broken = True
    async with _running(queue, engine, interval=0.01):
        await engine.until(lambda: len(engine.work) >= 2)
        engine.broken = False
        await engine.until(lambda: ("open", "R1") in engine.work)


async def test_a_request_that_fails_to_start_does_not_block_others(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    for id_ in ("R1", "R2"):
        await store.create(request(id_), [])
    engine.refuses = {"R1"}
    async with _running(queue, engine):
        await engine.until(lambda: ("open", "R2") in engine.work)
    assert (await queue.due(time.time())).work == [DueWork("R1", RequestState.RECEIVED)]


async def test_a_request_is_closed_when_its_approval_expires(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    asked_at = datetime.now(UTC) - timedelta(hours=1) + timedelta(milliseconds=200)
    await store.create(request("R1", needs=rule(hours=1), asked_at=asked_at), [])
    await store.hold_if_required("R1")
    async with _running(queue, engine):
        await engine.until(lambda: ("close", "R1") in engine.work)
    assert (await store.get("R1")).state is RequestState.EXPIRED


async def test_stopping_finishes_the_current_dispatch(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    await store.create(request("R1"), [])
    async with _running(queue, engine):
        await engine.until(lambda: len(engine.work) == 1)
    assert (await queue.due(time.time())).work == []


async def test_one_reminder_is_sent_for_all_that_a_downtime_missed(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    asked_at = datetime.now(UTC) - timedelta(hours=10)  # due after 1, 3 and 7 hours, and then after 15
    await store.create(request("R1", needs=rule(remind=timedelta(hours=1)), asked_at=asked_at), [])
    await store.hold_if_required("R1")
    async with _running(queue, engine) as dispatcher:
        await engine.until(lambda: ("remind", "R1") in engine.work)
        await store.create(request("R2"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R2") in engine.work)

    assert engine.work.count(("remind", "R1")) == 1
    assert (await queue.due(time.time())).next_at == pytest.approx((asked_at + timedelta(hours=15)).timestamp())


async def test_requests_beyond_the_places_wait_until_others_have_begun(
    store: RequestStore, queue: WorkQueue, engine: RecordingEngine
) -> None:
    engine.begins = False
    for number in range(MAX_BEGINNING + 5):
        await store.create(request(f"R{number:02}"), [])
    async with _running(queue, engine):
        await engine.until(lambda: len(engine.work) == MAX_BEGINNING)
        await asyncio.sleep(0)
        assert len(engine.work) == MAX_BEGINNING
        engine.begins = True
        engine.begun[0].set()
        await engine.until(lambda: len(engine.work) == MAX_BEGINNING + 5)
