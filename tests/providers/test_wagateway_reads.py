import json

import pytest

from providers.base import (
    AccountDisconnected,
    AccountState,
    Group,
    GroupNotFound,
    Member,
    MembershipStatus,
    Operation,
    Outcome,
    Person,
    ProviderFault,
)
from providers.wagateway import WaGateway
from providers.wagateway.api import MAX_CONCURRENT_READS
from providers.wagateway.contacts import MAX_LOOKUPS
from sandbox.providers.server import InjectedFault
from sandbox.providers.wagateway import ContactShape
from sandbox.providers.world import Effect
from tests.providers.harness import ANA, BEN, CAT, open_provider, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
CONTACTS = f"GET {ROOT}/contacts"

OTHER = "120363000000000002@g.us"
READ_GROUP = f"GET {ROOT}/groups/{GROUP}"


def many(count: int) -> list[str]:
    return [f"1415556{number:04}" for number in range(count)]


def stored(wagateway: WaGatewayHarness, *phones: str) -> str:
    """Write a member list in which these stand and nobody else, whoever is in the group."""
    return json.dumps({"data": [{"lid": wagateway.lid(phone), "role": "member"} for phone in phones], "nextCursor": ""})


async def test_a_member_list_without_anybody_proves_nobody_absent(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    left = f'{{"data": [{{"lid": "{wagateway.lid(CAT)}", "role": "left"}}]}}'
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=body) for body in (stored(wagateway), left)]
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.UNKNOWN, BEN: MembershipStatus.UNKNOWN}
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.UNKNOWN, BEN: MembershipStatus.UNKNOWN}
    assert wagateway.requests() == [MEMBERS, MEMBERS]


async def test_a_member_list_shorter_than_the_groups_count_proves_nobody_absent(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN, CAT])
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=stored(wagateway, ANA, CAT))]
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.UNKNOWN}


async def test_a_member_list_longer_than_the_groups_count_proves_nobody_present(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN])
    wagateway.server.keeps_leavers = True
    wagateway.world.remove(GROUP, BEN)
    assert await wagateway.membership(ANA, BEN, CAT) == {
        ANA: MembershipStatus.UNKNOWN,
        BEN: MembershipStatus.UNKNOWN,
        CAT: MembershipStatus.ABSENT,
    }


async def test_somebody_who_left_and_is_listed_still_is_added_again(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN])
    wagateway.server.keeps_leavers = True
    wagateway.world.remove(GROUP, BEN)
    [verdict] = await run_operation(wagateway.adapter, GROUP, Operation.ADD, people(*[BEN]))
    assert (verdict.outcome, wagateway.effects()[BEN]) == (Outcome.CONFIRMED, Effect.ADDED)


@pytest.mark.parametrize("count", ["", ', "participantCount": 0'])
async def test_a_member_list_is_believed_where_the_group_tells_no_count(
    wagateway: WaGatewayHarness, count: str
) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    wagateway.server.faults = [InjectedFault(READ_GROUP, status=200, body=f'{{"groupJid": "{GROUP}"{count}}}', skip=1)]
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.ABSENT}


async def test_the_groups_count_is_read_if_the_list_shows_any_member(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body='{"data": []}')]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.UNKNOWN}
    assert READ_GROUP not in wagateway.requests()
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    await wagateway.membership(ANA)
    assert wagateway.requests()[-1] == READ_GROUP


async def test_a_person_who_may_be_a_member_known_only_by_a_lid_is_hidden(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, CAT])
    wagateway.server.phoneless = {CAT}
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.HIDDEN}


async def test_a_person_who_may_be_a_member_without_a_stored_contact_is_hidden(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, CAT])
    wagateway.server.unstored = {CAT}
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.HIDDEN}


async def test_a_person_whose_lid_is_known_can_be_absent_among_members_without_phones(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.world.put_group(OTHER, "Others", [BEN])
    assert await wagateway.adapter.membership(OTHER, people(BEN)) == {f"+{BEN}": MembershipStatus.MEMBER}
    wagateway.world.put_group(GROUP, "Launch team", [CAT])
    wagateway.server.phoneless = {CAT}
    before = len(wagateway.requests())
    assert await wagateway.membership(BEN) == {BEN: MembershipStatus.ABSENT}
    assert wagateway.requests()[before:] == [MEMBERS, READ_GROUP]


async def test_a_lid_that_has_another_phone_by_now_says_nothing_of_the_old_one(wagateway: WaGatewayHarness) -> None:
    def row(phone: str) -> str:
        return json.dumps({"data": [{"lid": "77@lid", "phoneJid": f"{phone}@s.whatsapp.net"}]})

    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=row(phone)) for phone in (ANA, BEN)]
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.PRESENT}
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}


