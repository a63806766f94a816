from providers.base import Outcome, OutcomeUnknown
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


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown(wasend: WasendHarness) -> None:
    wasend.world.put_person(NEW, Disposition.NO_ACCOUNT)
    wasend.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
    result = await wasend.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
    assert isinstance(result.error, OutcomeUnknown)
