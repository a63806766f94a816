from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from providers.base import (
    AccountDisconnected,
    Action,
    GroupChange,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Picture,
    ProviderError,
    RateLimited,
)
from providers.wagateway import WaGateway
from sandbox.providers.server import InjectedFault
from sandbox.providers.wagateway import CreatedShape
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, people
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"
CHECK = f"GET {ROOT}/contacts/check"

READ_GROUP = f"GET {ROOT}/groups/{GROUP}"
PATCH = f"PATCH {ROOT}/groups/{GROUP}"
CREATE = f"POST {ROOT}/groups"
JOIN = f"POST {ROOT}/groups:join"


@pytest.fixture
def wagateway(wagateway: WaGatewayHarness) -> WaGatewayHarness:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN, CAT])
    return wagateway


@pytest.mark.parametrize("shape", ["row", "nested", "silent"])
async def test_a_new_group_is_found_whatever_the_answer_names(wagateway: WaGatewayHarness, shape: CreatedShape) -> None:
    wagateway.server.created_shape = shape
    wagateway.world.put_person(BEN, Disposition.NO_ACCOUNT)
    wagateway.world.put_person(CAT, Disposition.PRIVATE)
    created = await wagateway.adapter.create("New team", people(ANA, BEN, CAT))
    assert created.group is not None
    assert wagateway.world.groups[created.group.id].subject == "New team"
    assert {verdict.key: verdict.outcome for verdict in created.verdicts} == {
        f"+{ANA}": Outcome.UNKNOWN,
        f"+{BEN}": Outcome.NOT_ON_WHATSAPP,
        f"+{CAT}": Outcome.UNKNOWN,
    }
    assert wagateway.requests() == [CHECK] * 3 + [CREATE] + [f"GET {ROOT}/groups"] * (shape == "silent")
    found = await wagateway.adapter.membership(created.group.id, people(ANA, CAT))
    assert list(found.values()) == [MembershipStatus.MEMBER, MembershipStatus.ABSENT]


async def test_a_new_group_among_namesakes_is_not_guessed(wagateway: WaGatewayHarness) -> None:
    wagateway.server.created_shape = "silent"
    created = await wagateway.adapter.create("Launch team", people(ANA))
    assert created.group is None
    assert [verdict.outcome for verdict in created.verdicts] == [Outcome.UNKNOWN]


async def test_a_group_of_nobody_is_not_asked_for(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(ANA, Disposition.NO_ACCOUNT)
    with pytest.raises(InvalidRequest) as caught:
        await wagateway.adapter.create("New team", people(ANA))
    assert caught.value.outcome is Outcome.NOT_ON_WHATSAPP
    assert wagateway.requests() == [CHECK]


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (200, '{"error": "no"}'), (204, " "), (202, '{"id": 7}'), (500, ""), (-1, "")]
)
async def test_a_group_that_was_perhaps_made_is_unknown_and_not_made_again(
    wagateway: WaGatewayHarness, status: int, body: str
) -> None:
    wagateway.server.faults = [InjectedFault(CREATE, when="after", status=status, body=body)]
    with pytest.raises(OutcomeUnknown):
        await wagateway.adapter.create("New team", people(ANA))
    assert wagateway.requests() == [CHECK, CREATE]


ALL = GroupChange(
    subject="Renamed",
    description="",
    announce_only=True,
    locked=True,
    ephemeral=0,
    picture=Picture("https://a.example/"),
)


async def test_everything_is_changed_in_one_call_but_what_the_gateway_lacks(wagateway: WaGatewayHarness) -> None:
    result = await wagateway.adapter.change(GROUP, ALL)
    assert result.done == (Action.RENAME, Action.DESCRIBE, Action.ANNOUNCE_ONLY, Action.LOCK)
    assert {action: type(error) for action, error in result.failed.items()} == {
        Action.PICTURE: NotSupported,
        Action.EPHEMERAL: NotSupported,
    }
    assert [call.body for call in wagateway.server.calls if call.method == "PATCH"] == [
        {"subject": "Renamed", "description": "", "announce": True, "locked": True}
    ]
    group = await wagateway.adapter.group(GROUP)
    assert (group.subject, group.announce_only, group.locked) == ("Renamed", True, True)


