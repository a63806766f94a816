import pytest

from providers.base import (
    Member,
    MembershipStatus,
    OutcomeUnknown,
    Person,
    ProviderFault,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
ADD = "add-participant"

GONE = f'{{"phone_number": "+{ANA}", "role": "left"}}'


async def test_a_late_list_is_not_believed_where_it_lacks_an_own_change(twochat: TwoChatHarness) -> None:
    twochat.world.read_lag = 180.0
    twochat.world.put_group(GROUP, "Launch team", [NUMBER, BEN])

    async def seen() -> list[MembershipStatus]:
        return list((await twochat.adapter.membership(GROUP, people(ANA, BEN, CAT))).values())

    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]
    await twochat.adapter.add(GROUP, people(ANA))
    await twochat.adapter.promote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    twochat.clock.advance(181.0)
    assert await seen() == [MembershipStatus.MEMBER, MembershipStatus.ADMIN, MembershipStatus.ABSENT]
    await twochat.adapter.remove(GROUP, people(ANA))
    await twochat.adapter.demote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    twochat.clock.advance(181.0)
    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]


async def test_a_late_list_is_believed_of_those_who_were_refused_and_of_all_after_ten_minutes(
    twochat: TwoChatHarness,
) -> None:
    twochat.world.put_person(ANA, Disposition.PRIVATE)
    twochat.server.faults = [InjectedFault(ADD, status=-1, skip=1)]
    await twochat.adapter.add(GROUP, people(ANA))
    with pytest.raises(OutcomeUnknown):
        await twochat.adapter.add(GROUP, people(BEN))
    absent = {f"+{ANA}": MembershipStatus.ABSENT, f"+{BEN}": MembershipStatus.ABSENT}
    assert await twochat.adapter.membership(GROUP, people(ANA, BEN)) == absent | {f"+{BEN}": MembershipStatus.UNKNOWN}
    twochat.clock.advance(601.0)
    assert await twochat.adapter.membership(GROUP, people(ANA, BEN)) == absent


async def test_an_unresolved_lid_leaves_the_absence_of_others_unknown(twochat: TwoChatHarness) -> None:
    twochat.world.put_group(GROUP, "Launch team", [ANA, BEN])
    twochat.server.lid_only = {BEN}
    hidden = Person("", lid=twochat.lid(BEN))
    found = await twochat.adapter.membership(GROUP, [*people(ANA, CAT), hidden, Person("", lid="77@lid")])
    assert found == {
        f"+{ANA}": MembershipStatus.MEMBER,
        f"+{CAT}": MembershipStatus.UNKNOWN,
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
async def test_presence_says_no_more_than_the_member_list(
    twochat: TwoChatHarness, data: str, presence: MembershipStatus
) -> None:
    twochat.server.faults = [InjectedFault("GET", status=200, body=f'{{"success": true, "data": {data}}}')]
    assert await twochat.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": presence}


async def test_members_that_were_listed_are_given_before_it_is_said_that_some_are_missing(
    twochat: TwoChatHarness,
) -> None:
    rows = f'{GONE}, {{"wa_participant_id": "5@lid", "wa_pushname": "Eve", "wa_is_admin": true}}, {{}}'
    body = f'{{"success": true, "data": {{"size": 3, "participants": [{rows}]}}}}'
    twochat.server.faults = [InjectedFault("GET", status=200, body=body)]
    listed = twochat.adapter.members(GROUP)
    assert await anext(listed) == Member(lid="5@lid", name="Eve", status=MembershipStatus.ADMIN)
    assert await anext(listed) == Member()
    with pytest.raises(ProviderFault, match="all members"):
        await anext(listed)
