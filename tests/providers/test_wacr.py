import asyncio
from collections.abc import AsyncIterator

import pytest

from providers.base import (
    Evidence,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    Person,
)
from providers.wacr.contacts import CACHE_TTL
from sandbox.providers.world import Disposition, Effect
from tests.providers.wacr_bench import ANA, BEN, CAT, GROUP, Bench, outcomes, people, wacr

REPORTED = (Outcome.ADDED, Evidence.REPORTED)
INFERRED = (Outcome.ADDED, Evidence.INFERRED)
SEEN_BEFORE = (Outcome.ALREADY_DONE, Evidence.OBSERVED)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with wacr() as bench:
        yield bench
        assert bench.transport.broken == []


async def test_of_thirty_people_each_gets_one_verdict_and_it_is_the_truth(bench: Bench) -> None:
    phones = [f"1415555{number:04}" for number in range(30)]
    for phone, disposition in zip(phones, [*Disposition] * 6, strict=True):
        bench.world.put_person(phone, disposition)
    members, known = phones[:5], phones[5:15]
    bench.world.put_group(GROUP, "Launch team", members)
    for phone in known:
        bench.server.put_contact(f"+{phone}")
    result = await bench.adapter.add(GROUP, people(*phones))
    found = outcomes(result)
    assert list(found) == phones
    assert {found[phone] for phone in members} == {SEEN_BEFORE}
    assert {found[phone] for phone in phones[5:]} == {INFERRED}
    assert bench.truth() == dict.fromkeys(phones[5:], Effect.ADDED)
    assert bench.members() == set(phones)
    assert result.error is None


async def test_a_contact_is_added_once_by_one_call_for_all_who_have_one(bench: Bench) -> None:
    for phone in (ANA, BEN, CAT):
        bench.server.put_contact(f"+{phone}")
    assert outcomes(await bench.adapter.add(GROUP, people(ANA, BEN, CAT))) == dict.fromkeys((ANA, BEN, CAT), INFERRED)
    assert bench.asked() == ["GET /contacts"] * 3 + ["POST /groups/7/contacts"]
    assert bench.server.calls[-1].body == {"contact_ids": [101, 102, 103]}


async def test_a_person_without_a_contact_is_created_inside_the_group_by_one_call(bench: Bench) -> None:
    result = await bench.adapter.add(GROUP, people(ANA))
    assert outcomes(result) == {ANA: REPORTED}
    assert result.verdicts[0].provider_code == "201"
    assert result.verdicts[0].provider_message == "Contact created successfully"
    assert bench.asked() == ["GET /contacts", "GET /groups/7", "GET /sources", "GET /statuses", "POST /contacts"]
    created = bench.server.contacts[101]
    assert (created.phone, created.source_id, created.status_id) == (f"+{ANA}", 3, 5)


async def test_sources_and_statuses_are_read_once(bench: Bench) -> None:
    await bench.adapter.add(GROUP, people(ANA, BEN))
    await bench.adapter.add(GROUP, people(CAT))
    assert bench.asked().count("GET /sources") == 1
    assert bench.asked().count("GET /statuses") == 1


async def test_without_a_source_nobody_is_created_and_the_reason_is_told(bench: Bench) -> None:
    bench.server.sources = {}
    with pytest.raises(InvalidRequest, match="no contact sources"):
        await bench.adapter.add(GROUP, people(ANA))
    assert bench.members() == set()


async def test_a_source_that_went_away_fails_one_person_and_is_read_again(bench: Bench) -> None:
    await bench.adapter.add(GROUP, people(ANA))
    bench.server.sources = {9: "Fair"}
    result = await bench.adapter.add(GROUP, people(BEN, CAT))
    assert outcomes(result) == {BEN: (Outcome.FAILED, Evidence.REPORTED), CAT: REPORTED}
    assert result.verdicts[0].provider_code == "VALIDATION_ERROR"
    assert "The selected source does not exist" in result.verdicts[0].provider_message
    assert result.error is None


async def test_a_short_address_book_is_read_whole_instead_of_searched(bench: Bench) -> None:
    phones = [f"4477009001{number:02}" for number in range(10)]
    for phone in phones:
        bench.server.put_contact(f"+{phone}")
    await bench.adapter.add(GROUP, people(*phones))
    assert bench.asked() == ["GET /contacts", "POST /groups/7/contacts"]


async def test_a_number_that_others_hold_in_part_is_not_taken_for_theirs(bench: Bench) -> None:
    bench.server.put_contact(f"+{ANA}77")
    bench.server.put_contact(None, company=f"Office {ANA}")
    bench.server.put_contact(f"+1 ({ANA[1:4]}) {ANA[4:7]} {ANA[7:]}5")
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: REPORTED}
    assert bench.members() == {ANA}


async def test_a_match_on_the_second_page_of_a_search_is_found(bench: Bench) -> None:
    for number in range(120):
        bench.server.put_contact(f"+{ANA}{number:03}")
    contact = bench.server.put_contact(ANA)
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: INFERRED}
    assert bench.server.calls[-1].body == {"contact_ids": [contact.id]}


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
async def test_a_contact_in_another_form_of_the_phone_is_the_same_person(bench: Bench, typed: str, stored: str) -> None:
    bench.server.put_contact(stored)
    assert outcomes(await bench.adapter.add(GROUP, people(typed))) == {typed: INFERRED}
    assert await bench.membership(typed) == {typed: MembershipStatus.PRESENT}
    assert len(bench.server.contacts) == 1


