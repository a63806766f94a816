from collections.abc import AsyncIterator

import httpx
import pytest

from providers.base import (
    Account,
    AccountDisconnected,
    AccountState,
    CredentialsRejected,
    Group,
    GroupNotFound,
    MembershipStatus,
    Person,
    ProviderFault,
)
from providers.wasend import BASE_URL, make
from sandbox.providers.server import InjectedFault
from sandbox.providers.wasend_records import OWN_PHONE, Shape
from tests.providers.wasend_bench import GROUP, MEMBERS, SESSION, TOKEN, Bench, people, wasend

ANA, BEN = "14155550101", "14155550102"
LIST = f"GET /{SESSION}/groups"
STATE = f"GET /sessions/{SESSION}"


@pytest.fixture(params=["docs", "sdk"])
def variant(request: pytest.FixtureRequest) -> Shape:
    shapes: dict[str, Shape] = {"docs": "docs", "sdk": "sdk"}
    return shapes[request.param]


@pytest.fixture
async def bench(variant: Shape) -> AsyncIterator[Bench]:
    async with wasend(variant=variant) as bench:
        yield bench
        assert bench.breaches() == []


async def listed(bench: Bench) -> list[Group]:
    return [group async for group in bench.adapter.groups()]


async def test_presence_is_read_before_and_after_an_add(bench: Bench) -> None:
    before = await bench.adapter.membership(GROUP, people(ANA, BEN))
    assert before == {f"+{ANA}": MembershipStatus.ABSENT, f"+{BEN}": MembershipStatus.ABSENT}
    bench.world.add(GROUP, ANA)
    after = await bench.adapter.membership(GROUP, people(ANA, BEN))
    assert after == {f"+{ANA}": MembershipStatus.MEMBER, f"+{BEN}": MembershipStatus.ABSENT}
    assert bench.lines() == [f"{MEMBERS} 200"] * 2


async def test_a_late_read_does_not_show_the_add_yet_which_the_adapter_admits(bench: Bench) -> None:
    bench.world.read_lag = 60.0
    bench.world.add(GROUP, ANA)
    assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.ABSENT}
    bench.time[0] += 61
    assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.MEMBER}


async def test_a_member_known_only_by_a_lid_leaves_the_absence_of_phones_open(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA, BEN])
    bench.server.lid_only = {ANA}
    cleo = "14155550103"
    found = await bench.adapter.membership(GROUP, people(ANA, BEN, cleo))
    assert found == {
        f"+{ANA}": MembershipStatus.UNKNOWN,
        f"+{BEN}": MembershipStatus.MEMBER,
        f"+{cleo}": MembershipStatus.UNKNOWN,
    }


async def test_a_person_is_found_by_the_lid(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    bench.server.lid_only = {ANA}
    ana = Person("Ana", f"+{ANA}", f"{bench.world.person(ANA).lid}@lid")
    assert await bench.adapter.membership(GROUP, [ana]) == {ana.key: MembershipStatus.MEMBER}


async def test_a_person_with_phone_and_lid_is_absent_when_each_member_can_be_compared_by_one(bench: Bench) -> None:
    bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    bench.server.lid_only = {ANA}
    ben = Person("Ben", f"+{BEN}", "100000000000001@lid")
    assert await bench.adapter.membership(GROUP, [ben]) == {ben.key: MembershipStatus.ABSENT}


@pytest.mark.parametrize(
    "row",
    [
        '{"jid": "whatever"}',
        '{"jid": null}',
        '{"jid": "100000000000001@lid", "phoneNumber": "+100000000000001"}',
        f'{{"jid": "{ANA}@c.us", "error": 403}}',
        f'{{"jid": "{ANA}@c.us", "addRequest": {{"code": "x"}}}}',
    ],
    ids=["strange jid", "no jid", "lid as phone", "with an error", "with an add request"],
)
async def test_a_member_row_that_says_too_little_proves_nothing(row: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(MEMBERS, status=200, body=f"[{row}]")]
        assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}


@pytest.mark.parametrize("body", ["[]", '{"success": true, "participants": [], "error": null}'])
async def test_a_list_without_even_the_account_proves_nothing(body: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(MEMBERS, status=200, body=body)]
        assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}


@pytest.mark.parametrize(
    "row",
    [f'{{"jid": "{ANA}:7@s.whatsapp.net"}}', '{"jid": "1@lid", "phoneNumber": "+1 4155550101"}'],
    ids=["other suffix and a device", "phone with a space"],
)
async def test_a_member_is_compared_by_digits(row: str) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(MEMBERS, status=200, body=f"[{row}]")]
        assert await bench.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": MembershipStatus.PRESENT}


async def test_a_group_is_read_at_the_documented_path_and_else_at_the_sdks(bench: Bench, variant: Shape) -> None:
    bench.world.put_group(GROUP, "Launch team", [OWN_PHONE, ANA])
    assert await bench.adapter.group(GROUP) == Group(GROUP, "Launch team", 2, "", False, False, 0)
    path = f"GET /{SESSION}/groups/{GROUP}"
    expected = {"docs": [f"{path}/info 200"], "sdk": [f"{path}/info 404", f"{path} 200"]}
    assert bench.lines() == expected[variant]


async def test_an_unknown_group_is_not_found_by_any_call(bench: Bench) -> None:
    with pytest.raises(GroupNotFound):
        await bench.adapter.group("120363000000000009@g.us")
    with pytest.raises(GroupNotFound):
        await bench.adapter.membership("120363000000000009@g.us", people(ANA))


