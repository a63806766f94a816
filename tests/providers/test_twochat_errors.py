import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
import pytest

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
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
from providers.twochat import make
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, TOKEN, open_provider, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
ADD = "add-participant"

PASSING = [409, 410, 486]
"""States of the phone that end within seconds."""


async def failed_add(twochat: TwoChatHarness) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await twochat.adapter.add(GROUP, people(ANA, BEN))
    assert TOKEN not in str(caught.value)
    assert ANA not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("shape", ["error_message", "message", "detail"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, CredentialsRejected),
        (402, AccountRestricted),
        (403, PermissionMissing),
        (404, GroupNotFound),
        (409, AccountDisconnected),
        (410, AccountDisconnected),
        (422, OutcomeUnknown),
        (429, RateLimited),
        (486, RateLimited),
        (503, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
async def test_every_documented_status_of_an_add_has_its_meaning_and_keeps_its_words(
    twochat: TwoChatHarness,
    status: int,
    kind: type[ProviderError],
    shape: Literal["error_message", "message", "detail"],
) -> None:
    twochat.server.error_shape = shape
    twochat.server.faults = [InjectedFault(ADD, status=status, times=-1)]
    error = await failed_add(twochat)
    assert type(error) is kind
    assert error.code == str(status)
    assert error.provider_text
    assert "{" not in error.provider_text
    assert twochat.world.events == []


@pytest.mark.parametrize("body", ["<html><body>Oops</body></html>", " ", "[1]", '"no"', '{"detail": [{"msg": "x"}]}'])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(406, InvalidRequest), (408, OutcomeUnknown), (418, OutcomeUnknown), (500, OutcomeUnknown), (502, OutcomeUnknown)],
)
async def test_statuses_and_bodies_that_are_not_documented_are_survived(
    twochat: TwoChatHarness, status: int, kind: type[ProviderError], body: str
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=status, body=body)]
    error = await failed_add(twochat)
    assert type(error) is kind
    assert twochat.write_statuses() == [status]


@pytest.mark.parametrize("status", [405, 418, 499])
async def test_a_refusal_that_is_not_documented_does_not_say_that_nothing_was_done(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, when="after", status=status)]
    assert type(await failed_add(twochat)) is OutcomeUnknown
    assert len(twochat.world.events) == 2


async def test_a_422_to_several_leaves_open_who_was_dealt_with(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault("/group/", when="after", status=422, times=-1)]
    assert isinstance(await failed_add(twochat), OutcomeUnknown)
    assert [event.phone for event in twochat.world.events] == [ANA, BEN]
    with pytest.raises(InvalidRequest):
        await twochat.adapter.add(GROUP, people(ANA))
    with pytest.raises(OutcomeUnknown):
        await twochat.adapter.create("New team", people(ANA))
    assert len(twochat.world.groups) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>maintenance</html>"),
        (200, '{"success": true, "partici'),
        (200, "[]"),
        (200, " "),
        (200, '{"participants": []}'),
        (200, '{"success": false, "error": true, "error_message": "Something went wrong"}'),
        (202, "{}"),
    ],
)
async def test_a_2xx_that_tells_nothing_leaves_everybody_unknown(
    twochat: TwoChatHarness, status: int, body: str
) -> None:
    twochat.server.faults = [InjectedFault(ADD, when="after", status=status, body=body)]
    error = await failed_add(twochat)
    assert isinstance(error, OutcomeUnknown)
    assert {v.outcome for v in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.UNKNOWN}
    assert len(twochat.world.events) == 2


@pytest.mark.parametrize("status", PASSING)
async def test_a_number_in_a_passing_state_is_asked_again_until_it_is_ready(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=status, times=2)]
    assert outcomes(await twochat.adapter.add(GROUP, people(ANA))) == {ANA: Outcome.ADDED}
    assert twochat.write_statuses() == [status, status, 200]


@pytest.mark.parametrize("status", PASSING)
async def test_a_read_by_a_number_in_a_passing_state_is_tried_again(twochat: TwoChatHarness, status: int) -> None:
    twochat.server.faults = [InjectedFault("GET", status=status, times=2)]
    assert (await twochat.adapter.group(GROUP)).subject == "Launch team"
    assert len(twochat.server.calls) == 3


@pytest.mark.parametrize("status", PASSING)
async def test_a_new_group_and_a_text_are_sent_once_whatever_state_the_number_is_in(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault("POST", status=status, times=-1)]
    for call in (twochat.adapter.create("New team", people(ANA)), twochat.adapter.send_to_group(GROUP, "Hi")):
        with pytest.raises(ProviderError):
            await call
    assert twochat.write_statuses() == [status, status]


@pytest.mark.parametrize(
    ("state", "kind", "status"),
    [("busy", RateLimited, 486), ("booting", AccountDisconnected, 409), ("disconnected", AccountDisconnected, 410)],
)
async def test_a_number_that_stays_so_is_asked_three_times_and_rests_for_seconds(
    twochat: TwoChatHarness, state: str, kind: type[ProviderError], status: int
) -> None:
    twochat.server.account_state = state
    error = await failed_add(twochat)
    assert (type(error), error.code, error.cooldown) == (kind, str(status), 10.0)
    assert twochat.write_statuses() == [status] * 3
    assert twochat.world.events == []


