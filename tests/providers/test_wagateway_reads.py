import json
from collections.abc import AsyncIterator

import pytest

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    Group,
    GroupNotFound,
    Member,
    MembershipStatus,
    Outcome,
    Person,
    ProviderFault,
)
from providers.wagateway import WaGateway
from providers.wagateway.api import MAX_CONCURRENT_READS
from providers.wagateway.contacts import MAX_LOOKUPS
from sandbox.providers.server import InjectedFault
from sandbox.providers.wagateway import ContactShape
from tests.providers.wagateway_bench import (
    CONTACTS,
    GROUP,
    MEMBERS,
    ROOT,
    Bench,
    as_the_workflow_would,
    people,
    present,
    wagateway,
)

ANA, BEN, CLEO = "14155550101", "14155550102", "14155550103"
OTHER = "120363000000000002@g.us"
READ_GROUP = f"GET {ROOT}/groups/{GROUP}"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with wagateway() as bench:
        yield bench
        assert bench.transport.broken == []


def many(count: int) -> list[str]:
    return [f"1415556{number:04}" for number in range(count)]


def shown(group_id: str, subject: str, size: int) -> Group:
    return Group(group_id, subject, size, description="", announce_only=False, locked=False)


async def test_members_are_found_through_their_lids(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, CLEO])
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.ABSENT}


def stored(bench: Bench, *phones: str) -> str:
    """Write a member list in which these stand and nobody else, whoever is in the group."""
    return json.dumps({"data": [{"lid": bench.lid(phone), "role": "member"} for phone in phones], "nextCursor": ""})


async def test_a_member_list_without_anybody_proves_nobody_absent(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    left = f'{{"data": [{{"lid": "{bench.lid(CLEO)}", "role": "left"}}]}}'
    bench.server.faults = [InjectedFault(MEMBERS, status=200, body=body) for body in (stored(bench), left)]
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.UNKNOWN, BEN: MembershipStatus.UNKNOWN}
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.UNKNOWN, BEN: MembershipStatus.UNKNOWN}
    assert bench.lines() == [MEMBERS, MEMBERS]


async def test_a_member_list_shorter_than_the_groups_count_proves_nobody_absent(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN, CLEO])
    bench.server.faults = [InjectedFault(MEMBERS, status=200, body=stored(bench, ANA, CLEO))]
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.UNKNOWN}


async def test_a_member_list_longer_than_the_groups_count_proves_nobody_present(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
    bench.server.keeps_leavers = True
    bench.world.remove(GROUP, BEN)
    assert await present(bench, ANA, BEN, CLEO) == {
        ANA: MembershipStatus.UNKNOWN,
        BEN: MembershipStatus.UNKNOWN,
        CLEO: MembershipStatus.ABSENT,
    }


async def test_somebody_who_left_and_is_listed_still_is_added_again(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
    bench.server.keeps_leavers = True
    bench.world.remove(GROUP, BEN)
    [verdict] = await as_the_workflow_would(bench, [BEN])
    assert verdict.outcome is Outcome.ADDED
    assert BEN in bench.world.groups[GROUP].members


@pytest.mark.parametrize("count", ["", ', "participantCount": 0'])
async def test_a_member_list_is_believed_where_the_group_tells_no_count(bench: Bench, count: str) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    bench.server.faults = [InjectedFault(READ_GROUP, status=200, body=f'{{"groupJid": "{GROUP}"{count}}}', skip=1)]
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.ABSENT}


async def test_the_groups_count_is_read_only_where_the_list_tells_of_somebody(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [CLEO])
    bench.server.phoneless = {CLEO}
    assert await present(bench, ANA) == {ANA: MembershipStatus.UNKNOWN}
    assert READ_GROUP not in bench.lines()
    bench.world.put_group(GROUP, "Launch team", [ANA])
    await present(bench, ANA)
    assert bench.lines()[-1] == READ_GROUP


async def test_absence_is_unknown_while_a_member_is_only_a_lid(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, CLEO])
    bench.server.phoneless = {CLEO}
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.UNKNOWN}


async def test_absence_is_unknown_while_a_member_has_no_stored_contact(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, CLEO])
    bench.server.unstored = {CLEO}
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.MEMBER, BEN: MembershipStatus.UNKNOWN}


async def test_a_person_whose_lid_is_known_can_be_absent_among_members_without_phones(bench: Bench) -> None:
    bench.world.put_group(OTHER, "Others", [BEN])
    assert await bench.adapter.membership(OTHER, people(BEN)) == {f"+{BEN}": MembershipStatus.MEMBER}
    bench.world.put_group(GROUP, "Launch team", [CLEO])
    bench.server.phoneless = {CLEO}
    before = len(bench.lines())
    assert await present(bench, BEN) == {BEN: MembershipStatus.ABSENT}
    assert bench.lines()[before:] == [MEMBERS, READ_GROUP]


