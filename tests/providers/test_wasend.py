import json

import pytest

from providers.base import (
    AccountDisconnected,
    Action,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderFault,
    RateLimited,
    Verdict,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend import ResultIds
from sandbox.providers.wasend_records import OWN_PHONE
from sandbox.providers.world import Disposition, Effect
from tests.providers.harness import ANA, BEN, CAT, outcomes, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
ADD = f"POST /{WASEND.account}/groups/{GROUP}/participants/add"


def answer(added: list[tuple[str, object]], failed: list[tuple[str, object]], *, success: bool = True) -> str:
    lists = {
        name: [{"id": identifier, "reason": reason} for identifier, reason in rows]
        for name, rows in (("added", added), ("failed", failed))
    }
    return json.dumps({"success": success, "data": lists})


async def verdicts_after(wasend: WasendHarness, body: str, asked: list[Person]) -> dict[str, Verdict]:
    wasend.server.faults = [InjectedFault(ADD, status=200, body=body)]
    return {v.key.removeprefix("+"): v for v in (await wasend.adapter.add(GROUP, asked)).verdicts}


def fill_with_thirty(wasend: WasendHarness) -> list[str]:
    """Make thirty people, every sixth of one kind; those at the sixth places are members already."""
    phones = [f"141555502{number:02}" for number in range(30)]
    kinds = [*Disposition, None]
    members = [OWN_PHONE]
    for place, phone in enumerate(phones):
        kind = kinds[place % len(kinds)]
        wasend.world.put_person(phone, kind or Disposition.OPEN)
        if kind is None:
            members.append(phone)
    wasend.world.put_group(GROUP, "Launch team", members)
    return phones


DOCUMENTED_WORDS = {
    Effect.ADDED: Outcome.ADDED,
    Effect.ALREADY_MEMBER: Outcome.ALREADY_DONE,
    Effect.NO_ACCOUNT: Outcome.NOT_ON_WHATSAPP,
    Effect.PRIVATE: Outcome.FAILED,
    Effect.RECENTLY_LEFT: Outcome.FAILED,
    Effect.BLOCKED: Outcome.FAILED,
}
WHATSAPP_CODES = DOCUMENTED_WORDS | {
    Effect.PRIVATE: Outcome.REFUSED,
    Effect.RECENTLY_LEFT: Outcome.RECENTLY_LEFT,
}


@pytest.mark.parametrize("result_ids", ["c.us", "s.whatsapp.net", "echo"])
@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({}, DOCUMENTED_WORDS),
        ({Effect.PRIVATE: "403", Effect.RECENTLY_LEFT: "408", Effect.BLOCKED: "401"}, WHATSAPP_CODES),
        (
            {Effect.PRIVATE: None, Effect.BLOCKED: None},
            DOCUMENTED_WORDS | {Effect.PRIVATE: Outcome.UNKNOWN, Effect.BLOCKED: Outcome.UNKNOWN},
        ),
    ],
    ids=["made-up words", "numbers", "left out"],
)
async def test_thirty_mixed_people_have_one_verdict_each_and_it_is_the_truth_where_wasend_tells_it(
    wasend: WasendHarness, reasons: dict[Effect, str | None], expected: dict[Effect, Outcome], result_ids: ResultIds
) -> None:
    wasend.server.reasons.update(reasons)
    wasend.server.result_ids = result_ids
    phones = fill_with_thirty(wasend)
    results = [
        await wasend.adapter.add(GROUP, people(*phones[start : start + wasend.adapter.abilities[Action.ADD].max_batch]))
        for start in range(0, 30, wasend.adapter.abilities[Action.ADD].max_batch)
    ]
    truth = {event.phone: expected[event.effect] for event in wasend.world.events}
    assert outcomes(*results) == truth
    assert {event.effect for event in wasend.world.events} == set(expected)
    assert wasend.requests(with_status=True) == [f"{ADD} 200"] * 3


async def test_a_verdict_keeps_wasends_word_and_says_that_it_was_reported(wasend: WasendHarness) -> None:
    wasend.world.put_person(BEN, Disposition.PRIVATE)
    result = await wasend.adapter.add(GROUP, people(ANA, BEN))
    assert result.error is None
    assert result.verdicts == (
        Verdict(f"+{ANA}", Outcome.ADDED, Evidence.REPORTED, "SUCCESS"),
        Verdict(f"+{BEN}", Outcome.FAILED, Evidence.REPORTED, "PRIVACY"),
    )


