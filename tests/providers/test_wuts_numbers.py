from typing import Any

import pytest

from providers.base import (
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    NumberCheck,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderFault,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from sandbox.providers.wuts import NUMBER
from tests.providers.harness import ANA, BEN, people
from tests.providers.provider_cases import WUTS, WutsHarness

GROUP = WUTS.group
READ = f"GET /groups/{GROUP}"
CHECK = "POST /contact/check"
RESOLVE = "POST /contacts/resolve"
SEND = "POST /send/text"


def by_lid(wuts: WutsHarness, phone: str) -> Person:
    lid = wuts.lid(phone)
    return Person(lid, lid=lid)


async def test_a_check_tells_the_number_under_which_somebody_is_known(wuts: WutsHarness) -> None:
    wuts.world.put_person(BEN, Disposition.NO_ACCOUNT)
    wuts.world.put_person("551187654321", Disposition.OPEN, also="5511987654321")
    cai = by_lid(wuts, "14155550103")
    asked = [*people(ANA, BEN, "5511987654321", "376312345"), cai, Person("9@lid", lid="9@lid")]
    assert list((await wuts.adapter.check_numbers(asked)).values()) == [
        NumberCheck(True, f"+{ANA}"),
        NumberCheck(False),
        NumberCheck(True, "+551187654321"),
        NumberCheck(None),  # too short for the check, which would refuse all others too
        NumberCheck(True, "+14155550103", cai.lid),
        NumberCheck(None, lid="9@lid"),
    ]


async def test_two_forms_that_both_have_an_account_name_no_canonical_one(wuts: WutsHarness) -> None:
    for form in ("551187654321", "5511987654321"):
        wuts.world.put_person(form, Disposition.OPEN)
    assert await wuts.adapter.check_numbers(people("5511987654321")) == {"+5511987654321": NumberCheck(True)}


async def test_many_numbers_are_checked_in_batches_and_once_a_day(wuts: WutsHarness) -> None:
    asked = people(*(f"1415555{n:04}" for n in range(200)))
    for _ in range(2):
        assert all(check.on_whatsapp for check in (await wuts.adapter.check_numbers(asked)).values())
    assert [len(body["numbers"]) for body in wuts.bodies(CHECK)] == [160, 40]


async def test_a_check_that_fails_is_told_and_an_absence_is_asked_again_before_it_counts(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(CHECK, status=200, body='{"success": true, "data": "none"}')]
    with pytest.raises(ProviderFault):
        await wuts.adapter.check_numbers(people(ANA))
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    await wuts.adapter.check_numbers(people(ANA))
    wuts.world.put_person(ANA, Disposition.OPEN)
    await wuts.adapter.add(GROUP, people(ANA))
    assert ANA in wuts.group.members


@pytest.mark.parametrize("members_by", ["phone", "lid"])
async def test_members_come_with_phones_lids_and_roles_as_far_as_they_are_told(
    wuts: WutsHarness, members_by: str
) -> None:
    wuts.server.members_by = "phone" if members_by == "phone" else "lid"
    wuts.world.put_group(GROUP, "Launch team", [ANA, BEN]).members[ANA].role = "admin"
    lids = [by_lid(wuts, phone).lid if members_by == "lid" else "" for phone in (NUMBER, ANA, BEN)]
    assert [member async for member in wuts.adapter.members(GROUP)] == [
        Member(f"+{NUMBER}", lids[0], status=MembershipStatus.ADMIN),
        Member(f"+{ANA}", lids[1], status=MembershipStatus.ADMIN),
        Member(f"+{BEN}", lids[2], status=MembershipStatus.MEMBER),
    ]
    assert len(wuts.bodies(RESOLVE)) == (members_by == "lid")


async def test_a_list_that_is_not_whole_ends_with_an_error(wuts: WutsHarness) -> None:
    row = f'{{"jid": "{GROUP}", "members_count": 2, "participants": [{{"jid": "{ANA}@s.whatsapp.net"}}]}}'
    wuts.server.faults = [InjectedFault(READ, status=200, body=f'{{"success": true, "group": {row}}}')]
    members = wuts.adapter.members(GROUP)
    assert await anext(members) == Member(f"+{ANA}")
    with pytest.raises(ProviderFault):
        await anext(members)


async def test_a_text_goes_to_the_number_that_is_known(wuts: WutsHarness) -> None:
    wuts.world.put_person("551187654321", Disposition.OPEN, also="5511987654321")
    for person in (*people(ANA, "5511987654321"), by_lid(wuts, BEN)):
        assert await wuts.adapter.send_to_person(person, "Hello")
    assert await wuts.adapter.send_to_group(GROUP, "Hello")
    assert [sent.to for sent in wuts.world.sent] == [ANA, "551187654321", BEN, GROUP]
    assert len(wuts.server.calls) == 2 + 2 + 2 + 1


async def test_a_text_that_nobody_would_get_is_not_sent(wuts: WutsHarness) -> None:
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    with pytest.raises(InvalidRequest) as raised:
        await wuts.adapter.send_to_person(people(ANA)[0], "Hello")
    assert verdicts_for_error(raised.value, people(ANA))[0].outcome is Outcome.NOT_ON_WHATSAPP
    with pytest.raises(InvalidRequest):
        await wuts.adapter.send_to_person(Person("9@lid", lid="9@lid"), "Hello")
    for group_id, text in ((BEN, "Hello"), (GROUP, ""), (GROUP, "x" * 4097)):
        with pytest.raises(InvalidRequest):
            await wuts.adapter.send_to_group(group_id, text)
    assert wuts.bodies(SEND) == []
    with pytest.raises(GroupNotFound):
        await wuts.adapter.send_to_group("120363000000000009@g.us", "Hello")


@pytest.mark.parametrize(
    "answer", [{"status": 403}, {"status": 500}, {"status": 200, "body": '{"success": true, "data": {}}'}]
)
async def test_a_text_to_a_number_that_could_not_be_checked_is_not_called_sent(
    wuts: WutsHarness, answer: dict[str, Any]
) -> None:
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    wuts.server.faults = [InjectedFault(CHECK, times=9, **answer)]
    with pytest.raises(OutcomeUnknown, match="check if the number is on WhatsApp"):
        await wuts.adapter.send_to_person(people(ANA)[0], "Hello")
    assert len(wuts.bodies(SEND)) == 1


async def test_a_text_without_an_id_was_sent(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(SEND, status=200, body='{"success": true, "message_id": 7}')]
    assert await wuts.adapter.send_to_group(GROUP, "Hello") == ""
