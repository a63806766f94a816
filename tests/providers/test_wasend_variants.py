import json
from collections.abc import AsyncIterator
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
from sandbox.providers.wasend_records import OWN_PHONE, Shape
from tests.providers.wasend_bench import GROUP, SESSION, Bench, outcomes, people, wasend

ANA, BEN, CLEO = "14155550101", "14155550102", "14155550103"
PATH = f"/{SESSION}/groups/{GROUP}"
READ = f"GET {PATH}/participants"
WAYS = {
    "remove": {"docs": f"DELETE {PATH}/participants", "sdk": f"POST {PATH}/participants/remove"},
    "promote": {"docs": f"POST {PATH}/participants/promote", "sdk": f"POST {PATH}/admin/promote"},
    "demote": {"docs": f"POST {PATH}/participants/demote", "sdk": f"POST {PATH}/admin/demote"},
}
DONE = {"remove": Outcome.REMOVED, "promote": Outcome.PROMOTED, "demote": Outcome.DEMOTED}


@pytest.fixture(params=["docs", "sdk"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with wasend(variant=request.param) as bench:
        fill(bench)
        yield bench
        assert bench.breaches() == []


def fill(bench: Bench) -> None:
    """Let Ana be a member, and Ben an admin."""
    bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA, BEN])
    bench.world.groups[GROUP].members[BEN].role = "admin"


async def changed(bench: Bench, verb: str, *phones: str) -> PeopleResult:
    result: PeopleResult = await getattr(bench.adapter, verb)(GROUP, people(*phones))
    return result


async def failed(bench: Bench, verb: str, *phones: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await changed(bench, verb, *phones)
    return caught.value


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("absent_status", [404, 405])
async def test_the_servers_own_path_is_found_once_and_costs_nothing_after(
    bench: Bench, verb: str, absent_status: int
) -> None:
    bench.server.absent_status = absent_status
    phone = ANA if verb == "promote" else BEN
    first, again = await changed(bench, verb, phone), await changed(bench, verb, phone)
    expected = {"docs": DONE[verb], "sdk": Outcome.UNKNOWN}[bench.server.variant]
    assert outcomes(first) == {phone: expected}
    assert outcomes(again) == {phone: Outcome.UNKNOWN}
    ways = WAYS[verb]
    lines = {
        "docs": [f"{ways['docs']} 200"] * 2,
        "sdk": [f"{ways['docs']} {absent_status}", *[f"{ways['sdk']} 200"] * 2],
    }
    assert bench.lines() == lines[bench.server.variant]
    assert bench.world.events[0].effect.value == DONE[verb].value
    asked = f"+{phone}" if verb == "demote" else f"{phone}@s.whatsapp.net"
    assert {json.dumps(call.body) for call in bench.server.calls} == {json.dumps({"participants": [asked]})}


async def test_what_one_call_taught_is_tried_first_by_the_next_and_each_point_stands_for_itself() -> None:
    async with wasend(variant="sdk") as bench:
        fill(bench)
        bench.server.mixed = {"demote": "docs"}
        for verb in WAYS:
            await changed(bench, verb, BEN)
        assert bench.lines() == [
            f"{WAYS['remove']['docs']} 404",
            f"{WAYS['remove']['sdk']} 200",
            f"{WAYS['promote']['sdk']} 200",
            f"{WAYS['demote']['sdk']} 404",
            f"{WAYS['demote']['docs']} 200",
        ]
        assert bench.breaches() == []


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
    bench: Bench, verb: str
) -> None:
    shown = bench.world.groups.pop(GROUP)
    assert type(await failed(bench, verb, ANA)) is GroupNotFound
    assert bench.lines() == [f"{WAYS[verb]['docs']} 404", f"{WAYS[verb]['sdk']} 404", f"{READ} 404"]
    bench.world.groups[GROUP] = shown
    await changed(bench, verb, ANA)
    bench.server.calls.clear()
    del bench.world.groups[GROUP]
    assert type(await failed(bench, verb, ANA)) is GroupNotFound
    assert bench.lines() == [f"{WAYS[verb][bench.server.variant]} 404"]


async def test_a_server_that_has_neither_path_is_told_so_and_the_session_goes_on(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(line, status=404, times=-1) for line in WAYS["remove"].values()]
    error = await failed(bench, "remove", ANA)
    assert type(error) is NotSupported
    assert not error.stops_sending
    assert ANA in bench.world.groups[GROUP].members


@pytest.mark.parametrize("status", [400, 403, 409, 429, 500, -1])
async def test_the_other_path_is_not_tried_after_an_answer_that_leaves_the_effect_open_or_is_about_the_request(
    status: int,
) -> None:
    async with wasend() as bench:
        fill(bench)
        bench.server.faults = [InjectedFault(WAYS["promote"]["docs"], status=status)]
        error = await failed(bench, "promote", ANA)
        kinds = {400: InvalidRequest, 403: NotGroupAdmin, 429: RateLimited}
        assert type(error) is kinds.get(status, OutcomeUnknown)
        assert not any(WAYS["promote"]["sdk"] in line for line in bench.lines())


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("known", [True, False])
async def test_a_change_of_several_that_is_refused_leaves_open_who_was_changed_before(
    verb: str, status: int, known: bool
) -> None:
    async with wasend() as bench:
        fill(bench)
        if known:
            await changed(bench, verb, CLEO)
        bench.server.faults = [InjectedFault(WAYS[verb]["docs"], when="after", status=status, times=-1)]
        error = await failed(bench, verb, ANA, BEN)
        assert (error.outcome, error.code, error.stops_sending) == (Outcome.UNKNOWN, str(status), False)
        assert DONE[verb].value in {event.effect.value for event in bench.world.events}
        bench.server.faults = []
        del bench.world.groups[GROUP]
        assert type(await failed(bench, verb, ANA, BEN)) is GroupNotFound


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
    verb: str, body: dict[str, Any], outcome: Outcome, code: str
) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(WAYS[verb]["docs"], status=200, body=json.dumps(body))]
        result = await changed(bench, verb, ANA)
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
    verb: str, body: dict[str, Any], outcome: Outcome
) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(WAYS[verb]["docs"], status=202, body=json.dumps(body))]
        assert outcomes(await changed(bench, verb, ANA)) == {ANA: outcome}


