import httpx
import pytest
from aiohttp import web

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    Unreachable,
)
from providers.wagateway import make
from sandbox.http import serve
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, TOKEN, open_provider, people
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
SESSION = WAGATEWAY.account
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
ADD = f"POST {ROOT}/groups/{GROUP}/members"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"


async def failed_add(wagateway: WaGatewayHarness, *phones: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await wagateway.adapter.add(GROUP, people(*phones or (ANA, BEN)))
    assert TOKEN not in str(caught.value)
    assert ANA not in str(caught.value)
    return caught.value


async def failed_read(wagateway: WaGatewayHarness) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await wagateway.adapter.membership(GROUP, people(ANA))
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, CredentialsRejected, "unauthorized"),
        (404, GroupNotFound, "not_found"),
        (429, RateLimited, "rate_limited"),
        (501, AccountDisconnected, "not_implemented"),
        (500, OutcomeUnknown, "internal"),
        (503, OutcomeUnknown, "internal"),
    ],
)
async def test_every_status_of_an_add_has_its_meaning_and_is_not_sent_twice(
    wagateway: WaGatewayHarness, status: int, kind: type[ProviderError], code: str
) -> None:
    wagateway.server.faults = [InjectedFault(ADD, status=status)]
    error = await failed_add(wagateway)
    assert type(error) is kind
    assert error.code == code
    assert "{" not in error.provider_text
    assert wagateway.requests().count(ADD) == 1


@pytest.mark.parametrize("spoils", [True, False])
async def test_a_400_to_several_leaves_open_whether_the_good_ones_were_added(
    wagateway: WaGatewayHarness, spoils: bool
) -> None:
    wagateway.server.faults = [InjectedFault(ADD, when="before" if spoils else "after", status=400)]
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    error = await failed_add(wagateway)
    assert isinstance(error, OutcomeUnknown)
    assert error.code == "validation_error"
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT if spoils else MembershipStatus.MEMBER}


async def test_a_400_to_a_list_of_one_did_nothing(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(ADD, status=400)]
    assert isinstance(await failed_add(wagateway, ANA), InvalidRequest)


async def test_a_403_means_no_group_admin_when_the_invite_is_forbidden_too(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    error = await failed_add(wagateway)
    assert isinstance(error, NotGroupAdmin)
    assert str(error) == "The account isn't an admin of the group."
    assert error.code == "forbidden"
    assert wagateway.requests()[-2:] == [ADD, INVITE]


async def test_a_403_means_a_missing_permission_when_an_admins_invite_can_be_read(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"read"})
    error = await failed_add(wagateway)
    assert isinstance(error, PermissionMissing)
    assert "`send`" in str(error)


async def test_a_403_names_both_causes_when_nothing_tells_them_apart(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    wagateway.server.faults = [InjectedFault(INVITE, status=500, times=-1)]
    error = await failed_add(wagateway)
    assert isinstance(error, NotGroupAdmin)
    assert "`send`" in str(error)


async def test_a_token_without_read_cannot_check_and_adds_nobody(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"send"})
    assert isinstance(await failed_add(wagateway), PermissionMissing)
    assert isinstance(await failed_read(wagateway), PermissionMissing)
    assert wagateway.world.events == []


async def test_a_bad_token_is_told_by_every_call() -> None:
    async with open_provider(WAGATEWAY, token="not-the-token") as wagateway:
        assert isinstance(await failed_add(wagateway), CredentialsRejected)
        assert isinstance(await failed_read(wagateway), CredentialsRejected)
        with pytest.raises(CredentialsRejected):
            await wagateway.adapter.account()


async def test_an_api_key_may_stand_in_either_header(wagateway: WaGatewayHarness) -> None:
    async with httpx.AsyncClient(headers={"x-api-key": TOKEN}) as client:
        answer = await client.get(f"{wagateway.url}/api/v1/sessions/{SESSION}/groups")
    assert answer.status_code == 200


async def test_a_disconnected_session_is_read_and_cannot_add(wagateway: WaGatewayHarness) -> None:
    wagateway.server.account_state = "disconnected"
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    before = len(wagateway.requests())
    error = await failed_add(wagateway)
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
    assert isinstance(await failed_add(wagateway, *phones), CredentialsRejected)
    assert set(wagateway.requests()) == {CHECK}
    assert len(wagateway.requests()) <= 4


async def test_an_unknown_group_is_told(wagateway: WaGatewayHarness) -> None:
    del wagateway.world.groups[GROUP]
    assert isinstance(await failed_add(wagateway), GroupNotFound)
    assert isinstance(await failed_read(wagateway), GroupNotFound)


