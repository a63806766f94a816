import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
import pytest

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    Unreachable,
    verdicts_for_error,
)
from providers.wasend import make
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, TOKEN, open_provider, outcomes, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
SESSION = WASEND.account
ADD = f"POST /{WASEND.account}/groups/{GROUP}/participants/add"
MEMBERS = f"GET /{WASEND.account}/groups/{GROUP}/participants"

STATE = f"GET /sessions/{SESSION}"


async def failed_add(wasend: WasendHarness) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await wasend.adapter.add(GROUP, people(ANA, BEN))
    assert TOKEN not in str(caught.value)
    assert ANA not in str(caught.value)
    return caught.value


async def failed_read(wasend: WasendHarness) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await wasend.adapter.membership(GROUP, people(ANA))
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, CredentialsRejected),
        (403, NotGroupAdmin),
        (404, GroupNotFound),
        (429, RateLimited),
        (500, OutcomeUnknown),
    ],
)
async def test_every_documented_status_of_an_add_has_its_meaning_and_keeps_its_words(
    wasend: WasendHarness, status: int, kind: type[ProviderError]
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=status)]
    error = await failed_add(wasend)
    assert type(error) is kind
    assert error.code == str(status)
    assert error.provider_text
    assert "{" not in error.provider_text
    assert wasend.world.events == []


@pytest.mark.parametrize(
    "body", ["<html><body>Oops</body></html>", " ", "[1]", '"no"', '{"error": {"code": 7}}', "\x00" + "x" * 5000]
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(408, OutcomeUnknown), (418, OutcomeUnknown), (422, OutcomeUnknown), (502, OutcomeUnknown), (504, OutcomeUnknown)],
)
async def test_statuses_and_bodies_that_are_not_documented_are_survived(
    wasend: WasendHarness, status: int, kind: type[ProviderError], body: str
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=status, body=body)]
    error = await failed_add(wasend)
    assert type(error) is kind
    assert len(error.provider_text) <= 300


@pytest.mark.parametrize("status", [402, 409, 418, 422, 499])
async def test_a_refusal_that_is_not_documented_does_not_say_that_nothing_was_done(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.faults = [InjectedFault(ADD, when="after", status=status)]
    assert type(await failed_add(wasend)) is OutcomeUnknown
    assert len(wasend.world.events) == 2


async def test_one_person_whom_a_422_refuses_was_not_added(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=422)]
    with pytest.raises(InvalidRequest):
        await wasend.adapter.add(GROUP, people(ANA))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>maintenance</html>"),
        (200, '{"success": true, "data": {"added": [{"id": "1415'),
        (200, "[]"),
        (200, '{"success": true, "data": []}'),
        (200, '{"success": true, "data": {"added": ["14155550101@c.us"]}}'),
        (200, '{"success": false, "error": "Something went wrong"}'),
    ],
)
async def test_a_2xx_that_is_no_answer_leaves_everybody_unknown(wasend: WasendHarness, status: int, body: str) -> None:
    wasend.server.faults = [InjectedFault(ADD, when="after", status=status, body=body)]
    error = await failed_add(wasend)
    assert isinstance(error, OutcomeUnknown)
    assert {v.outcome for v in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.UNKNOWN}
    assert len(wasend.world.events) == 2


async def test_an_error_inside_a_200_keeps_wasends_words(wasend: WasendHarness) -> None:
    body = '{"success": false, "error": "Session  not\\nready"}'
    wasend.server.faults = [InjectedFault(ADD, status=200, body=body), InjectedFault(MEMBERS, status=200, body=body)]
    assert (await failed_add(wasend)).provider_text == "Session not ready"
    error = await failed_read(wasend)
    assert (type(error), error.provider_text) == (ProviderFault, "Session not ready")


@pytest.mark.parametrize(
    "body", [" ", '{"success": true}', '{"success": true, "data": {"added": []}}', '{"message": "queued"}']
)
async def test_an_answer_that_names_nobody_judges_nobody(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault(ADD, when="after", status=200, body=body)]
    assert outcomes(await wasend.adapter.add(GROUP, people(ANA, BEN))) == dict.fromkeys((ANA, BEN), Outcome.UNKNOWN)
    assert [event.phone for event in wasend.world.events] == [ANA, BEN]


async def test_an_account_that_is_no_admin_is_told_so_and_nobody_is_added(wasend: WasendHarness) -> None:
    wasend.group.account_is_admin = False
    error = await failed_add(wasend)
    assert type(error) is NotGroupAdmin
    assert error.provider_text == "Only group admins can add participants"
    assert wasend.world.events == []


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_is_explained_by_a_session_that_is_not_connected(wasend: WasendHarness, status: int) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.not_connected_status = status
    error = await failed_add(wasend)
    assert type(error) is AccountDisconnected
    assert (error.code, error.provider_text) == (str(status), "Session is not connected")
    assert type(await failed_read(wasend)) is AccountDisconnected
    assert wasend.world.events == []


@pytest.mark.parametrize(
    "fault",
    [
        InjectedFault(ADD, status=500),
        InjectedFault(ADD, status=-1),
        InjectedFault(ADD, status=200, body='{"success": false, "error": "Session is not connected"}'),
    ],
    ids=["500", "no answer", "a failure in a 200"],
)
async def test_an_add_of_open_effect_on_a_session_that_is_gone_stops_the_sender_and_stays_unknown(
    wasend: WasendHarness,
    fault: InjectedFault,
) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.faults = [fault]
    error = await failed_add(wasend)
    assert isinstance(error, OutcomeUnknown)
    assert (error.stops_sending, error.cooldown) == (True, AccountDisconnected.cooldown)
    assert {v.outcome for v in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.UNKNOWN}
    assert [line for line in wasend.requests(with_status=True) if line.startswith("POST")] == [
        f"{ADD} {max(fault.status, 0)}"
    ]