async def test_another_group_than_the_one_asked_for_is_not_taken() -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault("/info", status=200, body='{"success": true, "info": {"id": "999@g.us"}}')]
        with pytest.raises(ProviderFault, match="different group"):
            await bench.adapter.group(GROUP)


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
async def test_every_group_is_listed_once_page_after_page(bench: Bench, count: int) -> None:
    bench.world.groups.clear()
    expected = [(f"1203630000000{n:05}@g.us", f"Team {n}") for n in range(count)]
    for group_id, subject in expected:
        bench.world.put_group(group_id, subject, [OWN_PHONE])
    assert [(group.id, group.subject) for group in await listed(bench)] == expected
    offsets = [*range(0, count, 50)]  # and no page of the SDK's says that it is the last
    expected_offsets = {"docs": offsets or [0], "sdk": [*offsets, count]}[bench.server.variant]
    assert [int(call.query["offset"]) for call in bench.server.calls] == expected_offsets


async def test_short_pages_that_do_not_say_that_they_are_the_last_are_not_taken_for_it() -> None:
    async with wasend() as bench:
        pages = [[f'{{"jid": "{n}@g.us", "name": "Team {n}"}}' for n in range(start, start + 20)] for start in (0, 20)]
        bench.server.faults = [InjectedFault(LIST, status=200, body=f"[{','.join(page)}]") for page in [*pages, []]]
        assert [group.id for group in await listed(bench)] == [f"{n}@g.us" for n in range(40)]
        assert [call.query["offset"] for call in bench.server.calls] == ["0", "20", "40"]


async def test_lists_that_ignore_the_paging_end_and_repeat_nobody() -> None:
    async with wasend() as bench:
        rows = ",".join(f'{{"jid": "{n}@g.us", "name": "Team {n}", "participants": [{{}}, {{}}]}}' for n in range(60))
        bodies = {f"[{rows}]", f'{{"groups": [{rows}], "pagination": {{"hasMore": true}}}}', f'{{"groups": [{rows}]}}'}
        for body in bodies:
            bench.server.faults = [InjectedFault(LIST, status=200, body=body, times=-1)]
            assert await listed(bench) == [Group(f"{n}@g.us", f"Team {n}", 2) for n in range(60)]


async def test_the_list_of_an_unknown_session_says_so() -> None:
    async with wasend(session="session-9") as bench:
        with pytest.raises(AccountDisconnected, match="session"):
            await listed(bench)


@pytest.mark.parametrize(
    ("state", "account"),
    [
        ("connected", Account(AccountState.CONNECTED, "connected")),
        ("disconnected", Account(AccountState.DISCONNECTED, "the session is STOPPED")),
        ("restricted", Account(AccountState.DISCONNECTED, "the session is ERROR")),
    ],
)
async def test_the_account_is_the_session_and_costs_one_call(bench: Bench, state: str, account: Account) -> None:
    bench.server.account_state = state
    assert await bench.adapter.account() == account
    assert bench.lines() == [f"{STATE} 200"]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ('{"session": {}, "downstream": {"status": "CONNECTED"}}', AccountState.CONNECTED),
        ('{"status": "connected"}', AccountState.CONNECTED),
        ('{"status": "SCAN_QR_CODE"}', AccountState.UNKNOWN),
        ("{}", AccountState.UNKNOWN),
    ],
)
async def test_the_session_status_is_found_where_it_is_and_not_guessed(body: str, state: AccountState) -> None:
    async with wasend() as bench:
        bench.server.faults = [InjectedFault(STATE, status=200, body=body)]
        assert (await bench.adapter.account()).state is state


async def test_an_unknown_session_is_not_connected() -> None:
    async with wasend(session="session-9") as bench:
        account = await bench.adapter.account()
        assert account == Account(AccountState.DISCONNECTED, "Wasend doesn't know the session")


async def test_a_bad_token_is_told_by_every_read(variant: Shape) -> None:
    async with wasend(token="wrong", variant=variant) as bench:
        for read in (bench.adapter.account(), bench.adapter.group(GROUP), bench.adapter.membership(GROUP, people(ANA))):
            with pytest.raises(CredentialsRejected) as caught:
                await read
            assert "wrong" not in str(caught.value)
        with pytest.raises(CredentialsRejected):
            await listed(bench)
        assert bench.breaches() == []


class Diversion(httpx.AsyncHTTPTransport):
    """Brings every request to a simulator, wherever it was bound, and remembers where that was."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.scheme}://{request.url.host}{request.url.raw_path.decode()}")
        request.url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return await super().handle_async_request(request)


async def test_wasends_own_address_is_the_default_and_the_group_path_keeps_its_at_sign() -> None:
    async with wasend() as bench:
        diversion = Diversion(bench.url)
        adapter = make(base_url=None, token=TOKEN, account=SESSION, transport=diversion)
        assert (await adapter.group(GROUP)).subject == "Launch team"
        with pytest.raises(GroupNotFound):
            await adapter.membership("../x?y@g.us", people(ANA))
        await adapter.aclose()
        start = f"{BASE_URL}/{SESSION}/groups"
        assert diversion.asked == [f"{start}/{GROUP}/info", f"{start}/..%2Fx%3Fy@g.us/participants"]


def test_a_session_must_be_named() -> None:
    with pytest.raises(ValueError, match="uniqueSessionId"):
        make(base_url=None, token=TOKEN, account=" ")
