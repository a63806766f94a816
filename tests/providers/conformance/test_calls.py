"""The number of HTTP calls of each operation, as `providers.capability_docs` shows it."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from providers.base import Action, Person
from providers.capability_docs import CALLS, SIZES
from tests.providers.conformance.kits import KITS, Desk, Kit, desk, people

Count = Callable[[Desk, Sequence[Person]], Awaitable[object]]


def phones(size: int) -> list[str]:
    return [f"1415556{number:04}" for number in range(size)]


async def chunked(at: Desk, action: Action, asked: Sequence[Person], group_id: str) -> None:
    most = at.kit.abilities[action].max_batch or len(asked)
    for start in range(0, len(asked), most):
        await getattr(at.adapter, action)(group_id, asked[start : start + most])


async def create(at: Desk, asked: Sequence[Person]) -> None:
    """Make a group of as many as fit into one call, and add the others to it."""
    most = at.kit.abilities[Action.CREATE].max_batch or len(asked)
    await at.adapter.create("New team", asked[:most])
    await chunked(at, Action.ADD, asked[most:], next(group for group in at.world.groups if group != at.kit.group))


async def list_groups(at: Desk, asked: Sequence[Person]) -> None:
    assert len([group async for group in at.adapter.groups()]) == len(asked)


async def list_members(at: Desk, asked: Sequence[Person]) -> None:
    assert len([member async for member in at.adapter.members(at.kit.group)]) >= len(asked)


async def stand(at: Desk, asked: Sequence[Person]) -> None:
    await at.adapter.membership(at.kit.group, asked)


WAYS: dict[Action, Count] = {
    Action.LIST_GROUPS: list_groups,
    Action.LIST_MEMBERS: list_members,
    Action.ADD: lambda at, asked: chunked(at, Action.ADD, asked, at.kit.group),
    Action.REMOVE: lambda at, asked: chunked(at, Action.REMOVE, asked, at.kit.group),
    Action.PROMOTE: lambda at, asked: chunked(at, Action.PROMOTE, asked, at.kit.group),
    Action.DEMOTE: lambda at, asked: chunked(at, Action.DEMOTE, asked, at.kit.group),
    Action.CREATE: create,
    Action.CHECK_NUMBERS: lambda at, asked: at.adapter.check_numbers(asked),
}
MANY = 50
"""Calls for a hundred people: from here on, a thousand are not counted."""

CASES = [(kit, action) for action in WAYS for kit in KITS.values() if action in kit.abilities]


async def count(kit: Kit, action: Action, size: int) -> int:
    async with desk(kit, checked=False) as at:
        if action is Action.LIST_GROUPS:
            for number in range(size - 1):
                at.world.put_group(str(9_000 + number) + kit.group, f"Team {number}")
        elif action not in {Action.ADD, Action.CREATE, Action.CHECK_NUMBERS}:
            role = "admin" if action is Action.DEMOTE else "member"
            at.world.put_group(kit.group, "Launch team", [kit.own or "14155550101", *phones(size)])
            for phone, member in at.group.members.items():
                member.role = role if phone != kit.own else "admin"
        await WAYS[action](at, people(*phones(size)))
        return len(at.calls())


@pytest.mark.parametrize(("kit", "action"), CASES, ids=[f"{kit.name}-{action}" for kit, action in CASES])
async def test_an_operation_takes_the_calls_that_the_table_says(kit: Kit, action: Action) -> None:
    *table, thousand = CALLS[action][kit.name]
    *sizes, thousand_people = SIZES
    assert [await count(kit, action, size) for size in sizes] == table
    if table[-1] < MANY:
        assert await count(kit, action, thousand_people) == thousand
    else:  # about one for each person, and so it goes on: to count them takes seconds
        assert thousand == pytest.approx(table[-1] * thousand_people / sizes[-1], rel=0.1)


def test_the_table_leaves_nothing_out() -> None:
    assert {(kit.name, action) for kit, action in CASES} == {(name, a) for a, names in CALLS.items() for name in names}
