import json

import httpx
import pytest

from providers.base import (
    Action,
    Evidence,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    Member,
    MembershipStatus,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    Person,
    RateLimited,
)
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, CAT, TOKEN, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
PATH = WACR.prefix
JOIN = f"POST {PATH}/groups/{GROUP}/contacts"
LEAVE = f"DELETE {PATH}/groups/{GROUP}/contacts"
SEARCH = f"GET {PATH}/contacts"
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)

REMOVED = (Outcome.REMOVED, Evidence.INFERRED)
WAS_OUT = (Outcome.ALREADY_DONE, Evidence.OBSERVED)


@pytest.fixture
def wacr(wacr: WacrHarness) -> WacrHarness:
    """Return a tenant with Ana and Ben in the group, and Cat outside."""
    wacr.world.put_group(GROUP, "Launch team", [ANA, BEN])
    wacr.server.put_contact(f"+{CAT}")
    return wacr


async def crowd(wacr: WacrHarness) -> None:
    """Make the group's list longer than what is read of it."""
    wacr.world.put_group(GROUP, "Launch team", [ANA, BEN, *(f"3361234{number:04}" for number in range(150))])


async def test_members_leave_by_one_call_and_who_is_not_in_the_list_was_out_already(wacr: WacrHarness) -> None:
    found = outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, BEN, CAT, "14155550104")))
    assert found == {ANA: REMOVED, BEN: REMOVED, CAT: WAS_OUT, "14155550104": WAS_OUT}
    assert wacr.requests() == ["GET /contacts", "DELETE /groups/7/contacts"]
    assert set(wacr.group.members) == set()


async def test_whoever_was_seen_a_moment_ago_is_removed_without_another_look(wacr: WacrHarness) -> None:
    await wacr.membership(ANA, BEN)
    wacr.server.calls.clear()
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, BEN))) == {ANA: REMOVED, BEN: REMOVED}
    assert wacr.requests() == ["DELETE /groups/7/contacts"]
    again = outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, BEN)))
    assert again == dict.fromkeys((ANA, BEN), (Outcome.ALREADY_DONE, Evidence.INFERRED))


@pytest.mark.parametrize("only_known", [False, True])
async def test_a_count_below_all_tells_nothing_about_anybody_who_was_to_leave(
    wacr: WacrHarness, only_known: bool
) -> None:
    wacr.server.removes_only_known = only_known
    await wacr.membership(ANA, BEN)
    wacr.world.remove(GROUP, BEN)
    result = await wacr.adapter.remove(GROUP, people(ANA, BEN))
    assert outcomes_with_evidence(result) == {ANA: UNKNOWN, BEN: UNKNOWN}
    assert {verdict.provider_message for verdict in result.verdicts} == {"contacts_removed: 1 of 2"}
    assert await wacr.membership(ANA, BEN) == {ANA: MembershipStatus.ABSENT, BEN: MembershipStatus.ABSENT}


async def test_in_a_long_list_each_is_searched_and_nobody_without_a_contact_is_called_absent(wacr: WacrHarness) -> None:
    await crowd(wacr)
    found = outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, CAT, "14155550104")))
    assert found == {ANA: REMOVED, CAT: WAS_OUT, "14155550104": UNKNOWN}
    assert set(wacr.group.members) & {ANA, BEN} == {BEN}


LONG, SHORT = "5511987654321", "551187654321"
"""Two forms of one Brazilian number."""


@pytest.mark.parametrize("inside", [[LONG], [SHORT], [LONG, SHORT]])
async def test_somebody_with_two_contacts_is_one_person_who_leaves_with_both(
    wacr: WacrHarness, inside: list[str]
) -> None:
    wacr.world.put_group(GROUP, "Launch team", [ANA, *inside])
    for phone in {LONG, SHORT} - set(inside):
        wacr.server.put_contact(f"+{phone}")
    assert await wacr.membership(LONG) == {LONG: MembershipStatus.PRESENT}
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert set(wacr.group.members) == {ANA}


async def test_a_count_tells_of_everybody_whose_contacts_cannot_all_have_been_outside(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [ANA, LONG, SHORT])
    await wacr.membership(ANA, LONG)
    wacr.world.remove(GROUP, SHORT)
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, LONG))) == {ANA: UNKNOWN, LONG: REMOVED}


