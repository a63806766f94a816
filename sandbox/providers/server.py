"""What the five simulated providers share: log, injected faults, token, error responses, and the control API."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from aiohttp import web

from sandbox.providers.world import Disposition, Membership, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class InjectedFault:
    """A failure of a call, on demand.

    Attributes:
        match: a part of `METHOD path` that selects calls, for example `POST /groups`; empty: every call.
        when: `before` the call takes effect, or `after` (the effect stays, the response is lost).
        status: the HTTP status to answer with; 0: hang until the client gives up; -1: drop the connection.
        body: the response's body, as text; empty: the provider's own error body for that status.
        raw: the response's body in bytes, which may be empty; None: `body` is used.
        headers: the response's extra headers.
        times: how many calls fail; -1: all.
        skip: how many matching calls succeed first.
    """

    match: str = ""
    when: Literal["before", "after"] = "before"
    status: int = 503
    body: str = ""
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    skip: int = 0


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call in the log: the request, the status of the response (0: none was sent), and its body as text."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    response: str = ""


class ErrorResponse(Exception):
    """Ends a call with an error response."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(kw_only=True, eq=False)
class ProviderServer:
    """A simulated provider. A subclass adds the contract's routes and keeps its state in `world`.

    Attributes:
        name: the provider's name as in `rollcall.toml`.
        world: the people and groups behind it.
        token: the credential it accepts. Every other one is refused as the contract says.
        latency: seconds that every call takes.
        account_state: `connected`, `disconnected` or `restricted`; a subclass answers by it as the contract says.
        faults: the failures to inject.
        calls: the log.
        on_change: is called after every call, and after every change over the control API.
    """

    name: ClassVar[str]
    world: World = field(kw_only=False)
    token: str = "sandbox-token"  # noqa: S105 - the sandbox's own
    latency: float = 0.0
    account_state: str = "connected"
    faults: list[InjectedFault] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    on_change: Callable[[], None] = lambda: None

    def routes(self) -> list[web.RouteDef]:
        """Return the contract's routes."""
        raise NotImplementedError

    def authorized(self, request: web.Request) -> bool:
        """Return whether the request carries the token."""
        return request.headers.get("Authorization", "") == f"Bearer {self.token}"

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Return the contract's error response for a status."""
        raise NotImplementedError

    def fail(self, status: int, code: str = "", message: str = "") -> ErrorResponse:
        """Return the exception that ends a call with `error`."""
        return ErrorResponse(self.error(status, code, message))

    def app(self) -> web.Application:
        """Build the aiohttp application: the contract's routes and the control API under `/_control`."""
        app = web.Application(middlewares=[self._middleware])
        app.add_routes(self.routes())
        app.add_routes(
            [
                web.get("/_control/log", self._log),
                web.get("/_control/truth", self._truth),
                web.post("/_control/people", self._people),
                web.post("/_control/groups", self._groups),
                web.post("/_control/faults", self._faults),
                web.post("/_control/account", self._account),
            ]
        )
        return app

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_control/"):
            controlled = await handler(request)
            self.on_change()
            return controlled
        status, answer = 0, ""
        body = _json(await request.read())  # first: the body of a client that gives up is lost
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            response = await self._answer(request, handler)
            status = response.status
            content = getattr(response, "body", None)
            answer = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
        finally:
            self.calls.append(
                RecordedCall(
                    at=self.world.now(),
                    method=request.method,
                    path=request.path,
                    query=dict(request.query),
                    body=body,
                    status=status,
                    response=answer,
                )
            )
            self.on_change()
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self._take_fault(f"{request.method} {request.path}")
        if fault and fault.when == "before":
            return await self._strike(fault, request)
        if not self.authorized(request):
            return self.error(401)
        try:
            response = await handler(request)
        except ErrorResponse as error:
            response = error.response
        return await self._strike(fault, request) if fault else response

    def _take_fault(self, line: str) -> InjectedFault | None:
        for fault in self.faults:
            if fault.match not in line or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times > 0:
                fault.times -= 1
            return fault
        return None

    async def _strike(self, fault: InjectedFault, request: web.Request) -> web.StreamResponse:
        if fault.status == 0:
            await asyncio.sleep(3600)
        if fault.status < 0:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError
        content = fault.body.encode() if fault.raw is None else fault.raw
        if content or fault.raw is not None:
            kind = "application/json" if isinstance(_json(content), dict | list) else "text/html"
            headers = {"Content-Type": kind, **fault.headers}
            return web.Response(status=fault.status, body=content, headers=headers)
        response = self.error(fault.status)
        response.headers.update(fault.headers)
        return response

    async def _log(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.calls])

    async def _truth(self, _: web.Request) -> web.Response:
        groups = {
            g.id: {
                "subject": g.subject,
                "members": sorted(g.members),
                "admins": sorted(phone for phone, m in g.members.items() if m.role == "admin"),
                "awaiting": sorted(g.awaiting),
            }
            for g in self.world.groups.values()
        }
        events, sent = map(asdict, self.world.events), map(asdict, self.world.sent)
        return web.json_response({"groups": groups, "events": [*events], "sent": [*sent]})

    async def _people(self, request: web.Request) -> web.Response:
        for phone, disposition in (await request.json()).items():
            self.world.put_person(phone, Disposition(disposition))
        return web.json_response({"ok": True})

    async def _groups(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.world.put_group(body.pop("id"), body.pop("subject"), body.pop("members", ()), **body)
        return web.json_response({"ok": True})

    async def _faults(self, request: web.Request) -> web.Response:
        self.faults = [InjectedFault(**fault) for fault in await request.json()]
        return web.json_response({"ok": True})

    async def _account(self, request: web.Request) -> web.Response:
        self.account_state = (await request.json())["state"]
        return web.json_response({"ok": True})


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in a request's body; an empty one for anything else."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def with_own(members: list[Membership], own: Membership) -> list[Membership]:
    """Return the members of a list that always includes the account itself."""
    return members if any(member.phone == own.phone for member in members) else [own, *members]


def utc(seconds: float) -> str:
    """Return a time in seconds since 1970 in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace") or None
