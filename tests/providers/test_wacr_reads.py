from collections.abc import AsyncIterator

import pytest

from providers.base import (
    AccountState,
    Action,
    Group,
    GroupNotFound,
    MembershipStatus,
    PermissionMissing,
    ProviderCapability,
)
from providers.wacr import BASE_URL, Wacr, make
from sandbox.providers.server import InjectedFault
from tests.providers.wacr_bench import ANA, BEN, CAT, GROUP, UNKNOWN, Bench, outcomes, people, wacr


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with wacr() as bench:
        yield bench
        assert bench.transport.broken == []


async def test_presence_before_and_after_an_add(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [ANA])
    assert await bench.membership(ANA, BEN) == {ANA: MembershipStatus.PRESENT, BEN: MembershipStatus.ABSENT}
    await bench.adapter.add(GROUP, people(BEN))
    assert await bench.membership(ANA, BEN) == {ANA: MembershipStatus.PRESENT, BEN: MembershipStatus.PRESENT}


async def test_a_late_read_shows_the_member_when_its_time_has_come(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [CAT])
    bench.world.read_lag = 30
    await bench.adapter.add(GROUP, people(ANA))
    assert await bench.membership(ANA) == {ANA: MembershipStatus.ABSENT}
    bench.time[0] += 30
    assert await bench.membership(ANA) == {ANA: MembershipStatus.PRESENT}


