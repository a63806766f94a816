from collections.abc import AsyncIterator

import pytest

from providers.base import Evidence, Outcome, OutcomeUnknown
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE, Shape
from sandbox.providers.world import Disposition
from tests.providers.wasend_bench import ADD, GROUP, Bench, outcomes, people, wasend

ANA = "14155550101"
OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""
PAIRS = [(OLD, NEW), (NEW, OLD), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]


@pytest.fixture(params=["docs", "sdk"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    variant: Shape = request.param
    async with wasend(variant=variant) as bench:
        yield bench


@pytest.mark.parametrize(("listed", "typed"), PAIRS)
async def test_a_member_is_changed_under_the_form_in_which_the_number_is_listed(
    bench: Bench, listed: str, typed: str
) -> None:
    group = bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, listed])
    await bench.adapter.membership(GROUP, people(typed, ANA))
    await bench.adapter.promote(GROUP, people(typed))
    assert group.members[listed].role == "admin"
    await bench.adapter.demote(GROUP, people(typed))
    assert group.members[listed].role == "member"
    await bench.adapter.remove(GROUP, people(typed))
    assert [*group.members] == [OWN_PHONE]


async def test_a_number_that_is_known_in_its_other_form_is_added_in_that() -> None:
    async with wasend() as bench:
        bench.world.put_person(NEW, Disposition.NO_ACCOUNT)
        result = await bench.adapter.add(GROUP, people(ANA, NEW))
        assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.ADDED}
        assert [call.query.get("phone") or call.body["participants"] for call in bench.server.calls] == [
            [f"+{ANA}", f"+{NEW}"],
            NEW,
            OLD,
            [f"+{OLD}"],
        ]
        assert {*bench.world.groups[GROUP].members} == {OWN_PHONE, ANA, OLD}
        assert bench.breaches() == []


async def test_a_number_no_form_of_which_has_an_account_is_not_on_whatsapp() -> None:
    async with wasend() as bench:
        for phone in (OLD, NEW, ANA):
            bench.world.put_person(phone, Disposition.NO_ACCOUNT)
        result = await bench.adapter.add(GROUP, people(NEW, ANA))
        assert {(v.outcome, v.evidence) for v in result.verdicts} == {(Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED)}
        assert [call.query.get("phone") for call in bench.server.calls] == [None, NEW, OLD]


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown() -> None:
    async with wasend() as bench:
        bench.world.put_person(NEW, Disposition.NO_ACCOUNT)
        bench.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
        result = await bench.adapter.add(GROUP, people(ANA, NEW))
        assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
        assert isinstance(result.error, OutcomeUnknown)