async def test_nothing_is_sent_for_what_the_gateway_lacks(wagateway: WaGatewayHarness) -> None:
    result = await wagateway.adapter.change(GROUP, GroupChange(ephemeral=86_400))
    assert (result.done, list(result.failed)) == ((), [Action.EPHEMERAL])
    assert wagateway.requests() == []


THREE = GroupChange(subject="Renamed", description="Other", announce_only=True)


async def test_what_needs_no_admin_is_changed_beside_what_does(wagateway: WaGatewayHarness) -> None:
    wagateway.group.account_is_admin = False
    wagateway.server.free_settings = frozenset({"subject", "description"})
    result = await wagateway.adapter.change(GROUP, THREE)
    assert result.done == (Action.RENAME, Action.DESCRIBE)
    assert {action: type(error) for action, error in result.failed.items()} == {Action.ANNOUNCE_ONLY: NotGroupAdmin}
    assert wagateway.requests() == [PATCH, INVITE, PATCH, PATCH, PATCH]


async def test_a_refused_change_does_not_stop_the_others(wagateway: WaGatewayHarness) -> None:
    wagateway.server.refused_settings = frozenset({"subject"})
    result = await wagateway.adapter.change(GROUP, THREE)
    assert result.done == (Action.DESCRIBE, Action.ANNOUNCE_ONLY)
    assert {action: type(error) for action, error in result.failed.items()} == {Action.RENAME: InvalidRequest}


