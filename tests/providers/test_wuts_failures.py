import json
from collections.abc import AsyncIterator
from typing import Literal, TypeVar

import httpx
import pytest

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    Group,
    GroupNotFound,
    InvalidRequest,
    Outcome,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    SessionLost,
)
from providers.wuts import BASE_URL
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.contracts import CONTRACTS
from tests.providers.harness import ANA, BEN, TOKEN, open_provider, people
from tests.providers.provider_cases import WUTS, WutsHarness

GROUP = WUTS.group
ADD = f"POST /groups/{GROUP}/participants"
READ = f"GET /groups/{GROUP}"
CHECK = "POST /contact/check"

Error = TypeVar("Error", bound=ProviderError)
Shape = Literal["standard", "short", "bare", "nested"]
SHAPES: tuple[Shape, ...] = ("standard", "short", "bare", "nested")


@pytest.fixture
async def rough() -> AsyncIterator[WutsHarness]:
    """Where answers are injected that the contract does not have."""
    async with open_provider(WUTS) as wuts:
        yield wuts


def standard(code: str, words: str) -> str:
    body = {"success": False, "error": words, "error_code": code, "timestamp": "2026-06-15T13:45:02Z"}
    return json.dumps(body)


async def refused(wuts: WutsHarness, kind: type[Error]) -> Error:
    """Add one person and give the error; fails where the error is of another kind, or shows the person's number."""
    with pytest.raises(ProviderError) as raised:
        await wuts.adapter.add(GROUP, people(ANA))
    assert type(raised.value) is kind
    assert ANA not in str(raised.value)
    assert TOKEN not in str(raised.value)
    return raised.value


def _group(group_id: str, subject: str, size: int) -> Group:
    return Group(group_id, subject, size, description="", announce_only=False, locked=False)


async def test_groups_are_listed_and_one_is_read(wuts: WutsHarness) -> None:
    wuts.world.put_group("120363000000000002@g.us", "Night shift", [ANA, BEN])
    listed = [group async for group in wuts.adapter.groups()]
    assert listed == [_group(GROUP, "Launch team", 2), _group("120363000000000002@g.us", "Night shift", 3)]
    assert [group.subject async for group in wuts.adapter.groups("NIGHT")] == ["Night shift"]
    assert await wuts.adapter.group(GROUP) == listed[0]
    wuts.server.counts_members = False
    assert [group.size async for group in wuts.adapter.groups()] == [None, None]
    assert await wuts.adapter.group(GROUP) == listed[0]


async def test_a_device_without_groups_lists_none(rough: WutsHarness) -> None:
    rough.server.faults = [InjectedFault("GET /groups", status=200, body='{"success": true, "groups": null}')]
    assert [group async for group in rough.adapter.groups()] == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(409, standard("DEVICE_NOT_READY", "no device")), (404, '{"success": false, "error": "no device"}')],
)
async def test_a_status_call_that_finds_no_device_means_disconnected(wuts: WutsHarness, status: int, body: str) -> None:
    wuts.server.faults = [InjectedFault("GET /status", status=status, body=body)]
    with pytest.raises(AccountDisconnected) as raised:
        await wuts.adapter.account()
    assert raised.value.provider_text == "no device"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 428, 500, 503])
async def test_a_device_that_is_not_ready_is_disconnected_whatever_the_status(wuts: WutsHarness, status: int) -> None:
    wuts.server.account_state = "disconnected"
    wuts.server.not_ready_status = status
    wuts.server.error_shape = "standard"
    error = await refused(wuts, AccountDisconnected)
    assert (error.code, error.provider_text) == ("DEVICE_NOT_READY", "WhatsApp session is not connected")
    with pytest.raises(AccountDisconnected):
        await wuts.adapter.membership(GROUP, people(ANA))
    assert wuts.world.events == []


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_of_an_error_is_understood(rough: WutsHarness, shape: Shape) -> None:
    rough.server.error_shape = shape
    rough.group.account_is_admin = False
    error = await refused(rough, PermissionMissing)
    assert error.provider_text == "the device is not an admin of the group"
    assert error.code == {"standard": "FORBIDDEN", "nested": "forbidden"}.get(shape, "403")
    with pytest.raises(GroupNotFound) as raised:
        await rough.adapter.group("120363000000000009@g.us")
    assert raised.value.provider_text == "group not found"


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_rejected_token_is_told_in_every_shape(shape: Shape) -> None:
    async with open_provider(WUTS, token="another") as wuts:
        wuts.server.error_shape = shape
        error = await refused(wuts, CredentialsRejected)
        assert error.provider_text == "Invalid token"
        with pytest.raises(CredentialsRejected):
            await wuts.adapter.account()


