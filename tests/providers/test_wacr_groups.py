import json
from collections.abc import AsyncIterator

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
from tests.providers.wacr_bench import (
    ANA,
    BEN,
    CAT,
    GROUP,
    JOIN,
    LEAVE,
    PATH,
    SEARCH,
    TOKEN,
    UNKNOWN,
    Bench,
    outcomes,
    people,
    wacr,
)

REMOVED = (Outcome.REMOVED, Evidence.INFERRED)
WAS_OUT = (Outcome.ALREADY_DONE, Evidence.OBSERVED)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Give a tenant with Ana and Ben in the group, and Cat outside."""
    async with wacr() as bench:
        bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
        bench.server.put_contact(f"+{CAT}")
        yield bench
        assert bench.transport.broken == []


async def crowd(bench: Bench) -> None:
    """Make the group's list longer than what is read of it."""
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN, *(f"3361234{number:04}" for number in range(150))])


async def test_members_leave_by_one_call_and_who_is_not_in_the_list_was_out_already(bench: Bench) -> None:
    found = outcomes(await bench.adapter.remove(GROUP, people(ANA, BEN, CAT, "14155550104")))
    assert found == {ANA: REMOVED, BEN: REMOVED, CAT: WAS_OUT, "14155550104": WAS_OUT}
    assert bench.asked() == ["GET /contacts", "DELETE /groups/7/contacts"]
    assert bench.members() == set()


async def test_whoever_was_seen_a_moment_ago_is_removed_without_another_look(bench: Bench) -> None:
    await bench.membership(ANA, BEN)
    bench.server.calls.clear()
    assert outcomes(await bench.adapter.remove(GROUP, people(ANA, BEN))) == {ANA: REMOVED, BEN: REMOVED}
    assert bench.asked() == ["DELETE /groups/7/contacts"]
    again = outcomes(await bench.adapter.remove(GROUP, people(ANA, BEN)))
    assert again == dict.fromkeys((ANA, BEN), (Outcome.ALREADY_DONE, Evidence.INFERRED))


@pytest.mark.parametrize("only_known", [False, True])
async def test_a_count_below_all_tells_nothing_about_anybody_who_was_to_leave(bench: Bench, only_known: bool) -> None:
    bench.server.removes_only_known = only_known
    await bench.membership(ANA, BEN)
    bench.world.remove(GROUP, BEN)
    result = await bench.adapter.remove(GROUP, people(ANA, BEN))
    assert outcomes(result) == {ANA: UNKNOWN, BEN: UNKNOWN}
    assert {verdict.provider_message for verdict in result.verdicts} == {"contacts_removed: 1 of 2"}
    assert await bench.membership(ANA, BEN) == {ANA: MembershipStatus.ABSENT, BEN: MembershipStatus.ABSENT}


async def test_in_a_long_list_each_is_searched_and_nobody_without_a_contact_is_called_absent(bench: Bench) -> None:
    await crowd(bench)
    found = outcomes(await bench.adapter.remove(GROUP, people(ANA, CAT, "14155550104")))
    assert found == {ANA: REMOVED, CAT: WAS_OUT, "14155550104": UNKNOWN}
    assert bench.members() & {ANA, BEN} == {BEN}


LONG, SHORT = "5511987654321", "551187654321"
"""Two forms of one Brazilian number."""


@pytest.mark.parametrize("inside", [[LONG], [SHORT], [LONG, SHORT]])
async def test_somebody_with_two_contacts_is_one_person_who_leaves_with_both(bench: Bench, inside: list[str]) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, *inside])
    for phone in {LONG, SHORT} - set(inside):
        bench.server.put_contact(f"+{phone}")
    assert await bench.membership(LONG) == {LONG: MembershipStatus.PRESENT}
    assert outcomes(await bench.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert bench.members() == {ANA}


async def test_a_count_tells_of_everybody_whose_contacts_cannot_all_have_been_outside(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, LONG, SHORT])
    await bench.membership(ANA, LONG)
    bench.world.remove(GROUP, SHORT)
    assert outcomes(await bench.adapter.remove(GROUP, people(ANA, LONG))) == {ANA: UNKNOWN, LONG: REMOVED}


