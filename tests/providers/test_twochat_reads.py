from collections.abc import AsyncIterator

import pytest

from providers.base import (
    Group,
    GroupNotFound,
    Member,
    MembershipStatus,
    OutcomeUnknown,
    Person,
    ProviderFault,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.twochat_bench import ADD, GROUP, NUMBER, Bench, people, twochat

ANA, BEN, CAI = "14155550101", "14155550102", "14155550103"
GONE = f'{{"phone_number": "+{ANA}", "role": "left"}}'


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with twochat() as bench:
        yield bench
        assert bench.transport.broken == []


async def test_a_late_list_is_not_believed_where_it_lacks_an_own_change(bench: Bench) -> None:
    bench.world.read_lag = 180.0
    bench.world.put_group(GROUP, "Launch team", [NUMBER, BEN])

    async def seen() -> list[MembershipStatus]:
        return list((await bench.adapter.membership(GROUP, people(ANA, BEN, CAI))).values())

    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]
    await bench.adapter.add(GROUP, people(ANA))
    await bench.adapter.promote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    bench.time[0] += 181.0
    assert await seen() == [MembershipStatus.MEMBER, MembershipStatus.ADMIN, MembershipStatus.ABSENT]
    await bench.adapter.remove(GROUP, people(ANA))
    await bench.adapter.demote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    bench.time[0] += 181.0
    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]


async def test_a_late_list_is_believed_of_those_who_were_refused_and_of_all_after_ten_minutes(bench: Bench) -> None:
    bench.world.put_person(ANA, Disposition.PRIVATE)
    bench.server.faults = [InjectedFault(ADD, status=-1, skip=1)]
    await bench.adapter.add(GROUP, people(ANA))
    with pytest.raises(OutcomeUnknown):
        await bench.adapter.add(GROUP, people(BEN))
    absent = {f"+{ANA}": MembershipStatus.ABSENT, f"+{BEN}": MembershipStatus.ABSENT}
    assert await bench.adapter.membership(GROUP, people(ANA, BEN)) == absent | {f"+{BEN}": MembershipStatus.UNKNOWN}
    bench.time[0] += 601.0
    assert await bench.adapter.membership(GROUP, people(ANA, BEN)) == absent


async def test_an_unresolved_lid_leaves_the_absence_of_others_unknown(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
    bench.server.lid_only = {BEN}
    hidden = Person("", lid=f"{bench.world.person(BEN).lid}@lid")
    found = await bench.adapter.membership(GROUP, [*people(ANA, CAI), hidden, Person("", lid="77@lid")])
    assert found == {
        f"+{ANA}": MembershipStatus.MEMBER,
        f"+{CAI}": MembershipStatus.UNKNOWN,
        hidden.key: MembershipStatus.MEMBER,
        "77@lid": MembershipStatus.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("data", "presence"),
    [
        ('{"participants": [{"wa_participant_id": "14155550101@s.whatsapp.net"}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "14155550101"}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_admin": null}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_admin": false}]}', MembershipStatus.MEMBER),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_super_admin": true}]}', MembershipStatus.ADMIN),
        (f'{{"participants": [{GONE}, {{"phone_number": "+595981048477"}}], "size": 1}}', MembershipStatus.ABSENT),
        (f'{{"participants": [{GONE}, {{"phone_number": "+595981048477"}}]}}', MembershipStatus.UNKNOWN),
        (f'{{"participants": [{GONE}]}}', MembershipStatus.UNKNOWN),
        ('{"participants": [], "size": 0}', MembershipStatus.UNKNOWN),
        ('{"participants": []}', MembershipStatus.UNKNOWN),
        ('{"participants": [], "size": 3}', MembershipStatus.UNKNOWN),
        ('{"participants": [{"wa_participant_id": "5@lid"}]}', MembershipStatus.UNKNOWN),
        (
            '{"participants": [{"wa_participant_id": "14155550101@lid", "phone_number": "+14155550101"}]}',
            MembershipStatus.UNKNOWN,
        ),
        ('{"wa_group_name": "no list"}', MembershipStatus.UNKNOWN),
    ],
)
async def test_presence_says_no_more_than_the_member_list(data: str, presence: MembershipStatus) -> None:
    async with twochat() as bench:
        bench.server.faults = [InjectedFault("GET", status=200, body=f'{{"success": true, "data": {data}}}')]
        assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": presence}


async def test_members_that_were_listed_are_given_before_it_is_said_that_some_are_missing() -> None:
    rows = f'{GONE}, {{"wa_participant_id": "5@lid", "wa_pushname": "Eve", "wa_is_admin": true}}, {{}}'
    async with twochat() as bench:
        body = f'{{"success": true, "data": {{"size": 3, "participants": [{rows}]}}}}'
        bench.server.faults = [InjectedFault("GET", status=200, body=body)]
        listed = bench.adapter.members(GROUP)
        assert await anext(listed) == Member(lid="5@lid", name="Eve", status=MembershipStatus.ADMIN)
        assert await anext(listed) == Member()
        with pytest.raises(ProviderFault, match="all members"):
            await anext(listed)


async def test_groups_are_listed_and_read_under_either_prefix(bench: Bench) -> None:
    other = "WGP768beeef-2b96-4bc7-9b7f-045078568723"
    bench.world.put_group(other, "Second", [NUMBER, ANA])
    expected = [Group(GROUP, "Launch team", 1), Group(other, "Second", 2)]
    assert [group async for group in bench.adapter.groups()] == expected
    assert await bench.adapter.group(other) == expected[1]
    with pytest.raises(GroupNotFound):
        await bench.adapter.group("WAG-none")


async def test_a_group_id_cannot_reach_another_path() -> None:
    async with twochat() as bench:
        with pytest.raises(GroupNotFound):
            await bench.adapter.group("../groups/1?x=")
        assert [call.path for call in bench.server.calls] == ["/open/whatsapp/group/../groups/1?x="]
