import httpx
import pytest

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderFault,
    RateLimited,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, TOKEN, people
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
SESSION = WAGATEWAY.account
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
ADD = f"POST {ROOT}/groups/{GROUP}/members"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"


@pytest.mark.parametrize("spoils", [True, False])
async def test_a_400_to_several_leaves_open_whether_the_good_ones_were_added(
    wagateway: WaGatewayHarness, spoils: bool
) -> None:
    wagateway.server.faults = [InjectedFault(ADD, when="before" if spoils else "after", status=400)]
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, OutcomeUnknown)
    assert error.code == "validation_error"
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT if spoils else MembershipStatus.MEMBER}


async def test_a_400_to_a_list_of_one_did_nothing(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(ADD, status=400)]
    assert isinstance(await wagateway.failed_add(ANA), InvalidRequest)


async def test_a_403_means_no_group_admin_when_the_invite_is_forbidden_too(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, NotGroupAdmin)
    assert str(error) == "The account isn't an admin of the group."
    assert error.code == "forbidden"
    assert wagateway.requests()[-2:] == [ADD, INVITE]


async def test_a_403_means_a_missing_permission_when_an_admins_invite_can_be_read(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"read"})
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, PermissionMissing)
    assert "`send`" in str(error)


async def test_a_403_names_both_causes_when_nothing_tells_them_apart(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    wagateway.server.faults = [InjectedFault(INVITE, status=500, times=-1)]
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, NotGroupAdmin)
    assert "`send`" in str(error)


async def test_a_token_without_read_cannot_check_and_adds_nobody(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"send"})
    assert isinstance(await wagateway.failed_add(ANA, BEN), PermissionMissing)
    assert isinstance(await wagateway.failed_read(ANA), PermissionMissing)
    assert wagateway.world.events == []


async def test_an_api_key_may_stand_in_either_header(wagateway: WaGatewayHarness) -> None:
    async with httpx.AsyncClient(headers={"x-api-key": TOKEN}) as client:
        answer = await client.get(f"{wagateway.url}/api/v1/sessions/{SESSION}/groups")
    assert answer.status_code == 200


async def test_a_disconnected_session_is_read_and_cannot_add(wagateway: WaGatewayHarness) -> None:
    wagateway.server.account_state = "disconnected"
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    before = len(wagateway.requests())
    error = await wagateway.failed_add(ANA, BEN)
    assert isinstance(error, AccountDisconnected)
    assert set(wagateway.requests()[before:]) == {CHECK}
    assert wagateway.world.events == []


async def test_a_session_lost_between_check_and_add_keeps_what_the_checks_told(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    wagateway.server.faults = [InjectedFault(ADD, status=501)]
    result = await wagateway.adapter.add(GROUP, people(ANA, BEN))
    assert isinstance(result.error, AccountDisconnected)
    assert {v.key: v.outcome for v in result.verdicts} == {
        f"+{ANA}": Outcome.FAILED,
        f"+{BEN}": Outcome.NOT_ON_WHATSAPP,
    }


async def test_a_check_that_cannot_be_had_sends_nothing_and_asks_no_further(wagateway: WaGatewayHarness) -> None:
    phones = [f"141555503{number:02}" for number in range(20)]
    wagateway.server.faults = [InjectedFault(CHECK, status=401, times=-1)]
    assert isinstance(await wagateway.failed_add(*phones), CredentialsRejected)
    assert set(wagateway.requests()) == {CHECK}
    assert len(wagateway.requests()) <= 4


@pytest.mark.parametrize(("retry_after", "tries"), [("0", 4), ("3600", 1)])
async def test_a_429_to_a_check_is_waited_out_when_short_and_passed_on_when_long(
    wagateway: WaGatewayHarness, retry_after: str, tries: int
) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=429, headers={"Retry-After": retry_after}, times=-1)]
    assert isinstance(await wagateway.failed_add(ANA), RateLimited)
    assert wagateway.requests() == [CHECK] * tries


async def test_reads_that_fail_once_are_tried_again(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [BEN])
    wagateway.server.faults = [
        InjectedFault(MEMBERS, status=-1),
        InjectedFault(f"{CONTACTS}/1", status=429),
        InjectedFault(CHECK, status=503),
    ]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    assert (await wagateway.adapter.add(GROUP, people(ANA))).error is None
    assert [fault.times for fault in wagateway.server.faults] == [0, 0, 0]


async def test_a_contact_that_cannot_be_read_is_an_error_and_no_absence(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [BEN])
    wagateway.server.faults = [InjectedFault(f"{CONTACTS}/", status=500, times=-1)]
    assert type(await wagateway.failed_read(ANA)) is ProviderFault