async def test_in_a_long_list_the_second_contact_of_somebody_seen_early_leaves_too(bench: Bench) -> None:
    for phone in (LONG, *(f"3361234{number:04}" for number in range(150)), SHORT):
        bench.server.put_contact(f"+{phone}")
    bench.world.put_group(GROUP, "Launch team", [contact.digits for contact in bench.server.contacts.values()])
    assert await bench.membership(LONG) == {LONG: MembershipStatus.PRESENT}
    assert outcomes(await bench.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert bench.members().isdisjoint({LONG, SHORT})


async def test_what_was_seen_in_another_group_is_not_all_that_leaves_this_one(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, SHORT])
    bench.world.put_group("8", "Others", [LONG])
    for group in (GROUP, "8"):
        await bench.adapter.membership(group, people(LONG))
    assert outcomes(await bench.adapter.remove(GROUP, people(LONG))) == {LONG: REMOVED}
    assert bench.members() == {ANA}


@pytest.mark.parametrize("long", [False, True])
async def test_nobody_is_called_gone_while_another_contact_in_the_group_may_be_theirs(bench: Bench, long: bool) -> None:
    for phone in ("+447700900123", "07700 900123", *(f"+3361234{number:04}" for number in range(150 if long else 1))):
        bench.server.put_contact(phone)
    bench.world.put_group(GROUP, "Launch team", [contact.digits for contact in bench.server.contacts.values()])
    await bench.membership("447700900123")
    result = await bench.adapter.remove(GROUP, people("447700900123"))
    assert outcomes(result) == {"447700900123": UNKNOWN}
    assert "may be this person's" in result.verdicts[0].provider_message
    assert "447700900123" not in bench.members()


@pytest.mark.parametrize("passed_over", [True, False])
async def test_a_count_of_none_tells_nothing_of_somebody_who_opted_out(bench: Bench, passed_over: bool) -> None:
    bench.server.passes_over_opted_out = passed_over
    dan = "14155550104"
    for phone in (ANA, dan):
        bench.server.put_contact(f"+{phone}", is_opted_out=True)
    assert outcomes(await bench.adapter.add(GROUP, people(dan))) == {
        dan: UNKNOWN if passed_over else (Outcome.ADDED, Evidence.INFERRED)
    }
    assert outcomes(await bench.adapter.remove(GROUP, people(ANA))) == {ANA: UNKNOWN if passed_over else REMOVED}
    await bench.membership(ANA, BEN)
    for phone in (ANA, BEN):
        bench.world.remove(GROUP, phone)
    assert outcomes(await bench.adapter.remove(GROUP, people(ANA, BEN))) == {
        ANA: UNKNOWN,
        BEN: (Outcome.ALREADY_DONE, Evidence.INFERRED),
    }


async def test_somebody_whose_second_contact_opted_out_is_not_called_gone_by_the_first(bench: Bench) -> None:
    bench.server.passes_over_opted_out = True
    bench.server.put_contact(f"+{LONG}", is_opted_out=True)
    bench.world.put_group(GROUP, "Launch team", [ANA, LONG, SHORT])
    assert outcomes(await bench.adapter.remove(GROUP, people(LONG))) == {LONG: UNKNOWN}
    assert bench.members() == {ANA, LONG}


async def test_somebody_in_the_group_by_one_contact_is_not_added_by_another(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, SHORT])
    bench.world.put_group("8", "Others", [LONG])
    await bench.adapter.membership("8", people(LONG))
    assert outcomes(await bench.adapter.add(GROUP, people(LONG))) == {LONG: (Outcome.ALREADY_DONE, Evidence.OBSERVED)}
    assert bench.members() == {ANA, SHORT}