async def test_a_full_group_and_an_approval_are_told_by_whatsapps_numbers(wasend: WasendHarness) -> None:
    wasend.server.reasons.update({Effect.GROUP_FULL: "419", Effect.AWAITS_ADMIN: "421"})
    wasend.group.capacity = 2
    assert outcomes(await wasend.adapter.add(GROUP, people(ANA, BEN))) == {ANA: Outcome.ADDED, BEN: Outcome.GROUP_FULL}
    wasend.group.capacity = 1024
    wasend.group.joins_need_approval = True
    assert outcomes(await wasend.adapter.add(GROUP, people(CAT))) == {CAT: Outcome.PENDING}


async def test_a_participant_that_was_rate_limited_keeps_the_other_verdicts_and_stops_the_sender(
    wasend: WasendHarness,
) -> None:
    wasend.server.faults = [
        InjectedFault(ADD, status=200, body=answer([(f"{ANA}@c.us", "SUCCESS")], [(f"{BEN}@c.us", "429")]))
    ]
    result = await wasend.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result) == {ANA: Outcome.ADDED, BEN: Outcome.RATE_LIMITED}
    assert isinstance(result.error, RateLimited)


@pytest.mark.parametrize(
    ("added", "failed", "outcome", "code"),
    [
        ([(f"{ANA}@c.us", "SUCCESS")], [(f"+{ANA}", "ALREADY_IN_GROUP")], Outcome.UNKNOWN, "ALREADY_IN_GROUP, SUCCESS"),
        ([], [(f"{ANA}@c.us", "NOT_FOUND"), (f"{ANA}@c.us", "PRIVACY")], Outcome.UNKNOWN, "NOT_FOUND, PRIVACY"),
        ([(f"{ANA}@c.us", "NOT_FOUND")], [], Outcome.UNKNOWN, "NOT_FOUND"),
        ([(f"{ANA}@c.us", "INVITED")], [], Outcome.UNKNOWN, "INVITED"),
        ([], [(f"{ANA}@c.us", "SUCCESS")], Outcome.UNKNOWN, "SUCCESS"),
        ([(f"{ANA}@c.us", None)], [], Outcome.ADDED, ""),
        ([(f"{ANA}@c.us", "ALREADY_IN_GROUP")], [], Outcome.ALREADY_DONE, "ALREADY_IN_GROUP"),
        ([(f"{ANA}@c.us", "SUCCESS"), (f"{ANA}@s.whatsapp.net", "SUCCESS")], [], Outcome.ADDED, "SUCCESS"),
        ([], [(f"{ANA}@c.us", None)], Outcome.FAILED, ""),
        ([], [(f"{ANA}@c.us", "NOT_ADMIN")], Outcome.FAILED, "NOT_ADMIN"),
        ([], [(ANA, 403)], Outcome.REFUSED, "403"),
        ([], [(ANA, "401")], Outcome.FAILED, "401"),
        ([], [(ANA, "417")], Outcome.REFUSED, "417"),
        ([], [(ANA, "500")], Outcome.FAILED, "500"),
        ([], [(f"{BEN}@c.us", "NOT_FOUND")], Outcome.UNKNOWN, ""),
        ([], [("100000000000001@lid", "NOT_FOUND")], Outcome.UNKNOWN, ""),
    ],
)
async def test_a_verdict_is_no_better_than_what_the_lists_say(
    wasend: WasendHarness,
    added: list[tuple[str, object]],
    failed: list[tuple[str, object]],
    outcome: Outcome,
    code: str,
) -> None:
    verdict = (await verdicts_after(wasend, answer(added, failed), people(ANA)))[ANA]
    assert (verdict.outcome, verdict.provider_code) == (outcome, code)
    assert (verdict.evidence is Evidence.NONE) == (outcome is Outcome.UNKNOWN)


@pytest.mark.parametrize("success", [True, False])
async def test_the_lists_count_and_not_the_success_flag(wasend: WasendHarness, *, success: bool) -> None:
    body = answer([(f"{ANA}@c.us", "SUCCESS")], [(f"{BEN}@c.us", "NOT_FOUND")], success=success)
    told = await verdicts_after(wasend, body, people(ANA, BEN, CAT))
    assert [told[phone].outcome for phone in (ANA, BEN, CAT)] == [
        Outcome.ADDED,
        Outcome.NOT_ON_WHATSAPP,
        Outcome.UNKNOWN,
    ]


