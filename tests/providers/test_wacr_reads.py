import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
    Usage,
)
from providers.wacr import Wacr, make
from providers.wacr.models import Contact
from sandbox.http import serve
from sandbox.providers.server import InjectedFault
from sandbox.providers.wacr import PREFIX
from sandbox.providers.world import Disposition
from tests.contracts import NO_CERTIFICATES
from tests.providers.harness import ANA, BEN, CAT, TOKEN, outcomes_with_evidence, people
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


PAGES = 24
"""Pages of a hundred contacts: as many as show whether what was read is kept."""


@asynccontextmanager
async def long_book(each_page: Callable[[int], None]) -> AsyncIterator[Wacr]:
    """Serve a tenant whose every list is long and holds nobody who is looked for."""

    async def contacts(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        each_page(number)
        first = number * 100
        data = [{"id": i, "phone": f"+3361{i:07}", "group_id": [7]} for i in range(first, first + 100)]
        return web.json_response({"data": data, "meta": {"pagination": {"has_more": number < PAGES}}})

    async def group(_: web.Request) -> web.Response:
        return web.json_response({"data": {"id": 7, "name": "Launch team"}})

    app = web.Application()
    app.router.add_get(f"{PREFIX}/contacts", contacts)
    app.router.add_get(f"{PREFIX}/groups/7", group)
    async with serve(app) as url:
        transport = httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES)
        adapter = make(base_url=url, token=TOKEN, account="", transport=transport)
        yield adapter
        await adapter.aclose()


@pytest.mark.parametrize("what", ["a search", "a member list"])
async def test_the_pages_of_a_long_list_are_dropped_when_they_were_read(what: str) -> None:
    kept: list[int] = []

    def count(number: int) -> None:
        if number % 8 == 0:
            kept.append(sum(isinstance(thing, Contact) for thing in gc.get_objects()))

    gc.disable()  # so that only what is truly let go of is gone
    try:
        async with long_book(count) as adapter:
            if what == "a search":
                assert await adapter.membership("7", people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}
            else:
                assert sum([1 async for _ in adapter.members("7")]) == PAGES * 100
    finally:
        gc.enable()
    assert len(kept) == PAGES // 8
    assert max(kept) <= 200


PATH = WACR.prefix
TEXT = f"POST {PATH}/messages/text"


async def test_what_is_used_and_what_there_is_are_told_by_the_providers_names(wacr: WacrHarness) -> None:
    wacr.server.contact_limit = 1000
    wacr.server.put_contact(f"+{ANA}")
    assert await wacr.adapter.limits() == [
        Usage("Total Contacts", 1, 1000),
        Usage("Conversations per Month", 0, None),
        Usage("Active Campaigns", 0, 5),
        Usage("Team Members", 2, 3),
        Usage("API Calls per Minute", None, 60),
    ]
    assert sorted(wacr.requests()) == ["GET /account/limits", "GET /account/usage"]


@pytest.mark.parametrize("body", ["{}", '{"data": []}', '{"success": false, "message": "Something went wrong"}'])
async def test_allowances_that_are_not_told_are_a_fault(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault("/account", status=200, body=body, times=-1)]
    with pytest.raises(ProviderFault):
        await wacr.adapter.limits()


@pytest.mark.parametrize("key", ["subscription", "plan"])
async def test_the_account_tells_its_plan_wherever_it_stands(wacr: WacrHarness, key: str) -> None:
    wacr.server.subscription_key = key
    assert "plan Business active" in (await wacr.adapter.account()).detail


@pytest.mark.parametrize(
    ("tenant", "subscription", "state"),
    [
        ("connected", "active", AccountState.CONNECTED),
        ("connected", "expired", AccountState.RESTRICTED),
        ("connected", "Expired", AccountState.RESTRICTED),
        ("connected", "cancelled", AccountState.CONNECTED),
        ("connected", None, AccountState.CONNECTED),
        ("restricted", "active", AccountState.RESTRICTED),
    ],
)
async def test_a_tenant_or_a_subscription_that_has_run_out_restricts_the_account(
    wacr: WacrHarness, tenant: str, subscription: str | None, state: AccountState
) -> None:
    wacr.server.account_state = tenant
    wacr.server.subscription_status = subscription
    account = await wacr.adapter.account()
    assert account.state is state
    assert f"plan Business {subscription or ''}".strip() in account.detail