async def test_a_contact_whose_groups_are_not_told_is_removed_and_the_count_says_whether_it_was_in(
    bench: Bench,
) -> None:
    await crowd(bench)
    number = next(c.id for c in bench.server.contacts.values() if c.digits == CAT)
    body = json.dumps({"data": [{"id": number, "phone": CAT}]})
    bench.server.faults = [InjectedFault(SEARCH, status=200, body=body, skip=1)]
    found = outcomes(await bench.adapter.remove(GROUP, people(CAT)))
    assert found == {CAT: (Outcome.ALREADY_DONE, Evidence.INFERRED)}


async def test_a_lost_answer_to_a_removal_is_unknown_and_keeps_who_was_out_already(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(LEAVE, "after", -1)]
    result = await bench.adapter.remove(GROUP, people(ANA, CAT))
    assert outcomes(result) == {ANA: UNKNOWN, CAT: WAS_OUT}
    assert isinstance(result.error, OutcomeUnknown)


@pytest.mark.parametrize("status", [404, 422])
async def test_a_removal_that_is_refused_for_a_lost_contact_leaves_open_who_left_before(
    bench: Bench, status: int
) -> None:
    bench.server.stops_at_unknown = status
    await bench.membership(ANA, BEN)
    lost = next(contact.id for contact in bench.server.contacts.values() if contact.digits == BEN)
    del bench.server.contacts[lost]
    bench.world.remove(GROUP, BEN)
    with pytest.raises(OutcomeUnknown) as caught:
        await bench.adapter.remove(GROUP, people(ANA, BEN))
    assert caught.value.code in {"NOT_FOUND", "VALIDATION_ERROR"}
    assert bench.members() == set()
    assert await bench.membership(ANA, BEN) == {ANA: MembershipStatus.ABSENT, BEN: MembershipStatus.ABSENT}


async def test_a_removal_of_one_contact_that_is_refused_did_nothing(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(LEAVE, status=422)]
    with pytest.raises(InvalidRequest):
        await bench.adapter.remove(GROUP, people(ANA))


async def test_a_lid_and_an_unknown_group_are_told_before_anything_is_removed(bench: Bench) -> None:
    lid = Person("123@lid", lid="123@lid")
    assert outcomes(await bench.adapter.remove(GROUP, [lid])) == {"123@lid": (Outcome.INVALID, Evidence.NONE)}
    with pytest.raises(GroupNotFound):
        await bench.adapter.remove("99", people(ANA))
    assert {call.method for call in bench.server.calls} == {"GET"}


async def test_a_group_is_made_and_filled_by_the_fewest_calls(bench: Bench) -> None:
    created = await bench.adapter.create("Evening team", people(ANA, CAT))
    assert created.group is not None
    assert (created.group.id, created.group.subject) == ("8", "Evening team")
    assert {v.outcome for v in created.verdicts} == {Outcome.ADDED}
    assert bench.asked() == ["POST /groups", "GET /contacts", "GET /contacts", "POST /groups/8/contacts"]


async def test_a_group_that_was_made_is_told_even_where_nobody_could_be_added(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(JOIN.replace("7", "8"), "after", -1)]
    created = await bench.adapter.create("Evening team", people(ANA, "14155550104"))
    assert created.group is not None
    assert {v.key: v.outcome for v in created.verdicts} == {
        f"+{ANA}": Outcome.UNKNOWN,
        "+14155550104": Outcome.NOT_ATTEMPTED,
    }
    bench.server.faults = [InjectedFault(SEARCH, status=302, headers={"Location": "/"})]
    created = await bench.adapter.create("Night team", people("14155550105"))
    assert created.group is not None
    assert [v.outcome for v in created.verdicts] == [Outcome.FAILED]
    bench.transport.broken.clear()


@pytest.mark.parametrize("status", [429, 500, -1])
async def test_a_group_is_never_made_twice(bench: Bench, status: int) -> None:
    bench.server.faults = [InjectedFault(f"POST {PATH}/groups", status=status)]
    with pytest.raises((RateLimited, OutcomeUnknown)):
        await bench.adapter.create("Evening team", [])
    assert bench.asked() == ["POST /groups"]
    bench.transport.broken.clear()