async def test_a_person_given_by_lid_is_compared_by_it_alone(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    here, elsewhere = Person("a", lid=wagateway.lid(ANA)), Person("b", lid=wagateway.lid(BEN))
    found = await wagateway.adapter.membership(GROUP, [here, elsewhere])
    assert found == {here.key: MembershipStatus.MEMBER, elsewhere.key: MembershipStatus.ABSENT}
    assert wagateway.requests() == [MEMBERS, READ_GROUP]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"jid": f"{BEN}@s.whatsapp.net"}, [MembershipStatus.UNKNOWN, MembershipStatus.ABSENT]),
        ({"lid": "77@lid"}, [MembershipStatus.ABSENT, MembershipStatus.ABSENT]),
        ({}, [MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]),
    ],
)
async def test_people_are_absent_only_where_they_share_a_kind_of_name_with_every_member(
    wagateway: WaGatewayHarness, row: dict[str, object], expected: list[MembershipStatus]
) -> None:
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=json.dumps({"data": [row]}))]
    by_lid, by_both = Person("a", lid="88@lid"), Person("b", f"+{ANA}", "99@lid")
    found = await wagateway.adapter.membership(GROUP, [by_lid, by_both])
    assert list(found.values()) == expected


@pytest.mark.parametrize(
    ("role", "standing"),
    [
        ("admin", MembershipStatus.ADMIN),
        ("Member", MembershipStatus.MEMBER),
        ("superadmin", MembershipStatus.PRESENT),
        ("", MembershipStatus.PRESENT),
        ("left", MembershipStatus.ABSENT),
    ],
)
async def test_a_role_is_told_only_by_a_word_that_is_described(
    wagateway: WaGatewayHarness, role: str, standing: MembershipStatus
) -> None:
    group = wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN])
    group.members[ANA].role = role
    assert await wagateway.membership(ANA, BEN) == {ANA: standing, BEN: MembershipStatus.MEMBER}
    assert [member.status async for member in wagateway.adapter.members(GROUP) if ANA in member.phone] == (
        [] if standing is MembershipStatus.ABSENT else [standing]
    )


async def test_members_come_with_the_phones_that_stored_contacts_tell(wagateway: WaGatewayHarness) -> None:
    wagateway.server.rows_per_page = 2
    wagateway.server.phoneless = {CAT}
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN, CAT])
    assert [member async for member in wagateway.adapter.members(GROUP)] == [
        Member(f"+{ANA}", wagateway.lid(ANA), status=MembershipStatus.MEMBER),
        Member(f"+{BEN}", wagateway.lid(BEN), status=MembershipStatus.MEMBER),
        Member("", wagateway.lid(CAT), status=MembershipStatus.MEMBER),
    ]
    assert wagateway.requests() == [MEMBERS, CONTACTS, MEMBERS, f"{CONTACTS}/{wagateway.lid(CAT)}"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"jid": f"{ANA}@s.whatsapp.net"}, [MembershipStatus.PRESENT, MembershipStatus.ABSENT]),
        ({"lid": f"{ANA}@c.us"}, [MembershipStatus.PRESENT, MembershipStatus.ABSENT]),
        ({"lid": "77@lid", "phoneJid": f"{ANA}:3@s.whatsapp.net"}, [MembershipStatus.PRESENT, MembershipStatus.ABSENT]),
        ({"lid": "77@lid", "phoneNumber": f"+{ANA}"}, [MembershipStatus.PRESENT, MembershipStatus.ABSENT]),
        ({"lid": None, "jid": None, "role": None}, [MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]),
        ({}, [MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]),
    ],
)
async def test_member_rows_are_read_by_whatever_names_the_person(
    wagateway: WaGatewayHarness, row: dict[str, object], expected: list[MembershipStatus]
) -> None:
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=json.dumps({"data": [row]}))]
    assert list((await wagateway.membership(ANA, BEN)).values()) == expected