@pytest.mark.parametrize("status", [400, 403, 409, 422, 500])
async def test_the_lists_count_beside_an_error_status_too(wasend: WasendHarness, status: int) -> None:
    body = answer([(f"{ANA}@c.us", "SUCCESS")], [(f"{BEN}@c.us", "NOT_FOUND")], success=False)
    wasend.server.faults = [InjectedFault(ADD, when="after", status=status, body=body)]
    result = await wasend.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert outcomes(result) == {ANA: Outcome.ADDED, BEN: Outcome.NOT_ON_WHATSAPP, CAT: Outcome.UNKNOWN}


@pytest.mark.parametrize(
    "body",
    [
        {"added": [{"id": f"{ANA}@c.us", "reason": "SUCCESS"}], "failed": []},
        {"success": True, "data": {"added": [{"id": f"{ANA}@c.us", "reason": "SUCCESS"}]}},
        {"success": True, "data": {"added": [{"id": f"{ANA}@c.us", "reason": "SUCCESS", "x": 1}], "failed": None}},
    ],
    ids=["bare", "without failed", "failed is null"],
)
async def test_an_add_is_read_bare_and_with_a_list_left_out(wasend: WasendHarness, body: object) -> None:
    told = await verdicts_after(wasend, json.dumps(body), people(ANA))
    assert told[ANA].outcome is Outcome.ADDED


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("5511987654321", "551187654321"), ("525512345678", "5215512345678"), ("541123456789", "5491123456789")],
)
async def test_a_number_with_two_forms_is_found_in_both_and_never_called_missing(
    wasend: WasendHarness, asked: str, answered: str
) -> None:
    told = await verdicts_after(wasend, answer([(f"{answered}@c.us", "SUCCESS")], []), people(asked))
    assert told[asked].outcome is Outcome.ADDED
    for reason in ("NOT_FOUND", "404"):
        told = await verdicts_after(wasend, answer([], [(f"{asked}@c.us", reason)]), people(asked))
        assert (told[asked].outcome, told[asked].provider_code) == (Outcome.FAILED, reason)
    wasend.world.put_group(GROUP, "Launch team", [OWN_PHONE, answered])
    assert await wasend.adapter.membership(GROUP, people(asked)) == {f"+{asked}": MembershipStatus.MEMBER}


async def test_two_forms_of_one_number_asked_for_together_keep_their_own_results(wasend: WasendHarness) -> None:
    long, short = "5511987654321", "551187654321"
    body = answer([(f"{short}@c.us", "SUCCESS")], [(f"{long}@c.us", "ALREADY_IN_GROUP")])
    told = await verdicts_after(wasend, body, people(long, short))
    assert (told[long].outcome, told[short].outcome) == (Outcome.ALREADY_DONE, Outcome.ADDED)


async def test_a_person_known_by_a_lid_is_added_and_judged_by_it(wasend: WasendHarness) -> None:
    wasend.server.result_ids = "lid"
    person = Person("lid", lid=wasend.lid(ANA))
    result = await wasend.adapter.add(GROUP, [person])
    assert [(v.key, v.outcome) for v in result.verdicts] == [(person.lid, Outcome.ADDED)]
    assert wasend.server.calls[0].body == {"participants": [person.lid]}
    assert ANA in wasend.group.members


@pytest.mark.parametrize("reason", ["NOT_FOUND", "404"])
async def test_somebody_known_by_a_lid_alone_is_never_called_missing(wasend: WasendHarness, reason: str) -> None:
    lid = "100000000000001@lid"
    told = await verdicts_after(wasend, answer([], [(lid, reason)]), [Person("lid", lid=lid)])
    assert (told[lid].outcome, told[lid].provider_code) == (Outcome.FAILED, reason)
    assert len(wasend.server.calls) == 1


async def test_ids_by_lid_leave_people_asked_for_by_phone_unknown(wasend: WasendHarness) -> None:
    wasend.server.result_ids = "lid"
    assert outcomes(await wasend.adapter.add(GROUP, people(ANA))) == {ANA: Outcome.UNKNOWN}


OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""
PAIRS = [(OLD, NEW), (NEW, OLD), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]