@pytest.mark.parametrize(("headers", "wait"), [({}, None), ({"Retry-After": "77"}, 77.0)])
async def test_a_429_says_how_long_to_wait_where_the_gateway_says_it(
    wagateway: WaGatewayHarness, headers: dict[str, str], wait: float | None
) -> None:
    wagateway.server.faults = [InjectedFault(ADD, status=429, headers=headers)]
    error = await failed_add(wagateway)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


@pytest.mark.parametrize(("retry_after", "tries"), [("0", 4), ("3600", 1)])
async def test_a_429_to_a_check_is_waited_out_when_short_and_passed_on_when_long(
    wagateway: WaGatewayHarness, retry_after: str, tries: int
) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=429, headers={"Retry-After": retry_after}, times=-1)]
    assert isinstance(await failed_add(wagateway, ANA), RateLimited)
    assert wagateway.requests() == [CHECK] * tries


ODD_BODIES = ["<html>Oops</html>", " ", "[1]", '{"error": {"co']


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeUnknown),
        (202, OutcomeUnknown),
        (404, GroupNotFound),
        (408, OutcomeUnknown),
        (409, OutcomeUnknown),
        (418, OutcomeUnknown),
        (501, OutcomeUnknown),
        (502, OutcomeUnknown),
    ],
)
async def test_answers_that_are_not_documented_are_survived(
    wagateway: WaGatewayHarness, status: int, kind: type[ProviderError]
) -> None:
    for body in ODD_BODIES:
        wagateway.server.faults = [InjectedFault(ADD, status=status, body=body)]
        error = await failed_add(wagateway)
        assert type(error) is kind
        assert len(error.provider_text) <= 300


@pytest.mark.parametrize(
    ("status", "when"), [(-1, "before"), (-1, "after"), (0, "after"), (409, "before"), (409, "after"), (424, "after")]
)
async def test_an_add_without_an_answer_or_with_one_that_is_not_documented_is_unknown_and_reading_back_tells(
    wagateway: WaGatewayHarness, status: int, when: str
) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    wagateway.server.faults = [InjectedFault(ADD, when="before" if when == "before" else "after", status=status)]
    assert isinstance(await failed_add(wagateway), OutcomeUnknown)
    assert len(wagateway.world.events) == (0 if when == "before" else 2)
    expected = MembershipStatus.ABSENT if when == "before" else MembershipStatus.MEMBER
    assert await wagateway.membership(ANA, BEN) == {ANA: expected, BEN: expected}


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


async def test_a_member_list_of_another_shape_is_a_fault(wagateway: WaGatewayHarness) -> None:
    for body in ("<html></html>", '{"data": [', "[]", '{"data": null}', '{"data": [7]}', '{"data": [{"lid": {}}]}'):
        wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=body)]
        assert type(await failed_read(wagateway)) is ProviderFault


async def test_a_contact_that_cannot_be_read_is_an_error_and_no_absence(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [BEN])
    wagateway.server.faults = [InjectedFault(f"{CONTACTS}/", status=500, times=-1)]
    assert type(await failed_read(wagateway)) is ProviderFault


async def test_bytes_that_are_no_text_leave_an_add_unknown() -> None:
    async def check(_: web.Request) -> web.Response:
        return web.json_response({"isOnWhatsApp": True})

    async def add(_: web.Request) -> web.Response:
        return web.Response(body=b"\xff\xfe{", content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", check), web.post("/{path:.*}", add)])
    async with serve(app) as url:
        adapter = make(base_url=url, token=TOKEN, account=SESSION)
        with pytest.raises(OutcomeUnknown):
            await adapter.add(GROUP, people(ANA))
        await adapter.aclose()


async def test_a_redirect_points_at_the_base_url(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [
        InjectedFault(ADD, status=302, body="moved", headers={"Location": "https://elsewhere.example/"})
    ]
    error = await failed_add(wagateway)
    assert type(error) is OutcomeUnknown
    assert "base_url" in str(error)


async def test_nobody_listening_means_that_nothing_left() -> None:
    async with open_provider(WAGATEWAY) as closed:
        url = closed.url
    adapter = make(base_url=url, token=TOKEN, account=SESSION)
    with pytest.raises(Unreachable):
        await adapter.add(GROUP, people(ANA))
    await adapter.aclose()


@pytest.mark.parametrize("suffix", ["", "/", "/api/v1", "/api/v1/"])
async def test_the_base_url_may_end_in_the_contracts_base_path(wagateway: WaGatewayHarness, suffix: str) -> None:
    adapter = make(base_url=wagateway.url + suffix, token=TOKEN, account=SESSION)
    assert (await adapter.group(GROUP)).id == GROUP
    await adapter.aclose()


@pytest.mark.parametrize(
    ("base_url", "account", "missing"), [(None, SESSION, "base_url"), ("https://gateway.example", "", "account")]
)
def test_host_and_session_must_be_given(base_url: str | None, account: str, missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        make(base_url=base_url, token=TOKEN, account=account)