@pytest.mark.parametrize("name", ["Launch team", "x" * 256])
async def test_a_name_that_is_taken_or_too_long_is_refused_in_the_providers_words(bench: Bench, name: str) -> None:
    bench.world.put_group("8", "Other team")
    with pytest.raises(InvalidRequest) as caught:
        await bench.adapter.create(name, [])
    assert "name" in caught.value.provider_text
    result = await bench.adapter.change("8", GroupChange(subject=name))
    assert isinstance(result.failed[Action.RENAME], InvalidRequest)
    assert result.failed[Action.RENAME].code == "VALIDATION_ERROR"
    bench.transport.broken = [line for line in bench.transport.broken if "too long" not in line]


async def test_a_name_is_changed_and_what_a_list_does_not_have_is_not(bench: Bench) -> None:
    result = await bench.adapter.change(GROUP, GroupChange(subject="Evening team", description="x", locked=True))
    assert result.done == (Action.RENAME,)
    assert {action: type(error) for action, error in result.failed.items()} == {
        Action.DESCRIBE: NotSupported,
        Action.LOCK: NotSupported,
    }
    assert bench.asked() == ["PATCH /groups/7"]


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
async def test_a_new_name_counts_where_the_answer_shows_it(bench: Bench, body: str, is_done: bool) -> None:
    bench.server.faults = [InjectedFault(f"PATCH {PATH}/groups/7", "after", 200, body)]
    result = await bench.adapter.change(GROUP, GroupChange(subject=" Evening team"))
    assert result.done == ((Action.RENAME,) if is_done else ())
    assert {type(error) for error in result.failed.values()} == (set() if is_done else {OutcomeUnknown})


@pytest.mark.parametrize("silently", [True, False])
async def test_a_group_is_deleted_whatever_the_answer_holds(bench: Bench, silently: bool) -> None:
    bench.server.deletes_silently = silently
    await bench.adapter.delete(GROUP)
    assert bench.world.groups == {}
    with pytest.raises(GroupNotFound):
        await bench.adapter.delete(GROUP)


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("strips", [True, False])
async def test_nobody_is_in_a_deleted_group_though_contacts_may_hold_its_id(
    bench: Bench, strips: bool, long: bool
) -> None:
    if long:
        await crowd(bench)
    bench.server.strips_deleted = strips
    await bench.membership(CAT)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as somebody_else:
        await somebody_else.delete(f"{bench.url}{PATH}/groups/{GROUP}")
    with pytest.raises(GroupNotFound):
        await bench.membership(ANA, BEN)
    for change in (bench.adapter.add, bench.adapter.remove):
        with pytest.raises(GroupNotFound):
            await change(GROUP, people(ANA, BEN))
    with pytest.raises(GroupNotFound):
        [found async for found in bench.adapter.members(GROUP)]


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"errors": ["no"]}', '{"success": false, "message": "no"}'])
async def test_an_answer_that_does_not_say_that_a_group_was_deleted_is_unknown(bench: Bench, body: str) -> None:
    bench.server.faults = [InjectedFault(f"DELETE {PATH}/groups/7", status=200, body=body)]
    with pytest.raises(OutcomeUnknown):
        await bench.adapter.delete(GROUP)


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
    bench: Bench, contact: dict[str, object], member: Member | None
) -> None:
    bench.server.faults = [InjectedFault(SEARCH, status=200, body=json.dumps({"data": [{"id": 1, **contact}]}))]
    assert [found async for found in bench.adapter.members(GROUP)] == ([member] if member else [])
    bench.transport.broken.clear()


async def test_members_of_an_empty_group_are_none_and_of_an_unknown_one_an_error(bench: Bench) -> None:
    bench.world.put_group("8", "Nobody")
    assert [found async for found in bench.adapter.members("8")] == []
    with pytest.raises(GroupNotFound):
        [found async for found in bench.adapter.members("99")]
