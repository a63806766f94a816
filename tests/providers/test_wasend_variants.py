import json
from typing import Any

import pytest

from providers.base import (
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    PeopleResult,
    Person,
    ProviderError,
    RateLimited,
)
from providers.cache import DAY_SECONDS
from providers.wasend.variants import ApiVariant, Endpoint, KnownVariants
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE
from tests.providers.harness import ANA, BEN, CAT, open_provider, outcomes, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
SESSION = WASEND.account

PATH = f"/{SESSION}/groups/{GROUP}"
READ = f"GET {PATH}/participants"
WAYS = {
    "remove": {"docs": f"DELETE {PATH}/participants", "sdk": f"POST {PATH}/participants/remove"},
    "promote": {"docs": f"POST {PATH}/participants/promote", "sdk": f"POST {PATH}/admin/promote"},
    "demote": {"docs": f"POST {PATH}/participants/demote", "sdk": f"POST {PATH}/admin/demote"},
}
DONE = {"remove": Outcome.REMOVED, "promote": Outcome.PROMOTED, "demote": Outcome.DEMOTED}


@pytest.fixture
def variant(variant: WasendHarness) -> WasendHarness:
    fill(variant)
    return variant


def fill(wasend: WasendHarness) -> None:
    """Let Ana be a member, and Ben an admin."""
    wasend.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA, BEN])
    wasend.group.members[BEN].role = "admin"


async def changed(wasend: WasendHarness, verb: str, *phones: str) -> PeopleResult:
    result: PeopleResult = await getattr(wasend.adapter, verb)(GROUP, people(*phones))
    return result


