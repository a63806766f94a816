import pytest

from providers.base import (
    AccountState,
    Evidence,
    GroupNotFound,
    MembershipStatus,
    Outcome,
    PermissionMissing,
)
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, CAT, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)


async def test_presence_in_a_long_list_is_told_by_each_persons_own_contact(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    wacr.server.put_contact(f"+{BEN}")
    wacr.server.put_contact(f"+{CAT}")
    await wacr.adapter.add(GROUP, people(CAT))
    assert await wacr.membership(ANA, BEN, CAT) == {
        ANA: MembershipStatus.UNKNOWN,
        BEN: MembershipStatus.ABSENT,
        CAT: MembershipStatus.PRESENT,
    }


async def test_presence_reads_one_page_for_five_people_though_all_were_seen_on_the_first(wacr: WacrHarness) -> None:
    phones = [f"3361234{number:04}" for number in range(150)]
    wacr.world.put_group(GROUP, "Launch team", phones)
    contacts = sorted(wacr.group.members)
    await wacr.membership(*contacts[:1])
    wacr.server.calls.clear()
    first = [contact.digits for contact in list(wacr.server.contacts.values())[:10]]
    assert set((await wacr.membership(*first)).values()) == {MembershipStatus.PRESENT}
    assert wacr.requests() == [*["GET /contacts"] * 2, "GET /groups/7"]
    assert set((await wacr.membership(*first[:5])).values()) == {MembershipStatus.PRESENT}
    assert wacr.requests().count("GET /contacts") == 3


async def test_a_list_that_ignores_the_filter_makes_nobody_a_member(wacr: WacrHarness) -> None:
    wacr.server.faults = [
        InjectedFault(
            "GET /api/v2/contacts", status=200, body=f'{{"data": [{{"id": 1, "phone": "+{ANA}", "group_id": [8]}}]}}'
        )
    ]
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.ABSENT}


@pytest.mark.parametrize("contact", ['{"id": 1}', '{"id": 1, "group_id": [7]}'])
async def test_a_member_whose_phone_is_left_out_makes_absence_unknown(wacr: WacrHarness, contact: str) -> None:
    wacr.server.faults = [InjectedFault("GET /api/v2/contacts", status=200, body=f'{{"data": [{contact}]}}')]
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.UNKNOWN}


async def test_a_member_without_a_phone_is_nobody_we_ask_about(wacr: WacrHarness) -> None:
    wacr.server.faults = [
        InjectedFault("GET /api/v2/contacts", status=200, body='{"data": [{"id": 1, "phone": null}]}')
    ]
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.ABSENT}


UK = "447700900123"
ALIKE = ["07700 900123", "7700900123", "(07700) 900-123", "900123", "+44 (0)7700 900123", "8 07700 900123"]


@pytest.mark.parametrize("stored", ALIKE)
async def test_a_stored_phone_that_may_be_a_persons_proves_neither_presence_nor_absence(
    wacr: WacrHarness, stored: str
) -> None:
    wacr.server.enrol(wacr.group, wacr.server.put_contact(stored))
    assert await wacr.membership(UK, ANA) == {UK: MembershipStatus.UNKNOWN, ANA: MembershipStatus.ABSENT}
    result = await wacr.adapter.remove(GROUP, people(UK))
    assert outcomes_with_evidence(result) == {UK: UNKNOWN}


@pytest.mark.parametrize("stored", [f"00{UK[:-1]}4", f"+1{UK[-9:-2]}99", "n/a", ""])
async def test_a_stored_phone_that_cannot_be_a_persons_leaves_them_absent(wacr: WacrHarness, stored: str) -> None:
    wacr.server.enrol(wacr.group, wacr.server.put_contact(stored))
    assert await wacr.membership(UK) == {UK: MembershipStatus.ABSENT}


@pytest.mark.parametrize("stored", [f"+{UK} ext. 7", "07700 900122 or 123", "٠٧٧٠٠٩٠٠١٢٣"])
async def test_a_stored_phone_that_is_not_written_as_one_proves_nobody_absent(wacr: WacrHarness, stored: str) -> None:
    wacr.server.enrol(wacr.group, wacr.server.put_contact(stored))
    assert await wacr.membership(UK, ANA) == {UK: MembershipStatus.UNKNOWN, ANA: MembershipStatus.UNKNOWN}


