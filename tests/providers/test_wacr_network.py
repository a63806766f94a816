import asyncio

import httpx
import pytest

from providers.base import (
    Evidence,
    MembershipStatus,
    Outcome,
    OutcomeUnknown,
    ProviderFault,
    Unreachable,
)
from providers.wacr import make
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Effect
from tests.providers.harness import ANA, BEN, CAT, LONG_TIMEOUT, TOKEN, open_provider, outcomes_with_evidence, people
from tests.providers.provider_cases import WACR, WacrHarness

GROUP = WACR.group
PATH = WACR.prefix
JOIN = f"POST {PATH}/groups/{GROUP}/contacts"
CREATE = f"POST {PATH}/contacts"
SEARCH = f"GET {PATH}/contacts"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)

ODD_ANSWERS = [" ", '{"data": {"contacts_', "3", '{"data": {}}']


@pytest.fixture
def wacr(wacr: WacrHarness) -> WacrHarness:
    """Return a tenant that knows Ana and Ben, and not Cat."""
    wacr.server.put_contact(f"+{ANA}")
    wacr.server.put_contact(f"+{BEN}")
    return wacr


@pytest.mark.parametrize("body", [*ODD_ANSWERS, "[]"])
@pytest.mark.parametrize(("line", "phone"), [(JOIN, ANA), (CREATE, CAT)])
async def test_a_2xx_that_cannot_be_read_is_unknown(wacr: WacrHarness, line: str, phone: str, body: str) -> None:
    wacr.server.faults = [InjectedFault(line, "after", 200, body)]
    assert isinstance(await wacr.failed_add(phone), OutcomeUnknown)
    assert wacr.effects() == {phone: Effect.ADDED}
    assert await wacr.membership(phone) == {phone: MembershipStatus.PRESENT}


async def test_after_a_lost_answer_the_rest_is_not_attempted(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(JOIN, "after", -1)]
    result = await wacr.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert outcomes_with_evidence(result) == {ANA: UNKNOWN, BEN: UNKNOWN, CAT: NOT_ATTEMPTED}
    assert isinstance(result.error, OutcomeUnknown)
    assert set(wacr.group.members) == {ANA, BEN}


@pytest.mark.parametrize("status", [500, -1])
async def test_after_a_lost_creation_only_that_person_is_unknown(wacr: WacrHarness, status: int) -> None:
    wacr.server.faults = [InjectedFault(CREATE, "after", status, skip=1)]
    result = await wacr.adapter.add(GROUP, people(ANA, CAT, "14155550104"))
    assert outcomes_with_evidence(result) == {
        ANA: (Outcome.ADDED, Evidence.INFERRED),
        CAT: ADDED,
        "14155550104": UNKNOWN,
    }
    assert isinstance(result.error, OutcomeUnknown)


@pytest.mark.parametrize("status", [500, -1])
async def test_a_read_that_fails_once_is_read_again(wacr: WacrHarness, status: int) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=status)]
    assert await wacr.membership(ANA) == {ANA: MembershipStatus.ABSENT}


@pytest.mark.parametrize("status", [500, 302])
async def test_a_read_that_keeps_failing_is_a_fault_and_nothing_is_written(wacr: WacrHarness, status: int) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=status, headers={"Location": "/"}, times=-1)]
    assert type(await wacr.failed_add(ANA)) is ProviderFault
    assert {call.method for call in wacr.server.calls} == {"GET"}


@pytest.mark.parametrize(
    "body", [*ODD_ANSWERS, '{"data": [{"phone": "+1"}]}', '{"data": [], "meta": {"pagination": {"has_more": true}}}']
)
async def test_a_list_that_cannot_be_read_is_a_fault_and_never_absence(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=200, body=body, times=-1)]
    with pytest.raises(ProviderFault):
        await wacr.adapter.membership(GROUP, people(ANA))


async def test_a_hang_up_on_every_read_is_a_fault(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault(SEARCH, status=-1, times=-1)]
    assert type(await wacr.failed_add(ANA)) is ProviderFault


async def test_a_closed_port_is_unreachable() -> None:
    async with open_provider(WACR) as closed:
        url = closed.url
    adapter = make(base_url=url, token=TOKEN, account="", timeout=LONG_TIMEOUT)
    with pytest.raises(Unreachable):
        await adapter.add(GROUP, people(ANA))
    await adapter.aclose()


async def answer_once(raw: bytes) -> tuple[asyncio.Server, str]:
    """Serve `raw` to every call."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "raw",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"data": [{"id',
        b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"da\xff\xfe": []',
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"\x00\x01 nonsense\r\n\r\n",
    ],
)
async def test_cut_off_empty_and_garbled_answers_to_reads_are_faults(raw: bytes) -> None:
    server, url = await answer_once(raw)
    adapter = make(base_url=url, token=TOKEN, account="", timeout=httpx.Timeout(1.0))
    async with server:
        with pytest.raises(ProviderFault):
            await adapter.membership(GROUP, people(ANA))
    await adapter.aclose()