async def test_in_a_long_list_the_second_contact_of_somebody_seen_early_leaves_too(wacr: WacrHarness) -> None:
    for phone in (LONG, *(f"3361234{number:04}" for number in range(150)), SHORT):
        wacr.server.put_contact(f"+{phone}")
    wacr.world.put_group(GROUP, "Launch team", [contact.digits for contact in wacr.server.contacts.values()])
    assert await wacr.membership(LONG) == {LONG: MembershipStatus.PRESENT}
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert set(wacr.group.members).isdisjoint({LONG, SHORT})


async def test_what_was_seen_in_another_group_is_not_all_that_leaves_this_one(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [ANA, SHORT])
    wacr.world.put_group("8", "Others", [LONG])
    for group in (GROUP, "8"):
        await wacr.adapter.membership(group, people(LONG))
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert set(wacr.group.members) == {ANA}


@pytest.mark.parametrize("long", [False, True])
async def test_nobody_is_called_gone_while_another_contact_in_the_group_may_be_theirs(
    wacr: WacrHarness, long: bool
) -> None:
    for phone in ("+447700900123", "07700 900123", *(f"+3361234{number:04}" for number in range(150 if long else 1))):
        wacr.server.put_contact(phone)
    wacr.world.put_group(GROUP, "Launch team", [contact.digits for contact in wacr.server.contacts.values()])
    await wacr.membership("447700900123")
    result = await wacr.adapter.remove(GROUP, people("447700900123"))
    assert outcomes_with_evidence(result) == {"447700900123": UNKNOWN}
    assert "may be this person's" in result.verdicts[0].provider_message
    assert "447700900123" not in set(wacr.group.members)


@pytest.mark.parametrize("passed_over", [True, False])
async def test_a_count_of_none_tells_nothing_of_somebody_who_opted_out(wacr: WacrHarness, passed_over: bool) -> None:
    wacr.server.passes_over_opted_out = passed_over
    dan = "14155550104"
    for phone in (ANA, dan):
        wacr.server.put_contact(f"+{phone}", is_opted_out=True)
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(dan))) == {
        dan: UNKNOWN if passed_over else (Outcome.ADDED, Evidence.INFERRED)
    }
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA))) == {
        ANA: UNKNOWN if passed_over else REMOVED
    }
    await wacr.membership(ANA, BEN)
    for phone in (ANA, BEN):
        wacr.world.remove(GROUP, phone)
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(ANA, BEN))) == {
        ANA: UNKNOWN,
        BEN: (Outcome.ALREADY_DONE, Evidence.INFERRED),
    }


async def test_somebody_whose_second_contact_opted_out_is_not_called_gone_by_the_first(wacr: WacrHarness) -> None:
    wacr.server.passes_over_opted_out = True
    wacr.server.put_contact(f"+{LONG}", is_opted_out=True)
    wacr.world.put_group(GROUP, "Launch team", [ANA, LONG, SHORT])
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(LONG))) == {LONG: UNKNOWN}
    assert set(wacr.group.members) == {ANA, LONG}


async def test_somebody_in_the_group_by_one_contact_is_not_added_by_another(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [ANA, SHORT])
    wacr.world.put_group("8", "Others", [LONG])
    await wacr.adapter.membership("8", people(LONG))
    assert outcomes_with_evidence(await wacr.adapter.add(GROUP, people(LONG))) == {
        LONG: (Outcome.ALREADY_DONE, Evidence.OBSERVED)
    }
    assert set(wacr.group.members) == {ANA, SHORT}


async def test_a_contact_whose_groups_are_not_told_is_removed_and_the_count_says_whether_it_was_in(
    wacr: WacrHarness,
) -> None:
    await crowd(wacr)
    number = next(c.id for c in wacr.server.contacts.values() if c.digits == CAT)
    body = json.dumps({"data": [{"id": number, "phone": CAT}]})
    wacr.server.faults = [InjectedFault(SEARCH, status=200, body=body, skip=1)]
    found = outcomes_with_evidence(await wacr.adapter.remove(GROUP, people(CAT)))
    assert found == {CAT: (Outcome.ALREADY_DONE, Evidence.INFERRED)}