async def test_a_number_that_is_known_in_its_other_form_is_added_in_that(wasend: WasendHarness) -> None:
    wasend.world.put_person(NEW, Disposition.NO_ACCOUNT)
    result = await wasend.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.ADDED}
    assert [call.query.get("phone") or call.body["participants"] for call in wasend.server.calls] == [
        [f"+{ANA}", f"+{NEW}"],
        NEW,
        OLD,
        [f"+{OLD}"],
    ]
    assert {*wasend.group.members} == {OWN_PHONE, ANA, OLD}


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown(wasend: WasendHarness) -> None:
    wasend.world.put_person(NEW, Disposition.NO_ACCOUNT)
    wasend.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
    result = await wasend.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
    assert isinstance(result.error, OutcomeUnknown)


SESSION = WASEND.account
MEMBERS = f"GET /{WASEND.account}/groups/{GROUP}/participants"
STATE = f"GET /sessions/{SESSION}"


async def test_one_person_whom_a_422_refuses_was_not_added(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=422)]
    with pytest.raises(InvalidRequest):
        await wasend.adapter.add(GROUP, people(ANA))


async def test_an_error_inside_a_200_keeps_wasends_words(wasend: WasendHarness) -> None:
    body = '{"success": false, "error": "Session  not\\nready"}'
    wasend.server.faults = [InjectedFault(ADD, status=200, body=body), InjectedFault(MEMBERS, status=200, body=body)]
    assert (await wasend.failed_add(ANA, BEN)).provider_text == "Session not ready"
    error = await wasend.failed_read(ANA)
    assert (type(error), error.provider_text) == (ProviderFault, "Session not ready")


@pytest.mark.parametrize(
    "body", [" ", '{"success": true}', '{"success": true, "data": {"added": []}}', '{"message": "queued"}']
)
async def test_an_answer_that_names_nobody_judges_nobody(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault(ADD, when="after", status=200, body=body)]
    assert outcomes(await wasend.adapter.add(GROUP, people(ANA, BEN))) == dict.fromkeys((ANA, BEN), Outcome.UNKNOWN)
    assert [event.phone for event in wasend.world.events] == [ANA, BEN]


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_is_explained_by_a_session_that_is_not_connected(wasend: WasendHarness, status: int) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.not_connected_status = status
    error = await wasend.failed_add(ANA, BEN)
    assert type(error) is AccountDisconnected
    assert (error.code, error.provider_text) == (str(status), "Session is not connected")
    assert type(await wasend.failed_read(ANA)) is AccountDisconnected
    assert wasend.world.events == []


@pytest.mark.parametrize(
    "fault",
    [
        InjectedFault(ADD, status=500),
        InjectedFault(ADD, status=-1),
        InjectedFault(ADD, status=200, body='{"success": false, "error": "Session is not connected"}'),
    ],
    ids=["500", "no answer", "a failure in a 200"],
)
async def test_an_add_of_open_effect_on_a_session_that_is_gone_stops_the_sender_and_stays_unknown(
    wasend: WasendHarness,
    fault: InjectedFault,
) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.faults = [fault]
    error = await wasend.failed_add(ANA, BEN)
    assert isinstance(error, OutcomeUnknown)
    assert (error.stops_sending, error.cooldown) == (True, AccountDisconnected.cooldown)
    assert {v.outcome for v in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.UNKNOWN}
    assert [line for line in wasend.requests(with_status=True) if line.startswith("POST")] == [
        f"{ADD} {max(fault.status, 0)}"
    ]


@pytest.mark.parametrize("status", [200, 500])
async def test_a_text_of_open_effect_on_a_session_that_is_gone_stops_the_sender(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.account_state = "disconnected"
    body = '{"success": false, "error": "Session is not connected"}'
    wasend.server.faults = [InjectedFault("POST /sendText", status=status, body=body)]
    with pytest.raises(OutcomeUnknown) as caught:
        await wasend.adapter.send_to_person(people(ANA)[0], "Hi")
    assert caught.value.stops_sending


async def test_an_open_effect_on_a_session_that_is_connected_stops_nobody(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=500)]
    assert not (await wasend.failed_add(ANA, BEN)).stops_sending


@pytest.mark.parametrize("status", [200, 401, 503])
async def test_a_refusal_keeps_its_own_meaning_when_the_session_explains_nothing(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=400), InjectedFault(STATE, status=status, body="{}", times=-1)]
    assert type(await wasend.failed_add(ANA, BEN)) is InvalidRequest


async def test_a_clear_refusal_costs_one_call(wasend: WasendHarness) -> None:
    wasend.world.groups.clear()
    assert type(await wasend.failed_add(ANA, BEN)) is GroupNotFound
    assert wasend.requests(with_status=True) == [f"{ADD} 404"]
