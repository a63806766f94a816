import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.base import (
    AccountRestricted,
    CredentialsRejected,
    Evidence,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    Verdict,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from tests.providers.wacr_bench import (
    ADDED,
    ANA,
    BEN,
    CAT,
    CREATE,
    GROUP,
    JOIN,
    LEAVE,
    NOT_ATTEMPTED,
    PATH,
    SEARCH,
    UNKNOWN,
    Bench,
    failed_add,
    outcomes,
    people,
    wacr,
)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Give a tenant that knows Ana and Ben, and not Cat."""
    async with wacr() as bench:
        bench.server.put_contact(f"+{ANA}")
        bench.server.put_contact(f"+{BEN}")
        yield bench


STATUSES: list[tuple[int, type[ProviderError]]] = [
    (400, InvalidRequest),
    (401, CredentialsRejected),
    (403, PermissionMissing),
    (404, GroupNotFound),
    (408, OutcomeUnknown),
    (409, OutcomeUnknown),
    (413, InvalidRequest),
    (418, OutcomeUnknown),
    (422, InvalidRequest),
    (500, OutcomeUnknown),
    (502, OutcomeUnknown),
    (504, OutcomeUnknown),
    (302, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
async def test_every_status_of_an_add_has_its_meaning_whatever_its_body(
    bench: Bench, status: int, kind: type[ProviderError]
) -> None:
    html, headers = "<html>Service down</html>", {"Location": "/"} if status == 302 else {}
    bench.server.faults = [InjectedFault(JOIN, status=status, body=html, headers=headers)]
    error = await failed_add(bench, ANA, BEN)
    assert type(error) is kind
    assert bench.members() == set()
    assert bench.asked().count("POST /groups/7/contacts") == 1


@pytest.mark.parametrize("line", [JOIN, CREATE, LEAVE, f"PATCH {PATH}/groups/{GROUP}"])
async def test_a_refusal_that_is_not_documented_leaves_open_a_write_that_took_effect(bench: Bench, line: str) -> None:
    bench.world.put_group(GROUP, "Launch team", [BEN])
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        JOIN: lambda: bench.adapter.add(GROUP, people(ANA)),
        CREATE: lambda: bench.adapter.add(GROUP, people(CAT)),
        LEAVE: lambda: bench.adapter.remove(GROUP, people(BEN)),
    }
    bench.server.faults = [InjectedFault(line, "after", 409)]
    if line in changes:
        with pytest.raises(OutcomeUnknown):
            await changes[line]()
    else:
        changed = await bench.adapter.change(GROUP, GroupChange(subject="New"))
        assert [type(error) for error in changed.failed.values()] == [OutcomeUnknown]


@pytest.mark.parametrize(
    "body",
    [
        {
            "code": "VALIDATION_ERROR",
            "message": "Bad",
            "errors": {"contact_ids.0": ["One or more contact IDs do not exist"]},
        },
        {"error": {"code": "VALIDATION_ERROR", "details": {"contact_ids.0": "One or more contact IDs do not exist"}}},
        ["VALIDATION_ERROR", "One or more contact IDs do not exist"],
    ],
)
async def test_the_code_and_the_words_are_found_wherever_the_body_has_them(bench: Bench, body: object) -> None:
    bench.server.faults = [InjectedFault(JOIN, status=422, body=json.dumps(body))]
    error = await failed_add(bench, ANA)
    assert error.code == "VALIDATION_ERROR"
    assert "One or more contact IDs do not exist" in error.provider_text


async def test_a_contact_that_was_deleted_meanwhile_fails_the_call_and_nothing_is_done(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(SEARCH, "after", 200, '{"data": [{"id": 999, "phone": "+14155550101"}]}')]
    error = await failed_add(bench, ANA, BEN)
    assert isinstance(error, InvalidRequest)
    assert {verdict.outcome for verdict in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.FAILED}
    assert bench.world.events == []


async def test_a_bad_token_is_told_before_anything_is_written() -> None:
    async with wacr(token="wrong") as bench:
        assert isinstance(await failed_add(bench, ANA), CredentialsRejected)
        with pytest.raises(CredentialsRejected):
            await bench.adapter.account()
        with pytest.raises(CredentialsRejected):
            await bench.adapter.membership(GROUP, people(ANA))
        assert {call.method for call in bench.server.calls} == {"GET"}
        assert bench.transport.broken == []


@pytest.mark.parametrize("phone", [ANA, CAT])
async def test_an_unknown_group_gets_nobody_and_leaves_no_contact_behind(bench: Bench, phone: str) -> None:
    with pytest.raises(GroupNotFound):
        await bench.adapter.add("99", people(phone))
    assert len(bench.server.contacts) == 2
    assert bench.transport.broken == []


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_full_plan_stops_at_the_first_who_cannot_be_created_and_keeps_what_was_done(
    bench: Bench, refuses: bool
) -> None:
    bench.server.contact_limit = 3
    bench.server.limit_refuses_batch = refuses
    result = await bench.adapter.add(GROUP, people(ANA, CAT, "14155550104", "14155550105"))
    assert outcomes(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        CAT: ADDED if refuses else (Outcome.ADDED, Evidence.INFERRED),
        "14155550104": (Outcome.FAILED, Evidence.REPORTED),
        "14155550105": NOT_ATTEMPTED,
    }
    assert isinstance(result.error, AccountRestricted)
    assert (result.error.stops_sending, result.error.cooldown) == (False, 0.0)
    assert result.verdicts[2].provider_code == "FEATURE_LIMIT_EXCEEDED"
    assert bench.members() == {ANA, CAT}
    assert bench.transport.broken == []


async def test_a_full_plan_keeps_out_nobody_who_has_a_contact(bench: Bench) -> None:
    bench.server.contact_limit = 2
    error = await failed_add(bench, CAT)
    assert (error.code, error.stops_sending, error.cooldown) == ("FEATURE_LIMIT_EXCEEDED", False, 0.0)
    assert outcomes(await bench.adapter.add(GROUP, people(BEN))) == {BEN: (Outcome.ADDED, Evidence.INFERRED)}


async def test_a_phone_that_the_provider_finds_invalid_fails_alone(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(CREATE, status=422)]
    result = await bench.adapter.add(GROUP, people(CAT, "14155550104"))
    assert outcomes(result) == {CAT: (Outcome.FAILED, Evidence.REPORTED), "14155550104": ADDED}
    assert result.error is None


@pytest.mark.parametrize(
    "body",
    [
        '{"message": "Contact created successfully", "data": {"id": 5}}',
        '{"data": {"id": 5, "group_id": []}}',
        '{"id": 5, "groups": [{"id": 8, "name": "Other"}]}',
        '{"id": 5, "group_id": [7], "groups": []}',
        '{"id": 5, "group_id": [], "groups": [{"id": 7, "name": "Launch team"}]}',
    ],
)
async def test_a_created_contact_that_is_not_shown_in_the_group_is_unknown(bench: Bench, body: str) -> None:
    bench.server.faults = [InjectedFault(CREATE, "after", 201, body)]
    assert outcomes(await bench.adapter.add(GROUP, people(CAT))) == {CAT: UNKNOWN}


@pytest.mark.parametrize(
    "body", ['{"id": 5, "group_id": [7]}', '{"data": {"id": 5, "groups": [{"id": 7, "name": "Launch team"}]}}']
)
async def test_a_created_contact_is_read_in_each_place_where_its_groups_may_be(bench: Bench, body: str) -> None:
    bench.server.faults = [InjectedFault(CREATE, "after", 201, body)]
    assert outcomes(await bench.adapter.add(GROUP, people(CAT))) == {CAT: ADDED}


ERRORS = [
    {"success": False, "message": "Something went wrong"},
    {"error": {"code": "INTERNAL_ERROR", "message": "An internal error occurred"}},
    {"errors": {"contact_ids.0": ["One or more contact IDs do not exist"]}},
]
INSIDE = {"id": 7, "name": "New", "group_id": [7], "contacts_added": 1, "contacts_removed": 1, "status": "sent"}


@pytest.mark.parametrize("problem", ERRORS)
async def test_an_error_beside_the_data_of_a_success_leaves_open_what_was_done(
    bench: Bench, problem: dict[str, object]
) -> None:
    changes: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        (JOIN, lambda: bench.adapter.add(GROUP, people(ANA))),
        (CREATE, lambda: bench.adapter.add(GROUP, people(CAT))),
        (LEAVE, lambda: bench.adapter.remove(GROUP, people(ANA))),
        (f"POST {PATH}/groups", lambda: bench.adapter.create("New", [])),
        (f"POST {PATH}/messages/text", lambda: bench.adapter.send_to_person(people(ANA)[0], "Hello")),
    ]
    for line, change in changes:
        bench.server.faults = [InjectedFault(line, status=200, body=json.dumps({**problem, "data": INSIDE}))]
        with pytest.raises(OutcomeUnknown) as caught:
            await change()
        assert (line, caught.value.code in {"200", "INTERNAL_ERROR"}) == (line, True)
        assert caught.value.provider_text


@pytest.mark.parametrize("problem", ERRORS)
async def test_an_error_beside_the_data_of_a_read_is_a_fault(bench: Bench, problem: dict[str, object]) -> None:
    bench.server.faults = [InjectedFault("GET ", status=200, body=json.dumps({**problem, "data": []}), times=-1)]
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: bench.adapter.membership(GROUP, people(ANA)),
        lambda: bench.adapter.group(GROUP),
        bench.adapter.account,
    ]
    for read in reads:
        with pytest.raises(ProviderFault):
            await read()


async def test_a_count_outside_of_data_is_read_too(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(JOIN, "after", 200, '{"group_id": 7, "contacts_added": 2}')]
    found = outcomes(await bench.adapter.add(GROUP, people(ANA, BEN)))
    assert found == dict.fromkeys((ANA, BEN), (Outcome.ADDED, Evidence.INFERRED))


@pytest.mark.parametrize(("headers", "wait", "tries"), [({}, 60.0, 3), ({"Retry-After": "90"}, 90.0, 1)])
async def test_too_many_calls_when_writing_are_waited_for_and_told(
    bench: Bench, headers: dict[str, str], wait: float, tries: int
) -> None:
    bench.server.faults = [InjectedFault(JOIN, status=429, headers=headers, times=-1)]
    error = await failed_add(bench, ANA)
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.cooldown, error.code) == (wait, wait, "RATE_LIMIT_EXCEEDED")
    assert bench.asked().count("POST /groups/7/contacts") == tries


@pytest.mark.parametrize(("headers", "wait", "tries"), [({}, 60.0, 3), ({"Retry-After": "90"}, 90.0, 1)])
async def test_too_many_calls_when_reading_are_waited_for_and_told(
    bench: Bench, headers: dict[str, str], wait: float, tries: int
) -> None:
    bench.server.faults = [InjectedFault(SEARCH, status=429, headers=headers, times=-1)]
    error = await failed_add(bench, ANA)
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.code) == (wait, "RATE_LIMIT_EXCEEDED")
    assert bench.asked() == ["GET /contacts"] * tries


async def test_a_search_and_an_add_go_on_when_the_next_minute_has_begun(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(SEARCH, status=429, times=2), InjectedFault(JOIN, status=429)]
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: (Outcome.ADDED, Evidence.INFERRED)}


async def test_the_calls_of_a_minute_run_out_half_way_and_every_name_still_gets_a_true_verdict(bench: Bench) -> None:
    bench.server.calls_per_minute = 7
    result = await bench.adapter.add(GROUP, people(ANA, "14155550107", CAT))
    assert outcomes(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        "14155550107": ADDED,
        CAT: (Outcome.RATE_LIMITED, Evidence.REPORTED),
    }
    assert isinstance(result.error, RateLimited)
    assert bench.members() == {ANA, "14155550107"}
    assert bench.transport.broken == []


async def test_long_words_are_cut(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(CREATE, status=422, body=json.dumps({"message": "x" * 2_000}))]
    result = await bench.adapter.add(GROUP, people(CAT, "14155550104"))
    first: Verdict = result.verdicts[0]
    assert len(first.provider_message) == 300


async def test_a_verdict_that_was_given_stays_when_the_next_persons_turn_fails(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(CREATE, status=422), InjectedFault("GET /api/v2/sources", status=403, skip=1)]
    result = await bench.adapter.add(GROUP, people(CAT, "14155550104"))
    assert outcomes(result) == {CAT: (Outcome.FAILED, Evidence.REPORTED), "14155550104": NOT_ATTEMPTED}
    assert result.verdicts[0].provider_code == "VALIDATION_ERROR"
    assert isinstance(result.error, PermissionMissing)