async def test_who_is_no_admin_may_be_the_session_itself_unless_it_demoted_somebody_else(bench: Bench) -> None:
    bench.server.mixed = {"demote": "docs"}
    both = await bench.adapter.demote(GROUP, people(ANA, BEN))
    assert outcomes(both) == {ANA: Outcome.ALREADY_DONE, BEN: Outcome.DEMOTED}
    neither = await bench.adapter.demote(GROUP, people(ANA, BEN))
    assert outcomes(neither) == {ANA: Outcome.UNKNOWN, BEN: Outcome.UNKNOWN}


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("body", ["<html>", '{"success": false, "error": "No"}', "null", "[]", '"done"'])
async def test_an_answer_that_cannot_be_read_leaves_everybody_unknown_and_teaches_no_path(verb: str, body: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(WAYS[verb]["docs"], status=200, body=body)]
        assert isinstance(await failed(bench, verb, ANA), OutcomeUnknown)
        assert sum(call.method != "GET" for call in bench.server.calls) == 1


@pytest.mark.parametrize("lists_refused", [True, False])
async def test_a_new_group_is_known_and_who_is_in_it_is_left_to_a_read(bench: Bench, *, lists_refused: bool) -> None:
    bench.server.lists_refused = lists_refused
    bench.world.put_person(CLEO, bench.world.person(CLEO).disposition.PRIVATE)
    created = await bench.adapter.create("New team", people(ANA, CLEO))
    assert created.group is not None
    assert created.group.subject == "New team"
    assert outcomes(PeopleResult(created.verdicts)) == {ANA: Outcome.UNKNOWN, CLEO: Outcome.UNKNOWN}
    coded = lists_refused and bench.server.variant == "sdk"
    assert [verdict.provider_code for verdict in created.verdicts] == ["", "403" if coded else ""]
    assert set(bench.world.groups[created.group.id].members) == {OWN_PHONE, ANA}
    assert len(bench.server.calls) == 1


async def test_a_new_group_takes_phone_numbers_alone_and_is_not_made_where_nobody_has_one(bench: Bench) -> None:
    nameless = Person("lid", lid=f"{bench.world.person(CLEO).lid}@lid")
    created = await bench.adapter.create("New team", [nameless, *people(ANA)])
    assert outcomes(PeopleResult(created.verdicts)) == {nameless.lid: Outcome.INVALID, ANA: Outcome.UNKNOWN}
    assert [call.body["participants"] for call in bench.server.calls] == [[{"id": f"+{ANA}"}]]
    alone = await bench.adapter.create("New team", [nameless])
    assert (alone.group, [verdict.outcome for verdict in alone.verdicts]) == (None, [Outcome.INVALID])
    assert len(bench.server.calls) == 1


@pytest.mark.parametrize("invite", ["https://chat.whatsapp.com/{}", "https://chat.whatsapp.com/{}/?mode=wwt", " {} "])
async def test_a_group_is_joined_with_the_field_that_the_server_asks_for(bench: Bench, invite: str) -> None:
    invite = invite.format(bench.world.invite_of(GROUP))
    for _ in range(2):
        joined = await bench.adapter.join(invite)
        assert joined is not None
        assert (joined.id, joined.subject, joined.size) == (GROUP, "Launch team", 3)
    line = f"POST /{SESSION}/groups/join"
    expected = {"docs": [f"{line} 200"] * 2, "sdk": [f"{line} 400", f"{line} 200", f"{line} 200"]}
    assert bench.lines() == expected[bench.server.variant]


async def test_an_invite_that_leads_nowhere_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest):
        await bench.adapter.join("nowhere")


@pytest.mark.parametrize("body", [" ", '{"success": true}'])
async def test_a_join_that_does_not_say_which_group_gives_none(body: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault("/join", status=200, body=body)]
        assert await bench.adapter.join("abc") is None


@pytest.mark.parametrize("shape", ["docs", "sdk"])
@pytest.mark.parametrize("quoted", [True, False])
async def test_an_invite_code_is_read_wrapped_and_bare(shape: Shape, *, quoted: bool) -> None:
    async with wasend(variant=shape) as bench:
        bench.server.quotes_codes = quoted
        first = await bench.adapter.invite_link(GROUP)
        assert first == f"https://chat.whatsapp.com/{bench.world.invite_of(GROUP)}"
        second = await bench.adapter.reset_invite_link(GROUP)
        assert first != second == f"https://chat.whatsapp.com/{bench.world.invite_of(GROUP)}"


@pytest.mark.parametrize("body", ["maintenance", '"not a code"', '{"inviteCode": ""}', '{"inviteCode": null}', "7"])
async def test_what_is_no_invite_code_is_not_made_a_link(body: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault("/invite-code", status=200, body=body, times=-1)]
        with pytest.raises(ProviderError):
            await bench.adapter.invite_link(GROUP)
        with pytest.raises(OutcomeUnknown):
            await bench.adapter.reset_invite_link(GROUP)
