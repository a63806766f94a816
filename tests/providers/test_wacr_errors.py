import json
from collections.abc import Awaitable, Callable

import pytest

from providers.base import (
    AccountRestricted,
    Evidence,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderFault,
    RateLimited,
    Verdict,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Effect
from tests.providers.harness import ANA, BEN, CAT, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
PATH = WACR.prefix
JOIN = f"POST {PATH}/groups/{GROUP}/contacts"
LEAVE = f"DELETE {PATH}/groups/{GROUP}/contacts"
CREATE = f"POST {PATH}/contacts"
SEARCH = f"GET {PATH}/contacts"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)


@pytest.fixture
def wacr(wacr: WacrHarness) -> WacrHarness:
    """Return a tenant that knows Ana and Ben, and not Cat."""
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.put_contact(f"+{BEN}")
    return wacr


@pytest.mark.parametrize("line", [JOIN, CREATE, LEAVE, f"PATCH {PATH}/groups/{GROUP}"])
async def test_a_refusal_that_is_not_documented_leaves_open_a_write_that_took_effect(
    wacr: WacrHarness, line: str
) -> None:
    wacr.world.put_group(GROUP, "Launch team", [BEN])
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        JOIN: lambda: wacr.adapter.add(GROUP, people(ANA)),
        CREATE: lambda: wacr.adapter.add(GROUP, people(CAT)),
        LEAVE: lambda: wacr.adapter.remove(GROUP, people(BEN)),
    }
    wacr.server.faults = [InjectedFault(line, "after", 409)]
    if line in changes:
        with pytest.raises(OutcomeUnknown):
            await changes[line]()
    else:
        changed = await wacr.adapter.change(GROUP, GroupChange(subject="New"))
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
async def test_the_code_and_the_words_are_found_wherever_the_body_has_them(wacr: WacrHarness, body: object) -> None:
    wacr.server.faults = [InjectedFault(JOIN, status=422, body=json.dumps(body))]
    error = await wacr.failed_add(ANA)
    assert error.code == "VALIDATION_ERROR"
    assert "One or more contact IDs do not exist" in error.provider_text


async def test_a_contact_that_was_deleted_meanwhile_fails_the_call_and_nothing_is_done(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, "after", 200, '{"data": [{"id": 999, "phone": "+14155550101"}]}')]
    error = await wacr.failed_add(ANA, BEN)
    assert isinstance(error, InvalidRequest)
    assert {verdict.outcome for verdict in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.FAILED}
    assert wacr.world.events == []


@pytest.mark.parametrize("phone", [ANA, CAT])
async def test_an_unknown_group_gets_nobody_and_leaves_no_contact_behind(wacr: WacrHarness, phone: str) -> None:
    with pytest.raises(GroupNotFound):
        await wacr.adapter.add("99", people(phone))
    assert len(wacr.server.contacts) == 2


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_full_plan_stops_at_the_first_who_cannot_be_created_and_keeps_what_was_done(
    wacr: WacrHarness, refuses: bool
) -> None:
    wacr.server.contact_limit = 3
    wacr.server.limit_refuses_batch = refuses
    result = await wacr.adapter.add(GROUP, people(ANA, CAT, "14155550104", "14155550105"))
    assert outcomes_with_evidence(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        CAT: ADDED if refuses else (Outcome.ADDED, Evidence.INFERRED),
        "14155550104": (Outcome.FAILED, Evidence.REPORTED),
        "14155550105": NOT_ATTEMPTED,
    }
    assert isinstance(result.error, AccountRestricted)
    assert (result.error.stops_sending, result.error.cooldown) == (False, 0.0)
    assert result.verdicts[2].provider_code == "FEATURE_LIMIT_EXCEEDED"
    assert set(wacr.group.members) == {ANA, CAT}


async def test_a_full_plan_keeps_out_nobody_who_has_a_contact(wacr: WacrHarness) -> None:
    wacr.server.contact_limit = 2
    error = await wacr.failed_add(CAT)
    assert (error.code, error.stops_sending, error.cooldown) == ("FEATURE_LIMIT_EXCEEDED", False, 0.0)
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(BEN))) == {
        BEN: (Outcome.ADDED, Evidence.INFERRED)
    }


async def test_a_phone_that_the_provider_finds_invalid_fails_alone(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(CREATE, status=422)]
    result = await wacr.adapter.add(GROUP, people(CAT, "14155550104"))
    assert outcomes_with_evidence(result) == {CAT: (Outcome.FAILED, Evidence.REPORTED), "14155550104": ADDED}
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
async def test_a_created_contact_that_is_not_shown_in_the_group_is_unknown(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(CREATE, "after", 201, body)]
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(CAT))) == {CAT: UNKNOWN}


