import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.execution.turns import Turns


async def take(turns: Turns, person: str, taken: list[str]) -> None:
    async with turns.turn(person):
        taken.append(person)
        await asyncio.sleep(0)


async def order(people: str, *, cancelled: tuple[int, ...] = ()) -> str:
    """Return the order in which people get the lock who wait for it in this order, while it is held."""
    turns, taken = Turns(), list[str]()
    async with turns.turn("holder"):
        tasks = [asyncio.create_task(take(turns, person, taken)) for person in people]
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not turns._held
    return "".join(taken)


async def test_people_take_turns() -> None:
    assert await order("aaaabbc") == "abcabaa"


async def test_a_person_who_no_longer_waits_has_no_turn() -> None:
    assert await order("aabbc", cancelled=(0, 4)) == "abb"


async def test_a_turn_that_is_cancelled_when_it_is_granted_is_passed_on() -> None:
    turns, taken = Turns(), list[str]()
    async with turns.turn("holder"):
        tasks = [asyncio.create_task(take(turns, person, taken)) for person in "ab"]
        await asyncio.sleep(0)
    tasks[0].cancel()  # granted by the end of the block, but not yet running
    await asyncio.wait(tasks)
    assert taken == ["b"]
    assert not turns._held


@given(people=st.text(alphabet="abcd", max_size=30), data=st.data())
def test_everyone_who_waits_has_a_turn(people: str, data: st.DataObject) -> None:
    cancelled = tuple(data.draw(st.sets(st.integers(0, len(people) - 1)))) if people else ()
    taken = asyncio.run(order(people, cancelled=cancelled))
    assert sorted(taken) == sorted(person for number, person in enumerate(people) if number not in cancelled)