async def test_a_lid_that_has_another_phone_by_now_says_nothing_of_the_old_one(bench: Bench) -> None:
    def row(phone: str) -> str:
        return json.dumps({"data": [{"lid": "77@lid", "phoneJid": f"{phone}@s.whatsapp.net"}]})

    bench.server.faults = [InjectedFault(MEMBERS, status=200, body=row(phone)) for phone in (ANA, BEN)]
    assert await present(bench, ANA) == {ANA: MembershipStatus.PRESENT}
    assert await present(bench, ANA) == {ANA: MembershipStatus.ABSENT}


async def test_a_person_given_by_lid_is_compared_by_it_alone(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    here, elsewhere = Person("a", lid=bench.lid(ANA)), Person("b", lid=bench.lid(BEN))
    found = await bench.adapter.membership(GROUP, [here, elsewhere])
    assert found == {here.key: MembershipStatus.MEMBER, elsewhere.key: MembershipStatus.ABSENT}
    assert bench.lines() == [MEMBERS, READ_GROUP]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"jid": f"{BEN}@s.whatsapp.net"}, [MembershipStatus.UNKNOWN, MembershipStatus.ABSENT]),
        ({"lid": "77@lid"}, [MembershipStatus.ABSENT, MembershipStatus.ABSENT]),
        ({}, [MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]),
    ],
)
async def test_people_are_absent_only_where_they_share_a_kind_of_name_with_every_member(
    row: dict[str, object], expected: list[MembershipStatus]
) -> None:
    async with wagateway() as bench:
        bench.server.faults = [InjectedFault(MEMBERS, status=200, body=json.dumps({"data": [row]}))]
        by_lid, by_both = Person("a", lid="88@lid"), Person("b", f"+{ANA}", "99@lid")
        found = await bench.adapter.membership(GROUP, [by_lid, by_both])
        assert list(found.values()) == expected


@pytest.mark.parametrize(("listed", "asked"), [("551187654321", "5511987654321"), ("5215512345678", "525512345678")])
async def test_a_member_is_not_missed_because_the_number_has_another_form(
    bench: Bench, listed: str, asked: str
) -> None:
    bench.world.put_group(GROUP, "Launch team", [listed])
    assert await present(bench, asked) == {asked: MembershipStatus.MEMBER}


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
    bench: Bench, role: str, standing: MembershipStatus
) -> None:
    group = bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
    group.members[ANA].role = role
    assert await present(bench, ANA, BEN) == {ANA: standing, BEN: MembershipStatus.MEMBER}
    assert [member.status async for member in bench.adapter.members(GROUP) if ANA in member.phone] == (
        [] if standing is MembershipStatus.ABSENT else [standing]
    )


async def test_members_come_with_the_phones_that_stored_contacts_tell(bench: Bench) -> None:
    bench.server.rows_per_page = 2
    bench.server.phoneless = {CLEO}
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN, CLEO])
    assert [member async for member in bench.adapter.members(GROUP)] == [
        Member(f"+{ANA}", bench.lid(ANA), status=MembershipStatus.MEMBER),
        Member(f"+{BEN}", bench.lid(BEN), status=MembershipStatus.MEMBER),
        Member("", bench.lid(CLEO), status=MembershipStatus.MEMBER),
    ]
    assert bench.lines() == [MEMBERS, CONTACTS, MEMBERS, f"{CONTACTS}/{bench.lid(CLEO)}"]


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
    row: dict[str, object], expected: list[MembershipStatus]
) -> None:
    async with wagateway() as bench:
        bench.server.faults = [InjectedFault(MEMBERS, status=200, body=json.dumps({"data": [row]}))]
        assert list((await present(bench, ANA, BEN)).values()) == expected


@pytest.mark.parametrize("field", ["phoneNumber", "phoneJid", "jid"])
async def test_a_lid_that_poses_as_a_phone_in_a_member_row_is_none(bench: Bench, field: str) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    lid = bench.lid(ANA)
    posing = lid.removesuffix("@lid") + ("" if field == "phoneNumber" else "@s.whatsapp.net")
    body = json.dumps({"data": [{"lid": lid, field: posing}]})
    bench.server.faults = [InjectedFault(MEMBERS, status=200, body=body, times=3)]
    assert await present(bench, ANA, BEN) == {ANA: MembershipStatus.PRESENT, BEN: MembershipStatus.ABSENT}
    assert await present(bench, lid.removesuffix("@lid")) == {lid.removesuffix("@lid"): MembershipStatus.ABSENT}
    assert [member async for member in bench.adapter.members(GROUP)] == [Member(f"+{ANA}", lid)]


