"""The control API under `/_control/`: people's gestures, faults, and what is to be seen; for curl and subprocesses."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from typing import Any

from aiohttp import web

from sandbox.slack.client import SlackClient
from sandbox.slack.faults import SlackFault
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.web_api import WebApi

Answer = Callable[[web.Request], Awaitable[Any]]


class Control:
    """Maps HTTP to the client's gestures; bodies hold the same arguments, by name.

    Args:
        client: does the gestures.
        api: has the faults, the rates and the log of calls.
        sockets: the Socket Mode connections.
    """

    def __init__(self, client: SlackClient, api: WebApi, sockets: SocketMode) -> None:
        self._client = client
        self._api = api
        self._sockets = sockets

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        gestures: dict[str, Callable[..., Awaitable[Any]]] = {
            "command": self._client.command,
            "click": self._client.click,
            "press": self._client.press,
            "submit": self._client.submit,
            "suggest": self._client.suggest,
            "close": self._client.close_view,
            "shortcut": self._client.shortcut,
            "event": self._client.event,
            "say": self._client.say,
            "home": self._client.open_home,
            "verify_url": self._client.verify_url,
            "redeliver": self._client.redeliver,
        }
        sights: dict[str, Answer] = {
            "log": self._log,
            "messages": self._messages,
            "thread": self._thread,
            "views": self._views,
            "files": self._files,
            "ephemerals": self._ephemerals,
        }
        switches: dict[str, Answer] = {"faults": self._faults, "settings": self._settings, "refresh": self._refresh}
        return [
            *(web.post(f"/_control/{name}", _answered(_gesture(run))) for name, run in gestures.items()),
            *(web.post(f"/_control/{name}", _answered(run)) for name, run in switches.items()),
            *(web.get(f"/_control/{name}", _answered(run)) for name, run in sights.items()),
        ]

    async def _log(self, _: web.Request) -> Any:
        calls = [asdict(call) for call in self._api.log]
        deliveries = [asdict(delivery) for delivery in self._client.deliverer.log]
        return {"calls": calls, "deliveries": deliveries, "oddities": self._client.workspace.oddities}

    async def _messages(self, request: web.Request) -> Any:
        return self._client.messages(request.query["channel"])

    async def _thread(self, request: web.Request) -> Any:
        return self._client.thread(request.query["channel"], request.query["ts"])

    async def _views(self, _: web.Request) -> Any:
        workspace = self._client.workspace
        shown = {stack[-1] for stack in workspace.modals.values() if stack} | set(workspace.homes.values())
        return [
            {"user": view.user, "view": view.body, "errors": view.errors, "shown": view_id in shown}
            for view_id, view in workspace.views.items()
        ]

    async def _files(self, _: web.Request) -> Any:
        return [
            {"id": f.id, "name": f.name, "title": f.title, "content": (f.content or b"").decode("utf-8", "replace")}
            for f in self._client.files
        ]

    async def _ephemerals(self, request: web.Request) -> Any:
        users = [request.query["user"]] if "user" in request.query else list(self._client.workspace.users)
        return [{"user": user, **message} for user in users for message in self._client.ephemerals(user)]

    async def _faults(self, request: web.Request) -> Any:
        self._api.faults[:] = [SlackFault(**fault) for fault in await request.json()]
        return {"ok": True}

    async def _settings(self, request: web.Request) -> Any:
        settings = await request.json()
        self._api.rates.enforced = settings.get("enforce_rates", self._api.rates.enforced)
        self._client.deliverer.request_url = settings.get("request_url", self._client.deliverer.request_url)
        return {"enforce_rates": self._api.rates.enforced, "request_url": self._client.deliverer.request_url}

    async def _refresh(self, _: web.Request) -> Any:
        await self._sockets.refresh()
        return {"ok": True}


def _gesture(run: Callable[..., Awaitable[Any]]) -> Answer:
    async def answer(request: web.Request) -> Any:
        return await run(**(await request.json() if request.can_read_body else {}))

    return answer


def _answered(run: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            answer = await run(request)
        except (LookupError, TypeError, ValueError) as problem:
            return web.json_response({"error": f"{type(problem).__name__}: {problem}"}, status=400)
        told = asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer
        return web.json_response(told)

    return handle