async def test_what_a_refused_call_did_stays_open_when_the_session_is_lost_after_it(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.refused_settings = frozenset({"announce"})
    wagateway.server.faults = [InjectedFault(PATCH, status=501, skip=2)]
    result = await wagateway.adapter.change(GROUP, THREE)
    assert result.done == (Action.RENAME,)
    assert {action: type(error) for action, error in result.failed.items()} == {
        Action.DESCRIBE: OutcomeUnknown,
        Action.ANNOUNCE_ONLY: OutcomeUnknown,
    }


@pytest.mark.parametrize("cleared", [True, False])
async def test_a_description_counts_as_cleared_where_the_group_shows_it(
    wagateway: WaGatewayHarness, cleared: bool
) -> None:
    wagateway.group.description = "Rota"
    wagateway.server.clears_description = cleared
    result = await wagateway.adapter.change(GROUP, GroupChange(subject="Renamed", description=""))
    assert result.done == ((Action.RENAME, Action.DESCRIBE) if cleared else (Action.RENAME,))
    assert [type(error) for error in result.failed.values()] == [OutcomeUnknown] * (not cleared)
    assert wagateway.requests() == [PATCH, READ_GROUP]


async def test_a_description_that_nothing_shows_after_the_call_stays_open(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [
        InjectedFault(READ_GROUP, status=404),
        InjectedFault(READ_GROUP, status=200, body=f'{{"groupJid": "{GROUP}"}}'),
    ]
    for _ in range(2):
        result = await wagateway.adapter.change(GROUP, GroupChange(description=""))
        assert {action: type(error) for action, error in result.failed.items()} == {Action.DESCRIBE: OutcomeUnknown}


@pytest.mark.parametrize(("status", "code"), [(501, "not_implemented"), (429, "rate_limited")])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_that_may_have_ended_between_two_changes_leaves_all_of_them_open(
    wagateway: WaGatewayHarness, when: Literal["before", "after"], status: int, code: str
) -> None:
    wagateway.server.faults = [InjectedFault(PATCH, when, status)]
    result = await wagateway.adapter.change(GROUP, THREE)
    assert result.done == ()
    assert {action: type(error) for action, error in result.failed.items()} == dict.fromkeys(
        (Action.RENAME, Action.DESCRIBE, Action.ANNOUNCE_ONLY), OutcomeUnknown
    )
    assert {error.code for error in result.failed.values()} == {code}
    assert wagateway.requests() == [PATCH]


@pytest.mark.parametrize(
    ("status", "kind", "calls"),
    [
        (400, InvalidRequest, 1),
        (403, PermissionMissing, 2),
        (429, RateLimited, 1),
        (501, AccountDisconnected, 1),
        (502, OutcomeUnknown, 1),
    ],
)
async def test_one_change_has_the_error_of_its_call(
    wagateway: WaGatewayHarness, status: int, kind: type[ProviderError], calls: int
) -> None:
    wagateway.server.faults = [InjectedFault(PATCH, status=status)]
    result = await wagateway.adapter.change(GROUP, GroupChange(subject="Renamed"))
    assert {action: type(error) for action, error in result.failed.items()} == {Action.RENAME: kind}
    assert len(wagateway.requests()) == calls


async def test_why_the_invite_link_is_forbidden_is_told_apart(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"send"})
    with pytest.raises(PermissionMissing):
        await wagateway.adapter.invite_link(GROUP)
    wagateway.server.permissions = frozenset({"send", "read"})
    wagateway.group.account_is_admin = False
    with pytest.raises(NotGroupAdmin):
        await wagateway.adapter.invite_link(GROUP)
    wagateway.server.faults = [InjectedFault("", status=404, skip=1)]
    with pytest.raises(NotGroupAdmin, match="`read`"):
        await wagateway.adapter.invite_link(GROUP)


@pytest.mark.parametrize("bare", [True, False])
async def test_a_group_is_joined_by_link_or_code_and_left(wagateway: WaGatewayHarness, bare: bool) -> None:
    link = await wagateway.adapter.invite_link(GROUP)
    await wagateway.adapter.leave(GROUP)
    assert wagateway.group.left_by_account
    assert (await wagateway.adapter.group(GROUP)).id == GROUP
    joined = await wagateway.adapter.join(link.rpartition("/")[2] if bare else link)
    assert joined is not None
    assert joined.id == GROUP
    assert not wagateway.group.left_by_account


async def test_an_expired_invite_is_an_invalid_request_and_an_answer_without_a_group_names_none(
    wagateway: WaGatewayHarness,
) -> None:
    with pytest.raises(InvalidRequest):
        await wagateway.adapter.join("https://chat.whatsapp.com/expired")
    wagateway.server.faults = [InjectedFault(JOIN, status=200, body="{}")]
    assert await wagateway.adapter.join("code") is None


WRITES: dict[str, Callable[[WaGateway], Awaitable[object]]] = {
    "reset": lambda adapter: adapter.reset_invite_link(GROUP),
    "join": lambda adapter: adapter.join("code"),
    "leave": lambda adapter: adapter.leave(GROUP),
    "remove": lambda adapter: adapter.remove(GROUP, people(ANA)),
    "send": lambda adapter: adapter.send_to_group(GROUP, "Hello"),
}


TELLS_NOTHING = [
    (200, '{"error": {"code": "internal", "message": "no"}}'),
    (200, "<html>"),
    (202, "{}"),
    (503, "<html>"),
]


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_whose_answer_tells_nothing_is_unknown_and_sent_once(
    wagateway: WaGatewayHarness, write: str
) -> None:
    wagateway.expected_breaches = (": 202 {}: ",)
    for number, (status, body) in enumerate(TELLS_NOTHING, start=1):
        wagateway.server.faults = [InjectedFault(ROOT, status=status, body=body)]
        with pytest.raises(OutcomeUnknown):
            await WRITES[write](wagateway.adapter)
        assert len(wagateway.requests()) == number


async def test_a_read_with_an_error_inside_a_success_is_no_group(wagateway: WaGatewayHarness) -> None:
    for body in ('{"error": {"code": "internal", "message": "no"}}', '{"error": "no"}', '{"status": "ok"}'):
        wagateway.server.faults = [InjectedFault(READ_GROUP, status=200, body=body)]
        with pytest.raises(ProviderError) as caught:
            await wagateway.adapter.group(GROUP)
        assert caught.value.outcome is Outcome.FAILED
    assert MEMBERS not in wagateway.requests()
