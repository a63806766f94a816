import json

import pytest

from providers.base import Action, Evidence, GroupNotFound, MembershipStatus, Outcome, OutcomeUnknown
from providers.wacr import Wacr
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, CAT, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
PATH = WACR.prefix
CREATE = f"POST {PATH}/contacts"
BATCH = f"{CREATE}/batch"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)

INFERRED = (Outcome.ADDED, Evidence.INFERRED)
NEW = [f"4477009001{number:02}" for number in range(10)]


@pytest.mark.parametrize("in_data", [False, True])
async def test_many_without_a_contact_take_two_calls(wacr: WacrHarness, in_data: bool) -> None:
    wacr.server.batch_in_data = in_data
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(*NEW))) == dict.fromkeys(NEW, INFERRED)
    assert wacr.requests() == [
        "GET /contacts",
        "GET /groups/7",
        "GET /sources",
        "GET /statuses",
        "POST /contacts/batch",
        "POST /groups/7/contacts",
    ]
    assert set(wacr.group.members) == set(NEW)


async def test_two_without_a_contact_are_created_inside_the_group(wacr: WacrHarness) -> None:
    wacr.server.put_contact(f"+{CAT}")
    found = outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA, BEN, CAT)))
    assert found == {ANA: ADDED, BEN: ADDED, CAT: INFERRED}
    assert wacr.requests().count("POST /contacts") == 2


async def test_as_many_as_one_call_takes_are_one_batch(wacr: WacrHarness) -> None:
    phones = [f"447700{number:06}" for number in range(Wacr.abilities[Action.ADD].max_batch)]
    assert set(outcomes_with_evidence(await wacr.adapter.add(GROUP, people(*phones))).values()) == {INFERRED}
    assert len(wacr.server.calls) == 6


async def test_a_batch_that_is_refused_as_a_whole_is_done_one_by_one(wacr: WacrHarness) -> None:
    wacr.server.most_in_batch = 2
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(*NEW[:4]))) == dict.fromkeys(NEW[:4], ADDED)


@pytest.mark.parametrize(
    "change",
    [
        {"success": False},
        {"errors": [{"index": 0}]},
        {"created": []},
        {"created": [{"id": 101}, {"id": 102}]},
        {"created": [{"id": 101, "phone": "441"}]},
    ],
)
async def test_whoever_is_not_shown_in_the_answer_to_a_batch_is_found_and_put_into_the_group(
    wacr: WacrHarness, change: dict[str, object]
) -> None:
    body = {"success": True, "summary": {"total": 3, "created": 3}, "created": [], **change}
    wacr.server.faults = [InjectedFault(BATCH, "after", 201, json.dumps(body))]
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA, BEN, CAT))) == dict.fromkeys(
        (ANA, BEN, CAT), INFERRED
    )
    assert set(wacr.group.members) == {ANA, BEN, CAT}


async def test_whoever_was_skipped_or_failed_in_a_batch_gets_a_call_of_their_own(wacr: WacrHarness) -> None:
    wacr.server.compares_digits = True
    wacr.server.put_contact("+1.4.1.5.5.5.5.0.1.0.1")  # no search finds it
    result = await wacr.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert outcomes_with_evidence(result) == {ANA: (Outcome.FAILED, Evidence.REPORTED), BEN: INFERRED, CAT: INFERRED}
    assert "This phone number already exists" in result.verdicts[0].provider_message


async def test_a_source_that_went_away_is_read_again_after_a_batch(wacr: WacrHarness) -> None:
    await wacr.adapter.add(GROUP, people(ANA))
    wacr.server.sources = {9: "Fair"}
    wacr.server.faults = [InjectedFault(BATCH, status=422)]
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(*NEW[:3]))) == dict.fromkeys(NEW[:3], ADDED)


@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>", '{"success": false, "message": "No"}'])
async def test_a_batch_whose_answer_is_lost_leaves_nobody_in_the_group_and_everybody_in_it_unknown(
    wacr: WacrHarness, body: str
) -> None:
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.faults = [InjectedFault(BATCH, "after", 200 if body else -1, body)]
    result = await wacr.adapter.add(GROUP, people(ANA, BEN, CAT, *NEW[:1]))
    assert outcomes_with_evidence(result) == {ANA: INFERRED, **dict.fromkeys((BEN, CAT, *NEW[:1]), UNKNOWN)}
    assert isinstance(result.error, OutcomeUnknown)
    assert await wacr.membership(BEN) == {BEN: MembershipStatus.ABSENT}
    wacr.server.faults = []
    wacr.expected_breaches = ("answer to",)
    again = outcomes_with_evidence(await wacr.adapter.add(GROUP, people(BEN, CAT, *NEW[:1])))
    assert set(again.values()) == {INFERRED}


async def test_whoever_waits_behind_a_source_that_cannot_be_read_is_not_attempted(wacr: WacrHarness) -> None:
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.sources = {}
    found = outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA, BEN, CAT, *NEW[:1])))
    assert found == {ANA: INFERRED, **dict.fromkeys((BEN, CAT, *NEW[:1]), NOT_ATTEMPTED)}


async def test_a_group_that_was_just_seen_is_not_looked_up_again_until_it_is_gone(wacr: WacrHarness) -> None:
    for phone in NEW[:3]:
        await wacr.adapter.add(GROUP, people(phone))
    assert wacr.requests().count("GET /groups/7") == 1
    await wacr.adapter.delete(GROUP)
    with pytest.raises(GroupNotFound):
        await wacr.adapter.add(GROUP, people(ANA))
    assert len(wacr.server.contacts) == 3