@pytest.mark.parametrize("field", ["phoneNumber", "phoneJid", "jid"])
async def test_a_lid_that_poses_as_a_phone_in_a_member_row_is_none(wagateway: WaGatewayHarness, field: str) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    lid = wagateway.lid(ANA)
    posing = lid.removesuffix("@lid") + ("" if field == "phoneNumber" else "@s.whatsapp.net")
    body = json.dumps({"data": [{"lid": lid, field: posing}]})
    wagateway.server.faults = [InjectedFault(MEMBERS, status=200, body=body, times=3)]
    assert await wagateway.membership(ANA, BEN) == {ANA: MembershipStatus.PRESENT, BEN: MembershipStatus.ABSENT}
    assert await wagateway.membership(lid.removesuffix("@lid")) == {lid.removesuffix("@lid"): MembershipStatus.ABSENT}
    assert [member async for member in wagateway.adapter.members(GROUP)] == [Member(f"+{ANA}", lid)]


async def test_a_lid_that_poses_as_a_phone_in_a_contact_hides_a_person(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    lid = wagateway.lid(ANA)
    body = json.dumps({"identity": {"phoneNumber": lid.removesuffix("@lid")}})
    wagateway.server.faults = [InjectedFault(f"{CONTACTS}/{lid}", status=200, body=body)]
    assert await wagateway.membership(BEN) == {BEN: MembershipStatus.HIDDEN}


@pytest.mark.parametrize("shape", ["flat", "nested"])
async def test_a_group_of_a_thousand_is_resolved_by_pages_of_contacts(
    wagateway: WaGatewayHarness, shape: ContactShape
) -> None:
    wagateway.server.contact_shape = shape
    phones = many(1_000)
    wagateway.world.put_group(GROUP, "Launch team", phones)
    assert await wagateway.membership(phones[0], phones[-1], ANA) == {
        phones[0]: MembershipStatus.MEMBER,
        phones[-1]: MembershipStatus.MEMBER,
        ANA: MembershipStatus.ABSENT,
    }
    assert wagateway.requests() == [MEMBERS, *[CONTACTS] * 5, READ_GROUP]
    await wagateway.membership(ANA)
    assert wagateway.requests()[7:] == [MEMBERS, READ_GROUP]


async def test_where_the_contact_list_names_no_phones_contacts_are_asked_for_a_hundred_at_each_read(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.contact_shape = "bare"
    phones = many(150)
    wagateway.world.put_group(GROUP, "Launch team", phones)
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.HIDDEN}
    assert wagateway.requests()[:3] == [MEMBERS, CONTACTS, CONTACTS]
    assert len(wagateway.requests()) == 3 + MAX_LOOKUPS + 1
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    assert len(wagateway.requests()) == 3 + MAX_LOOKUPS + 1 + 2 + 50 + 1
    await wagateway.membership(ANA)
    assert wagateway.requests()[-2:] == [MEMBERS, READ_GROUP]


async def test_the_newest_members_are_asked_for_first_and_no_more_than_are_needed(wagateway: WaGatewayHarness) -> None:
    wagateway.server.contact_shape = "bare"
    wagateway.world.put_group(GROUP, "Launch team", many(150))
    new = [f"1415557{number:04}" for number in range(11)]
    wagateway.clock.now = 2_000_000_000.0
    for phone in new:
        wagateway.world.add(GROUP, phone)
    assert set((await wagateway.membership(*new)).values()) == {MembershipStatus.MEMBER}
    assert wagateway.requests()[:2] == [MEMBERS, CONTACTS]
    assert {f"{CONTACTS}/{wagateway.lid(phone)}" for phone in new} <= set(wagateway.requests()[2:])
    assert len(wagateway.requests()) == 2 + 3 * MAX_CONCURRENT_READS + 1


@pytest.mark.parametrize(("listed", "asked"), [(many(150)[75], many(150)[75]), ("551187654321", "5511987654321")])
async def test_one_member_of_many_is_searched_for_before_all_are_asked_about(
    wagateway: WaGatewayHarness, listed: str, asked: str
) -> None:
    wagateway.server.contact_shape = "bare"
    wagateway.world.put_group(GROUP, "Launch team", [*many(149), listed])
    assert await wagateway.membership(asked) == {asked: MembershipStatus.MEMBER}
    assert wagateway.requests()[:3] == [MEMBERS, CONTACTS, CONTACTS]
    assert f"{CONTACTS}/{wagateway.lid(listed)}" in wagateway.requests()[3:]
    assert len(wagateway.requests()) == 3 + MAX_CONCURRENT_READS + 1


async def test_a_search_that_finds_a_name_alone_proves_nothing(wagateway: WaGatewayHarness) -> None:
    wagateway.server.contact_shape = "bare"
    wagateway.world.put_group(GROUP, "Launch team", many(30))
    wagateway.server.names = {many(30)[7]: f"not {ANA}"}
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.ABSENT}


