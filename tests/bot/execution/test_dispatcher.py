import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

import pytest

from bot.domain.requests import RequestState
from bot.execution.dispatcher import Dispatcher
from bot.execution.engine import Engine
from bot.storage.database import Database
from bot.storage.requests import DueWork, RequestStore
from tests.bot.storage.samples import request, rule


class Engines:
    """Takes work as the engine does, and keeps it; fails as the test tells it to."""

    def __init__(self) -> None:
        self.work: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.broken = False
        self.taken = asyncio.Condition()

    async def start(self, name: str, request_id: str, *_: int) -> None:
        async with self.taken:
            self.taken.notify_all()
            if self.broken or request_id in self.refuses:
                self.work.append(("error", request_id))
                raise ConnectionError("the engine is away")
            self.work.append((name, request_id))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.taken:
            await self.taken.wait_for(done)


@pytest.fixture
def journal(sqlite: Database) -> RequestStore:
    return RequestStore(sqlite)


@pytest.fixture
def engine() -> Engines:
    return Engines()


@asynccontextmanager
async def _running(journal: RequestStore, engine: Engines, every: float = 3600) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(journal, cast("Engine", engine), every=every)
    async with asyncio.timeout(20), dispatcher.running():
        yield dispatcher


async def test_what_a_crash_left_between_writing_and_starting_is_started(
    journal: RequestStore, engine: Engines
) -> None:
    await journal.create(request("R1"), [])
    async with _running(journal, engine):
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
    journal: RequestStore, engine: Engines, state: RequestState, workflow: str
) -> None:
    await journal.create(request("R1", needs=rule(), state=state), [])
    async with _running(journal, engine):
        await engine.until(lambda: (workflow, "R1") in engine.work)


async def test_waking_starts_what_was_written_since(journal: RequestStore, engine: Engines) -> None:
    async with _running(journal, engine) as dispatcher:
        for id_ in ("R1", "R2"):
            await journal.create(request(id_), [])
            dispatcher.wake()
            await engine.until(partial(engine.work.__contains__, ("open", id_)))


async def test_without_waking_it_looks_by_itself(journal: RequestStore, engine: Engines) -> None:
    async with _running(journal, engine, every=0.01):
        await journal.create(request("R1"), [])
        await engine.until(lambda: ("open", "R1") in engine.work)


async def test_what_was_started_is_not_started_again(journal: RequestStore, engine: Engines) -> None:
    await journal.create(request("R1"), [])
    async with _running(journal, engine) as dispatcher:
        await engine.until(lambda: len(engine.work) == 1)
        await journal.create(request("R2"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R2") in engine.work)
    async with _running(journal, engine) as dispatcher:
        await journal.create(request("R3"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R3") in engine.work)
    assert [id_ for _, id_ in engine.work] == ["R1", "R2", "R3"]


async def test_an_error_of_the_engine_is_survived_and_the_work_tried_again(
    journal: RequestStore, engine: Engines
) -> None:
    await journal.create(request("R1"), [])
    engine.broken = True
    async with _running(journal, engine, every=0.01):
        await engine.until(lambda: len(engine.work) >= 2)
        engine.broken = False
        await engine.until(lambda: ("open", "R1") in engine.work)


async def test_one_request_that_cannot_be_started_does_not_hold_up_the_others(
    journal: RequestStore, engine: Engines
) -> None:
    for id_ in ("R1", "R2"):
        await journal.create(request(id_), [])
    engine.refuses = {"R1"}
    async with _running(journal, engine):
        await engine.until(lambda: ("open", "R2") in engine.work)
    assert await journal.due(time.time()) == [DueWork("R1", RequestState.RECEIVED)]


async def test_a_request_is_closed_when_its_time_for_approval_is_over(journal: RequestStore, engine: Engines) -> None:
    asked_at = datetime.now(UTC) - timedelta(hours=1) + timedelta(milliseconds=200)
    await journal.create(request("R1", needs=rule(hours=1), asked_at=asked_at), [])
    await journal.hold_if_required("R1")
    async with _running(journal, engine):
        await engine.until(lambda: ("close", "R1") in engine.work)
    assert (await journal.get("R1")).state is RequestState.EXPIRED


async def test_at_the_end_what_is_under_way_is_finished_first(journal: RequestStore, engine: Engines) -> None:
    await journal.create(request("R1"), [])
    async with _running(journal, engine):
        await engine.until(lambda: len(engine.work) == 1)
    assert await journal.due(time.time()) == []


async def test_after_a_downtime_one_reminder_makes_up_for_all_that_were_missed(
    journal: RequestStore, engine: Engines
) -> None:
    asked_at = datetime.now(UTC) - timedelta(hours=10)  # due after 1, 3 and 7 hours, and then after 15
    await journal.create(request("R1", needs=rule(remind=timedelta(hours=1)), asked_at=asked_at), [])
    await journal.hold_if_required("R1")
    async with _running(journal, engine) as dispatcher:
        await engine.until(lambda: ("remind", "R1") in engine.work)
        await journal.create(request("R2"), [])
        dispatcher.wake()
        await engine.until(lambda: ("open", "R2") in engine.work)

    assert engine.work.count(("remind", "R1")) == 1
    assert await journal.next_due_at(time.time()) == pytest.approx((asked_at + timedelta(hours=15)).timestamp())