async def test_a_lost_answer_to_a_removal_is_unknown_and_keeps_who_was_out_already(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(LEAVE, "after", -1)]
    result = await wacr.adapter.remove(GROUP, people(ANA, CAT))
    assert outcomes_with_evidence(result) == {ANA: UNKNOWN, CAT: WAS_OUT}
    assert isinstance(result.error, OutcomeUnknown)


@pytest.mark.parametrize("status", [404, 422])
async def test_a_removal_that_is_refused_for_a_lost_contact_leaves_open_who_left_before(
    wacr: WacrHarness, status: int
) -> None:
    wacr.server.stops_at_unknown = status
    await wacr.membership(ANA, BEN)
    lost = next(contact.id for contact in wacr.server.contacts.values() if contact.digits == BEN)
    del wacr.server.contacts[lost]
    wacr.world.remove(GROUP, BEN)
    with pytest.raises(OutcomeUnknown) as caught:
        await wacr.adapter.remove(GROUP, people(ANA, BEN))
    assert caught.value.code in {"NOT_FOUND", "VALIDATION_ERROR"}
    assert set(wacr.group.members) == set()
    assert await wacr.membership(ANA, BEN) == {ANA: MembershipStatus.ABSENT, BEN: MembershipStatus.ABSENT}


async def test_a_removal_of_one_contact_that_is_refused_did_nothing(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(LEAVE, status=422)]
    with pytest.raises(InvalidRequest):
        await wacr.adapter.remove(GROUP, people(ANA))


async def test_a_lid_and_an_unknown_group_are_told_before_anything_is_removed(wacr: WacrHarness) -> None:
    lid = Person("123@lid", lid="123@lid")
    assert outcomes_with_evidence(await wacr.adapter.remove(GROUP, [lid])) == {
        "123@lid": (Outcome.INVALID, Evidence.NONE)
    }
    with pytest.raises(GroupNotFound):
        await wacr.adapter.remove("99", people(ANA))
    assert {call.method for call in wacr.server.calls} == {"GET"}


async def test_a_group_is_made_and_filled_by_the_fewest_calls(wacr: WacrHarness) -> None:
    created = await wacr.adapter.create("Evening team", people(ANA, CAT))
    assert created.group is not None
    assert (created.group.id, created.group.subject) == ("8", "Evening team")
    assert {v.outcome for v in created.verdicts} == {Outcome.ADDED}
    assert wacr.requests() == ["POST /groups", "GET /contacts", "GET /contacts", "POST /groups/8/contacts"]


async def test_a_group_that_was_made_is_told_even_where_nobody_could_be_added(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(JOIN.replace("7", "8"), "after", -1)]
    created = await wacr.adapter.create("Evening team", people(ANA, "14155550104"))
    assert created.group is not None
    assert {v.key: v.outcome for v in created.verdicts} == {
        f"+{ANA}": Outcome.UNKNOWN,
        "+14155550104": Outcome.NOT_ATTEMPTED,
    }
    wacr.server.faults = [InjectedFault(SEARCH, status=302, headers={"Location": "/"})]
    created = await wacr.adapter.create("Night team", people("14155550105"))
    assert created.group is not None
    assert [v.outcome for v in created.verdicts] == [Outcome.FAILED]


@pytest.mark.parametrize("status", [429, 500, -1])
async def test_a_group_is_never_made_twice(wacr: WacrHarness, status: int) -> None:
    wacr.server.faults = [InjectedFault(f"POST {PATH}/groups", status=status)]
    with pytest.raises((RateLimited, OutcomeUnknown)):
        await wacr.adapter.create("Evening team", [])
    assert wacr.requests() == ["POST /groups"]


@pytest.mark.parametrize("name", ["Launch team", "x" * 256])
async def test_a_name_that_is_taken_or_too_long_is_refused_in_the_providers_words(wacr: WacrHarness, name: str) -> None:
    wacr.world.put_group("8", "Other team")
    with pytest.raises(InvalidRequest) as caught:
        await wacr.adapter.create(name, [])
    assert "name" in caught.value.provider_text
    result = await wacr.adapter.change("8", GroupChange(subject=name))
    assert isinstance(result.failed[Action.RENAME], InvalidRequest)
    assert result.failed[Action.RENAME].code == "VALIDATION_ERROR"
    wacr.expected_breaches = ("too long",)


