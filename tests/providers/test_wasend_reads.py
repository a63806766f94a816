import pytest

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    Group,
    MembershipStatus,
    Person,
    ProviderFault,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE
from tests.providers.harness import ANA, BEN, open_provider, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
SESSION = WASEND.account
MEMBERS = f"GET /{WASEND.account}/groups/{GROUP}/participants"

LIST = f"GET /{SESSION}/groups"
STATE = f"GET /sessions/{SESSION}"


async def listed(wasend: WasendHarness) -> list[Group]:
    return [group async for group in wasend.adapter.groups()]


async def test_people_who_may_be_a_member_known_only_by_a_lid_are_hidden(variant: WasendHarness) -> None:
    variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA, BEN])
    variant.server.lid_only = {ANA}
    cleo = "14155550103"
    found = await variant.adapter.membership(GROUP, people(ANA, BEN, cleo))
    assert found == {
        f"+{ANA}": MembershipStatus.HIDDEN,
        f"+{BEN}": MembershipStatus.MEMBER,
        f"+{cleo}": MembershipStatus.HIDDEN,
    }


async def test_a_person_is_found_by_the_lid(variant: WasendHarness) -> None:
    variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    variant.server.lid_only = {ANA}
    ana = Person("Ana", f"+{ANA}", variant.lid(ANA))
    assert await variant.adapter.membership(GROUP, [ana]) == {ana.key: MembershipStatus.MEMBER}


async def test_a_person_with_phone_and_lid_is_absent_when_each_member_can_be_compared_by_one(
    variant: WasendHarness,
) -> None:
    variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    variant.server.lid_only = {ANA}
    ben = Person("Ben", f"+{BEN}", "100000000000001@lid")
    assert await variant.adapter.membership(GROUP, [ben]) == {ben.key: MembershipStatus.ABSENT}


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ('{"jid": "whatever"}', MembershipStatus.UNKNOWN),
        ('{"jid": null}', MembershipStatus.UNKNOWN),
        ('{"jid": "100000000000001@lid", "phoneNumber": "+100000000000001"}', MembershipStatus.HIDDEN),
        (f'{{"jid": "{ANA}@c.us", "error": 403}}', MembershipStatus.UNKNOWN),
        (f'{{"jid": "{ANA}@c.us", "addRequest": {{"code": "x"}}}}', MembershipStatus.UNKNOWN),
    ],
    ids=["strange jid", "no jid", "lid as phone", "with an error", "with an add request"],
)
async def test_a_member_row_that_says_too_little_proves_nothing(
    wasend: WasendHarness, row: str, status: MembershipStatus
) -> None:
    wasend.server.faults = [InjectedFault(MEMBERS, status=200, body=f"[{row}]")]
    assert await wasend.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": status}


@pytest.mark.parametrize("body", ["[]", '{"success": true, "participants": [], "error": null}'])
async def test_a_list_without_even_the_account_proves_nothing(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault(MEMBERS, status=200, body=body)]
    assert await wasend.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}


@pytest.mark.parametrize(
    "row",
    [f'{{"jid": "{ANA}:7@s.whatsapp.net"}}', '{"jid": "1@lid", "phoneNumber": "+1 4155550101"}'],
    ids=["other suffix and a device", "phone with a space"],
)
async def test_a_member_is_compared_by_digits(wasend: WasendHarness, row: str) -> None:
    wasend.server.faults = [InjectedFault(MEMBERS, status=200, body=f"[{row}]")]
    assert await wasend.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.PRESENT}


async def test_a_group_is_read_at_the_documented_path_and_else_at_the_sdks(variant: WasendHarness) -> None:
    variant.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    assert await variant.adapter.group(GROUP) == Group(GROUP, "Launch team", 2, "", False, False, 0)
    path = f"GET /{SESSION}/groups/{GROUP}"
    expected = {"docs": [f"{path}/info 200"], "sdk": [f"{path}/info 404", f"{path} 200"]}
    assert variant.requests(with_status=True) == expected[variant.server.variant]


async def test_another_group_than_the_one_asked_for_is_not_taken(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault("/info", status=200, body='{"success": true, "info": {"id": "999@g.us"}}')]
    with pytest.raises(ProviderFault, match="different group"):
        await wasend.adapter.group(GROUP)


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
async def test_every_group_is_listed_once_page_after_page(variant: WasendHarness, count: int) -> None:
    variant.world.groups.clear()
    expected = [(f"1203630000000{n:05}@g.us", f"Team {n}") for n in range(count)]
    for group_id, subject in expected:
        variant.world.put_group(group_id, subject, [OWN_PHONE])
    assert [(group.id, group.subject) for group in await listed(variant)] == expected
    offsets = [*range(0, count, 50)]  # and no page of the SDK's says that it is the last
    expected_offsets = {"docs": offsets or [0], "sdk": [*offsets, count]}[variant.server.variant]
    assert [int(call.query["offset"]) for call in variant.server.calls] == expected_offsets


async def test_short_pages_that_do_not_say_that_they_are_the_last_are_not_taken_for_it(wasend: WasendHarness) -> None:
    pages = [[f'{{"jid": "{n}@g.us", "name": "Team {n}"}}' for n in range(start, start + 20)] for start in (0, 20)]
    wasend.server.faults = [InjectedFault(LIST, status=200, body=f"[{','.join(page)}]") for page in [*pages, []]]
    assert [group.id for group in await listed(wasend)] == [f"{n}@g.us" for n in range(40)]
    assert [call.query["offset"] for call in wasend.server.calls] == ["0", "20", "40"]


async def test_lists_that_ignore_the_paging_end_and_repeat_nobody(wasend: WasendHarness) -> None:
    rows = ",".join(f'{{"jid": "{n}@g.us", "name": "Team {n}", "participants": [{{}}, {{}}]}}' for n in range(60))
    bodies = {f"[{rows}]", f'{{"groups": [{rows}], "pagination": {{"hasMore": true}}}}', f'{{"groups": [{rows}]}}'}
    for body in bodies:
        wasend.server.faults = [InjectedFault(LIST, status=200, body=body, times=-1)]
        assert await listed(wasend) == [Group(f"{n}@g.us", f"Team {n}", 2) for n in range(60)]


async def test_the_list_of_an_unknown_session_says_so() -> None:
    async with open_provider(WASEND, account="session-9") as wasend:
        with pytest.raises(AccountDisconnected, match="session"):
            await listed(wasend)


async def test_an_unknown_session_is_not_connected() -> None:
    async with open_provider(WASEND, account="session-9") as wasend:
        account = await wasend.adapter.account()
        assert account == Account(AccountState.DISCONNECTED, "Wasend doesn't know the session")
