from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from providers.base import LONGEST_REST
from providers.http import HttpClient, rate_limited
from sandbox.serving import serve

NEVER = "99999999999999"


@dataclass
class Script:
    """A server that gives these answers (status, Retry-After, body) in turn, and the last one for ever."""

    answers: list[tuple[int, str, str]]
    client: HttpClient = field(init=False)
    calls: int = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.calls += 1
        status, wait, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, text=body, headers={"Retry-After": wait} if wait else {})


@asynccontextmanager
async def script(*answers: tuple[int, str, str]) -> AsyncIterator[Script]:
    told = Script(list(answers))
    app = web.Application()
    app.router.add_route("*", "/", told.answer)
    async with serve(app) as url:
        told.client = HttpClient(url, headers={})
        yield told
        await told.client.aclose()


def _date(seconds: float, form: Callable[[datetime], str]) -> str:
    return form(datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 1, 1),
        ("1763737200", LONGEST_REST, LONGEST_REST),
        (NEVER, LONGEST_REST, LONGEST_REST),
        ("9" * 400, LONGEST_REST, LONGEST_REST),
        (_date(3600, lambda d: format_datetime(d, usegmt=True)), 3000, 3600),
        (_date(3600, lambda d: d.strftime("%A, %d-%b-%y %H:%M:%S GMT")), 3000, 3600),
        (_date(3600, lambda d: d.strftime("%a %b %d %H:%M:%S %Y")), 3000, 3600),
        (_date(-3600, format_datetime), 1, 1),
        (_date(10**9, format_datetime), LONGEST_REST, LONGEST_REST),
    ],
)
async def test_a_wait_is_read_in_every_form_and_is_a_second_to_a_day(header: str, least: float, most: float) -> None:
    async with script((429, header, "{}")) as at:
        error = rate_limited(await at.client.write("POST", "/"))
        assert error.retry_after is not None
        assert least <= error.retry_after <= most
        assert error.rest == error.retry_after


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "Thu, 99 Nov 2026 99:99:99 GMT", ""])
async def test_a_wait_that_cannot_be_read_is_none(header: str) -> None:
    async with script((429, header, "{}")) as at:
        assert (await at.client.write("POST", "/")).retry_after is None


@pytest.mark.parametrize("depth", [100, 900, 200_000])
async def test_a_body_that_is_nested_too_deeply_is_unreadable(depth: int) -> None:
    async with script((200, "", "[" * depth + "]" * depth)) as at:
        assert (await at.client.read("GET", "/")).body is None
        assert (await at.client.write("POST", "/")).body is None