@pytest.mark.parametrize("status", PASSING)
async def test_a_number_in_a_passing_state_that_then_loses_the_answer_is_not_asked_again(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=status), InjectedFault(ADD, when="after", status=-1)]
    assert isinstance(await failed_add(twochat), OutcomeUnknown)
    assert [event.phone for event in twochat.world.events] == [ANA, BEN]


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "7"}, 7.0), ({}, None)])
async def test_a_429_to_an_add_is_passed_on_with_its_wait(
    twochat: TwoChatHarness, headers: dict[str, str], wait: float | None
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=429, headers=headers)]
    error = await failed_add(twochat)
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait
    assert twochat.write_statuses() == [429]


async def test_a_number_that_is_no_admin_is_told_so_by_403(twochat: TwoChatHarness) -> None:
    twochat.group.account_is_admin = False
    assert isinstance(await failed_add(twochat), NotGroupAdmin)
    assert twochat.world.events == []


async def test_a_number_that_is_no_admin_is_told_so_in_a_200(twochat: TwoChatHarness) -> None:
    body = '{"success": false, "message": "You have no admin rights to add a participant to a group"}'
    twochat.server.faults = [InjectedFault(ADD, status=200, body=body)]
    assert isinstance(await failed_add(twochat), NotGroupAdmin)


async def test_an_account_without_credits_is_restricted(twochat: TwoChatHarness) -> None:
    twochat.server.credits = 1
    await twochat.adapter.group(GROUP)
    assert isinstance(await failed_add(twochat), AccountRestricted)
    with pytest.raises(AccountRestricted):
        await twochat.adapter.group(GROUP)


async def test_a_wrong_key_is_rejected() -> None:
    async with open_provider(TWOCHAT, token="wrong") as twochat:
        for call in (
            twochat.adapter.account(),
            twochat.adapter.group(GROUP),
            twochat.adapter.membership(GROUP, people(ANA)),
        ):
            with pytest.raises(CredentialsRejected):
                await call


async def test_a_missing_key_is_rejected_although_2chat_says_403(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault(status=403, body='{"detail": "Not authenticated"}')]
    with pytest.raises(CredentialsRejected):
        await twochat.adapter.group(GROUP)


async def test_an_unknown_group_is_not_found(twochat: TwoChatHarness) -> None:
    with pytest.raises(GroupNotFound):
        await twochat.adapter.add("WAG-none", people(ANA))
    with pytest.raises(GroupNotFound):
        await twochat.adapter.membership("WAG-none", people(ANA))


async def test_the_groups_of_a_number_that_2chat_does_not_know_cannot_be_listed(twochat: TwoChatHarness) -> None:
    twochat.server.numbers = []
    with pytest.raises(AccountDisconnected):
        _ = [group async for group in twochat.adapter.groups()]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [0, -1])
async def test_a_write_without_an_answer_is_unknown_and_is_not_sent_again(
    twochat: TwoChatHarness, when: Literal["before", "after"], status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, when=when, status=status)]
    assert isinstance(await failed_add(twochat), OutcomeUnknown)
    assert [event.phone for event in twochat.world.events] == ([ANA, BEN] if when == "after" else [])
    found = await twochat.adapter.membership(GROUP, people(ANA))
    assert found == {f"+{ANA}": MembershipStatus.MEMBER if when == "after" else MembershipStatus.UNKNOWN}


async def test_a_refused_connection_is_unreachable(unused_tcp_port: int) -> None:
    adapter = make(base_url=f"http://127.0.0.1:{unused_tcp_port}", token=TOKEN, account=NUMBER)
    with pytest.raises(Unreachable):
        await adapter.add(GROUP, people(ANA))
    with pytest.raises(Unreachable):
        await adapter.account()
    await adapter.aclose()


async def test_a_redirect_is_not_followed_and_leaves_open_what_a_write_did(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault(status=302, headers={"Location": "/elsewhere"}, times=-1)]
    assert isinstance(await failed_add(twochat), OutcomeUnknown)
    with pytest.raises(ProviderFault, match="redirect"):
        await twochat.adapter.group(GROUP)


@pytest.mark.parametrize("status", [429, 503, 504, -1])
async def test_a_read_is_tried_again(twochat: TwoChatHarness, status: int) -> None:
    twochat.server.faults = [InjectedFault("GET", status=status, times=2)]
    assert (await twochat.adapter.group(GROUP)).subject == "Launch team"
    assert len(twochat.server.calls) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (InjectedFault(status=503, times=-1), ProviderFault),
        (InjectedFault(status=429, times=-1), RateLimited),
        (InjectedFault(status=486, times=-1), RateLimited),
        (InjectedFault(status=410, times=-1), AccountDisconnected),
        (InjectedFault(status=200, body="<html>", times=-1), ProviderFault),
        (InjectedFault(status=200, body='{"success": false, "message": "later"}', times=-1), ProviderFault),
        (InjectedFault(status=200, body='{"success": true, "data": {"participants": [7]}}', times=-1), ProviderFault),
    ],
)
async def test_a_read_that_fails_says_why(
    twochat: TwoChatHarness, fault: InjectedFault, kind: type[ProviderError]
) -> None:
    twochat.server.faults = [fault]
    with pytest.raises(ProviderError) as caught:
        await twochat.adapter.membership(GROUP, people(ANA))
    assert type(caught.value) is kind


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[str]:
    """Answer every request with these bytes and close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"\x00\x01 not http",
    ],
)
async def test_a_cut_or_garbled_answer_to_a_write_is_unknown(raw: bytes) -> None:
    async with answering(raw) as url:
        adapter = make(base_url=url, token=TOKEN, account=NUMBER, timeout=httpx.Timeout(2.0))
        with pytest.raises(OutcomeUnknown):
            await adapter.add(GROUP, people(ANA))
        await adapter.aclose()
