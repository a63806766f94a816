"""Errors of an add and of a read of members, by the tables of `error_cases.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
import pytest

from providers.base import (
    OutcomeUnknown,
    ProviderError,
    ProviderFault,
    RateLimited,
    Unreachable,
)
from sandbox.providers.server import InjectedFault
from tests.providers.error_cases import CASES, UNUSUAL_BODIES, ErrorCases
from tests.providers.harness import ANA, BEN, TOKEN, Harness, open_provider, people

EACH = pytest.mark.parametrize("case", CASES, ids=str)


@asynccontextmanager
async def prepared(case: ErrorCases, *, checked: bool = False) -> AsyncIterator[Harness]:
    """Open a provider that adds two people with one write."""
    async with open_provider(case.provider, checked=checked) as harness:
        case.prepare(harness.server)
        yield harness


def adds(case: ErrorCases, harness: Harness) -> int:
    """Return how often an add was sent."""
    return sum(f"{call.method} {call.path}" == case.add for call in harness.server.calls)


@pytest.mark.parametrize(("case", "status"), [(case, status) for case in CASES for status in case.documented], ids=str)
async def test_a_documented_error_of_an_add_has_its_type_its_code_and_its_text(case: ErrorCases, status: int) -> None:
    async with prepared(case, checked=True) as harness:
        harness.server.faults = [InjectedFault(case.add, status=status, times=-1)]
        error = await harness.failed_add(ANA, BEN)
        assert (type(error), error.code) == case.documented[status]
        assert error.provider_text
        assert "{" not in error.provider_text
        assert adds(case, harness) == case.sent_again.get(status, 1)
        assert harness.world.events == []
        assert harness.breaches() == []


@pytest.mark.parametrize(("case", "status"), [(case, status) for case in CASES for status in case.unusual], ids=str)
async def test_an_undocumented_error_of_an_add_is_read_by_its_status(case: ErrorCases, status: int) -> None:
    async with prepared(case) as harness:
        for number, body in enumerate(UNUSUAL_BODIES, start=1):
            harness.server.faults = [InjectedFault(case.add, status=status, body=body)]
            error = await harness.failed_add(ANA, BEN)
            assert (body, type(error)) == (body, case.unusual[status])
            assert len(error.provider_text) <= 300
            assert adds(case, harness) == number


@pytest.mark.parametrize(
    ("case", "status"), [(case, status) for case in CASES for status in case.after_effect], ids=str
)
async def test_an_undocumented_error_leaves_the_effect_of_an_add_open(case: ErrorCases, status: int) -> None:
    async with prepared(case) as harness:
        harness.server.faults = [InjectedFault(case.add, when="after", status=status)]
        assert type(await harness.failed_add(ANA, BEN)) is OutcomeUnknown
        assert [event.phone for event in harness.world.events] == [ANA, BEN]


@pytest.mark.parametrize("status", [200, 202])
@EACH
async def test_an_unreadable_success_leaves_the_effect_of_an_add_open(case: ErrorCases, status: int) -> None:
    for body in case.unreadable:
        async with prepared(case) as harness:
            harness.server.faults = [InjectedFault(case.add, when="after", status=status, body=body)]
            error = await harness.failed_add(ANA, BEN)
            assert (body, type(error)) == (body, OutcomeUnknown)
            assert len(harness.world.events) == 2
            assert adds(case, harness) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@EACH
async def test_an_add_without_an_answer_is_unknown_and_sent_once(
    case: ErrorCases, when: Literal["before", "after"]
) -> None:
    async with prepared(case) as harness:
        harness.server.faults = [InjectedFault(case.add, when=when, status=-1)]
        error = await harness.failed_add(ANA, BEN)
        assert isinstance(error, OutcomeUnknown)
        assert [event.phone for event in harness.world.events] == ([ANA, BEN] if when == "after" else [])
        assert adds(case, harness) == 1
        seen = {status.is_member for status in (await harness.membership(ANA, BEN)).values()}
        assert seen <= ({True} if when == "after" else {False, None})


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "90"}, 90.0), ({}, None)])
@EACH
async def test_a_rejected_add_reports_how_long_to_wait(
    case: ErrorCases, headers: dict[str, str], wait: float | None
) -> None:
    async with prepared(case) as harness:
        harness.server.faults = [InjectedFault(case.add, status=429, headers=headers, times=-1)]
        error = await harness.failed_add(ANA, BEN)
        assert isinstance(error, RateLimited)
        assert error.retry_after == (60.0 if case.provider.name == "wacr" and not headers else wait)
        assert error.stops_sending
        assert error.retry_after in {None, error.cooldown}
        assert adds(case, harness) == (1 if headers else case.sent_again.get(429, 1))


@EACH
async def test_a_redirect_is_not_followed(case: ErrorCases) -> None:
    async with prepared(case) as harness:
        for request in (case.add, case.members):
            harness.server.faults = [
                InjectedFault(request, status=302, body="moved", headers={"Location": "/elsewhere"}, times=-1)
            ]
            if request == case.add:
                error = await harness.failed_add(ANA, BEN)
                assert type(error) is OutcomeUnknown
                assert "base_url" in str(error)
            else:
                with pytest.raises(ProviderFault, match="redirect"):
                    await harness.membership(ANA)
        assert harness.world.events == []


@EACH
async def test_a_closed_port_is_unreachable(case: ErrorCases, unused_tcp_port: int) -> None:
    adapter = case.provider.make_adapter(
        base_url=f"http://127.0.0.1:{unused_tcp_port}", token=TOKEN, account=case.provider.account
    )
    with pytest.raises(Unreachable):
        await adapter.add(case.provider.group, people(ANA))
    with pytest.raises(Unreachable):
        await adapter.account()
    await adapter.aclose()


@pytest.mark.parametrize(
    ("case", "status"), [(case, status) for case in CASES for status in case.retried_reads], ids=str
)
async def test_a_failed_read_is_tried_again(case: ErrorCases, status: int) -> None:
    async with prepared(case) as harness:
        harness.server.faults = [InjectedFault("GET", status=status, times=2)]
        assert (await harness.adapter.group(case.provider.group)).subject == "Launch team"
        assert len(harness.server.calls) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (500, ProviderFault), (503, ProviderFault), (-1, ProviderFault)]
)
@EACH
async def test_a_read_that_keeps_failing_is_an_error(case: ErrorCases, status: int, kind: type[ProviderError]) -> None:
    async with prepared(case) as harness:
        harness.server.faults = [InjectedFault(case.members, status=status, times=-1)]
        with pytest.raises(ProviderError) as caught:
            await harness.membership(ANA)
        assert type(caught.value) is kind
        assert harness.write_statuses() == []


@EACH
async def test_an_unreadable_list_of_members_is_a_fault(case: ErrorCases) -> None:
    async with prepared(case) as harness:
        for body in case.unreadable_members:
            harness.server.faults = [InjectedFault(case.members, status=200, body=body, times=-1)]
            with pytest.raises(ProviderFault):
                await harness.membership(ANA)


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[str]:
    """Answer every request with these bytes and close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            await reader.readuntil(b"}")
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.mark.parametrize(
    "raw",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"success": true, ',
        b'HTTP/1.1 500 Error\r\nContent-Length: 900\r\n\r\n{"success": true, ',
        b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"success\xff": 1}',
        b"HTTP/1.1 500 Error\r\nContent-Length: 3\r\n\r\n\xff\xfe\x80",
        b"\x00\x01 not http\r\n\r\n",
    ],
    ids=["cut", "cut error", "not UTF-8", "error not UTF-8", "not HTTP"],
)
@EACH
async def test_a_cut_or_garbled_answer_leaves_an_add_open_and_fails_a_read(case: ErrorCases, raw: bytes) -> None:
    async with answering(raw) as url:
        adapter = case.provider.make_adapter(
            base_url=url, token=TOKEN, account=case.provider.account, timeout=httpx.Timeout(2.0)
        )
        with pytest.raises(ProviderFault if case.reads_first else OutcomeUnknown):
            await adapter.add(case.provider.group, people(ANA))
        with pytest.raises(ProviderFault):
            await adapter.membership(case.provider.group, people(ANA))
        await adapter.aclose()
