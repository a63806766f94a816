from collections.abc import AsyncIterator

import pytest

from providers.base import Evidence, Outcome, OutcomeUnknown
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.twochat_bench import ADD, GROUP, NUMBER, Bench, outcomes, people, twochat

ANA = "14155550101"
OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""
PAIRS = [(OLD, NEW), (NEW, OLD), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with twochat() as bench:
        yield bench
        assert bench.transport.broken == []


def sent(bench: Bench) -> list[str]:
    """Give what was asked for, call by call: the numbers of a change, and those that were checked."""
    return [
        " ".join(call.body["participants"]) if call.method == "POST" else f"check {call.path.rpartition('/')[2]}"
        for call in bench.server.calls
        if call.path != f"/open/whatsapp/group/{GROUP}"
    ]


@pytest.mark.parametrize(("listed", "typed"), PAIRS)
async def test_a_member_is_changed_under_the_form_in_which_the_number_is_listed(
    bench: Bench, listed: str, typed: str
) -> None:
    group = bench.world.put_group(GROUP, "Launch team", [NUMBER, listed])
    await bench.adapter.membership(GROUP, people(typed, ANA))
    await bench.adapter.promote(GROUP, people(typed))
    assert group.members[listed].role == "admin"
    assert outcomes(await bench.adapter.remove(GROUP, people(typed, ANA)))[typed] is Outcome.REMOVED
    assert sent(bench) == [f"+{listed}", f"+{listed} +{ANA}"]


async def test_a_number_is_named_as_typed_where_the_list_shows_it_so_too(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [NUMBER, OLD, NEW])
    await bench.adapter.membership(GROUP, people(NEW))
    assert outcomes(await bench.adapter.remove(GROUP, people(NEW))) == {NEW: Outcome.REMOVED}
    assert [*bench.world.groups[GROUP].members] == [NUMBER, OLD]


async def test_two_typed_forms_of_one_member_are_sent_once(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [NUMBER, OLD])
    await bench.adapter.membership(GROUP, people(NEW))
    await bench.adapter.remove(GROUP, people(NEW, OLD))
    assert sent(bench) == [f"+{OLD}"]


@pytest.mark.parametrize("with_entry", [True, False])
@pytest.mark.parametrize(("known", "typed"), PAIRS)
async def test_a_number_that_is_known_in_its_other_form_is_added_in_that(
    bench: Bench, known: str, typed: str, with_entry: bool
) -> None:
    bench.server.unaccepted_have_entries = with_entry
    bench.world.put_person(typed, Disposition.NO_ACCOUNT)
    result = await bench.adapter.add(GROUP, people(ANA, typed))
    assert outcomes(result) == {ANA: Outcome.ADDED, typed: Outcome.ADDED}
    assert sent(bench) == [f"+{ANA} +{typed}", f"check +{typed}", f"check +{known}", f"+{known}"]
    assert {*bench.world.groups[GROUP].members} == {NUMBER, ANA, known}
    assert outcomes(await bench.adapter.remove(GROUP, people(typed))) == {typed: Outcome.REMOVED}


async def test_a_number_no_form_of_which_has_an_account_is_not_on_whatsapp(bench: Bench) -> None:
    for phone in (OLD, NEW):
        bench.world.put_person(phone, Disposition.NO_ACCOUNT)
    (verdict,) = (await bench.adapter.add(GROUP, people(NEW))).verdicts
    assert (verdict.outcome, verdict.evidence) == (Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED)
    assert bench.writes() == [200]


async def test_a_number_with_one_form_costs_no_further_call(bench: Bench) -> None:
    bench.world.put_person(ANA, Disposition.NO_ACCOUNT)
    await bench.adapter.add(GROUP, people(ANA))
    assert sent(bench) == [f"+{ANA}"]


@pytest.mark.parametrize("status", [402, 429, 503])
async def test_a_check_that_fails_leaves_the_first_answer(bench: Bench, status: int) -> None:
    bench.world.put_person(NEW, Disposition.NO_ACCOUNT)
    bench.server.faults = [InjectedFault("check-number", status=status, times=-1)]
    result = await bench.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.FAILED}
    assert result.error is None


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown(bench: Bench) -> None:
    bench.world.put_person(NEW, Disposition.NO_ACCOUNT)
    bench.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
    result = await bench.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
    assert isinstance(result.error, OutcomeUnknown)
    assert OLD in bench.world.groups[GROUP].members
