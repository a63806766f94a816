from typing import Any

import httpx
import pytest

from providers.base import (
    Evidence,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    NumberCheck,
    Operation,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderFault,
    Verdict,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition, Effect
from sandbox.providers.wuts import NUMBER
from tests.providers.harness import ANA, BEN, CAT, TOKEN, outcomes, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import WUTS, WutsHarness

GROUP = WUTS.group
ADD = f"POST /groups/{GROUP}/participants"
READ = f"GET /groups/{GROUP}"
CHECK = "POST /contact/check"
RESOLVE = "POST /contacts/resolve"


async def test_standing_in_the_answer_proves_nothing(wuts: WutsHarness) -> None:
    wuts.world.put_person(BEN, Disposition.PRIVATE)
    result = await wuts.adapter.add(GROUP, people(ANA, BEN))
    assert [e.effect for e in wuts.world.events] == [Effect.ADDED, Effect.PRIVATE]
    assert result.verdicts == (Verdict(f"+{ANA}", Outcome.UNKNOWN), Verdict(f"+{BEN}", Outcome.UNKNOWN))
    assert result.error is None


async def test_an_account_that_is_no_admin_and_is_told_nothing_leaves_all_unknown(wuts: WutsHarness) -> None:
    wuts.group.account_is_admin = False
    wuts.server.non_admin_status = 200
    verdicts = await run_operation(wuts.adapter, GROUP, Operation.ADD, people(ANA, BEN))
    assert set(outcomes(verdicts).values()) == {Outcome.UNKNOWN}


async def test_a_code_in_a_record_is_reported_and_a_success_code_proves_nothing(wuts: WutsHarness) -> None:
    wuts.server.codes_in_records = True
    expected = {
        Disposition.OPEN: Outcome.UNKNOWN,
        Disposition.PRIVATE: Outcome.REFUSED,
        Disposition.RECENTLY_LEFT: Outcome.RECENTLY_LEFT,
        Disposition.BLOCKED: Outcome.FAILED,
        Disposition.NO_ACCOUNT: Outcome.NOT_ON_WHATSAPP,
    }
    phones = dict(zip((f"1415555020{n}" for n in range(5)), expected, strict=True))
    for phone, disposition in phones.items():
        wuts.world.put_person(phone, disposition)
    wuts.world.put_group(GROUP, "Launch team", [BEN])
    result = await wuts.adapter.add(GROUP, people(*phones, BEN))
    assert list(outcomes(result.verdicts).values()) == [*expected.values(), Outcome.ALREADY_DONE]
    assert [v.provider_code for v in result.verdicts] == ["", "403", "408", "401", "false", "409"]


@pytest.mark.parametrize(
    ("full", "approval", "outcome"), [(True, False, Outcome.GROUP_FULL), (False, True, Outcome.PENDING)]
)
async def test_a_full_group_and_one_that_wants_approval_are_told_by_their_codes(
    wuts: WutsHarness, full: bool, approval: bool, outcome: Outcome
) -> None:
    wuts.server.codes_in_records = True
    group = wuts.group
    group.capacity, group.joins_need_approval = (1 if full else 9), approval
    assert outcomes((await wuts.adapter.add(GROUP, people(ANA))).verdicts) == {ANA: outcome}


async def test_a_rate_limit_inside_the_records_stops_the_sender_and_leaves_the_silent_unknown(
    wuts: WutsHarness,
) -> None:
    records = f'[{{"jid": "{ANA}@s.whatsapp.net", "code": "429", "message": "slow down"}}, {{"jid": "{BEN}@c.us"}}]'
    wuts.server.faults = [InjectedFault(ADD, status=200, body=f'{{"success": true, "participants": {records}}}')]
    result = await wuts.adapter.add(GROUP, people(ANA, BEN))
    assert result.error
    assert result.error.stops_sending
    assert result.verdicts == (
        Verdict(f"+{ANA}", Outcome.RATE_LIMITED, Evidence.REPORTED, "429", "slow down"),
        Verdict(f"+{BEN}", Outcome.UNKNOWN),
    )


async def test_codes_of_no_known_meaning_are_ignored(wuts: WutsHarness) -> None:
    wuts.server.faults = [
        InjectedFault(
            ADD,
            status=200,
            body=f'{{"success": true, "participants": [{{"jid": "{ANA}@s.whatsapp.net", "error": 0, "code": "odd"}}]}}',
        )
    ]
    assert (await wuts.adapter.add(GROUP, people(ANA))).verdicts == (Verdict(f"+{ANA}", Outcome.UNKNOWN),)


async def test_people_without_an_account_are_not_sent_and_nobody_left_means_no_write(wuts: WutsHarness) -> None:
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    result = await wuts.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result.verdicts) == {ANA: Outcome.NOT_ON_WHATSAPP, BEN: Outcome.UNKNOWN}
    assert wuts.bodies(ADD) == [{"participants": [f"{BEN}@s.whatsapp.net"], "action": "add"}]
    await wuts.adapter.add(GROUP, people(ANA))
    assert len(wuts.bodies(ADD)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500])
