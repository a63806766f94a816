import pytest

from providers.base import (
    Cause,
    Evidence,
    MembershipStatus,
    Operation,
    Outcome,
    Person,
    Verdict,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition, Effect
from tests.providers.harness import ANA, BEN, CAT, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
ADD = f"POST {ROOT}/groups/{GROUP}/members"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"


async def test_the_204_says_nothing_of_anybody_and_a_failed_check_keeps_its_words(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert result.error is None
    assert set(result.verdicts) == {
        Verdict(f"+{ANA}", Outcome.UNKNOWN, Evidence.NONE, "204"),
        Verdict(
            f"+{BEN}",
            Outcome.NOT_ON_WHATSAPP,
            Evidence.REPORTED,
            "isOnWhatsApp: false",
            "The number isn't on WhatsApp.",
            Cause.INVALID,
        ),
    }
    assert [(event.phone, event.effect) for event in wagateway.world.events] == [(ANA, Effect.ADDED)]


async def test_nothing_is_sent_when_nobody_has_an_account(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    result = await wagateway.adapter.add(GROUP, people(BEN))
    assert [v.outcome for v in result.verdicts] == [Outcome.NOT_ON_WHATSAPP]
    assert wagateway.requests() == [CHECK]


async def test_an_add_costs_one_check_for_each_new_number_and_one_post(wagateway: WaGatewayHarness) -> None:
    await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert wagateway.requests() == [CHECK, CHECK, ADD]
    await wagateway.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert wagateway.requests()[3:] == [CHECK, ADD]
    assert wagateway.server.calls[-1].body == {"participants": [f"{p}@s.whatsapp.net" for p in (ANA, BEN, CAT)]}


async def test_a_number_without_an_account_is_checked_again_for_it_may_get_one(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(ANA, Disposition.NO_ACCOUNT)
    await wagateway.adapter.add(GROUP, people(ANA))
    wagateway.world.put_person(ANA, Disposition.OPEN)
    result = await wagateway.adapter.add(GROUP, people(ANA))
    assert [v.outcome for v in result.verdicts] == [Outcome.UNKNOWN]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.MEMBER}


@pytest.mark.parametrize("disposition", [Disposition.PRIVATE, Disposition.BLOCKED, Disposition.RECENTLY_LEFT])
async def test_a_silent_decline_stays_unknown_after_reading_back(
    wagateway: WaGatewayHarness, disposition: Disposition
) -> None:
    wagateway.world.put_person(ANA, disposition)
    verdicts = await run_operation(wagateway.adapter, GROUP, Operation.ADD, people(*[ANA]))
    assert verdicts == [Verdict(f"+{ANA}", Outcome.UNKNOWN, Evidence.NONE, "204")]


async def test_two_forms_of_one_number_are_added_once(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person("551187654321", Disposition.OPEN, also="5511987654321")
    result = await wagateway.adapter.add(GROUP, people("5511987654321", "551187654321"))
    assert len(result.verdicts) == 2
    assert wagateway.server.calls[-1].body == {"participants": ["551187654321@s.whatsapp.net"]}


async def test_the_form_that_was_typed_is_checked_first(wagateway: WaGatewayHarness) -> None:
    await wagateway.adapter.add(GROUP, people("5511987654321"))
    assert [call.query for call in wagateway.server.calls] == [{"phone": "5511987654321"}, {}]


async def test_a_check_without_an_answer_does_not_keep_anybody_from_being_added(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=200, body='{"query": "14155550101"}')]
    result = await wagateway.adapter.add(GROUP, people(ANA))
    assert [v.outcome for v in result.verdicts] == [Outcome.UNKNOWN]
    assert list(wagateway.group.members) == [ANA]


async def test_a_number_that_the_check_finds_malformed_fails_and_the_others_are_added(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=400)]
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert sorted(v.outcome for v in result.verdicts) == [Outcome.FAILED, Outcome.UNKNOWN]
    reported = next(v for v in result.verdicts if v.outcome is Outcome.FAILED)
    assert (reported.evidence, reported.provider_code) == (Evidence.REPORTED, "validation_error")
    assert len(wagateway.group.members) == 1


async def test_a_person_known_by_lid_is_added_by_the_phone_behind_it(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group("120363000000000002@g.us", "Others", [ANA])
    person = Person("someone", lid=wagateway.lid(ANA))
    result = await wagateway.adapter.add(GROUP, [person])
    assert result.verdicts == (Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, "204"),)
    assert await wagateway.adapter.membership(GROUP, [person]) == {person.key: MembershipStatus.MEMBER}


async def test_the_whole_path_costs_few_calls(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    await run_operation(wagateway.adapter, GROUP, Operation.ADD, people(*[ANA]))
    contact = f"{CONTACTS}/{{}}".format
    count = f"GET {ROOT}/groups/{GROUP}"
    before = [MEMBERS, contact(wagateway.lid(CAT)), count]
    assert wagateway.requests() == [*before, CHECK, ADD, MEMBERS, contact(wagateway.lid(ANA)), count]