async def test_a_nested_code_tells_that_the_device_is_not_ready(rough: WutsHarness) -> None:
    rough.server.error_shape = "nested"
    rough.server.account_state = "disconnected"
    assert (await refused(rough, AccountDisconnected)).code == "device_not_ready"


async def test_a_device_that_was_lost_leaves_open_what_a_write_did_and_stops_the_sender(rough: WutsHarness) -> None:
    body = '{"success": false, "error": {"code": "device_disconnected", "message": "gone"}}'
    rough.server.faults = [
        InjectedFault(ADD, status=500, body=body, when="after"),
        InjectedFault(READ, status=409, body=body),
    ]
    error = await refused(rough, SessionLost)
    assert (error.provider_text, error.outcome, error.stops_sending) == ("gone", Outcome.UNKNOWN, True)
    assert [event.phone for event in rough.world.events] == [ANA]
    with pytest.raises(AccountDisconnected):
        await rough.adapter.membership(GROUP, people(ANA))


async def test_a_validation_error_that_names_nobody_fails_all(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(ADD, status=400, body=standard("VALIDATION_ERROR", "validation failed"))]
    assert (await refused(wuts, InvalidRequest)).provider_text == "validation failed"


async def test_what_was_known_before_a_failure_is_kept_beside_it(wuts: WutsHarness) -> None:
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    wuts.group.account_is_admin = False
    result = await wuts.adapter.add(GROUP, people(ANA, BEN))
    assert isinstance(result.error, PermissionMissing)
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.NOT_ON_WHATSAPP, Outcome.FAILED]


@pytest.mark.parametrize(("header", "seconds"), [({}, None), ({"Retry-After": "7"}, 7.0)])
async def test_too_many_calls_stop_the_sender_with_the_wait_that_was_told(
    wuts: WutsHarness, header: dict[str, str], seconds: float | None
) -> None:
    wuts.server.faults = [InjectedFault(CHECK, status=429, headers=header, times=-1)]
    error = await refused(wuts, RateLimited)
    assert error.stops_sending
    assert error.retry_after == seconds
    assert wuts.world.events == []


async def test_a_rate_limit_of_whatsapp_inside_a_500_is_a_rate_limit(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(ADD, status=500, body=standard("INTERNAL_ERROR", "429 rate-overlimit"))]
    await refused(wuts, RateLimited)


async def test_an_html_error_that_is_not_of_wuts_tells_nothing_about_the_group(wuts: WutsHarness) -> None:
    wuts.server.faults = [
        InjectedFault(READ, status=404, body="<h1>404</h1>"),
        InjectedFault(ADD, status=404, body="<h1>404</h1>"),
    ]
    with pytest.raises(ProviderFault):
        await wuts.adapter.group(GROUP)
    await refused(wuts, ProviderFault)


async def test_a_group_without_a_list_of_members_cannot_be_compared(wuts: WutsHarness) -> None:
    body = f'{{"success": true, "group": {{"jid": "{GROUP}", "name": "Launch team", "members_count": 1}}}}'
    wuts.server.faults = [InjectedFault(READ, status=200, body=body)]
    with pytest.raises(ProviderFault):
        await wuts.adapter.membership(GROUP, people(ANA))


async def test_a_bare_token_is_accepted_and_the_default_address_is_the_contracts() -> None:
    assert f"- url: {BASE_URL}\n" in (CONTRACTS / "wuts.openapi.yaml").read_text()
    async with open_provider(WUTS) as wuts, httpx.AsyncClient(base_url=wuts.url) as client:
        answers = [
            (await client.get("/groups", headers={"Authorization": given})).status_code
            for given in (TOKEN, f"bearer {TOKEN}", f"Basic {TOKEN}", "")
        ]
    assert answers == [200, 200, 401, 401]
