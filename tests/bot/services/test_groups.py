import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

from bot.domain.groups import (
    ConfiguredGroup,
    GroupAmbiguous,
    GroupCatalog,
    GroupFound,
    GroupRef,
    GroupUnknown,
    KnownGroup,
    Resolution,
)
from bot.services.groups import GROUP_LIST_TTL, GroupDirectory
from providers.base import (
    Ability,
    Account,
    AccountState,
    Action,
    Group,
    MembershipReading,
    PeopleResult,
    Person,
    Provider,
    ProviderFault,
)

CATALOG = GroupCatalog({GroupRef("support", "1@g.us"): ConfiguredGroup("launch-team")})


class Lists(Provider):
    """A provider that lists groups as the test tells it to; whatever else is asked of it is a mistake."""

    abilities: ClassVar[Mapping[Action, Ability]] = {}

    def __init__(self, *groups: Group) -> None:
        self.listed = list(groups)
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.calls = 0

    async def groups(self, search: str = "") -> AsyncIterator[Group]:
        self.calls += 1
        self.begun.set()
        for group in self.listed:
            if group.matches(search):
                yield group
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def group(self, group_id: str) -> Group:
        raise AssertionError(group_id)

    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        raise AssertionError(group_id, people)

    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        raise AssertionError(group_id, people)

    async def account(self) -> Account:
        return Account(AccountState.UNKNOWN)

    async def aclose(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def _directory(clock: Clock | None = None, **providers: Lists) -> AsyncIterator[GroupDirectory]:
    directory = GroupDirectory(CATALOG, providers, clock=clock or Clock())
    try:
        yield directory
    finally:
        await directory.aclose()


def _ids(resolution: Resolution) -> list[str]:
    match resolution:
        case GroupFound(group):
            return [group.id]
        case GroupAmbiguous(candidates):
            return [group.id for group in candidates]
        case GroupUnknown():
            return []


async def test_an_alias_is_found_without_a_call_to_a_provider() -> None:
    lists = Lists(Group("1@g.us", "Launch"))
    async with _directory(support=lists) as directory:
        named = GroupFound(KnownGroup("support", "1@g.us", "launch-team"))
        assert await directory.find("Launch-Team", max_wait=10) == named
        assert await directory.find("1@g.us", max_wait=10) == named
    assert lists.calls == 0


async def test_a_group_is_found_by_its_subject_and_its_id() -> None:
    async with _directory(support=Lists(Group("2@g.us", "Class of 2030"))) as directory:
        wanted = GroupFound(KnownGroup("support", "2@g.us", "", "Class of 2030"))
        assert await directory.find("class of  2030", max_wait=10) == wanted
        assert await directory.find("2@g.us", max_wait=10) == wanted


async def test_an_aliased_group_carries_its_subject_once_that_is_known() -> None:
    async with _directory(support=Lists(Group("1@g.us", "Launch"))) as directory:
        named = GroupFound(KnownGroup("support", "1@g.us", "launch-team", "Launch"))
        assert await directory.find("Launch", max_wait=10) == named
        assert await directory.find("launch-team", max_wait=10) == named
        assert list(directory.known()) == [named.group]


async def test_the_same_id_at_two_connections_is_two_groups() -> None:
    providers = {"support": Lists(Group("2@g.us", "A")), "sales": Lists(Group("2@g.us", "B"), Group("1@g.us", "C"))}
    async with _directory(None, **providers) as directory:
        assert _ids(await directory.find("2@g.us", max_wait=10)) == ["2@g.us", "2@g.us"]
        assert [(g.connection, g.alias, g.subject) for g in directory.known()] == [
            ("support", "launch-team", ""),
            ("support", "", "A"),
            ("sales", "", "B"),
            ("sales", "", "C"),
        ]


async def test_a_list_is_read_again_only_when_it_is_not_fresh() -> None:
    clock, lists = Clock(), Lists(Group("2@g.us", "Old"))
    async with _directory(clock, support=lists) as directory:
        await directory.refresh(max_wait=10)
        lists.listed = [Group("2@g.us", "New")]
        clock.now += GROUP_LIST_TTL - 1
        assert _ids(await directory.find("New", max_wait=10)) == []
        clock.now += 1
        assert _ids(await directory.find("New", max_wait=10)) == ["2@g.us"]
        assert _ids(await directory.find("Old", max_wait=10)) == []
    assert lists.calls == 2


async def test_what_is_outdated_is_read_again_also_while_it_is_being_read() -> None:
    lists = Lists(Group("2@g.us", "Old"))
    async with _directory(support=lists) as directory:
        await directory.refresh(max_wait=10)
        lists.listed = [Group("2@g.us", "New")]
        directory.invalidate("support")
        assert _ids(await directory.find("New", max_wait=10)) == ["2@g.us"]
        lists.gate.clear()
        lists.begun.clear()
        directory.invalidate("support")
        reading = asyncio.create_task(directory.find("Newer", max_wait=10))
        await lists.begun.wait()
        lists.listed = [Group("2@g.us", "Newer")]
        directory.invalidate("support")
        lists.gate.set()
        assert _ids(await reading) == ["2@g.us"]
    assert lists.calls == 4


async def test_a_provider_that_hangs_does_not_keep_the_others_from_answering() -> None:
    hanging, other = Lists(Group("2@g.us", "Hidden")), Lists(Group("3@g.us", "Seen"))
    hanging.gate.clear()
    async with _directory(support=hanging, sales=other) as directory:
        assert _ids(await directory.find("Seen", max_wait=0.02)) == ["3@g.us"]
        assert _ids(await directory.find("Hidden", max_wait=0.02)) == []
        hanging.gate.set()
        assert _ids(await directory.find("Hidden", max_wait=10)) == ["2@g.us"]
    assert hanging.calls == 1


async def test_lookups_at_once_share_one_reading() -> None:
    lists = Lists(Group("2@g.us", "Seen"))
    lists.gate.clear()
    async with _directory(support=lists) as directory:
        lookups = [asyncio.create_task(directory.find("Seen", max_wait=10)) for _ in range(5)]
        await asyncio.sleep(0)
        lists.gate.set()
        assert [_ids(found) for found in await asyncio.gather(*lookups)] == [["2@g.us"]] * 5
    assert lists.calls == 1


@pytest.mark.parametrize("error", [ProviderFault("the provider failed"), KeyError("a mistake of ours")])
async def test_an_error_keeps_the_list_that_was_read_before(error: Exception) -> None:
    lost: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    clock, lists, other = Clock(), Lists(Group("2@g.us", "Seen")), Lists(Group("3@g.us", "Other"))
    async with _directory(clock, support=lists, sales=other) as directory:
        await directory.refresh(max_wait=10)
        clock.now += GROUP_LIST_TTL
        lists.listed, lists.error = [], error
        assert _ids(await directory.find("Seen", max_wait=10)) == ["2@g.us"]
        assert _ids(await directory.find("Other", max_wait=10)) == ["3@g.us"]
        lists.listed, lists.error = [Group("4@g.us", "Again")], None
        assert _ids(await directory.find("Again", max_wait=10)) == ["4@g.us"]
    assert lost == []


async def test_closing_stops_a_reading_that_hangs() -> None:
    hanging = Lists()
    hanging.gate.clear()
    async with _directory(support=hanging) as directory:
        await directory.refresh(max_wait=0)
    assert len(asyncio.all_tasks()) == 1
