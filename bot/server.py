"""The HTTP server: Slack's events, and whether the process is alive and ready."""

import asyncio
import errno
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.config import ConfigurationError

MAX_BODY = 1024 * 1024
"""Maximum bytes of a request; Slack's own are far smaller (a modal holds at most 100 inputs of 3,000 characters)."""
MAX_NESTING = 100
"""Maximum depth of objects and arrays in a payload; Slack's own have about 20 (rich text in a message in an event)."""
BODY_TIMEOUT = 5.0
"""Seconds in which a request's body has to arrive; Slack sends it in one piece and waits 3 seconds for the answer."""
MAX_AGE = 5 * 60
"""Seconds by which the timestamp of a signed request may differ from now (docs.slack.dev, "Verifying requests")."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_PAYLOAD_FIELDS = frozenset({"type", "ssl_check"})
"""The field of an interaction or event, and of Slack's check of the certificate (docs.slack.dev)."""
_COMMAND_FIELDS = frozenset({"command", "user_id", "team_id", "channel_id", "trigger_id"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SlackEvents:
    """The receiver of Slack's requests at /slack/events.

    Attributes:
        app: the Bolt app. It has to leave verification to this server: Bolt's own raises for some forged headers, and
            its error handler then answers the person whom the forged body names.
        signing_secret: the secret that Slack signs its requests with.
    """

    app: AsyncApp
    signing_secret: SecretStr


@asynccontextmanager
async def serving(
    host: str,
    port: int,
    *,
    events: SlackEvents | None,
    is_ready: Callable[[], bool],
    metrics: Callable[[], bytes] = bytes,
) -> AsyncIterator[str]:
    """Serve on `host` and `port`, and yield the base URL.

    Args:
        host: the address to listen on.
        port: the port; 0 uses a free one.
        events: handles Slack's requests at /slack/events; None in Socket Mode.
        is_ready: returns whether /readyz reports the process as ready.
        metrics: returns the content of /metrics, in Prometheus' text format.

    Raises:
        ConfigurationError: the port is taken.
    """
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", _readiness(is_ready))
    app.router.add_get("/metrics", _exposition(metrics))
    if events is not None:
        app.router.add_post("/slack/events", _slack(events))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        text = f"server.port: port {port} of {host} is taken; stop the program that uses it, or set another port"
        raise ConfigurationError(text) from None


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _readiness(is_ready: Callable[[], bool]) -> Handler:
    async def readiness(_: web.Request) -> web.Response:
        ready = is_ready()
        return web.json_response({"status": "ready" if ready else "starting"}, status=200 if ready else 503)

    return readiness


def _exposition(metrics: Callable[[], bytes]) -> Handler:
    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return exposition


def _slack(events: SlackEvents) -> Handler:
    """Return the handler of Slack's requests. Nothing of a request is parsed before its signature is verified."""

    async def slack(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refuse(413, "the request is too large")
        except TimeoutError:
            return _refuse(408, "the request took too long to arrive")
        if problem := _signature_problem(request, body, events.signing_secret):
            return _refuse(401, problem)
        if (bolt_request := _parse(request, body)) is None:
            return _refuse(400, "the request is not a Slack payload")
        response = await events.app.async_dispatch(bolt_request)
        if response.status >= web.HTTPBadRequest.status_code:
            log.warning("request_refused", status=response.status)
        return await to_aiohttp_response(response)

    return slack


def _refuse(status: int, problem: str) -> web.Response:
    log.warning("request_refused", status=status, problem=problem)
    return web.json_response({"error": problem}, status=status)


def _signature_problem(request: web.Request, body: bytes, signing_secret: SecretStr) -> str:
    """Return why a request isn't verified as Slack's; empty if it is.

    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    timestamps = request.headers.getall("X-Slack-Request-Timestamp", [])
    signatures = request.headers.getall("X-Slack-Signature", [])
    if len(timestamps) != 1 or len(signatures) != 1:
        return "the request needs one signature and one timestamp"
    timestamp = timestamps[0]
    if not _TIMESTAMP.fullmatch(timestamp):
        return "the timestamp is not a number of seconds"
    if abs(time.time() - int(timestamp)) > MAX_AGE:
        return "the timestamp is not within 5 minutes of now"
    key = signing_secret.get_secret_value().encode()
    expected = "v0=" + hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    # As bytes: `compare_digest` raises for text that isn't ASCII, and aiohttp decodes headers with surrogates.
    if not hmac.compare_digest(expected.encode(), signatures[0].encode("utf-8", "surrogateescape")):
        return "the signature is wrong"
    return ""


def _parse(request: web.Request, body: bytes) -> AsyncBoltRequest | None:
    """Parse a verified request; None if it isn't anything that Slack sends. Headers aren't signed: one is used."""
    try:
        parsed = AsyncBoltRequest(body=body.decode(), headers={"content-type": request.headers.get("Content-Type", "")})
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return parsed if _is_delivery(parsed.body) and not _is_too_deep(parsed.body) else None


def _is_delivery(body: object) -> bool:
    """Return whether a body has the shape of anything that Slack sends."""
    return isinstance(body, dict) and (not body.keys().isdisjoint(_PAYLOAD_FIELDS) or body.keys() >= _COMMAND_FIELDS)


def _is_too_deep(body: object) -> bool:
    """Return whether objects and arrays are nested deeper than `MAX_NESTING`."""
    level: list[object] = [body]
    for _ in range(MAX_NESTING):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        if not inner:
            return False
        level = inner
    return True
