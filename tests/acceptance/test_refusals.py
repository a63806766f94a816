"""What reaches /slack/events and must not get in: each is refused rightly, logged, and the process goes on."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from tests.stage import CHANNEL, Stage, stage

COMMAND = {
    "command": "/wa-add",
    "text": "wasend-team +1 415 555 0101",
    "user_id": "U01ALICE",
    "team_id": "T0SANDBOX",
    "channel_id": CHANNEL,
    "trigger_id": "1.2.3",
}


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as played:
        yield played


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


async def deliver(played: Stage, body: bytes, *, at: float | None = None, secret: str = "") -> httpx.Response:
    """Send a body as Slack would, signed at a time and with a secret."""
    timestamp = str(int(time.time() if at is None else at))
    key = (secret or played.slack.signing_secret).encode()
    signature = hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Signature": f"v0={signature}",
        "X-Slack-Request-Timestamp": timestamp,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient() as client:
        return await client.post(f"{played.url}/slack/events", content=body, headers=headers)


async def assert_still_serves(played: Stage) -> None:
    await played.add("wasend-team +1 415 555 0199")
    await played.finished()
    assert len(played.world("wasend").events) == 1


async def test_a_wrong_signature_is_refused(played: Stage, log: LogCapture) -> None:
    response = await deliver(played, urlencode(COMMAND).encode(), secret="another-secret")

    assert response.status_code == 401
    assert {"event": "request_refused", "status": 401} in [_short(entry) for entry in log.entries]
    await assert_still_serves(played)


async def test_a_stale_timestamp_is_refused(played: Stage, log: LogCapture) -> None:
    response = await deliver(played, urlencode(COMMAND).encode(), at=time.time() - 301)

    assert response.status_code == 401
    assert {"event": "request_refused", "status": 401} in [_short(entry) for entry in log.entries]
    await assert_still_serves(played)


async def test_a_replay_does_nothing_twice(played: Stage) -> None:
    body = urlencode(COMMAND).encode()
    at = time.time()
    first = await deliver(played, body, at=at)
    second = await deliver(played, body, at=at)
    await played.finished()

    assert first.status_code == second.status_code == 200
    assert "already submitted" in second.text
    assert len(played.parents()) == 1
    assert len(played.world("wasend").events) == 1


@pytest.mark.parametrize("body", [b"payload={", b"payload=%5B1%5D", b"{", b"", b"\xff\xfe", b"command=/wa-add"])
async def test_a_malformed_payload_is_refused(played: Stage, log: LogCapture, body: bytes) -> None:
    response = await deliver(played, body)

    assert 400 <= response.status_code < 500
    assert "request_refused" in [entry["event"] for entry in log.entries]
    await assert_still_serves(played)


async def test_ten_megabytes_are_refused(played: Stage, log: LogCapture) -> None:
    response = await deliver(played, b"x" * 10 * 1024 * 1024)

    assert response.status_code == 413
    assert "request_refused" in [entry["event"] for entry in log.entries]
    await assert_still_serves(played)


async def test_the_process_says_that_it_is_alive_and_ready(played: Stage) -> None:
    async with httpx.AsyncClient(base_url=played.url) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_metrics_count_requests_and_verdicts_and_name_nobody(played: Stage) -> None:
    await played.add("wasend-team +1 415 555 0101, +1 415 555 0102")
    await played.finished()
    async with httpx.AsyncClient(base_url=played.url) as client:
        text = (await client.get("/metrics")).text

    assert 'rollcall_requests_total{connection="wasend",operation="add"} 1.0' in text
    assert 'rollcall_verdicts_total{connection="wasend",outcome="added"} 2.0' in text
    assert "5550101" not in text


def _short(entry: structlog.typing.EventDict) -> dict[str, object]:
    return {"event": entry["event"], "status": entry.get("status")}


async def test_slacks_check_of_the_certificate_is_answered(played: Stage) -> None:
    response = await deliver(played, b"ssl_check=1&token=legacy")

    assert response.status_code == 200
