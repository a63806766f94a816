"""When running requests are updated, on a clock of its own: no test waits."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from handlers.delivery.progress import INTERVAL, ProgressUpdates


class Clock:
    """A clock that advances only by sleeping. The one who sleeps shortest wakes first."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self._sleepers.append((self.now + seconds, awake))
        await awake.wait()

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        await settle()
        while due := sorted((at, n) for n, (at, _) in enumerate(self._sleepers) if at <= end):
            self.now, number = due[0]
            self._sleepers.pop(number)[1].set()
            await settle()
        self.now = end


class Shown:
    """The updates that were made: when, and of which request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.times: list[tuple[float, str]] = []
        self.failures = 0

    async def update(self, request_id: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.times.append((self._clock.now, request_id))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown(clock: Clock) -> Shown:
    return Shown(clock)


@pytest.fixture
async def progress(clock: Clock, shown: Shown) -> AsyncIterator[ProgressUpdates]:
    progress = ProgressUpdates(shown.update, clock.sleep)
    yield progress
    await progress.aclose()


async def test_every_change_is_shown_within_five_seconds(clock: Clock, shown: Shown, progress: ProgressUpdates) -> None:
    changes = []
    for pause in [0.1, 0.1, 3.0, 0.5, 9.0, 0.2, 4.9] * 5:
        progress.changed("R")
        changes.append(clock.now)
        await clock.advance(pause)
    await clock.advance(5)

    for change in changes:
        assert any(0 <= at - change <= 5 for at, _ in shown.times), change
    assert all(later - earlier >= INTERVAL for (earlier, _), (later, _) in itertools.pairwise(shown.times))


async def test_a_failed_update_is_repeated(clock: Clock, shown: Shown, progress: ProgressUpdates) -> None:
    shown.failures = 2
    with capture_logs() as log:
        progress.changed("R")
        await clock.advance(10)

    assert len(shown.times) == 1
    assert [entry["event"] for entry in log] == ["progress_not_shown"] * 2


async def test_a_request_that_ends_soon_is_not_updated(clock: Clock, shown: Shown, progress: ProgressUpdates) -> None:
    progress.changed("R")
    await clock.advance(0.1)
    await progress.end("R")
    await clock.advance(10)

    assert shown.times == []


async def test_the_end_waits_for_an_update_that_is_being_made(clock: Clock) -> None:
    begun, may_end, log = asyncio.Event(), asyncio.Event(), list[str]()

    async def update(_: str) -> None:
        begun.set()
        await may_end.wait()
        log.append("updated")

    progress = ProgressUpdates(update, clock.sleep)
    progress.changed("R")
    await clock.advance(2)
    await begun.wait()
    ending = asyncio.create_task(progress.end("R"))
    await settle()
    assert not ending.done()
    may_end.set()
    await ending
    assert log == ["updated"]


async def test_many_requests_stay_within_slacks_rate(clock: Clock, shown: Shown, progress: ProgressUpdates) -> None:
    for _ in range(240):
        for number in range(20):
            progress.changed(f"R{number}")
        await clock.advance(0.5)

    busiest = max(sum(start <= at < start + 60 for at, _ in shown.times) for start, _ in shown.times)
    assert busiest <= 60
    assert len({id_ for _, id_ in shown.times}) == 20