async def test_presence_in_a_long_list_is_told_by_each_persons_own_contact(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    bench.server.put_contact(f"+{BEN}")
    bench.server.put_contact(f"+{CAT}")
    await bench.adapter.add(GROUP, people(CAT))
    assert await bench.membership(ANA, BEN, CAT) == {
        ANA: MembershipStatus.UNKNOWN,
        BEN: MembershipStatus.ABSENT,
        CAT: MembershipStatus.PRESENT,
    }


async def test_presence_reads_one_page_for_five_people_though_all_were_seen_on_the_first(bench: Bench) -> None:
    phones = [f"3361234{number:04}" for number in range(150)]
    bench.world.put_group(GROUP, "Launch team", phones)
    contacts = sorted(bench.world.groups[GROUP].members)
    await bench.membership(*contacts[:1])
    bench.server.calls.clear()
    first = [contact.digits for contact in list(bench.server.contacts.values())[:10]]
    assert set((await bench.membership(*first)).values()) == {MembershipStatus.PRESENT}
    assert bench.asked() == [*["GET /contacts"] * 2, "GET /groups/7"]
    assert set((await bench.membership(*first[:5])).values()) == {MembershipStatus.PRESENT}
    assert bench.asked().count("GET /contacts") == 3


async def test_a_list_that_ignores_the_filter_makes_nobody_a_member(bench: Bench) -> None:
    bench.server.faults = [
        InjectedFault(
            "GET /api/v2/contacts", status=200, body=f'{{"data": [{{"id": 1, "phone": "+{ANA}", "group_id": [8]}}]}}'
        )
    ]
    assert await bench.membership(ANA) == {ANA: MembershipStatus.ABSENT}


@pytest.mark.parametrize("contact", ['{"id": 1}', '{"id": 1, "group_id": [7]}'])
async def test_a_member_whose_phone_is_left_out_makes_absence_unknown(bench: Bench, contact: str) -> None:
    bench.server.faults = [InjectedFault("GET /api/v2/contacts", status=200, body=f'{{"data": [{contact}]}}')]
    assert await bench.membership(ANA) == {ANA: MembershipStatus.UNKNOWN}


async def test_a_member_without_a_phone_is_nobody_we_ask_about(bench: Bench) -> None:
    bench.server.faults = [
        InjectedFault("GET /api/v2/contacts", status=200, body='{"data": [{"id": 1, "phone": null}]}')
    ]
    assert await bench.membership(ANA) == {ANA: MembershipStatus.ABSENT}


UK = "447700900123"
ALIKE = ["07700 900123", "7700900123", "(07700) 900-123", "900123", "+44 (0)7700 900123", "8 07700 900123"]


@pytest.mark.parametrize("stored", ALIKE)
async def test_a_stored_phone_that_may_be_a_persons_proves_neither_presence_nor_absence(
    bench: Bench, stored: str
) -> None:
    bench.server.enrol(bench.world.groups[GROUP], bench.server.put_contact(stored))
    assert await bench.membership(UK, ANA) == {UK: MembershipStatus.UNKNOWN, ANA: MembershipStatus.ABSENT}
    result = await bench.adapter.remove(GROUP, people(UK))
    assert outcomes(result) == {UK: UNKNOWN}


@pytest.mark.parametrize("stored", [f"00{UK[:-1]}4", f"+1{UK[-9:-2]}99", "n/a", ""])
async def test_a_stored_phone_that_cannot_be_a_persons_leaves_them_absent(bench: Bench, stored: str) -> None:
    bench.server.enrol(bench.world.groups[GROUP], bench.server.put_contact(stored))
    assert await bench.membership(UK) == {UK: MembershipStatus.ABSENT}


@pytest.mark.parametrize("stored", [f"+{UK} ext. 7", "07700 900122 or 123", "٠٧٧٠٠٩٠٠١٢٣"])
async def test_a_stored_phone_that_is_not_written_as_one_proves_nobody_absent(bench: Bench, stored: str) -> None:
    bench.server.enrol(bench.world.groups[GROUP], bench.server.put_contact(stored))
    assert await bench.membership(UK, ANA) == {UK: MembershipStatus.UNKNOWN, ANA: MembershipStatus.UNKNOWN}


@pytest.mark.parametrize(
    ("twin_is_in", "expected"), [(True, MembershipStatus.UNKNOWN), (False, MembershipStatus.ABSENT)]
)
async def test_in_a_long_list_a_contact_outside_proves_absence_only_without_a_twin_inside(
    bench: Bench, twin_is_in: bool, expected: MembershipStatus
) -> None:
    twin = bench.server.put_contact("07700 900123")
    bench.server.put_contact(f"+{UK}")
    phones = [f"3361234{number:04}" for number in range(150)]
    bench.world.put_group(GROUP, "Launch team", [*phones, *([twin.digits] if twin_is_in else [])])
    for number, phone in enumerate(phones):
        bench.server.put_contact(f"+{phone}").id = number  # before the twin, which comes on the second page
    bench.server.contacts = dict(sorted(bench.server.contacts.items(), key=lambda item: item[1].id))
    assert await bench.membership(UK) == {UK: expected}


async def test_no_read_combines_a_filter_with_a_search_or_another(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    await bench.membership(ANA)
    await bench.adapter.add(GROUP, people(ANA))
    await bench.adapter.remove(GROUP, people(BEN))
    narrowed = [call.query.keys() - {"page", "per_page", "sort"} for call in bench.server.calls]
    assert {frozenset(keys) for keys in narrowed} == {
        frozenset(),
        frozenset({"search"}),
        frozenset({"filter[group_id]"}),
    }


@pytest.mark.parametrize("mark", ["", ', "meta": null', ', "meta": {"pagination": {"has_more": null}}'])
async def test_a_full_page_without_a_pagination_mark_is_not_taken_for_the_end(bench: Bench, mark: str) -> None:
    page = ",".join(f'{{"id": {number}, "phone": "+3361234{number:04}"}}' for number in range(100))
    bench.server.faults = [InjectedFault("GET /api/v2/contacts", status=200, body=f'{{"data": [{page}]{mark}}}')]
    assert await bench.membership(ANA) == {ANA: MembershipStatus.UNKNOWN}
    assert bench.server.calls[-1].query["search"] == ANA[-4:]
    bench.transport.broken.clear()


async def test_presence_in_an_unknown_group_is_an_error_and_not_absence(bench: Bench) -> None:
    with pytest.raises(GroupNotFound):
        await bench.adapter.membership("99", people(ANA))


async def test_presence_in_an_empty_group_is_absence(bench: Bench) -> None:
    assert await bench.membership(ANA) == {ANA: MembershipStatus.ABSENT}


async def test_groups_are_listed_over_several_pages(bench: Bench) -> None:
    for number in range(100, 330):
        bench.world.put_group(str(number), f"List {number}")
    found = [group async for group in bench.adapter.groups()]
    assert len(found) == 231
    assert found[0] == Group(GROUP, "Launch team", None)
    assert bench.asked() == ["GET /groups"] * 3


async def test_a_group_is_read_by_its_id(bench: Bench) -> None:
    assert await bench.adapter.group(GROUP) == Group(GROUP, "Launch team", None)


@pytest.mark.parametrize("group_id", ["99", "120363041234567890@g.us", "", "٧"])
async def test_an_unknown_group_is_not_found(bench: Bench, group_id: str) -> None:
    with pytest.raises(GroupNotFound):
        await bench.adapter.group(group_id)


@pytest.mark.parametrize(
    ("state", "expected"), [("connected", AccountState.CONNECTED), ("restricted", AccountState.RESTRICTED)]
)
async def test_the_account_tells_its_state_and_what_scopes_adding_needs(
    bench: Bench, state: str, expected: AccountState
) -> None:
    bench.server.account_state = state
    account = await bench.adapter.account()
    assert account.state is expected
    assert account.detail.startswith("Example Ltd (")
    assert "contacts:write" in account.detail
    assert bench.asked() == ["GET /account"]


async def test_a_token_without_account_read_is_accepted_but_tells_no_state(bench: Bench) -> None:
    bench.server.scopes.remove("account:read")
    account = await bench.adapter.account()
    assert account.state is AccountState.UNKNOWN
    assert "account:read" in account.detail


async def test_an_account_without_a_status_is_unknown(bench: Bench) -> None:
    bench.server.faults = [InjectedFault("/account", status=200, body='{"data": {"name": "Example Ltd"}}')]
    assert (await bench.adapter.account()).state is AccountState.UNKNOWN


@pytest.mark.parametrize("scope", ["groups:read", "contacts:read", "groups:write", "contacts:write"])
async def test_a_missing_scope_is_named(bench: Bench, scope: str) -> None:
    bench.server.put_contact(f"+{ANA}")
    bench.server.scopes.remove(scope)
    roster = people(ANA) if scope == "groups:write" else people(BEN)
    with pytest.raises(PermissionMissing, match=scope) as caught:
        await bench.adapter.add(GROUP, roster)
    assert caught.value.code == "INSUFFICIENT_SCOPE"
    assert bench.members() == set()


def test_the_roles_speak_of_the_providers_own_scopes() -> None:
    assert Wacr.abilities[Action.LIST_GROUPS].capability is ProviderCapability.GROUPS_READ
    assert Wacr.abilities[Action.ADD].capability is ProviderCapability.GROUPS_WRITE


@pytest.mark.parametrize("suffix", ["", "/", "/api/v2", "/api/v2/"])
async def test_the_base_url_may_be_the_domain_or_the_root_of_the_api(bench: Bench, suffix: str) -> None:
    adapter = make(base_url=bench.url + suffix, token=bench.server.token, account="", transport=bench.transport)
    assert (await adapter.group(GROUP)).subject == "Launch team"


async def test_without_a_base_url_the_providers_own_domain_is_asked(bench: Bench) -> None:
    adapter = make(base_url=None, token="t", account="")
    assert str(adapter._api._http._client.base_url) == f"{BASE_URL}/api/v2/"
    await adapter.aclose()
    assert bench.asked() == []
