import pytest

from providers.base import Evidence, Outcome, OutcomeUnknown
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, outcomes, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
ADD = f"POST /{WASEND.account}/groups/{GROUP}/participants/add"

OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""
PAIRS = [(OLD, NEW), (NEW, OLD), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]


@pytest.mark.parametrize(("listed", "typed"), PAIRS)
async def test_a_member_is_changed_under_the_form_in_which_the_number_is_listed(
    variant: WasendHarness, listed: str, typed: str
) -> None:
    group = variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, listed])
    await variant.adapter.membership(GROUP, people(typed, ANA))
    await variant.adapter.promote(GROUP, people(typed))
    assert group.members[listed].role == "admin"
    await variant.adapter.demote(GROUP, people(typed))
    assert group.members[listed].role == "member"
    await variant.adapter.remove(GROUP, people(typed))
    assert [*group.members] == [OWN_PHONE]


async def test_a_number_that_is_known_in_its_other_form_is_added_in_that(wasend: WasendHarness) -> None:
    wasend.world.put_person(NEW, Disposition.NO_ACCOUNT)
    result = await wasend.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.ADDED}
    assert [call.query.get("phone") or call.body["participants"] for call in wasend.server.calls] == [
        [f"+{ANA}", f"+{NEW}"],
        NEW,
        OLD,
        [f"+{OLD}"],
    ]
    assert {*wasend.group.members} == {OWN_PHONE, ANA, OLD}


async def test_a_number_no_form_of_which_has_an_account_is_not_on_whatsapp(wasend: WasendHarness) -> None:
    for phone in (OLD, NEW, ANA):
        wasend.world.put_person(phone, Disposition.NO_ACCOUNT)
    result = await wasend.adapter.add(GROUP, people(NEW, ANA))
    assert {(v.outcome, v.evidence) for v in result.verdicts} == {(Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED)}
    assert [call.query.get("phone") for call in wasend.server.calls] == [None, NEW, OLD]


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown(wasend: WasendHarness) -> None:
    wasend.world.put_person(NEW, Disposition.NO_ACCOUNT)
    wasend.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
    result = await wasend.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
    assert isinstance(result.error, OutcomeUnknown)
