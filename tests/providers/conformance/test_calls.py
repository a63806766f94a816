"""The number of HTTP calls of each operation, as `providers.capability_docs` shows it."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from providers.base import Action, Person
from providers.capability_docs import CALLS, SIZES
from tests.providers.harness import Harness, ProviderCase, open_with_people, people
from tests.providers.provider_cases import PROVIDER_CASES

Count = Callable[[Harness, Sequence[Person]], Awaitable[object]]


def phones(size: int) -> list[str]:
    return [f"1415556{number:04}" for number in range(size)]


async def chunked(harness: Harness, action: Action, people_asked: Sequence[Person], group_id: str) -> None:
    limit = harness.provider.abilities[action].max_batch or len(people_asked)
    for start in range(0, len(people_asked), limit):
        await getattr(harness.adapter, action)(group_id, people_asked[start : start + limit])


async def create(harness: Harness, people_asked: Sequence[Person]) -> None:
    """Make a group of as many as fit into one call, and add the others to it."""
    limit = harness.provider.abilities[Action.CREATE].max_batch or len(people_asked)
    await harness.adapter.create("New team", people_asked[:limit])
    await chunked(
        harness,
        Action.ADD,
        people_asked[limit:],
        next(group for group in harness.world.groups if group != harness.provider.group),
    )


async def list_groups(harness: Harness, people_asked: Sequence[Person]) -> None:
    assert len([group async for group in harness.adapter.groups()]) == len(people_asked)


async def list_members(harness: Harness, people_asked: Sequence[Person]) -> None:
    assert len([member async for member in harness.adapter.members(harness.provider.group)]) >= len(people_asked)


async def read_membership(harness: Harness, people_asked: Sequence[Person]) -> None:
    await harness.adapter.membership(harness.provider.group, people_asked)


RUNS: dict[Action, Count] = {
    Action.LIST_GROUPS: list_groups,
    Action.LIST_MEMBERS: list_members,
    Action.ADD: lambda harness, people_asked: chunked(harness, Action.ADD, people_asked, harness.provider.group),
    Action.REMOVE: lambda harness, people_asked: chunked(harness, Action.REMOVE, people_asked, harness.provider.group),
    Action.PROMOTE: lambda harness, people_asked: chunked(
        harness, Action.PROMOTE, people_asked, harness.provider.group
    ),
    Action.DEMOTE: lambda harness, people_asked: chunked(harness, Action.DEMOTE, people_asked, harness.provider.group),
    Action.CREATE: create,
    Action.CHECK_NUMBERS: lambda harness, people_asked: harness.adapter.check_numbers(people_asked),
}
MAX_COUNTED = 50
"""Calls for a hundred people: from here on, a thousand are not counted."""

CASES = [(provider, action) for action in RUNS for provider in PROVIDER_CASES.values() if action in provider.abilities]


async def count(provider: ProviderCase, action: Action, size: int) -> int:
    async with open_with_people(provider, checked=False) as harness:
        if action is Action.LIST_GROUPS:
            for number in range(size - 1):
                harness.world.put_group(str(9_000 + number) + provider.group, f"Team {number}")
        elif action not in {Action.ADD, Action.CREATE, Action.CHECK_NUMBERS}:
            role = "admin" if action is Action.DEMOTE else "member"
            harness.world.put_group(provider.group, "Launch team", [provider.own or "14155550101", *phones(size)])
            for phone, member in harness.group.members.items():
                member.role = role if phone != provider.own else "admin"
        await RUNS[action](harness, people(*phones(size)))
        return len(harness.server.calls)


@pytest.mark.parametrize(("provider", "action"), CASES, ids=[f"{provider.name}-{action}" for provider, action in CASES])
async def test_an_operation_takes_the_calls_that_the_table_says(provider: ProviderCase, action: Action) -> None:
    *table, thousand = CALLS[action][provider.name]
    *sizes, thousand_people = SIZES
    assert [await count(provider, action, size) for size in sizes] == table
    if table[-1] < MAX_COUNTED:
        assert await count(provider, action, thousand_people) == thousand
    else:  # about one for each person, and so it goes on: to count them takes seconds
        assert thousand == pytest.approx(table[-1] * thousand_people / sizes[-1], rel=0.1)


def test_the_table_leaves_nothing_out() -> None:
    assert {(provider.name, action) for provider, action in CASES} == {
        (name, a) for a, names in CALLS.items() for name in names
    }
