import asyncio
import json

import pytest

from providers.base import (
    Action,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
)
from providers.wacr import Wacr
from providers.wacr.contacts import CACHE_TTL
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, CAT, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
REPORTED = (Outcome.ADDED, Evidence.REPORTED)
INFERRED = (Outcome.ADDED, Evidence.INFERRED)
SEEN_BEFORE = (Outcome.ALREADY_DONE, Evidence.OBSERVED)


async def test_a_contact_is_added_once_by_one_call_for_all_who_have_one(wacr: WacrHarness) -> None:
    for phone in (ANA, BEN, CAT):
        wacr.server.put_contact(f"+{phone}")
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA, BEN, CAT))) == dict.fromkeys(
        (ANA, BEN, CAT), INFERRED
    )
    assert wacr.requests() == ["GET /contacts"] * 3 + ["POST /groups/7/contacts"]
    assert wacr.server.calls[-1].body == {"contact_ids": [101, 102, 103]}


async def test_a_person_without_a_contact_is_created_inside_the_group_by_one_call(wacr: WacrHarness) -> None:
    result = await wacr.adapter.add(GROUP, people(ANA))
    assert outcomes_with_evidence(result) == {ANA: REPORTED}
    assert result.verdicts[0].provider_code == "201"
    assert result.verdicts[0].provider_message == "Contact created successfully"
    assert wacr.requests() == ["GET /contacts", "GET /groups/7", "GET /sources", "GET /statuses", "POST /contacts"]
    created = wacr.server.contacts[101]
    assert (created.phone, created.source_id, created.status_id) == (f"+{ANA}", 3, 5)


async def test_sources_and_statuses_are_read_once(wacr: WacrHarness) -> None:
    await wacr.adapter.add(GROUP, people(ANA, BEN))
    await wacr.adapter.add(GROUP, people(CAT))
    assert wacr.requests().count("GET /sources") == 1
    assert wacr.requests().count("GET /statuses") == 1


async def test_without_a_source_nobody_is_created_and_the_reason_is_told(wacr: WacrHarness) -> None:
    wacr.server.sources = {}
    with pytest.raises(InvalidRequest, match="no contact sources"):
        await wacr.adapter.add(GROUP, people(ANA))
    assert set(wacr.group.members) == set()


async def test_a_source_that_went_away_fails_one_person_and_is_read_again(wacr: WacrHarness) -> None:
    await wacr.adapter.add(GROUP, people(ANA))
    wacr.server.sources = {9: "Fair"}
    result = await wacr.adapter.add(GROUP, people(BEN, CAT))
    assert outcomes_with_evidence(result) == {BEN: (Outcome.FAILED, Evidence.REPORTED), CAT: REPORTED}
    assert result.verdicts[0].provider_code == "VALIDATION_ERROR"
    assert "The selected source does not exist" in result.verdicts[0].provider_message
    assert result.error is None


async def test_a_short_address_book_is_read_whole_instead_of_searched(wacr: WacrHarness) -> None:
    phones = [f"4477009001{number:02}" for number in range(10)]
    for phone in phones:
        wacr.server.put_contact(f"+{phone}")
    await wacr.adapter.add(GROUP, people(*phones))
    assert wacr.requests() == ["GET /contacts", "POST /groups/7/contacts"]


async def test_a_number_that_others_hold_in_part_is_not_taken_for_theirs(wacr: WacrHarness) -> None:
    wacr.server.put_contact(f"+{ANA}77")
    wacr.server.put_contact(None, company=f"Office {ANA}")
    wacr.server.put_contact(f"+1 ({ANA[1:4]}) {ANA[4:7]} {ANA[7:]}5")
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: REPORTED}
    assert set(wacr.group.members) == {ANA}


async def test_a_match_on_the_second_page_of_a_search_is_found(wacr: WacrHarness) -> None:
    for number in range(120):
        wacr.server.put_contact(f"+{ANA}{number:03}")
    contact = wacr.server.put_contact(ANA)
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: INFERRED}
    assert wacr.server.calls[-1].body == {"contact_ids": [contact.id]}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("5511987654321", "551187654321"),
        ("551187654321", "+5511987654321"),
        ("525512345678", "+5215512345678"),
        ("541123456789", "5491123456789"),
        ("447700900123", "00447700900123"),
    ],
)
async def test_a_contact_in_another_form_of_the_phone_is_the_same_person(
    wacr: WacrHarness, typed: str, stored: str
) -> None:
    wacr.server.put_contact(stored)
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(typed))) == {typed: INFERRED}
    assert await wacr.membership(typed) == {typed: MembershipStatus.PRESENT}
    assert len(wacr.server.contacts) == 1


