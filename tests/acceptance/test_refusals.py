"""What reaches /slack/events and must not get in: each is refused rightly, logged, and the process goes on."""

import hashlib
import hmac
import time

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from tests.app import RunningApp
from tests.slack_ui import CHANNEL

COMMAND = {
    "command": "/wa-add",
    "text": "wasend-team +1 415 555 0101",
    "user_id": "U01ALICE",
    "team_id": "T0SANDBOX",
    "channel_id": CHANNEL,
    "trigger_id": "1.2.3",
}


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


async def deliver(app: RunningApp, body: bytes, *, at: float | None = None, secret: str = "") -> httpx.Response:
    """Send a body as Slack would, signed at a time and with a secret."""
    timestamp = str(int(time.time() if at is None else at))
    key = (secret or app.slack.signing_secret).encode()
    signature = hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Signature": f"v0={signature}",
        "X-Slack-Request-Timestamp": timestamp,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient() as client:
        return await client.post(f"{app.url}/slack/events", content=body, headers=headers)


async def assert_still_serves(app: RunningApp) -> None:
    await app.add("wasend-team +1 415 555 0199")
    await app.finished()
    assert len(app.world().events) == 1


@pytest.mark.parametrize("body", [b"payload={", b"payload=%5B1%5D", b"{", b"", b"\xff\xfe", b"command=/wa-add"])
async def test_a_malformed_payload_is_refused(app: RunningApp, log: LogCapture, body: bytes) -> None:
    response = await deliver(app, body)

    assert 400 <= response.status_code < 500
    assert "request_refused" in [entry["event"] for entry in log.entries]
    await assert_still_serves(app)


async def test_the_process_says_that_it_is_alive_and_ready(app: RunningApp) -> None:
    async with httpx.AsyncClient(base_url=app.url) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_metrics_count_requests_and_results_without_numbers(app: RunningApp) -> None:
    await app.add("wasend-team +1 415 555 0101, +1 415 555 0102")
    await app.finished()
    async with httpx.AsyncClient(base_url=app.url) as client:
        text = (await client.get("/metrics")).text

    assert 'rollcall_requests_total{connection="wasend",operation="add"} 1.0' in text
    assert 'rollcall_verdicts_total{connection="wasend",outcome="added"} 2.0' in text
    assert "5550101" not in text