@pytest.mark.parametrize(
    ("twin_is_in", "expected"), [(True, MembershipStatus.UNKNOWN), (False, MembershipStatus.ABSENT)]
)
async def test_in_a_long_list_a_contact_outside_proves_absence_only_without_a_twin_inside(
    wacr: WacrHarness, twin_is_in: bool, expected: MembershipStatus
) -> None:
    twin = wacr.server.put_contact("07700 900123")
    wacr.server.put_contact(f"+{UK}")
    phones = [f"3361234{number:04}" for number in range(150)]
    wacr.world.put_group(GROUP, "Launch team", [*phones, *([twin.digits] if twin_is_in else [])])
    for number, phone in enumerate(phones):
        wacr.server.put_contact(f"+{phone}").id = number  # before the twin, which comes on the second page
    wacr.server.contacts = dict(sorted(wacr.server.contacts.items(), key=lambda item: item[1].id))
    assert await wacr.membership(UK) == {UK: expected}


async def test_no_read_combines_a_filter_with_a_search_or_another(wacr: WacrHarness) -> None:
    wacr.world.put_group(GROUP, "Launch team", [f"3361234{number:04}" for number in range(150)])
    await wacr.membership(ANA)
    await wacr.adapter.add(GROUP, people(ANA))
    await wacr.adapter.remove(GROUP, people(BEN))
    narrowed = [call.query.keys() - {"page", "per_page", "sort"} for call in wacr.server.calls]
    assert {frozenset(keys) for keys in narrowed} == {
        frozenset(),
        frozenset({"search"}),
        frozenset({"filter[group_id]"}),
    }


@pytest.mark.parametrize("mark", ["", ', "meta": null', ', "meta": {"pagination": {"has_more": null}}'])
async def test_a_full_page_without_a_pagination_mark_is_not_taken_for_the_end(wacr: WacrHarness, mark: str) -> None:
    page = ",".join(f'{{"id": {number}, "phone": "+3361234{number:04}"}}' for number in range(100))
    wacr.server.faults = [InjectedFault("GET /api/v2/contacts", status=200, body=f'{{"data": [{page}]{mark}}}')]
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.UNKNOWN}
    assert wacr.server.calls[-1].query["search"] == ANA[-4:]


async def test_presence_in_an_empty_group_is_absence(wacr: WacrHarness) -> None:
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.ABSENT}


@pytest.mark.parametrize("group_id", ["99", "120363041234567890@g.us", "", "٧"])
async def test_an_unknown_group_is_not_found(wacr: WacrHarness, group_id: str) -> None:
    with pytest.raises(GroupNotFound):
        await wacr.adapter.group(group_id)


@pytest.mark.parametrize(
    ("state", "expected"), [("connected", AccountState.CONNECTED), ("restricted", AccountState.RESTRICTED)]
)
async def test_the_account_tells_its_state_and_what_scopes_adding_needs(
    wacr: WacrHarness, state: str, expected: AccountState
) -> None:
    wacr.server.account_state = state
    account = await wacr.adapter.account()
    assert account.state is expected
    assert account.detail.startswith("Example Ltd (")
    assert "contacts:write" in account.detail
    assert wacr.requests() == ["GET /account"]


async def test_a_token_without_account_read_is_accepted_but_tells_no_state(wacr: WacrHarness) -> None:
    wacr.server.scopes.remove("account:read")
    account = await wacr.adapter.account()
    assert account.state is AccountState.UNKNOWN
    assert "account:read" in account.detail


@pytest.mark.parametrize("scope", ["groups:read", "contacts:read", "groups:write", "contacts:write"])
async def test_a_missing_scope_is_named(wacr: WacrHarness, scope: str) -> None:
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.scopes.remove(scope)
    roster = people(ANA) if scope == "groups:write" else people(BEN)
    with pytest.raises(PermissionMissing, match=scope) as caught:
        await wacr.adapter.add(GROUP, roster)
    assert caught.value.code == "INSUFFICIENT_SCOPE"
    assert set(wacr.group.members) == set()