async def test_a_full_plan_ends_the_texts_of_a_request_and_lets_the_connection_go_on(wacr: WacrHarness) -> None:
    wacr.server.contact_limit = 0
    with pytest.raises(AccountRestricted) as caught:
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")
    assert (caught.value.stops_sending, caught.value.cooldown) == (True, 0.0)


async def test_a_failure_of_whatsapps_is_definite_by_its_code_and_its_status_alone(wacr: WacrHarness) -> None:
    for status, body in ((500, '{"code": "INTERNAL_ERROR"}'), (500, ""), (502, '{"code": "MESSAGE_SEND_FAILED"}')):
        wacr.server.faults = [InjectedFault(TEXT, status=status, body=body)]
        with pytest.raises(OutcomeUnknown):
            await wacr.adapter.send_to_person(people(ANA)[0], "Hello")


async def test_a_refusal_that_is_not_about_the_scope_says_nothing_of_the_token(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault("/account", status=403, body="<html>Blocked</html>")]
    with pytest.raises(PermissionMissing):
        await wacr.adapter.account()


async def test_a_text_goes_to_a_phone_once_and_gives_its_id(wacr: WacrHarness) -> None:
    assert await wacr.adapter.send_to_person(people(ANA)[0], "Hello @{contact_first_name}") == "wamid.1"
    assert [(sent.to, sent.text) for sent in wacr.world.sent] == [(ANA, "Hello Ada")]
    with pytest.raises(InvalidRequest):
        await wacr.adapter.send_to_person(Person("1@lid", lid="1@lid"), "Hello")
    assert wacr.requests() == ["POST /messages/text"]


@pytest.mark.parametrize(
    ("obstacle", "kind", "code"),
    [
        ("opted out", InvalidRequest, "CONTACT_OPTED_OUT"),
        ("not configured", AccountDisconnected, "WHATSAPP_NOT_CONFIGURED"),
        ("no settings", InvalidRequest, "VALIDATION_ERROR"),
        ("plan is full", AccountRestricted, "FEATURE_LIMIT_EXCEEDED"),
        ("whatsapp refuses", InvalidRequest, "MESSAGE_SEND_FAILED"),
        ("no scope", PermissionMissing, "INSUFFICIENT_SCOPE"),
        ("too many", RateLimited, "RATE_LIMIT_EXCEEDED"),
    ],
)
async def test_each_obstacle_to_a_text_is_told_by_its_own_code(
    wacr: WacrHarness, obstacle: str, kind: type[ProviderError], code: str
) -> None:
    match obstacle:
        case "opted out":
            wacr.server.put_contact(f"+{ANA}", is_opted_out=True)
        case "not configured":
            wacr.server.account_state = "disconnected"
        case "no settings":
            wacr.server.makes_contacts = False
        case "plan is full":
            wacr.server.contact_limit = 0
        case "whatsapp refuses":
            wacr.world.put_person(ANA, Disposition.NO_ACCOUNT)
        case "no scope":
            wacr.server.scopes.remove("messages:send")
        case _:
            wacr.server.calls_per_minute = 0
    with pytest.raises(kind) as caught:
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")
    assert caught.value.code == code
    assert wacr.requests() == ["POST /messages/text"]
    assert wacr.world.sent == []


@pytest.mark.parametrize("body", ['{"data": {"status": "failed", "message_id": "wamid.1"}}', '{"data": {}}', "{}"])
async def test_a_text_that_is_not_said_to_be_sent_is_unknown(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(TEXT, "after", 200, body)]
    with pytest.raises(OutcomeUnknown):
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")


@pytest.mark.parametrize(("body", "told"), [('{"message_id": "wamid.9"}', "wamid.9"), ('{"status": "sent"}', "")])
async def test_a_text_counts_as_sent_by_its_id_or_its_status(wacr: WacrHarness, body: str, told: str) -> None:
    wacr.server.faults = [InjectedFault(TEXT, "after", 200, body)]
    assert await wacr.adapter.send_to_person(people(ANA)[0], "Hello") == told