async def test_a_name_is_changed_and_what_a_list_does_not_have_is_not(wacr: WacrHarness) -> None:
    result = await wacr.adapter.change(GROUP, GroupChange(subject="Evening team", description="x", locked=True))
    assert result.done == (Action.RENAME,)
    assert {action: type(error) for action, error in result.failed.items()} == {
        Action.DESCRIBE: NotSupported,
        Action.LOCK: NotSupported,
    }
    assert wacr.requests() == ["PATCH /groups/7"]


@pytest.mark.parametrize(
    ("body", "is_done"),
    [
        ('{"data": {"id": 7, "name": "Launch team"}}', False),
        ('{"data": {"id": 8, "name": "Evening team"}}', False),
        ('{"message": "Group updated successfully"}', False),
        ('{"id": 7, "name": "Evening team"}', True),
        ('{"data": {"id": 7}}', True),
    ],
)
async def test_a_new_name_counts_where_the_answer_shows_it(wacr: WacrHarness, body: str, is_done: bool) -> None:
    wacr.server.faults = [InjectedFault(f"PATCH {PATH}/groups/7", "after", 200, body)]
    result = await wacr.adapter.change(GROUP, GroupChange(subject=" Evening team"))
    assert result.done == ((Action.RENAME,) if is_done else ())
    assert {type(error) for error in result.failed.values()} == (set() if is_done else {OutcomeUnknown})


@pytest.mark.parametrize("silently", [True, False])
async def test_a_group_is_deleted_whatever_the_answer_holds(wacr: WacrHarness, silently: bool) -> None:
    wacr.server.deletes_silently = silently
    await wacr.adapter.delete(GROUP)
    assert wacr.world.groups == {}
    with pytest.raises(GroupNotFound):
        await wacr.adapter.delete(GROUP)


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("strips", [True, False])
async def test_nobody_is_in_a_deleted_group_though_contacts_may_hold_its_id(
    wacr: WacrHarness, strips: bool, long: bool
) -> None:
    if long:
        await crowd(wacr)
    wacr.server.strips_deleted = strips
    await wacr.membership(CAT)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as somebody_else:
        await somebody_else.delete(f"{wacr.url}{PATH}/groups/{GROUP}")
    with pytest.raises(GroupNotFound):
        await wacr.membership(ANA, BEN)
    for change in (wacr.adapter.add, wacr.adapter.remove):
        with pytest.raises(GroupNotFound):
            await change(GROUP, people(ANA, BEN))
    with pytest.raises(GroupNotFound):
        [found async for found in wacr.adapter.members(GROUP)]


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"errors": ["no"]}', '{"success": false, "message": "no"}'])
async def test_an_answer_that_does_not_say_that_a_group_was_deleted_is_unknown(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(f"DELETE {PATH}/groups/7", status=200, body=body)]
    with pytest.raises(OutcomeUnknown):
        await wacr.adapter.delete(GROUP)


@pytest.mark.parametrize(
    ("contact", "member"),
    [
        ({"phone": "+44 7700 900123"}, Member("+447700900123")),
        (
            {"phone": "00447700900123", "firstname": "Ada", "lastname": "Byron"},
            Member("+447700900123", name="Ada Byron"),
        ),
        ({"phone": 447700900123, "group_id": [7]}, Member("+447700900123")),
        ({"phone": "07700 900123"}, Member(name="07700 900123")),
        ({"phone": None, "firstname": "Ada"}, Member(name="Ada")),
        ({"group_id": [8]}, None),
    ],
)
async def test_a_contact_is_a_member_by_its_phone_in_e164_where_that_is_told(
    wacr: WacrHarness, contact: dict[str, object], member: Member | None
) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=200, body=json.dumps({"data": [{"id": 1, **contact}]}))]
    assert [found async for found in wacr.adapter.members(GROUP)] == ([member] if member else [])


async def test_members_of_an_empty_group_are_none_and_of_an_unknown_one_an_error(wacr: WacrHarness) -> None:
    wacr.world.put_group("8", "Nobody")
    assert [found async for found in wacr.adapter.members("8")] == []
    with pytest.raises(GroupNotFound):
        [found async for found in wacr.adapter.members("99")]