async def test_a_member_whose_phone_only_its_last_digits_find_is_already_done(bench: Bench) -> None:
    bench.server.compares_digits = True
    bench.server.put_contact("+1 (415) 555-0101")
    bench.world.put_group(GROUP, "Launch team", [ANA])
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: SEEN_BEFORE}
    assert bench.truth() == {}


async def test_a_phone_that_exists_in_a_form_that_no_search_finds_fails_in_the_providers_words(bench: Bench) -> None:
    bench.server.compares_digits = True
    bench.server.put_contact("+1.4.1.5.5.5.5.0.1.0.1")
    result = await bench.adapter.add(GROUP, people(ANA))
    assert outcomes(result) == {ANA: (Outcome.FAILED, Evidence.REPORTED)}
    assert "This phone number already exists" in result.verdicts[0].provider_message


async def test_two_who_add_the_same_person_at_once_leave_one_contact_and_true_verdicts(bench: Bench) -> None:
    results = await asyncio.gather(*(bench.adapter.add(GROUP, people(ANA)) for _ in range(2)))
    assert sorted(outcomes(result)[ANA] for result in results) == sorted([REPORTED, SEEN_BEFORE])
    assert [contact.phone for contact in bench.server.contacts.values()] == [f"+{ANA}"]


async def test_people_who_became_members_meanwhile_are_already_done_when_the_count_is_zero(bench: Bench) -> None:
    bench.server.put_contact(f"+{ANA}")
    bench.world.put_group(GROUP, "Launch team", [ANA])
    bench.world.groups[GROUP].members[ANA].since = bench.time[0]
    bench.world.read_lag = 60
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: (Outcome.ALREADY_DONE, Evidence.INFERRED)}


async def test_a_count_between_none_and_all_tells_nothing_about_anybody(bench: Bench) -> None:
    for phone in (ANA, BEN):
        bench.server.put_contact(f"+{phone}")
    bench.world.put_group(GROUP, "Launch team", [ANA])
    bench.world.groups[GROUP].members[ANA].since = bench.time[0]
    bench.world.read_lag = 60
    result = await bench.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result) == dict.fromkeys((ANA, BEN), (Outcome.UNKNOWN, Evidence.NONE))
    assert {verdict.provider_message for verdict in result.verdicts} == {"contacts_added: 1 of 2"}


async def test_a_lid_is_invalid_and_its_presence_unknown(bench: Bench) -> None:
    lid = Person("123@lid", lid="123@lid")
    found = outcomes(await bench.adapter.add(GROUP, [lid, *people(ANA)]))
    assert found == {"123@lid": (Outcome.INVALID, Evidence.NONE), ANA: REPORTED}
    assert await bench.adapter.membership(GROUP, [lid]) == {"123@lid": MembershipStatus.UNKNOWN}


async def test_nobody_to_add_calls_nobody(bench: Bench) -> None:
    assert (await bench.adapter.add(GROUP, [])).verdicts == ()
    assert bench.asked() == []


async def test_two_forms_of_one_phone_are_one_contact_and_each_gets_a_verdict(bench: Bench) -> None:
    contact = bench.server.put_contact("+5511987654321")
    found = outcomes(await bench.adapter.add(GROUP, people("5511987654321", "551187654321")))
    assert found == dict.fromkeys(("5511987654321", "551187654321"), INFERRED)
    assert bench.server.calls[-1].body == {"contact_ids": [contact.id]}


async def test_of_two_contacts_the_one_with_the_very_phone_is_taken(bench: Bench) -> None:
    bench.server.put_contact("551187654321")
    exact = bench.server.put_contact("+5511987654321")
    await bench.adapter.add(GROUP, people("5511987654321"))
    assert bench.server.calls[-1].body == {"contact_ids": [exact.id]}


@pytest.mark.parametrize("compares_digits", [True, False])
async def test_a_phone_that_is_stored_with_separators_is_found_by_its_last_digits(
    bench: Bench, compares_digits: bool
) -> None:
    bench.server.compares_digits = compares_digits
    contact = bench.server.put_contact("+1 (415) 555-0101")
    result = await bench.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result) == {ANA: INFERRED, BEN: REPORTED}
    assert {"contact_ids": [contact.id]} in [call.body for call in bench.server.calls]
    assert bench.members() == {ANA, BEN}


async def test_a_contact_that_was_just_looked_up_is_not_searched_again(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    contact = bench.server.put_contact(f"+{ANA}")
    assert await bench.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    bench.server.calls.clear()
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: INFERRED}
    assert bench.asked() == ["POST /groups/7/contacts"]
    bench.world.remove(GROUP, ANA)
    del bench.server.contacts[contact.id]
    with pytest.raises(InvalidRequest):
        await bench.adapter.add(GROUP, people(ANA))
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: REPORTED}


async def test_what_was_looked_up_long_ago_is_looked_up_again(bench: Bench) -> None:
    bench.server.put_contact(f"+{ANA}")
    await bench.adapter.add(GROUP, people(ANA))
    bench.time[0] += CACHE_TTL
    assert outcomes(await bench.adapter.add(GROUP, people(ANA))) == {ANA: SEEN_BEFORE}