@pytest.mark.parametrize("status", [200, 500])
async def test_a_text_of_open_effect_on_a_session_that_is_gone_stops_the_sender(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.account_state = "disconnected"
    body = '{"success": false, "error": "Session is not connected"}'
    wasend.server.faults = [InjectedFault("POST /sendText", status=status, body=body)]
    with pytest.raises(OutcomeUnknown) as caught:
        await wasend.adapter.send_to_person(people(ANA)[0], "Hi")
    assert caught.value.stops_sending


async def test_an_open_effect_on_a_session_that_is_connected_stops_nobody(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=500)]
    assert not (await failed_add(wasend)).stops_sending


@pytest.mark.parametrize("status", [200, 401, 503])
async def test_a_refusal_keeps_its_own_meaning_when_the_session_explains_nothing(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=400), InjectedFault(STATE, status=status, body="{}", times=-1)]
    assert type(await failed_add(wasend)) is InvalidRequest


async def test_a_clear_refusal_costs_one_call(wasend: WasendHarness) -> None:
    wasend.world.groups.clear()
    assert type(await failed_add(wasend)) is GroupNotFound
    assert wasend.requests(with_status=True) == [f"{ADD} 404"]


async def test_a_wrong_key_adds_nobody() -> None:
    async with open_provider(WASEND, token="wrong") as wasend:
        assert type(await failed_add(wasend)) is CredentialsRejected
        assert wasend.world.events == []


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "7"}, 7.0), ({}, None)])
async def test_a_429_to_an_add_is_passed_on_with_its_wait(
    wasend: WasendHarness, headers: dict[str, str], wait: float | None
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=429, headers=headers)]
    error = await failed_add(wasend)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait
    assert wasend.requests(with_status=True) == [f"{ADD} 429"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_add_without_an_answer_is_unknown_and_is_not_sent_again(
    wasend: WasendHarness, when: Literal["before", "after"]
) -> None:
    wasend.server.faults = [InjectedFault(ADD, when=when, status=-1)]
    assert isinstance(await failed_add(wasend), OutcomeUnknown)
    assert [event.phone for event in wasend.world.events] == ([ANA, BEN] if when == "after" else [])
    found = await wasend.adapter.membership(GROUP, people(ANA))
    assert found == {f"+{ANA}": MembershipStatus.MEMBER if when == "after" else MembershipStatus.ABSENT}
    assert sum(call.method == "POST" for call in wasend.server.calls) == 1


async def test_a_refused_connection_is_unreachable(unused_tcp_port: int) -> None:
    adapter = make(base_url=f"http://127.0.0.1:{unused_tcp_port}", token=TOKEN, account=SESSION)
    with pytest.raises(Unreachable):
        await adapter.add(GROUP, people(ANA))
    with pytest.raises(Unreachable):
        await adapter.account()
    await adapter.aclose()


async def test_a_redirect_is_not_followed_and_leaves_open_what_a_write_did(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(status=302, headers={"Location": "/elsewhere"}, times=-1)]
    assert type(await failed_add(wasend)) is OutcomeUnknown
    assert type(await failed_read(wasend)) is ProviderFault
    assert wasend.world.events == []


@pytest.mark.parametrize("status", [429, 500, 503, -1])
async def test_a_read_is_tried_again(wasend: WasendHarness, status: int) -> None:
    wasend.server.faults = [InjectedFault("GET", status=status, times=2)]
    assert (await wasend.adapter.group(GROUP)).subject == "Launch team"
    assert len(wasend.server.calls) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (InjectedFault(MEMBERS, status=503, times=-1), ProviderFault),
        (InjectedFault(MEMBERS, status=429, times=-1), RateLimited),
        (InjectedFault(MEMBERS, status=403, times=-1), PermissionMissing),
        (InjectedFault(MEMBERS, status=400, times=-1), InvalidRequest),
        (InjectedFault(MEMBERS, status=404, body="<html>", times=-1), GroupNotFound),
        (InjectedFault(MEMBERS, status=200, body="<html>", times=-1), ProviderFault),
        (InjectedFault(MEMBERS, status=200, body='{"success": true}', times=-1), ProviderFault),
        (InjectedFault(MEMBERS, status=200, body='{"success": true, "participants": [7]}', times=-1), ProviderFault),
    ],
)
async def test_a_read_that_fails_says_why(
    wasend: WasendHarness, fault: InjectedFault, kind: type[ProviderError]
) -> None:
    wasend.server.faults = [fault]
    assert type(await failed_read(wasend)) is kind


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[str]:
    """Answer every request with these bytes and close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
            await reader.readuntil(b"]}")
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
        b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"success\xff": 1}',
        b"\x00\x01 not http",
    ],
    ids=["cut", "not UTF-8", "not HTTP"],
)
async def test_a_cut_or_garbled_answer_to_an_add_is_unknown(raw: bytes) -> None:
    async with answering(raw) as url:
        adapter = make(base_url=url, token=TOKEN, account=SESSION, timeout=httpx.Timeout(2.0))
        with pytest.raises(OutcomeUnknown):
            await adapter.add(GROUP, people(ANA))
        await adapter.aclose()
