import pytest

from providers.base import (
    Evidence,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Effect
from tests.providers.harness import ANA, BEN, CAT, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
PATH = WACR.prefix
JOIN = f"POST {PATH}/groups/{GROUP}/contacts"
CREATE = f"POST {PATH}/contacts"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)

ODD_ANSWERS = [" ", '{"data": {"contacts_', "3", '{"data": {}}']


@pytest.fixture
def wacr(wacr: WacrHarness) -> WacrHarness:
    """Return a tenant that knows Ana and Ben, and not Cat."""
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.put_contact(f"+{BEN}")
    return wacr


@pytest.mark.parametrize("body", [*ODD_ANSWERS, "[]"])
async def test_an_unreadable_answer_to_a_new_contact_is_unknown(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(CREATE, "after", 200, body)]
    assert isinstance(await wacr.failed_add(CAT), OutcomeUnknown)
    assert wacr.effects() == {CAT: Effect.ADDED}
    assert await wacr.membership(CAT) == {CAT: MembershipStatus.PRESENT}


async def test_after_a_lost_answer_the_rest_is_not_attempted(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(JOIN, "after", -1)]
    result = await wacr.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert outcomes_with_evidence(result) == {ANA: UNKNOWN, BEN: UNKNOWN, CAT: NOT_ATTEMPTED}
    assert isinstance(result.error, OutcomeUnknown)
    assert set(wacr.group.members) == {ANA, BEN}


@pytest.mark.parametrize("status", [500, -1])
async def test_after_a_lost_creation_only_that_person_is_unknown(wacr: WacrHarness, status: int) -> None:
    wacr.server.faults = [InjectedFault(CREATE, "after", status, skip=1)]
    result = await wacr.adapter.add(GROUP, people(ANA, CAT, "14155550104"))
    assert outcomes_with_evidence(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        CAT: ADDED,
        "14155550104": UNKNOWN,
    }
    assert isinstance(result.error, OutcomeUnknown)
