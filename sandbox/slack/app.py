"""The HTTP application: Slack's own addresses, and the control API under `/_control/` for curl and subprocesses."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.slack import acks, files
from sandbox.slack.errors import SlackFault

if TYPE_CHECKING:
    from sandbox.slack.server import SlackServer

Answer = Callable[[web.Request], Awaitable[Any]]


MAX_BODY_BYTES = 64 * 1024 * 1024
_LOCAL_HOSTS = {"127.0.0.1", "localhost"}


def slack_app(server: "SlackServer", routes: Iterable[web.AbstractRouteDef] = ()) -> web.Application:
    """Build the aiohttp application; `routes` are served beside Slack's own and the control API."""

    @web.middleware
    async def learn_address(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        server.base_url = server.base_url or f"{request.scheme}://{request.host}"
        return await handler(request)

    async def shut_down(_: web.Application) -> None:
        await server.sockets.close()
        await server.deliverer.close()

    app = web.Application(middlewares=[learn_address, _refuse_other_sites], client_max_size=MAX_BODY_BYTES)
    app.add_routes(
        [
            web.get("/api/{method}", server.api.handle),
            web.post("/api/{method}", server.api.handle),
            web.get("/link/", server.sockets.handle),
            web.post("/upload/v1/{file}", partial(files.receive, server.api)),
            web.get("/files-pri/{file}/download/{name}", partial(files.fetch, server.api)),
            web.post("/hooks/{name:.+}", partial(acks.answer_response_url, server.api)),
            *ControlApi(server).routes(),
            *routes,
        ]
    )
    app.on_shutdown.append(shut_down)
    return app


@web.middleware
async def _refuse_other_sites(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse control requests that another site makes in a person's browser, also under a name of its own."""
    if request.path.startswith("/_control/"):
        origin = request.headers.get("Origin", "")
        if request.url.host not in _LOCAL_HOSTS or origin not in ("", f"{request.scheme}://{request.host}"):
            raise web.HTTPForbidden(text="Only the page that this server serves may use the control API.")
    return await handler(request)


class ControlApi:
    """The control API: a person's actions, whose bodies have the arguments of the server's methods, and the logs.

    Args:
        server: the simulated Slack.
    """

    def __init__(self, server: "SlackServer") -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        actions: dict[str, Callable[..., Awaitable[Any]]] = {
            "command": self._server.command,
            "click": self._server.click,
            "press": self._server.press,
            "submit": self._server.submit,
            "suggest": self._server.suggest,
            "close": self._server.close_view,
            "shortcut": self._server.shortcut,
            "event": self._server.event,
            "say": self._server.say,
            "home": self._server.open_home,
            "verify_url": self._server.verify_url,
            "redeliver": self._server.redeliver,
        }
        reads: dict[str, Answer] = {
            "log": self._log,
            "messages": self._messages,
            "thread": self._thread,
            "views": self._views,
            "files": self._files,
            "ephemerals": self._ephemerals,
        }
        switches: dict[str, Answer] = {
            "faults": self._faults,
            "settings": self._settings,
            "refresh": self._refresh,
            "upload": self._upload,
        }
        return [
            *(web.post(f"/_control/{name}", _answered(_action(run))) for name, run in actions.items()),
            *(web.post(f"/_control/{name}", _answered(run)) for name, run in switches.items()),
            *(web.get(f"/_control/{name}", _answered(run)) for name, run in reads.items()),
        ]

    async def _log(self, _: web.Request) -> Any:
        calls = [asdict(call) for call in self._server.api.log]
        deliveries = [asdict(delivery) for delivery in self._server.deliverer.log]
        return {"calls": calls, "deliveries": deliveries, "oddities": self._server.workspace.oddities}

    async def _messages(self, request: web.Request) -> Any:
        return self._server.messages(request.query["channel"])

    async def _thread(self, request: web.Request) -> Any:
        return self._server.thread(request.query["channel"], request.query["ts"])

    async def _views(self, _: web.Request) -> Any:
        workspace = self._server.workspace
        shown = {stack[-1] for stack in workspace.modals.values() if stack} | set(workspace.homes.values())
        return [
            {"user": view.user, "view": view.body, "errors": view.errors, "shown": view_id in shown}
            for view_id, view in workspace.views.items()
        ]

    async def _files(self, _: web.Request) -> Any:
        return [
            {"id": f.id, "name": f.name, "title": f.title, "content": (f.content or b"").decode("utf-8", "replace")}
            for f in self._server.files
        ]

    async def _ephemerals(self, request: web.Request) -> Any:
        users = [request.query["user"]] if "user" in request.query else list(self._server.workspace.users)
        return [{"user": user, **message} for user in users for message in self._server.ephemerals(user)]

    async def _faults(self, request: web.Request) -> Any:
        self._server.api.faults[:] = [SlackFault(**fault) for fault in await request.json()]
        self._server.workspace.changed()
        return {"ok": True}

    async def _settings(self, request: web.Request) -> Any:
        settings = await request.json()
        self._server.api.rates.enforced = settings.get("enforce_rates", self._server.api.rates.enforced)
        self._server.deliverer.request_url = settings.get("request_url", self._server.deliverer.request_url)
        return {"enforce_rates": self._server.api.rates.enforced, "request_url": self._server.deliverer.request_url}

    async def _upload(self, request: web.Request) -> Any:
        """Keep the request's body as a person's file, for `submit` and `say`."""
        upload = files.add_file(
            self._server.workspace, request.query["user"], request.query["name"], await request.read()
        )
        return {"id": upload.id}

    async def _refresh(self, _: web.Request) -> Any:
        await self._server.sockets.refresh()
        return {"ok": True}


def _action(run: Callable[..., Awaitable[Any]]) -> Answer:
    async def answer(request: web.Request) -> Any:
        return await run(**(await request.json() if request.can_read_body else {}))

    return answer


def _answered(run: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            answer = await run(request)
        except (LookupError, TypeError, ValueError) as problem:
            return web.json_response({"error": f"{type(problem).__name__}: {problem}"}, status=400)
        body = asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer
        return web.json_response(body)

    return handle
