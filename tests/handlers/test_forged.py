"""Requests at /slack/events that Slack didn't sign, or can't have sent: refused before anything acts on them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
from structlog.typing import EventDict

from bot import server
from sandbox.slack.delivery import sign
from tests.app import RunningApp, module_app
from tests.handlers.catching import Catcher, catching
from tests.slack_ui import BOB, CHANNEL

pytestmark = pytest.mark.asyncio(loop_scope="module")

Headers = list[tuple[str, bytes]]
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
FORM = "application/x-www-form-urlencoded"
NUMBER = "+1 415 555 0101"


running = module_app()


@pytest_asyncio.fixture(loop_scope="module")
async def app(running: RunningApp) -> RunningApp:
    """A bot that has read everything that it reads from Slack at its start: a first command is done."""
    if not running.parents():
        await running.add("wasend-team +1 415 555 0199")
    await running.finished()
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def catcher() -> AsyncIterator[Catcher]:
    async with catching() as catcher:
        yield catcher


def command(response_url: str) -> bytes:
    fields = {"command": "/wa-add", "text": f"wasend-team {NUMBER}", "user_id": BOB, "team_id": "T0SANDBOX"}
    return urlencode({**fields, "channel_id": CHANNEL, "trigger_id": "1.2", "response_url": response_url}).encode()


def click(response_url: str, *, view: str = "") -> bytes:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": BOB},
        "channel": {"id": CHANNEL},
        "actions": [{"action_id": "approve", "value": "R1"}],
        "response_url": response_url,
    }
    return urlencode({"payload": json.dumps(payload | ({"view": {"type": view}} if view else {}))}).encode()


def event(_: str) -> bytes:
    return json.dumps({"type": "event_callback", "event": {"type": "app_mention", "user": BOB}}).encode()


def now(offset: int = 0) -> str:
    return str(int(time.time()) + offset)


def signed(app: RunningApp, body: bytes, timestamp: str) -> Headers:
    signature = sign(app.slack.signing_secret, timestamp, body)
    return [(TIMESTAMP, timestamp.encode()), (SIGNATURE, signature.encode())]


async def post(app: RunningApp, body: bytes, headers: Headers, content_type: str = FORM) -> httpx.Response:
    sent = [(name.encode(), value) for name, value in [*headers, ("Content-Type", content_type.encode())]]
    async with httpx.AsyncClient() as client:
        return await client.post(f"{app.url}/slack/events", content=body, headers=sent)


def forgeries(app: RunningApp, body: bytes) -> dict[str, Headers]:
    """Return headers that don't prove that Slack sent the body."""
    (at, right) = signed(app, body, now())
    wrong = (SIGNATURE, b"v0=" + b"0" * 64)
    return {
        "no headers": [],
        "no timestamp": [right],
        "no signature": [at],
        "timestamp is a word": [(TIMESTAMP, b"abc"), right],
        "timestamp is empty": [(TIMESTAMP, b""), right],
        "timestamp is huge": signed(app, body, "9" * 5000),
        "timestamp is negative": signed(app, body, f"-{now()}"),
        "timestamp has a sign": signed(app, body, f"+{now()}"),
        "timestamp has an underscore": signed(app, body, f"{now()[:4]}_{now()[4:]}"),
        "timestamp is a fraction": signed(app, body, f"{now()}.0"),
        "timestamp in other digits": signed(app, body, now().translate({48 + n: 0x660 + n for n in range(10)})),
        "timestamp isn't text": [(TIMESTAMP, b"\xff\xfe"), right],
        "signature isn't ASCII": [at, (SIGNATURE, "v0=é".encode())],
        "signature isn't text": [at, (SIGNATURE, b"v0=\xff\xfe")],
        "signature is empty": [at, (SIGNATURE, b"")],
        "signature is wrong": [at, wrong],
        "signature of another version": [at, (SIGNATURE, b"v1" + right[1][2:])],
        "stale": signed(app, body, now(-301)),
        "from the future": signed(app, body, now(400)),
        "two timestamps": [at, at, right],
        "two signatures": [at, right, wrong],
        "twice the same signature": [at, right, right],
    }


@pytest.mark.parametrize(
    "make",
    [command, click, lambda url: click(url, view="home"), event, lambda _: b"ssl_check=1&token=x", lambda _: b"\xff{"],
    ids=["command", "click", "click on Home", "event", "certificate check", "garbage"],
)
async def test_a_request_that_slack_did_not_sign_is_refused(
    app: RunningApp, catcher: Catcher, log: list[EventDict], make: Any
) -> None:
    body = make(catcher.url)
    calls = len(app.slack.calls)

    for name, headers in forgeries(app, body).items():
        log.clear()
        response = await post(app, body, headers)

        assert response.status_code == 401, name
        (entry,) = log
        assert (entry["event"], entry["status"]) == ("request_refused", 401), name
        assert entry.keys() == {"event", "status", "problem", "log_level"}, name
        assert not any(word in str(entry) for word in (BOB, "5550101", catcher.url)), name
    assert [call.method for call in app.slack.calls[calls:]] == []
    assert catcher.caught == []


async def test_the_certificate_check_is_answered_when_it_is_signed(app: RunningApp) -> None:
    body = b"ssl_check=1&token=legacy"

    response = await post(app, body, signed(app, body, now()))

    assert (response.status_code, response.text) == (200, "")


async def test_the_request_url_is_verified(app: RunningApp) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "legacy"}).encode()

    response = await post(app, body, signed(app, body, now()), "application/json")

    assert (response.status_code, response.json()) == (200, {"challenge": "3eZbrw1a"})


def nested(depth: int, inner: str, *, form: bool) -> bytes:
    text = f'{{"type": "event_callback", "event": {{"type": "x"}}, "x": {inner[0] * depth}{inner[1] * depth}}}'
    return urlencode({"payload": text}).encode() if form else text.encode()


@pytest.mark.parametrize("form", [True, False], ids=["payload", "JSON"])
@pytest.mark.parametrize(("depth", "status"), [(80, 200), (101, 400), (900, 400), (100_000, 400)])
async def test_a_body_that_is_nested_too_deeply_is_refused(
    app: RunningApp, log: list[EventDict], form: bool, depth: int, status: int
) -> None:
    body = nested(depth, "[]", form=form)

    response = await post(app, body, signed(app, body, now()), FORM if form else "application/json")

    assert response.status_code == status
    assert [e for e in log if e["log_level"] == "error" or "exc_info" in e] == []


async def test_nested_owners_are_refused(app: RunningApp) -> None:
    body = b'{"type": "x", "event": ' * 5000 + b"1" + b"}" * 5000

    response = await post(app, body, signed(app, body, now()), "application/json")

    assert response.status_code == 400


async def test_a_body_that_is_too_large_is_refused_before_its_signature_is_checked(app: RunningApp) -> None:
    assert (await post(app, b"x" * (server.MAX_BODY + 1), [])).status_code == 413


async def test_a_body_that_only_drips_is_cut_off(
    app: RunningApp, log: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_TIMEOUT", 0.1)
    address = urlsplit(app.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npayl")

    status = await reader.readline()

    assert b"408" in status
    assert [entry["status"] for entry in log] == [408]
    writer.close()
