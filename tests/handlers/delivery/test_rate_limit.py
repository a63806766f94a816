"""The budget on a clock of its own: no test waits."""

import asyncio
import itertools
import random

from handlers.delivery.rate_limit import MessageRateLimit


class Clock:
    """A clock that advances only by sleeping or by assignment."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)  # as on every real clock, a sleep is no shorter than a tick
        await asyncio.sleep(0)


def most_in_any_minute(times: list[float]) -> int:
    return max(sum(start <= time < start + 60 for time in times) for start in times)


async def test_no_minute_has_more_than_twenty_messages_and_updates() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    chance = random.Random(4)
    spoken: list[float] = []
    for _ in range(500):
        if chance.random() < 0.5:
            await budget.acquire("R")
            spoken.append(clock.now)
        elif budget.try_acquire_update("R"):
            spoken.append(clock.now)
        clock.now += chance.choice([0.0, 0.1, 1.0, 2.0])

    assert len(spoken) > 100
    assert most_in_any_minute(spoken) == 20


async def test_an_update_gives_way_where_the_minute_is_full() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    for _ in range(20):
        await budget.acquire("R")

    assert not budget.try_acquire_update("R")
    clock.now += 60
    assert budget.try_acquire_update("R")


async def test_updates_are_two_seconds_apart() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    shown = []
    for _ in range(100):
        if budget.try_acquire_update("R"):
            shown.append(clock.now)
        clock.now += 0.25

    assert len(shown) > 2
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(shown))


async def test_updates_leave_room_for_results() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    for _ in range(25):
        budget.try_acquire_update("R")
        clock.now += 2
    began = clock.now
    for _ in range(15):
        await budget.acquire("R")

    assert clock.now == began


async def test_the_twenty_first_message_waits_for_the_first_to_be_a_minute_old() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    for _ in range(20):
        await budget.acquire("R")
        clock.now += 1
    await budget.acquire("R")

    assert 1060 <= clock.now < 1061


async def test_requests_do_not_wait_for_each_other() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    for number in range(100):
        await budget.acquire(f"R{number}")
        assert budget.try_acquire_update(f"R{number}")

    assert clock.now == 1000


async def test_what_waits_at_once_goes_out_one_after_the_other() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    spoken = []

    async def speak() -> None:
        await budget.acquire("R")
        spoken.append(clock.now)

    await asyncio.gather(*(speak() for _ in range(45)))

    assert most_in_any_minute(spoken) == 20


async def test_a_request_that_ended_leaves_nothing_behind() -> None:
    clock = Clock()
    budget = MessageRateLimit(clock, clock.sleep)
    for _ in range(20):
        await budget.acquire("R")
    budget.forget("R")
    await budget.acquire("R")

    assert clock.now == 1000