async def test_a_lid_that_poses_as_a_phone_in_a_contact_leaves_absence_unknown(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    lid = bench.lid(ANA)
    body = json.dumps({"identity": {"phoneNumber": lid.removesuffix("@lid")}})
    bench.server.faults = [InjectedFault(f"{CONTACTS}/{lid}", status=200, body=body)]
    assert await present(bench, BEN) == {BEN: MembershipStatus.UNKNOWN}


@pytest.mark.parametrize("shape", ["flat", "nested"])
async def test_a_group_of_a_thousand_is_resolved_by_pages_of_contacts(bench: Bench, shape: ContactShape) -> None:
    bench.server.contact_shape = shape
    phones = many(1_000)
    bench.world.put_group(GROUP, "Launch team", phones)
    assert await present(bench, phones[0], phones[-1], ANA) == {
        phones[0]: MembershipStatus.MEMBER,
        phones[-1]: MembershipStatus.MEMBER,
        ANA: MembershipStatus.ABSENT,
    }
    assert bench.lines() == [MEMBERS, *[CONTACTS] * 5, READ_GROUP]
    await present(bench, ANA)
    assert bench.lines()[7:] == [MEMBERS, READ_GROUP]


async def test_where_the_contact_list_names_no_phones_contacts_are_asked_for_a_hundred_at_each_read(
    bench: Bench,
) -> None:
    bench.server.contact_shape = "bare"
    phones = many(150)
    bench.world.put_group(GROUP, "Launch team", phones)
    assert await present(bench, ANA) == {ANA: MembershipStatus.UNKNOWN}
    assert bench.lines()[:3] == [MEMBERS, CONTACTS, CONTACTS]
    assert len(bench.lines()) == 3 + MAX_LOOKUPS
    assert await present(bench, ANA) == {ANA: MembershipStatus.ABSENT}
    assert len(bench.lines()) == 3 + MAX_LOOKUPS + 2 + 50 + 1
    await present(bench, ANA)
    assert bench.lines()[-2:] == [MEMBERS, READ_GROUP]


async def test_the_newest_members_are_asked_for_first_and_no_more_than_are_needed(bench: Bench) -> None:
    bench.server.contact_shape = "bare"
    bench.world.put_group(GROUP, "Launch team", many(150))
    new = [f"1415557{number:04}" for number in range(11)]
    bench.time[0] = 2_000_000_000.0
    for phone in new:
        bench.world.add(GROUP, phone)
    assert set((await present(bench, *new)).values()) == {MembershipStatus.MEMBER}
    assert bench.lines()[:2] == [MEMBERS, CONTACTS]
    assert {f"{CONTACTS}/{bench.lid(phone)}" for phone in new} <= set(bench.lines()[2:])
    assert len(bench.lines()) == 2 + 3 * MAX_CONCURRENT_READS + 1


@pytest.mark.parametrize(("listed", "asked"), [(many(150)[75], many(150)[75]), ("551187654321", "5511987654321")])
async def test_one_member_of_many_is_searched_for_before_all_are_asked_about(
    bench: Bench, listed: str, asked: str
) -> None:
    bench.server.contact_shape = "bare"
    bench.world.put_group(GROUP, "Launch team", [*many(149), listed])
    assert await present(bench, asked) == {asked: MembershipStatus.MEMBER}
    assert bench.lines()[:3] == [MEMBERS, CONTACTS, CONTACTS]
    assert f"{CONTACTS}/{bench.lid(listed)}" in bench.lines()[3:]
    assert len(bench.lines()) == 3 + MAX_CONCURRENT_READS + 1


async def test_a_search_that_finds_a_name_alone_proves_nothing(bench: Bench) -> None:
    bench.server.contact_shape = "bare"
    bench.world.put_group(GROUP, "Launch team", many(30))
    bench.server.names = {many(30)[7]: f"not {ANA}"}
    assert await present(bench, ANA) == {ANA: MembershipStatus.ABSENT}


async def test_a_member_without_phone_is_asked_about_again_after_a_minute(bench: Bench) -> None:
    bench.adapter = WaGateway(bench.adapter._api, clock=lambda: bench.time[0])
    bench.world.put_group(GROUP, "Launch team", [ANA])
    bench.server.unstored = {ANA}
    for later, lookups in ((0.0, 1), (59.0, 1), (2.0, 2)):
        bench.time[0] += later
        assert await present(bench, ANA) == {ANA: MembershipStatus.UNKNOWN}
        assert bench.lines().count(f"{CONTACTS}/{bench.lid(ANA)}") == lookups
    bench.server.unstored = set()
    bench.time[0] += 61.0
    assert await present(bench, ANA) == {ANA: MembershipStatus.MEMBER}


async def test_member_lists_of_several_pages_are_read_to_the_end(bench: Bench) -> None:
    bench.server.rows_per_page = 2
    bench.world.put_group(GROUP, "Launch team", many(5))
    assert await present(bench, many(5)[4]) == {many(5)[4]: MembershipStatus.MEMBER}
    assert bench.lines().count(MEMBERS) == 3


async def test_groups_come_page_after_page(bench: Bench) -> None:
    bench.world.put_group(OTHER, "Others", [ANA, BEN])
    bench.world.put_group("120363000000000003@g.us", "Third")
    bench.server.rows_per_page = 2
    assert [group async for group in bench.adapter.groups()] == [
        shown(GROUP, "Launch team", 0),
        shown(OTHER, "Others", 2),
        shown("120363000000000003@g.us", "Third", 0),
    ]
    assert bench.lines() == [f"GET {ROOT}/groups"] * 2


@pytest.mark.parametrize("end", ['"nextCursor": ""', '"nextCursor": null', '"more": 1'])
async def test_a_list_ends_in_any_of_the_ways_that_the_gateway_writes(bench: Bench, end: str) -> None:
    body = f'{{"data": [{{"groupJid": "{GROUP}"}}, {{}}], {end}}}'
    bench.server.faults = [InjectedFault("/groups", status=200, body=body)]
    assert [group async for group in bench.adapter.groups()] == [Group(GROUP, "", None)]


async def test_a_list_whose_cursor_comes_back_is_a_fault_and_not_endless(bench: Bench) -> None:
    bench.server.faults = [InjectedFault("/groups", status=200, body='{"data": [], "nextCursor": "a"}', times=-1)]
    with pytest.raises(ProviderFault, match="doesn't end"):
        _ = [group async for group in bench.adapter.groups()]
    assert len(bench.lines()) == 2


async def test_one_group_is_read_by_its_jid(bench: Bench) -> None:
    bench.world.put_group(OTHER, "Others", [ANA, BEN])
    assert await bench.adapter.group(OTHER) == shown(OTHER, "Others", 2)
    with pytest.raises(GroupNotFound):
        await bench.adapter.group("120363999999999999@g.us")


async def test_what_is_no_group_jid_is_not_asked_for(bench: Bench) -> None:
    for group_id in ("", "launch-team", "..", "1@g.us/members", "14155550101@s.whatsapp.net"):
        with pytest.raises(GroupNotFound):
            await bench.adapter.group(group_id)
    assert bench.lines() == []


@pytest.mark.parametrize(
    ("simulated", "account"),
    [
        ("connected", Account(AccountState.CONNECTED, "working")),
        ("disconnected", Account(AccountState.DISCONNECTED, "scan_qr_code")),
        ("restricted", Account(AccountState.DISCONNECTED, "scan_qr_code")),
    ],
)
async def test_the_account_is_as_its_session_says(bench: Bench, simulated: str, account: Account) -> None:
    bench.server.account_state = simulated
    assert await bench.adapter.account() == account
    assert bench.lines() == [f"GET {ROOT}"]


async def test_without_manage_the_token_is_checked_and_the_state_stays_unknown(bench: Bench) -> None:
    bench.server.permissions = frozenset({"read", "send"})
    account = await bench.adapter.account()
    assert account.state is AccountState.UNKNOWN
    assert "manage" in account.detail
    assert bench.lines() == [f"GET {ROOT}", CONTACTS]


async def test_where_read_covers_sessions_it_is_enough(bench: Bench) -> None:
    bench.server.permissions = frozenset({"read"})
    bench.server.reading_sessions_needs = "read"
    assert (await bench.adapter.account()).state is AccountState.CONNECTED


async def test_a_status_that_no_page_names_is_not_connected(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(f"GET {ROOT}", status=200, body='{"status": "starting"}')]
    assert await bench.adapter.account() == Account(AccountState.DISCONNECTED, "starting")


async def test_a_session_without_a_status_is_unknown(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(ROOT, status=200, body="{}")]
    assert (await bench.adapter.account()).state is AccountState.UNKNOWN


async def test_a_session_that_is_not_the_tokens_is_told_as_such() -> None:
    async with wagateway(session="sess_2") as bench:
        for call in (bench.adapter.account(), bench.adapter.add(GROUP, people(ANA))):
            with pytest.raises(AccountDisconnected, match="no session with this id"):
                await call
        assert bench.transport.broken == []


@pytest.mark.parametrize(
    ("query", "listed"),
    [({"q": "5550101"}, [ANA]), ({"q": "bEN"}, [BEN]), ({"source": "group"}, [ANA, BEN]), ({"source": "dm"}, [])],
)
async def test_the_simulated_contacts_are_narrowed_by_a_name_a_number_or_a_source(
    bench: Bench, query: dict[str, str], listed: list[str]
) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
    bench.server.names = {BEN: "Ben"}
    rows = (await bench.adapter._api.read("/contacts", params=query)).body["data"]
    assert [row["phoneNumber"] for row in rows] == listed