async def test_a_number_check_that_fails_does_not_stop_the_add(wuts: WutsHarness, status: int) -> None:
    wuts.server.faults = [InjectedFault(CHECK, status=status, times=-1)]
    wuts.world.put_person(ANA, Disposition.NO_ACCOUNT)
    result = await wuts.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result.verdicts) == {ANA: Outcome.UNKNOWN, BEN: Outcome.UNKNOWN}
    assert [event.phone for event in wuts.world.events] == [ANA, BEN]


async def test_a_number_none_of_whose_forms_is_known_is_not_on_whatsapp(wuts: WutsHarness) -> None:
    wuts.world.put_person("5511987654321", Disposition.NO_ACCOUNT, also="551187654321")
    result = await wuts.adapter.add(GROUP, people("5511987654321"))
    assert result.verdicts[0].outcome is Outcome.NOT_ON_WHATSAPP
    assert wuts.bodies(CHECK) == [{"numbers": ["551187654321", "5511987654321"]}]


async def test_a_form_that_the_check_left_unanswered_is_never_called_missing(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(CHECK, status=200, body='{"success": true, "data": {"5511987654321": false}}')]
    wuts.world.put_person("5511987654321", Disposition.OPEN)
    result = await wuts.adapter.add(GROUP, people("5511987654321"))
    assert result.verdicts[0].outcome is Outcome.UNKNOWN


async def test_numbers_that_validation_names_are_invalid_and_the_others_are_sent_without_them(
    wuts: WutsHarness,
) -> None:
    result = await wuts.adapter.add(GROUP, people("376312346", ANA, "376312345", BEN))
    assert result.error is None
    invalid = (Outcome.INVALID, Evidence.REPORTED, "VALIDATION_ERROR", "participant is not a number or JID")
    silent = (Outcome.UNKNOWN, Evidence.NONE, "", "")
    told = [(v.outcome, v.evidence, v.provider_code, v.provider_message) for v in result.verdicts]
    assert told == [invalid, silent, invalid, silent]
    assert [len(body["participants"]) for body in wuts.bodies(ADD)] == [4, 3, 2]
    assert [(event.phone, event.effect) for event in wuts.world.events] == [(ANA, Effect.ADDED), (BEN, Effect.ADDED)]


async def test_nobody_is_sent_again_where_validation_names_everybody(wuts: WutsHarness) -> None:
    result = await wuts.adapter.remove(GROUP, people("376312345"))
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.INVALID]
    assert len(wuts.server.calls) == 1


async def test_a_failure_after_validation_is_of_those_who_were_sent_again(wuts: WutsHarness) -> None:
    wuts.server.faults = [InjectedFault(ADD, status=500, skip=1)]
    result = await wuts.adapter.add(GROUP, people(ANA, "376312345"))
    assert outcomes(result.verdicts) == {ANA: Outcome.UNKNOWN, "376312345": Outcome.INVALID}
    assert isinstance(result.error, OutcomeUnknown)


async def test_a_person_known_by_lid_alone_is_added_and_found(wuts: WutsHarness) -> None:
    lid = wuts.lid(ANA)
    verdicts = await run_operation(wuts.adapter, GROUP, Operation.ADD, [Person(lid, lid=lid)])
    assert outcomes(verdicts) == {lid: Outcome.ADDED}
    assert list(wuts.group.members) == ["14155559999", ANA]
    assert wuts.bodies(CHECK) == []


