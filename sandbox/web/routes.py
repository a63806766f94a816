"""The page's addresses: its files, the event stream, and the switches that Slack's own control API doesn't have."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from sandbox.web.state import Part, parts
from sandbox.web.traffic import bodies

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

_STATIC = Path(__file__).parent / "static"
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_SETTLE_SECONDS = 0.05
"""Changes within this time are sent together."""
_HEARTBEAT_SECONDS = 15.0


class WorkspacePage:
    """The page and what it reads and switches.

    Args:
        sandbox: the sandbox that it shows.
    """

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._file),
            web.get("/page/{name}", self._file),
            web.get("/_control/stream", self._stream),
            web.get("/_control/traffic/{source}/{index}", self._traffic),
            web.get("/_control/file/{id}", self._download),
            web.post("/_control/provider/{name}", self._provider),
            web.post("/_control/person", self._person),
            web.post("/_control/bot", self._bot),
        ]

    async def _file(self, request: web.Request) -> web.Response:
        path = _STATIC / request.match_info.get("name", "index.html")
        if path.suffix not in _KINDS or not path.is_file():
            raise web.HTTPNotFound
        return web.Response(text=path.read_text(), content_type=_KINDS[path.suffix], charset="utf-8", headers=_HEADERS)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Send a person's parts, then each part again when it has changed, as server-sent events."""
        user, workspace = request.query["user"], self._sandbox.slack.workspace
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_HEADERS})
        await response.prepare(request)
        sent: dict[str, str] = {}
        with contextlib.suppress(ConnectionError):  # the page was closed
            while True:
                change = workspace.change
                for name, part in parts(self._sandbox, user).items():
                    text = json.dumps({"name": name, "value": part}, ensure_ascii=False)
                    if sent.get(name) != text:
                        sent[name] = text
                        await response.write(f"data: {text}\n\n".encode())
                await response.write(b": up to date\n\n")
                await _wait(change)
        return response

    async def _traffic(self, request: web.Request) -> web.Response:
        try:
            found = bodies(self._sandbox, request.match_info["source"], int(request.match_info["index"]))
        except (LookupError, ValueError):
            raise web.HTTPNotFound from None
        return web.json_response(found)

    async def _download(self, request: web.Request) -> web.Response:
        upload = self._sandbox.slack.workspace.files.get(request.match_info["id"])
        if upload is None or upload.content is None:
            raise web.HTTPNotFound
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{_quoted(upload.name)}"}
        return web.Response(body=upload.content, content_type="application/octet-stream", headers=headers)

    async def _provider(self, request: web.Request) -> web.Response:
        server = self._sandbox.providers.get(request.match_info["name"])
        if server is None:
            raise web.HTTPNotFound
        wanted = await _json_object(request)
        server.account_state = str(wanted.get("account", server.account_state))
        server.latency = float(wanted.get("latency", server.latency))
        for group_id, admin in wanted.get("account_is_admin", {}).items():
            server.world.groups[group_id].account_is_admin = bool(admin)
        if "faults" in wanted:
            server.faults = [InjectedFault(**fault) for fault in wanted["faults"]]
        return self._done()

    async def _person(self, request: web.Request) -> web.Response:
        """Change how WhatsApp answers for a person, at every provider."""
        wanted = await _json_object(request)
        phone = "".join(character for character in str(wanted.get("phone", "")) if character in "0123456789")
        if not phone:
            return web.json_response({"error": "Enter a phone number with its country code."}, status=400)
        for server in self._sandbox.providers.values():
            server.world.put_person(phone, Disposition(wanted.get("answer")))
        return self._done()

    async def _bot(self, request: web.Request) -> web.Response:
        bot = self._sandbox.bot
        if bot is None:
            return web.json_response({"error": "The bot runs in this process, so it can't be killed."}, status=400)
        wanted = await _json_object(request)
        try:
            if wanted.get("action") == "kill":
                await bot.kill()
            else:
                await bot.start(str(wanted.get("transport", "http")))
        except (LookupError, RuntimeError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return self._done()

    def _done(self) -> web.Response:
        self._sandbox.slack.workspace.changed()
        return web.json_response({"ok": True})


async def _wait(change: asyncio.Event) -> None:
    """Wait for a change, and for others that follow it immediately; at most until the next heartbeat."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_HEARTBEAT_SECONDS):
            await change.wait()
    await asyncio.sleep(_SETTLE_SECONDS)


async def _json_object(request: web.Request) -> Part:
    body: Any = await request.json()
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    return body


def _quoted(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-._") else f"%{b:02X}" for c in name for b in c.encode())
