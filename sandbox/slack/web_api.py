"""The Web API's front door: tokens, scopes, arguments, faults, rates, the log; the methods are in modules of their own.

Source: https://docs.slack.dev/apis/web-api and https://docs.slack.dev/apis/web-api/rate-limits (tiers 1 to 4: 1+,
20+, 50+ and 100+ calls a minute)
"""

import json
import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from sandbox.slack.errors import SlackError, SlackFault, ratelimited
from sandbox.slack.workspace import Channel, Workspace

JsonObject = dict[str, Any]
BOT_SCOPES = (
    "app_mentions:read,channels:history,channels:read,chat:write,chat:write.public,commands,files:read,files:write,"
    "groups:history,groups:read,im:history,im:read,im:write,usergroups:read,users.profile:read,users:read,"
    "users:read.email"
)


PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}


@dataclass(frozen=True, slots=True)
class Token:
    """A token that the workspace accepts: a bot's, or an app-level one for Socket Mode."""

    kind: Literal["bot", "app"]
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One line of the log: a call, and what was answered (status 0: no answer was sent)."""

    at: float
    method: str
    args: JsonObject
    status: int
    response: Any


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A call in progress: the workspace, its arguments and its token."""

    workspace: Workspace
    args: JsonObject
    token: Token
    base_url: str

    def require_scope(self, scope: str) -> None:
        """Require a scope.

        Raises:
            Refused: `missing_scope`.
        """
        if scope not in self.token.scopes:
            raise missing_scope(scope, self.token)

    def text(self, name: str) -> str:
        """Return a required argument.

        Raises:
            Refused: `invalid_arguments`; it is not there.
        """
        value = self.args.get(name)
        if value in (None, ""):
            raise SlackError("invalid_arguments", [f"missing required field: {name}"])
        return str(value)

    def parsed(self, name: str, error: str) -> Any:
        """Return an argument that is JSON, also when it came as a form's string; None when it is not there.

        Raises:
            Refused: with `error`; the string is not JSON.
        """
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None

    def flag(self, name: str) -> bool:
        """Return whether an argument is true, in JSON or in a form."""
        return self.args.get(name) in (True, 1, "true", "True", "1")

    def number(self, name: str, default: int) -> int:
        """Return an integer argument.

        Raises:
            Refused: `invalid_arguments`.
        """
        value = self.args.get(name)
        try:
            return int(value) if value not in (None, "") else default
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", [f"must be an integer: {name}"]) from None

    def channel(self, *, member: bool) -> Channel:
        """Return the channel of the argument `channel`.

        Raises:
            Refused: `channel_not_found`; `not_in_channel` when the bot has to be a `member` and is not.
        """
        channel = self.workspace.channels.get(str(self.args.get("channel", "")))
        inside = channel is not None and self.workspace.seed.bot_user_id in channel.members
        if channel is None or (not inside and channel.info.kind != "channels"):
            raise SlackError("channel_not_found")
        if member and not inside:
            raise SlackError("not_in_channel")
        return channel


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: what it does, the scope it needs, its tier (0: `chat.postMessage`'s own), whose token."""

    run: Callable[[ApiRequest], JsonObject]
    scope: str = ""
    tier: int = 3
    caller: Literal["bot", "app"] = "bot"


class RateLimits:
    """Counts calls in sliding windows; off until `enforced` is set.

    Args:
        clock: returns the current time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.enforced = False
        self._now = clock
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def wait(self, method: str, tier: int, channel: str | None = None) -> int:
        """Count a call and return 0, or return the seconds to wait if it is over the limit (it is not counted).

        Args:
            method: the Web API method.
            tier: 1 to 4; 0 for the special limit of `chat.postMessage`.
            channel: the channel of a message.
        """
        if not self.enforced:
            return 0
        if tier:
            return self._take(method, PER_MINUTE[tier], 60.0)
        return self._take(f"{method} {channel}", 1, 1.0)

    def _take(self, key: str, most: int, window: float) -> int:
        calls, now = self._calls[key], self._now()
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0


@dataclass(slots=True)
class WebApi:
    """Answers Web API calls over HTTP.

    Attributes:
        log: every call, in order of its answer.
    """

    workspace: Workspace
    tokens: dict[str, Token]
    methods: dict[str, Method]
    rates: RateLimits
    faults: list[SlackFault] = field(default_factory=list)
    log: list[ApiCall] = field(default_factory=list)

    def take_fault(self, method: str, args: JsonObject) -> SlackFault | None:
        """Return the fault that this call gets, if any."""
        for fault in self.faults:
            if fault.applies(method, args):
                self.workspace.changed()
                return fault
        return None

    def record(self, method: str, args: JsonObject, status: int, response: Any) -> None:
        """Record a call in the log, and wake every waiter."""
        self.log.append(ApiCall(self.workspace.now(), method, args, status, response))
        self.workspace.changed()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call."""
        method, args = request.match_info["method"], await _arguments(request)
        credential = _credential(request, args)
        status, answer = 0, None
        try:
            try:
                response = await self._answer(request, method, args, credential)
            except SlackError as refused:
                response = web.json_response(refused.answer(), status=refused.status, headers=refused.headers)
            status, answer = response.status, response.text
        finally:
            self.record(method, args, status, _json(answer))
        token = self.tokens.get(credential)
        if token is not None:
            response.headers["x-oauth-scopes"] = ",".join(sorted(token.scopes))
        return response

    async def _answer(self, request: web.Request, method: str, args: JsonObject, credential: str) -> web.Response:
        fault = self.take_fault(method, args)
        if fault and fault.when == "before":
            return await fault.respond(request)
        base_url = f"{request.scheme}://{request.host}"
        answer = self._run(method, args, credential, base_url)
        if fault:
            return await fault.respond(request)
        return web.json_response({"ok": True, **answer})

    def _run(self, name: str, args: JsonObject, credential: str, base_url: str) -> JsonObject:
        method = self.methods.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        if not credential:
            raise SlackError("not_authed")
        token = self.tokens.get(credential)
        if token is None:
            raise SlackError("invalid_auth")
        if token.kind != method.caller:
            raise SlackError("not_allowed_token_type")
        if method.scope and method.scope not in token.scopes:
            raise missing_scope(method.scope, token)
        seconds = self.rates.wait(name, method.tier, args.get("channel"))
        if seconds:
            raise ratelimited(seconds)
        return method.run(ApiRequest(self.workspace, args, token, base_url))


def missing_scope(scope: str, token: Token) -> SlackError:
    """Return Slack's error for a call without the scope."""
    return SlackError(
        "missing_scope",
        needed=scope,
        provided=",".join(sorted(token.scopes)),
        headers={"x-accepted-oauth-scopes": scope},
    )


async def _arguments(request: web.Request) -> JsonObject:
    args: JsonObject = dict(request.query)
    if request.content_type == "application/json":
        body = _json((await request.read()).decode("utf-8", "replace"))
        args.update(body if isinstance(body, dict) else {})
    else:
        args.update(await request.post())
    return args


def _credential(request: web.Request, args: JsonObject) -> str:
    in_arguments = str(args.pop("token", ""))
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bearer or in_arguments


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
