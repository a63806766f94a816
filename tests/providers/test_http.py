import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina
from aiohttp import web

from providers.base import MAX_COOLDOWN
from providers.http import MAX_READ_ATTEMPTS, HttpClient
from providers.responses import rate_limited
from sandbox.http import serve

OK = (200, "", "{}")
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
async def script(*answers: tuple[int, str, str], window: float = 1.0) -> AsyncIterator[Script]:
    told = Script(list(answers))
    app = web.Application()
    app.router.add_route("*", "/", told.answer)
    async with serve(app) as url:
        told.client = HttpClient(url, headers={}, limit_window=window)
        yield told
        await told.client.aclose()


@dataclass
class Clock:
    """A clock that the test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("providers.http.monotonic", clock)
    return clock


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Record the waits between attempts, and skip them."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    with stamina.set_testing(False):
        yield waits


@dataclass(frozen=True)
class In:
    """A moment this many seconds from now, as a header says it."""

    seconds: float
    form: Callable[[datetime], str]

    def __str__(self) -> str:
        return self.form(datetime.now(UTC) + timedelta(seconds=self.seconds))


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 1, 1),
        ("1763737200", MAX_COOLDOWN, MAX_COOLDOWN),
        (NEVER, MAX_COOLDOWN, MAX_COOLDOWN),
        ("9" * 400, MAX_COOLDOWN, MAX_COOLDOWN),
        (In(3600, lambda d: format_datetime(d, usegmt=True)), 3000, 3600),
        (In(3600, lambda d: d.strftime("%A, %d-%b-%y %H:%M:%S GMT")), 3000, 3600),
        (In(3600, lambda d: d.strftime("%a %b %d %H:%M:%S %Y")), 3000, 3600),
        (In(-3600, format_datetime), 1, 1),
        (In(10**9, format_datetime), MAX_COOLDOWN, MAX_COOLDOWN),
    ],
    ids=range(10),
)
async def test_a_wait_is_read_in_every_form_and_is_a_second_to_a_day(
    header: str | In, least: float, most: float
) -> None:
    async with script((429, str(header), "{}")) as at:
        error = rate_limited(await at.client.write("POST", "/"))
        assert error.retry_after is not None
        assert least <= error.retry_after <= most
        assert error.cooldown == error.retry_after


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "Thu, 99 Nov 2026 99:99:99 GMT", ""])
async def test_a_wait_that_cannot_be_read_is_none(header: str) -> None:
    async with script((429, header, "{}")) as at:
        assert (await at.client.write("POST", "/")).retry_after is None


@pytest.mark.parametrize("status", [429, 503])
async def test_a_read_waits_as_long_as_it_is_told(status: int, waits: list[float]) -> None:
    async with script((status, "3", ""), (status, "4", ""), OK) as at:
        assert (await at.client.read("GET", "/")).status == 200
        assert waits == [3.0, 4.0]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_read_that_would_have_to_wait_too_long_gives_the_answer_at_once(status: int) -> None:
    async with script((status, "3600", "later"), OK) as at:
        reply = await at.client.read("GET", "/")
        assert (reply.status, reply.retry_after, reply.text, at.calls) == (status, 3600.0, "later", 1)


async def test_a_read_that_is_always_refused_gives_the_last_answer() -> None:
    async with script((429, "", '{"code": "first"}'), (429, "2", '{"code": "last"}')) as at:
        reply = await at.client.read("GET", "/")
        assert (reply.status, reply.body, reply.retry_after) == (429, {"code": "last"}, 2.0)
        assert at.calls == MAX_READ_ATTEMPTS


async def test_one_refused_read_holds_back_all_others_until_the_time_is_over(clock: Clock) -> None:
    async with script((429, "", "slowly"), OK, window=60.0) as at:
        await at.client.read("GET", "/")
        clock.now += 15
        replies = await asyncio.gather(*(at.client.read("GET", "/") for _ in range(8)))
        assert {(r.status, r.text, r.retry_after) for r in replies} == {(429, "slowly", 45.0)}
        assert at.calls == 1
        clock.now += 45
        assert (await at.client.read("GET", "/")).ok
        assert at.calls == 2


async def test_a_long_wait_of_one_read_lets_the_others_look_after_a_minute(clock: Clock) -> None:
    async with script((429, NEVER, ""), OK) as at:
        await at.client.read("GET", "/")
        clock.now += 60
        assert (await at.client.read("GET", "/")).ok


async def test_a_refused_read_holds_back_no_write(clock: Clock) -> None:
    async with script((429, "60", ""), OK) as at:
        await at.client.read("GET", "/")
        assert (await at.client.write("POST", "/")).ok
        assert clock.now == 1_000.0


@pytest.mark.parametrize("depth", [100, 900, 200_000])
async def test_a_body_that_is_nested_too_deeply_is_unreadable(depth: int) -> None:
    async with script((200, "", "[" * depth + "]" * depth)) as at:
        assert (await at.client.read("GET", "/")).body is None
        assert (await at.client.write("POST", "/")).body is None


async def test_half_an_emoji_in_a_body_is_replaced() -> None:
    async with script((200, "", '{"name": "Ann \\ud83d", "tags": ["\\udc00", 1, null]}')) as at:
        assert (await at.client.read("GET", "/")).body == {"name": "Ann \ufffd", "tags": ["\ufffd", 1, None]}