@pytest.mark.parametrize(
    "body", ['{"id": 5, "group_id": [7]}', '{"data": {"id": 5, "groups": [{"id": 7, "name": "Launch team"}]}}']
)
async def test_a_created_contact_is_read_in_each_place_where_its_groups_may_be(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(CREATE, "after", 201, body)]
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(CAT))) == {CAT: ADDED}


ERRORS = [
    {"success": False, "message": "Something went wrong"},
    {"error": {"code": "INTERNAL_ERROR", "message": "An internal error occurred"}},
    {"errors": {"contact_ids.0": ["One or more contact IDs do not exist"]}},
]
INSIDE = {"id": 7, "name": "New", "group_id": [7], "contacts_added": 1, "contacts_removed": 1, "status": "sent"}


@pytest.mark.parametrize("problem", ERRORS)
async def test_an_error_beside_the_data_of_a_success_leaves_open_what_was_done(
    wacr: WacrHarness, problem: dict[str, object]
) -> None:
    changes: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        (JOIN, lambda: wacr.adapter.add(GROUP, people(ANA))),
        (CREATE, lambda: wacr.adapter.add(GROUP, people(CAT))),
        (LEAVE, lambda: wacr.adapter.remove(GROUP, people(ANA))),
        (f"POST {PATH}/groups", lambda: wacr.adapter.create("New", [])),
        (f"POST {PATH}/messages/text", lambda: wacr.adapter.send_to_person(people(ANA)[0], "Hello")),
    ]
    wacr.expected_breaches = ("'group_id': [7]",)
    for line, change in changes:
        wacr.server.faults = [InjectedFault(line, status=200, body=json.dumps({**problem, "data": INSIDE}))]
        with pytest.raises(OutcomeUnknown) as caught:
            await change()
        assert (line, caught.value.code in {"200", "INTERNAL_ERROR"}) == (line, True)
        assert caught.value.provider_text


@pytest.mark.parametrize("problem", ERRORS)
async def test_an_error_beside_the_data_of_a_read_is_a_fault(wacr: WacrHarness, problem: dict[str, object]) -> None:
    wacr.server.faults = [InjectedFault("GET ", status=200, body=json.dumps({**problem, "data": []}), times=-1)]
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: wacr.adapter.membership(GROUP, people(ANA)),
        lambda: wacr.adapter.group(GROUP),
        wacr.adapter.account,
    ]
    for read in reads:
        with pytest.raises(ProviderFault):
            await read()


async def test_a_count_outside_of_data_is_read_too(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(JOIN, "after", 200, '{"group_id": 7, "contacts_added": 2}')]
    found = outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA, BEN)))
    assert found == dict.fromkeys((ANA, BEN), (Outcome.ADDED, Evidence.INFERRED))


@pytest.mark.parametrize(("headers", "wait", "tries"), [({}, 60.0, 3), ({"Retry-After": "90"}, 90.0, 1)])
async def test_too_many_calls_when_reading_are_waited_for_and_told(
    wacr: WacrHarness, headers: dict[str, str], wait: float, tries: int
) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=429, headers=headers, times=-1)]
    error = await wacr.failed_add(ANA)
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.code) == (wait, "RATE_LIMIT_EXCEEDED")
    assert wacr.requests() == ["GET /contacts"] * tries


async def test_a_search_and_an_add_go_on_when_the_next_minute_has_begun(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=429, times=2), InjectedFault(JOIN, status=429)]
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED)
    }


async def test_the_calls_of_a_minute_run_out_half_way_and_every_name_still_gets_a_true_verdict(
    wacr: WacrHarness,
) -> None:
    wacr.server.calls_per_minute = 7
    result = await wacr.adapter.add(GROUP, people(ANA, "14155550107", CAT))
    assert outcomes_with_evidence(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        "14155550107": ADDED,
        CAT: (Outcome.RATE_LIMITED, Evidence.REPORTED),
    }
    assert isinstance(result.error, RateLimited)
    assert set(wacr.group.members) == {ANA, "14155550107"}


async def test_long_words_are_cut(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(CREATE, status=422, body=json.dumps({"message": "x" * 2_000}))]
    result = await wacr.adapter.add(GROUP, people(CAT, "14155550104"))
    first: Verdict = result.verdicts[0]
    assert len(first.provider_message) == 300


async def test_a_verdict_that_was_given_stays_when_the_next_persons_turn_fails(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(CREATE, status=422), InjectedFault("GET /api/v2/sources", status=403, skip=1)]
    result = await wacr.adapter.add(GROUP, people(CAT, "14155550104"))
    assert outcomes_with_evidence(result) == {CAT: (Outcome.FAILED, Evidence.REPORTED), "14155550104": NOT_ATTEMPTED}
    assert result.verdicts[0].provider_code == "VALIDATION_ERROR"
    assert isinstance(result.error, PermissionMissing)


ODD_ANSWERS = [" ", '{"data": {"contacts_', "3", '{"data": {}}']


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
