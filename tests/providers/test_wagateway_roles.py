import pytest

from providers.base import (
    AccountDisconnected,
    Evidence,
    GroupNotFound,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    Person,
    ProviderError,
    ProviderFault,
    Verdict,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition, Effect
from tests.providers.harness import ANA, BEN, CAT, DAN, people
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"
CHECK = f"GET {ROOT}/contacts/check"

READ_GROUP = f"GET {ROOT}/groups/{GROUP}"
VERBS = ["remove", "promote", "demote"]


@pytest.fixture
def wagateway(wagateway: WaGatewayHarness) -> WaGatewayHarness:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN, CAT])
    return wagateway


def line(verb: str, phone: str) -> str:
    member = f"{ROOT}/groups/{GROUP}/members/{phone}@s.whatsapp.net"
    return f"DELETE {member}" if verb == "remove" else f"POST {member}/{verb}"


async def call(wagateway: WaGatewayHarness, verb: str, *phones: str) -> tuple[list[Outcome], ProviderError | None]:
    result = await getattr(wagateway.adapter, verb)(GROUP, people(*phones))
    assert [verdict.key for verdict in result.verdicts] == [f"+{phone}" for phone in phones]
    unknown = [verdict for verdict in result.verdicts if verdict.outcome is Outcome.UNKNOWN]
    assert all(verdict.evidence is Evidence.NONE for verdict in unknown)
    return [verdict.outcome for verdict in result.verdicts], result.error


@pytest.mark.parametrize(
    ("verb", "statuses"),
    [
        ("remove", [MembershipStatus.ABSENT, MembershipStatus.ABSENT]),
        ("promote", [MembershipStatus.ADMIN, MembershipStatus.ADMIN]),
        ("demote", [MembershipStatus.MEMBER, MembershipStatus.MEMBER]),
    ],
)
async def test_a_success_confirms_the_status_of_each_person_now(
    wagateway: WaGatewayHarness, verb: str, statuses: list[MembershipStatus]
) -> None:
    wagateway.world.promote(GROUP, ANA)
    result = await getattr(wagateway.adapter, verb)(GROUP, people(ANA, BEN))
    assert result.verdicts == tuple(
        Verdict(f"+{phone}", Outcome.CONFIRMED, Evidence.REPORTED, "204") for phone in (ANA, BEN)
    )
    assert wagateway.requests() == [line(verb, ANA), line(verb, BEN)]
    assert list((await wagateway.membership(ANA, BEN)).values()) == statuses


async def test_nothing_is_sent_while_the_form_of_the_number_is_open(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=200, body='{"query": "5511987654321"}')]
    with pytest.raises(ProviderFault):
        await wagateway.adapter.remove(GROUP, people("5511987654321"))
    assert wagateway.requests() == [CHECK]


async def test_removing_somebody_who_is_not_there_says_the_same(wagateway: WaGatewayHarness) -> None:
    assert await call(wagateway, "remove", DAN) == ([Outcome.CONFIRMED], None)
    assert [event.effect for event in wagateway.world.events] == [Effect.NOT_A_MEMBER]


@pytest.mark.parametrize("verb", ["promote", "demote"])
async def test_a_role_for_somebody_who_is_not_there_fails_for_them_alone(
    wagateway: WaGatewayHarness, verb: str
) -> None:
    outcomes, error = await call(wagateway, verb, DAN, ANA, "14155550105")
    assert (outcomes, error) == ([Outcome.FAILED, Outcome.CONFIRMED, Outcome.FAILED], None)
    assert wagateway.requests() == [line(verb, DAN), READ_GROUP, line(verb, ANA), line(verb, "14155550105")]


async def test_a_role_in_a_group_that_is_not_there_stops_the_sender(wagateway: WaGatewayHarness) -> None:
    del wagateway.world.groups[GROUP]
    with pytest.raises(GroupNotFound):
        await wagateway.adapter.promote(GROUP, people(ANA, BEN))
    assert wagateway.requests() == [line("promote", ANA), READ_GROUP]


@pytest.mark.parametrize("verb", VERBS)
async def test_an_error_that_stops_the_sender_keeps_what_is_known(wagateway: WaGatewayHarness, verb: str) -> None:
    wagateway.server.faults = [InjectedFault(line(verb, BEN), status=501)]
    outcomes, error = await call(wagateway, verb, ANA, BEN, CAT)
    assert outcomes == [Outcome.CONFIRMED, Outcome.FAILED, Outcome.NOT_ATTEMPTED]
    assert isinstance(error, AccountDisconnected)
    assert wagateway.requests() == [line(verb, ANA), line(verb, BEN)]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(-1, Outcome.UNKNOWN), (503, Outcome.UNKNOWN), (409, Outcome.UNKNOWN), (400, Outcome.FAILED)],
)
async def test_an_error_of_one_person_does_not_stop_the_others(
    wagateway: WaGatewayHarness, status: int, outcome: Outcome
) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN, CAT])
    wagateway.server.faults = [InjectedFault(line("remove", ANA), status=status)]
    assert await call(wagateway, "remove", ANA, BEN) == ([outcome, Outcome.CONFIRMED], None)
    assert wagateway.requests() == [line("remove", ANA), line("remove", BEN)]


async def test_an_account_that_is_no_admin_is_told_before_anything_is_done(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    with pytest.raises(NotGroupAdmin):
        await wagateway.adapter.remove(GROUP, people(ANA, BEN))
    assert wagateway.requests() == [line("remove", ANA), INVITE]


async def test_a_member_is_removed_by_the_form_that_whatsapp_has_of_the_number(wagateway: WaGatewayHarness) -> None:
    typed, listed = "5511987654321", "551187654321"
    wagateway.world.put_person(typed, Disposition.NO_ACCOUNT)
    wagateway.world.put_group(GROUP, "Launch team", [listed, ANA])
    await call(wagateway, "remove", typed)
    assert wagateway.requests() == [CHECK, CHECK, line("remove", listed)]
    assert await wagateway.membership(typed) == {typed: MembershipStatus.ABSENT}


async def test_who_was_seen_in_the_group_is_addressed_without_a_check(wagateway: WaGatewayHarness) -> None:
    typed, listed = "5511987654321", "551187654321"
    wagateway.world.put_group(GROUP, "Launch team", [listed, ANA])
    assert await wagateway.membership(typed) == {typed: MembershipStatus.MEMBER}
    before = len(wagateway.requests())
    assert await call(wagateway, "promote", typed) == ([Outcome.CONFIRMED], None)
    assert wagateway.requests()[before:] == [line("promote", listed)]


async def test_a_person_known_by_lid_alone_is_removed_by_phone_or_found_invalid(wagateway: WaGatewayHarness) -> None:
    ana, nobody = Person("a", lid=wagateway.lid(ANA)), Person("b", lid="77@lid")
    result = await wagateway.adapter.remove(GROUP, [nobody, ana])
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.INVALID, Outcome.CONFIRMED]
    assert ANA not in wagateway.group.members