async def test_a_member_whose_phone_only_its_last_digits_find_is_already_done(wacr: WacrHarness) -> None:
    wacr.server.compares_digits = True
    wacr.server.put_contact("+1 (415) 555-0101")
    wacr.world.put_group(GROUP, "Launch team", [ANA])
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: SEEN_BEFORE}
    assert wacr.effects() == {}


async def test_a_phone_that_exists_in_a_form_that_no_search_finds_fails_in_the_providers_words(
    wacr: WacrHarness,
) -> None:
    wacr.server.compares_digits = True
    wacr.server.put_contact("+1.4.1.5.5.5.5.0.1.0.1")
    result = await wacr.adapter.add(GROUP, people(ANA))
    assert outcomes_with_evidence(result) == {ANA: (Outcome.FAILED, Evidence.REPORTED)}
    assert "This phone number already exists" in result.verdicts[0].provider_message


async def test_two_who_add_the_same_person_at_once_leave_one_contact_and_true_verdicts(wacr: WacrHarness) -> None:
    results = await asyncio.gather(*(wacr.adapter.add(GROUP, people(ANA)) for _ in range(2)))
    assert sorted(outcomes_with_evidence(result)[ANA] for result in results) == sorted([REPORTED, SEEN_BEFORE])
    assert [contact.phone for contact in wacr.server.contacts.values()] == [f"+{ANA}"]


async def test_people_who_became_members_meanwhile_are_already_done_when_the_count_is_zero(wacr: WacrHarness) -> None:
    wacr.server.put_contact(f"+{ANA}")
    wacr.world.put_group(GROUP, "Launch team", [ANA])
    wacr.group.members[ANA].since = wacr.clock.now
    wacr.world.read_lag = 60
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {
        ANA: (Outcome.ALREADY_DONE, Evidence.INFERRED)
    }


async def test_a_count_between_none_and_all_tells_nothing_about_anybody(wacr: WacrHarness) -> None:
    for phone in (ANA, BEN):
        wacr.server.put_contact(f"+{phone}")
    wacr.world.put_group(GROUP, "Launch team", [ANA])
    wacr.group.members[ANA].since = wacr.clock.now
    wacr.world.read_lag = 60
    result = await wacr.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes_with_evidence(result) == dict.fromkeys((ANA, BEN), (Outcome.UNKNOWN, Evidence.NONE))
    assert {verdict.provider_message for verdict in result.verdicts} == {"contacts_added: 1 of 2"}


async def test_two_forms_of_one_phone_are_one_contact_and_each_gets_a_verdict(wacr: WacrHarness) -> None:
    contact = wacr.server.put_contact("+5511987654321")
    found = outcomes_with_evidence(await wacr.adapter.add(GROUP, people("5511987654321", "551187654321")))
    assert found == dict.fromkeys(("5511987654321", "551187654321"), INFERRED)
    assert wacr.server.calls[-1].body == {"contact_ids": [contact.id]}


async def test_of_two_contacts_the_one_with_the_very_phone_is_taken(wacr: WacrHarness) -> None:
    wacr.server.put_contact("551187654321")
    exact = wacr.server.put_contact("+5511987654321")
    await wacr.adapter.add(GROUP, people("5511987654321"))
    assert wacr.server.calls[-1].body == {"contact_ids": [exact.id]}


@pytest.mark.parametrize("compares_digits", [True, False])
async def test_a_phone_that_is_stored_with_separators_is_found_by_its_last_digits(
    wacr: WacrHarness, compares_digits: bool
) -> None:
    wacr.server.compares_digits = compares_digits
    contact = wacr.server.put_contact("+1 (415) 555-0101")
    result = await wacr.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes_with_evidence(result) == {ANA: INFERRED, BEN: REPORTED}
    assert {"contact_ids": [contact.id]} in [call.body for call in wacr.server.calls]
    assert set(wacr.group.members) == {ANA, BEN}


async def test_a_contact_that_was_just_looked_up_is_not_searched_again(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    contact = wacr.server.put_contact(f"+{ANA}")
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    wacr.server.calls.clear()
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: INFERRED}
    assert wacr.requests() == ["POST /groups/7/contacts"]
    wacr.world.remove(GROUP, ANA)
    del wacr.server.contacts[contact.id]
    with pytest.raises(InvalidRequest):
        await wacr.adapter.add(GROUP, people(ANA))
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: REPORTED}


async def test_what_was_looked_up_long_ago_is_looked_up_again(wacr: WacrHarness) -> None:
    wacr.server.put_contact(f"+{ANA}")
    await wacr.adapter.add(GROUP, people(ANA))
    wacr.clock.now += CACHE_TTL
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(ANA))) == {ANA: SEEN_BEFORE}


PATH = WACR.prefix
CREATE = f"POST {PATH}/contacts"
BATCH = f"{CREATE}/batch"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)
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