@pytest.mark.parametrize("members_by", ["phone", "lid"])
@pytest.mark.parametrize("counted", [True, False])
async def test_members_stand_with_their_roles_and_others_are_absent(
    wuts: WutsHarness, members_by: str, counted: bool
) -> None:
    wuts.server.members_by = "phone" if members_by == "phone" else "lid"
    wuts.server.counts_members = counted
    wuts.world.put_group(GROUP, "Launch team", [ANA, BEN]).members[ANA].role = "admin"
    lids = [Person(wuts.lid(p), lid=wuts.lid(p)) for p in (BEN, CAT)]
    presence = await wuts.adapter.membership(GROUP, [*people(ANA, CAT), *lids])
    assert list(presence.values()) == [
        MembershipStatus.ADMIN,
        MembershipStatus.ABSENT,
        MembershipStatus.MEMBER,
        MembershipStatus.ABSENT,
    ]


async def test_phones_behind_lids_are_asked_once_and_at_most_160_in_a_call(wuts: WutsHarness) -> None:
    wuts.server.members_by = "lid"
    wuts.world.put_group(GROUP, "Launch team", [f"1415555{n:04}" for n in range(170)])
    for _ in range(2):
        presence = await wuts.adapter.membership(GROUP, people("14155550169", "14155550170"))
        assert list(presence.values()) == [MembershipStatus.MEMBER, MembershipStatus.ABSENT]
    assert [len(body["jids"]) for body in wuts.bodies(RESOLVE)] == [160, 11]


async def test_people_who_may_be_a_member_behind_an_unresolved_lid_are_hidden(wuts: WutsHarness) -> None:
    wuts.server.members_by = "lid"
    wuts.server.resolves_lids = False
    lid = wuts.lid("14155559999")
    presence = await wuts.adapter.membership(GROUP, [*people("14155559999", ANA), Person(lid, lid=lid)])
    assert list(presence.values()) == [MembershipStatus.HIDDEN, MembershipStatus.HIDDEN, MembershipStatus.MEMBER]


@pytest.mark.parametrize("resolved", [True, False])
async def test_a_lid_that_poses_as_a_phone_number_hides_people(wuts: WutsHarness, resolved: bool) -> None:
    wuts.server.members_by = "lid"
    wuts.server.lids_pose_as_phones = True
    wuts.server.resolves_lids = resolved
    assert await wuts.adapter.membership(GROUP, people("14155559999", ANA)) == {
        "+14155559999": MembershipStatus.HIDDEN,
        f"+{ANA}": MembershipStatus.HIDDEN,
    }
    lids = [wuts.lid(phone) for phone in (NUMBER, "14155559999")]
    assert [(member.phone, member.lid) async for member in wuts.adapter.members(GROUP)] == [("", lid) for lid in lids]


async def test_a_failed_look_up_of_lids_hides_people(wuts: WutsHarness) -> None:
    wuts.server.members_by = "lid"
    wuts.server.faults = [InjectedFault(RESOLVE, status=500, times=-1)]
    assert await wuts.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.HIDDEN}


async def test_a_list_shorter_than_its_count_proves_presence_but_not_absence(wuts: WutsHarness) -> None:
    # Nor does it tell a role: this record has no flags.
    record = f'{{"jid": "9@lid", "phone_number": "{ANA}"}}'
    group = f'{{"jid": "{GROUP}", "members_count": 2, "participants": [{record}]}}'
    wuts.server.faults = [InjectedFault(READ, status=200, body=f'{{"success": true, "group": {group}}}')]
    presence = await wuts.adapter.membership(GROUP, people(ANA, BEN))
    assert list(presence.values()) == [MembershipStatus.PRESENT, MembershipStatus.UNKNOWN]


@pytest.mark.parametrize("count", ["", '"members_count": 0, '])
async def test_a_list_without_even_the_device_proves_nothing(wuts: WutsHarness, count: str) -> None:
    group = f'{{"jid": "{GROUP}", {count}"participants": []}}'
    wuts.server.faults = [InjectedFault(READ, status=200, body=f'{{"success": true, "group": {group}}}')]
    assert await wuts.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}


async def test_the_simulator_lists_its_device_by_the_contract(wuts: WutsHarness) -> None:
    async with httpx.AsyncClient(base_url=wuts.url, transport=wuts.transport) as client:
        answer = await client.get("/devices", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.json()["devices"][0]["connected"] is True


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
