import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.send_limits import SendLimits
from bot.execution.throttle import CoolingDown, DailyLimitReached, Throttle
from bot.storage.database import Database

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC).timestamp()


class Clock:
    """A clock that only moves when a task sleeps, or when the test moves it."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


@dataclass(frozen=True)
class MakeThrottle:
    """Builds throttles on one database and clock. With 0.5 for `rand` there is no jitter."""

    database: Database
    clock: Clock

    def __call__(
        self,
        connection: str = "support",
        *,
        rand: float = 0.5,
        gap: float = 5.0,
        jitter: float = 0.3,
        per_day: int | None = None,
    ) -> Throttle:
        limits = SendLimits(gap=gap, jitter=jitter, per_day=per_day)
        return Throttle(self.database, connection, limits, lambda: rand, clock=self.clock, sleep=self.clock.sleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_throttle(database: Database, clock: Clock) -> MakeThrottle:
    return MakeThrottle(database, clock)


async def _send(throttle: Throttle, clock: Clock, people: int = 1) -> float:
    """Wait for a slot, and return when it was granted, in seconds since noon."""
    async with throttle.slot(people):
        return clock.now - NOON


async def test_the_first_slot_is_immediate_and_the_others_a_gap_apart(
    make_throttle: MakeThrottle, clock: Clock
) -> None:
    throttle = make_throttle(gap=5.0)
    assert [await _send(throttle, clock) for _ in range(3)] == [0, 5, 10]


async def test_a_call_after_the_gap_does_not_wait(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0)
    await _send(throttle, clock)
    clock.now += 60
    assert [await _send(throttle, clock) for _ in range(2)] == [60, 65]


async def test_slots_are_granted_in_order(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0)
    order: list[str] = []

    async def work(name: str) -> None:
        async with throttle.slot(1):
            order.append(name)

    await asyncio.gather(*(work(name) for name in "abcdef"))
    assert "".join(order) == "abcdef"
    assert clock.now - NOON == 25


async def test_two_requests_with_many_batches_alternate(make_throttle: MakeThrottle) -> None:
    throttle = make_throttle(gap=5.0)
    order: list[str] = []

    async def work(name: str) -> None:
        for _ in range(3):
            async with throttle.slot(1):
                order.append(name)

    await asyncio.gather(work("a"), work("b"))
    assert "".join(order) == "ababab"


async def test_one_slot_is_held_at_a_time(make_throttle: MakeThrottle) -> None:
    throttle = make_throttle(gap=0.0)
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with throttle.slot(1):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 1


async def test_the_gap_survives_a_restart(make_throttle: MakeThrottle, clock: Clock) -> None:
    await _send(make_throttle(gap=60.0), clock)
    clock.now += 10
    assert await _send(make_throttle(gap=60.0), clock) == 60


async def test_connections_do_not_wait_for_each_other(make_throttle: MakeThrottle, clock: Clock) -> None:
    slow, other = make_throttle("support", gap=3600.0), make_throttle("sales", gap=3600.0)
    async with slow.slot(1):
        assert await _send(other, clock) == 0


@pytest.mark.parametrize(("rand", "gap"), [(0.0, 7.0), (0.5, 10.0), (1.0, 13.0)])
async def test_the_gap_varies_by_the_jitter(make_throttle: MakeThrottle, clock: Clock, rand: float, gap: float) -> None:
    throttle = make_throttle(rand=rand, gap=10.0, jitter=0.3)
    assert [await _send(throttle, clock) for _ in range(2)] == [0, gap]


async def test_the_daily_limit_is_kept(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=0.0, per_day=5)
    await _send(throttle, clock, people=4)
    async with throttle.slot(2) as granted:
        assert granted == 1
    with pytest.raises(DailyLimitReached, match="5 of 5 people were sent today on support"):
        await _send(throttle, clock, people=1)


async def test_the_daily_count_survives_a_restart(make_throttle: MakeThrottle, clock: Clock) -> None:
    await _send(make_throttle(per_day=5), clock, people=5)
    with pytest.raises(DailyLimitReached):
        await _send(make_throttle(per_day=5), clock)


async def test_the_daily_count_restarts_at_midnight_utc(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=0.0, per_day=5)
    await _send(throttle, clock, people=5)
    clock.now = datetime(2030, 5, 1, 23, 59, 59, tzinfo=UTC).timestamp()
    with pytest.raises(DailyLimitReached):
        await _send(throttle, clock)
    clock.now += 1
    await _send(throttle, clock, people=5)


async def test_a_refused_slot_does_not_delay_others(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0, per_day=5)
    await _send(throttle, clock, people=5)
    for _ in range(3):
        with pytest.raises(DailyLimitReached):
            await _send(throttle, clock, people=1)
    clock.now = midnight = datetime(2030, 5, 2, tzinfo=UTC).timestamp()
    assert await _send(throttle, clock, people=5) == midnight - NOON


async def test_a_slot_is_free_after_an_error(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0)
    with pytest.raises(KeyError):
        async with throttle.slot(1):
            raise KeyError
    assert await _send(throttle, clock) == 5


async def test_a_cancelled_wait_frees_the_slot(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0)
    async with throttle.slot(1):
        waiting = asyncio.create_task(_send(throttle, clock))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await _send(throttle, clock) == 5


async def test_slots_left_unused_by_crashes_do_not_add_up(make_throttle: MakeThrottle, clock: Clock) -> None:
    await _send(make_throttle(gap=60.0, jitter=0.0), clock)
    for _ in range(10):
        throttle = make_throttle(gap=60.0, jitter=0.0)
        await throttle._database.write(partial(throttle._reserve, people=1))
    assert await _send(make_throttle(gap=60.0, jitter=0.0), clock) == 60


async def test_a_clock_set_back_delays_a_call_by_a_gap_at_most(make_throttle: MakeThrottle, clock: Clock) -> None:
    throttle = make_throttle(gap=5.0, jitter=0.0)
    await _send(throttle, clock)
    clock.now -= 86_400
    assert await _send(throttle, clock) == 5 - 86_400


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pauses=st.lists(st.floats(0, 30), min_size=2, max_size=6),
    rands=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    restart=st.integers(0, 5),
)
async def test_two_calls_are_never_closer_than_gap_minus_jitter(
    sqlite: Database, pauses: list[float], rands: list[float], restart: int
) -> None:
    clock, numbers = Clock(), iter(rands)

    def make_throttle() -> Throttle:
        return Throttle(
            sqlite, "any", SendLimits(gap=10.0, jitter=0.3), lambda: next(numbers), clock=clock, sleep=clock.sleep
        )

    clock.now += 86_400 * 365  # whatever another example left is long over
    throttle, at = make_throttle(), []
    for number, pause in enumerate(pauses):
        throttle = make_throttle() if number == restart else throttle
        clock.now += pause
        at.append(await _send(throttle, clock))
    gaps = [b - a for a, b in itertools.pairwise(at)]
    assert min(gaps) >= 7.0 - 1e-3
    assert all(gap <= max(13.0, pause) + 1e-3 for gap, pause in zip(gaps, pauses[1:], strict=True))


@pytest.mark.parametrize("until", [3_527_000_000.0, 1e14, float("inf")])
async def test_a_stored_cooldown_beyond_the_maximum_is_ignored(make_throttle: MakeThrottle, until: float) -> None:
    throttle = make_throttle()
    await throttle.cool_down(until, "a cooldown from before there was a maximum")
    assert await throttle.cooldown() is None
    async with throttle.slot(1) as granted:
        assert granted == 1


async def test_a_new_cooldown_replaces_one_beyond_the_maximum(make_throttle: MakeThrottle) -> None:
    throttle = make_throttle()
    await throttle.cool_down(1e14, "a cooldown from before there was a maximum")
    await throttle.cool_down(60.0, "too many calls")
    with pytest.raises(CoolingDown, match="too many calls"):
        async with throttle.slot(1):
            pass