async def failed(wasend: WasendHarness, verb: str, *phones: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await changed(wasend, verb, *phones)
    return caught.value


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("absent_status", [404, 405])
async def test_the_servers_own_path_is_found_once_and_costs_nothing_after(
    variant: WasendHarness, verb: str, absent_status: int
) -> None:
    variant.server.absent_status = absent_status
    phone = ANA if verb == "promote" else BEN
    first, again = await changed(variant, verb, phone), await changed(variant, verb, phone)
    expected = {"docs": DONE[verb], "sdk": Outcome.UNKNOWN}[variant.server.variant]
    assert outcomes(first) == {phone: expected}
    assert outcomes(again) == {phone: Outcome.UNKNOWN}
    ways = WAYS[verb]
    lines = {
        "docs": [f"{ways['docs']} 200"] * 2,
        "sdk": [f"{ways['docs']} {absent_status}", *[f"{ways['sdk']} 200"] * 2],
    }
    assert variant.requests(with_status=True) == lines[variant.server.variant]
    assert variant.world.events[0].effect.value == DONE[verb].value
    asked = f"+{phone}" if verb == "demote" else f"{phone}@s.whatsapp.net"
    assert {json.dumps(call.body) for call in variant.server.calls} == {json.dumps({"participants": [asked]})}


async def test_what_one_call_taught_is_tried_first_by_the_next_and_each_point_stands_for_itself() -> None:
    async with open_provider(WASEND, variant="sdk") as wasend:
        fill(wasend)
        wasend.server.mixed = {"demote": "docs"}
        for verb in WAYS:
            await changed(wasend, verb, BEN)
        assert wasend.requests(with_status=True) == [
            f"{WAYS['remove']['docs']} 404",
            f"{WAYS['remove']['sdk']} 200",
            f"{WAYS['promote']['sdk']} 200",
            f"{WAYS['demote']['sdk']} 404",
            f"{WAYS['demote']['docs']} 200",
        ]


def test_what_a_server_speaks_is_forgotten_after_a_day() -> None:
    now = [0.0]
    dialect = KnownVariants(lambda: now[0])
    assert dialect.order(Endpoint.JOIN) == (ApiVariant.DOCS, ApiVariant.SDK)
    dialect.learn(Endpoint.JOIN, ApiVariant.SDK)
    assert dialect.order(Endpoint.JOIN) == (ApiVariant.SDK,)
    assert dialect.order(Endpoint.REMOVE) == (ApiVariant.SDK, ApiVariant.DOCS)
    now[0] = DAY_SECONDS
    assert dialect.order(Endpoint.JOIN) == (ApiVariant.SDK, ApiVariant.DOCS)


@pytest.mark.parametrize("verb", WAYS)
async def test_a_missing_group_is_told_from_a_missing_path_by_a_read_until_the_path_is_known(
    variant: WasendHarness, verb: str
) -> None:
    shown = variant.world.groups.pop(GROUP)
    assert type(await failed(variant, verb, ANA)) is GroupNotFound
    assert variant.requests(with_status=True) == [
        f"{WAYS[verb]['docs']} 404",
        f"{WAYS[verb]['sdk']} 404",
        f"{READ} 404",
    ]
    variant.world.groups[GROUP] = shown
    await changed(variant, verb, ANA)
    variant.server.calls.clear()
    del variant.world.groups[GROUP]
    assert type(await failed(variant, verb, ANA)) is GroupNotFound
    assert variant.requests(with_status=True) == [f"{WAYS[verb][variant.server.variant]} 404"]


async def test_a_server_that_has_neither_path_is_told_so_and_the_session_goes_on(variant: WasendHarness) -> None:
    variant.server.faults = [InjectedFault(line, status=404, times=-1) for line in WAYS["remove"].values()]
    error = await failed(variant, "remove", ANA)
    assert type(error) is NotSupported
    assert not error.stops_sending
    assert ANA in variant.group.members


@pytest.mark.parametrize("status", [400, 403, 409, 429, 500, -1])
async def test_the_other_path_is_not_tried_after_an_answer_that_leaves_the_effect_open_or_is_about_the_request(
    wasend: WasendHarness,
    status: int,
) -> None:
    fill(wasend)
    wasend.server.faults = [InjectedFault(WAYS["promote"]["docs"], status=status)]
    error = await failed(wasend, "promote", ANA)
    kinds = {400: InvalidRequest, 403: NotGroupAdmin, 429: RateLimited}
    assert type(error) is kinds.get(status, OutcomeUnknown)
    assert not any(WAYS["promote"]["sdk"] in line for line in wasend.requests(with_status=True))


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("known", [True, False])
async def test_a_change_of_several_that_is_refused_leaves_open_who_was_changed_before(
    wasend: WasendHarness, verb: str, status: int, known: bool
) -> None:
    fill(wasend)
    if known:
        await changed(wasend, verb, CAT)
    wasend.server.faults = [InjectedFault(WAYS[verb]["docs"], when="after", status=status, times=-1)]
    error = await failed(wasend, verb, ANA, BEN)
    assert (error.outcome, error.code, error.stops_sending) == (Outcome.UNKNOWN, str(status), False)
    assert DONE[verb].value in {event.effect.value for event in wasend.world.events}
    wasend.server.faults = []
    del wasend.world.groups[GROUP]
    assert type(await failed(wasend, verb, ANA, BEN)) is GroupNotFound


@pytest.mark.parametrize(
    ("verb", "body", "outcome", "code"),
    [
        ("remove", {"success": True, "removed": []}, Outcome.UNKNOWN, ""),
        ("remove", {"success": False, "removed": [{"id": f"{ANA}@c.us"}]}, Outcome.REMOVED, ""),
        ("remove", {"data": {"removed": [{"id": ANA}]}}, Outcome.REMOVED, ""),
        ("remove", {"removed": [], "failed": [{"id": ANA, "reason": "NOT_FOUND"}]}, Outcome.UNKNOWN, "NOT_FOUND"),
        ("remove", {"removed": [], "failed": [{"id": ANA, "reason": "OWNER"}]}, Outcome.FAILED, "OWNER"),
        ("remove", {"removed": [{"id": ANA}], "failed": [{"id": ANA, "reason": "X"}]}, Outcome.UNKNOWN, "X"),
        ("promote", {"promoted": [{"id": ANA, "isAdmin": False}]}, Outcome.UNKNOWN, "isAdmin: false"),
        ("promote", {"promoted": [{"id": ANA}]}, Outcome.PROMOTED, ""),
        ("promote", {"promoted": [], "failed": [{"id": ANA, "reason": "NOT_ADMIN"}]}, Outcome.FAILED, "NOT_ADMIN"),
        ("demote", {"data": {"failed": [{"id": ANA, "reason": "NOT_ADMIN"}]}}, Outcome.UNKNOWN, "NOT_ADMIN"),
        ("demote", {"data": {"failed": [{"id": ANA, "reason": "NOT_FOUND"}]}}, Outcome.FAILED, "NOT_FOUND"),
        ("demote", {"data": {"demoted": [{"id": ANA, "reason": "NOT_ADMIN"}]}}, Outcome.ALREADY_DONE, "NOT_ADMIN"),
        ("demote", {"data": {"failed": [{"id": ANA, "reason": 429}]}}, Outcome.RATE_LIMITED, "429"),
    ],
)  # fmt: skip
async def test_a_verdict_is_no_better_than_what_the_answer_says(
    wasend: WasendHarness, verb: str, body: dict[str, Any], outcome: Outcome, code: str
) -> None:
    wasend.server.faults = [InjectedFault(WAYS[verb]["docs"], status=200, body=json.dumps(body))]
    result = await changed(wasend, verb, ANA)
    assert [(v.outcome, v.provider_code) for v in result.verdicts] == [(outcome, code)]
    assert isinstance(result.error, RateLimited) == (outcome is Outcome.RATE_LIMITED)


@pytest.mark.parametrize(
    ("verb", "body", "outcome"),
    [
        ("remove", {"success": True, "removed": [{"id": ANA}]}, Outcome.UNKNOWN),
        ("promote", {"success": True, "promoted": [{"id": ANA, "isAdmin": True}]}, Outcome.UNKNOWN),
        ("demote", {"success": True, "data": {"demoted": [{"id": ANA, "reason": "SUCCESS"}]}}, Outcome.UNKNOWN),
        ("demote", {"success": True, "data": {"failed": [{"id": ANA, "reason": "OWNER"}]}}, Outcome.FAILED),
    ],
)
async def test_what_is_accepted_for_later_has_not_been_done_yet(
    wasend: WasendHarness, verb: str, body: dict[str, Any], outcome: Outcome
) -> None:
    wasend.server.faults = [InjectedFault(WAYS[verb]["docs"], status=202, body=json.dumps(body))]
    assert outcomes(await changed(wasend, verb, ANA)) == {ANA: outcome}


async def test_who_is_no_admin_may_be_the_session_itself_unless_it_demoted_somebody_else(
    variant: WasendHarness,
) -> None:
    variant.server.mixed = {"demote": "docs"}
    both = await variant.adapter.demote(GROUP, people(ANA, BEN))
    assert outcomes(both) == {ANA: Outcome.ALREADY_DONE, BEN: Outcome.DEMOTED}
    neither = await variant.adapter.demote(GROUP, people(ANA, BEN))
    assert outcomes(neither) == {ANA: Outcome.UNKNOWN, BEN: Outcome.UNKNOWN}


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("body", ["<html>", '{"success": false, "error": "No"}', "null", "[]", '"done"'])
async def test_an_answer_that_cannot_be_read_leaves_everybody_unknown_and_teaches_no_path(
    wasend: WasendHarness, verb: str, body: str
) -> None:
    wasend.server.faults = [InjectedFault(WAYS[verb]["docs"], status=200, body=body)]
    assert isinstance(await failed(wasend, verb, ANA), OutcomeUnknown)
    assert sum(call.method != "GET" for call in wasend.server.calls) == 1


@pytest.mark.parametrize("lists_refused", [True, False])
async def test_a_new_group_is_known_and_who_is_in_it_is_left_to_a_read(
    variant: WasendHarness, *, lists_refused: bool
) -> None:
    variant.server.lists_refused = lists_refused
    variant.world.put_person(CAT, variant.world.person(CAT).disposition.PRIVATE)
    created = await variant.adapter.create("New team", people(ANA, CAT))
    assert created.group is not None
    assert created.group.subject == "New team"
    assert outcomes(PeopleResult(created.verdicts)) == {ANA: Outcome.UNKNOWN, CAT: Outcome.UNKNOWN}
    coded = lists_refused and variant.server.variant == "sdk"
    assert [verdict.provider_code for verdict in created.verdicts] == ["", "403" if coded else ""]
    assert set(variant.world.groups[created.group.id].members) == {OWN_PHONE, ANA}
    assert len(variant.server.calls) == 1


async def test_a_new_group_takes_phone_numbers_alone_and_is_not_made_where_nobody_has_one(
    variant: WasendHarness,
) -> None:
    nameless = Person("lid", lid=variant.lid(CAT))
    created = await variant.adapter.create("New team", [nameless, *people(ANA)])
    assert outcomes(PeopleResult(created.verdicts)) == {nameless.lid: Outcome.INVALID, ANA: Outcome.UNKNOWN}
    assert [call.body["participants"] for call in variant.server.calls] == [[{"id": f"+{ANA}"}]]
    alone = await variant.adapter.create("New team", [nameless])
    assert (alone.group, [verdict.outcome for verdict in alone.verdicts]) == (None, [Outcome.INVALID])
    assert len(variant.server.calls) == 1


@pytest.mark.parametrize("invite", ["https://chat.whatsapp.com/{}", "https://chat.whatsapp.com/{}/?mode=wwt", " {} "])
async def test_a_group_is_joined_with_the_field_that_the_server_asks_for(variant: WasendHarness, invite: str) -> None:
    invite = invite.format(variant.world.invite_of(GROUP))
    for _ in range(2):
        joined = await variant.adapter.join(invite)
        assert joined is not None
        assert (joined.id, joined.subject, joined.size) == (GROUP, "Launch team", 3)
    line = f"POST /{SESSION}/groups/join"
    expected = {"docs": [f"{line} 200"] * 2, "sdk": [f"{line} 400", f"{line} 200", f"{line} 200"]}
    assert variant.requests(with_status=True) == expected[variant.server.variant]


async def test_an_invite_that_leads_nowhere_is_refused(variant: WasendHarness) -> None:
    with pytest.raises(InvalidRequest):
        await variant.adapter.join("nowhere")


@pytest.mark.parametrize("body", [" ", '{"success": true}'])
async def test_a_join_that_does_not_say_which_group_gives_none(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault("/join", status=200, body=body)]
    assert await wasend.adapter.join("abc") is None


@pytest.mark.parametrize("shape", ["", "sdk"])
@pytest.mark.parametrize("quoted", [True, False])
async def test_an_invite_code_is_read_wrapped_and_bare(shape: str, *, quoted: bool) -> None:
    async with open_provider(WASEND, variant=shape) as wasend:
        wasend.server.quotes_codes = quoted
        first = await wasend.adapter.invite_link(GROUP)
        assert first == f"https://chat.whatsapp.com/{wasend.world.invite_of(GROUP)}"
        second = await wasend.adapter.reset_invite_link(GROUP)
        assert first != second == f"https://chat.whatsapp.com/{wasend.world.invite_of(GROUP)}"


@pytest.mark.parametrize("body", ["maintenance", '"not a code"', '{"inviteCode": ""}', '{"inviteCode": null}', "7"])
async def test_what_is_no_invite_code_is_not_made_a_link(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault("/invite-code", status=200, body=body, times=-1)]
    with pytest.raises(ProviderError):
        await wasend.adapter.invite_link(GROUP)
    with pytest.raises(OutcomeUnknown):
        await wasend.adapter.reset_invite_link(GROUP)