async def test_a_member_without_phone_is_asked_about_again_after_a_minute(wagateway: WaGatewayHarness) -> None:
    wagateway.adapter = WaGateway(wagateway.adapter._api, clock=wagateway.clock)
    wagateway.world.put_group(GROUP, "Launch team", [ANA])
    wagateway.server.unstored = {ANA}
    for later, lookups in ((0.0, 1), (59.0, 1), (2.0, 2)):
        wagateway.clock.now += later
        assert await wagateway.membership(ANA) == {ANA: MembershipStatus.HIDDEN}
        assert wagateway.requests().count(f"{CONTACTS}/{wagateway.lid(ANA)}") == lookups
    wagateway.server.unstored = set()
    wagateway.clock.advance(61.0)
    assert await wagateway.membership(ANA) == {ANA: MembershipStatus.MEMBER}


async def test_member_lists_of_several_pages_are_read_to_the_end(wagateway: WaGatewayHarness) -> None:
    wagateway.server.rows_per_page = 2
    wagateway.world.put_group(GROUP, "Launch team", many(5))
    assert await wagateway.membership(many(5)[4]) == {many(5)[4]: MembershipStatus.MEMBER}
    assert wagateway.requests().count(MEMBERS) == 3


@pytest.mark.parametrize("end", ['"nextCursor": ""', '"nextCursor": null', '"more": 1'])
async def test_a_list_ends_in_any_of_the_ways_that_the_gateway_writes(wagateway: WaGatewayHarness, end: str) -> None:
    body = f'{{"data": [{{"groupJid": "{GROUP}"}}, {{}}], {end}}}'
    wagateway.server.faults = [InjectedFault("/groups", status=200, body=body)]
    assert [group async for group in wagateway.adapter.groups()] == [Group(GROUP, "", None)]


async def test_a_list_whose_cursor_comes_back_is_a_fault_and_not_endless(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault("/groups", status=200, body='{"data": [], "nextCursor": "a"}', times=-1)]
    with pytest.raises(ProviderFault, match="doesn't end"):
        _ = [group async for group in wagateway.adapter.groups()]
    assert len(wagateway.requests()) == 2


async def test_what_is_no_group_jid_is_not_asked_for(wagateway: WaGatewayHarness) -> None:
    for group_id in ("", "launch-team", "..", "1@g.us/members", "14155550101@s.whatsapp.net"):
        with pytest.raises(GroupNotFound):
            await wagateway.adapter.group(group_id)
    assert wagateway.requests() == []


async def test_without_manage_the_token_is_checked_and_the_state_stays_unknown(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"read", "send"})
    account = await wagateway.adapter.account()
    assert account.state is AccountState.UNKNOWN
    assert "manage" in account.detail
    assert wagateway.requests() == [f"GET {ROOT}", CONTACTS]


async def test_where_read_covers_sessions_it_is_enough(wagateway: WaGatewayHarness) -> None:
    wagateway.server.permissions = frozenset({"read"})
    wagateway.server.reading_sessions_needs = "read"
    assert (await wagateway.adapter.account()).state is AccountState.CONNECTED


async def test_a_session_that_is_not_the_tokens_is_told_as_such() -> None:
    async with open_provider(WAGATEWAY, account="sess_2") as wagateway:
        for call in (wagateway.adapter.account(), wagateway.adapter.add(GROUP, people(ANA))):
            with pytest.raises(AccountDisconnected, match="no session with this id"):
                await call


@pytest.mark.parametrize(
    ("query", "listed"),
    [({"q": "5550101"}, [ANA]), ({"q": "bEN"}, [BEN]), ({"source": "group"}, [ANA, BEN]), ({"source": "dm"}, [])],
)
async def test_the_simulated_contacts_are_narrowed_by_a_name_a_number_or_a_source(
    wagateway: WaGatewayHarness, query: dict[str, str], listed: list[str]
) -> None:
    wagateway.world.put_group(GROUP, "Launch team", [ANA, BEN])
    wagateway.server.names = {BEN: "Ben"}
    rows = (await wagateway.adapter._api.read("/contacts", params=query)).body["data"]
    assert [row["phoneNumber"] for row in rows] == listed
