"""The HTTP server: Slack's events, and whether the process is alive and ready."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

LARGEST_BODY = 1024 * 1024
"""Bytes of a request; Slack's own are far smaller (a modal holds at most 100 inputs of 3,000 characters)."""

_MARKS = frozenset({"type", "ssl_check"})
"""What an interaction or event has, and what Slack's check of the certificate has (docs.slack.dev)."""
_COMMAND_FIELDS = frozenset({"command", "user_id", "team_id", "channel_id", "trigger_id"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


@asynccontextmanager
async def serving(
    host: str, port: int, *, events: AsyncApp | None, is_ready: Callable[[], bool], metrics: Callable[[], bytes] = bytes
) -> AsyncIterator[str]:
    """Serve on `host` and `port`, and give the base URL.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        events: takes Slack's deliveries at /slack/events; None in Socket Mode.
        is_ready: what /readyz answers by.
        metrics: what /metrics answers, in Prometheus' text format.

    Raises:
        OSError: the port is taken.
    """
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", _readiness(is_ready))
    app.router.add_get("/metrics", _exposition(metrics))
    if events is not None:
        app.router.add_post("/slack/events", _slack(events))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


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


def _slack(events: AsyncApp) -> Handler:
    async def slack(request: web.Request) -> web.StreamResponse:
        try:
            bolt_request = await to_bolt_request(request)
        except web.HTTPRequestEntityTooLarge:
            log.warning("request_refused", status=413, bytes=request.content_length)
            return web.json_response({"error": "the request is too large"}, status=413)
        except (ValueError, LookupError, TypeError, AttributeError):
            log.warning("request_refused", status=400)
            return web.json_response({"error": "the request cannot be read"}, status=400)
        if not _is_delivery(bolt_request.body):
            log.warning("request_refused", status=400)
            return web.json_response({"error": "this is no delivery of Slack's"}, status=400)
        response = await events.async_dispatch(bolt_request)
        if response.status >= web.HTTPBadRequest.status_code:
            log.warning("request_refused", status=response.status)
        return await to_aiohttp_response(response)

    return slack


def _is_delivery(body: object) -> bool:
    """Tell whether a body has the shape of anything that Slack delivers; whether Slack sent it is for Bolt to check."""
    return isinstance(body, dict) and (not body.keys().isdisjoint(_MARKS) or body.keys() >= _COMMAND_FIELDS)
