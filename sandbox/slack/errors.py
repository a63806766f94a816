"""How a call fails in the simulated Slack: by Slack's own errors, and by injected faults."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

_HOURS = 7200.0


class SlackError(Exception):
    """A Web API call that Slack answers with `ok: false`.

    Args:
        error: Slack's error code.
        messages: texts for `response_metadata.messages`, without the `[ERROR]` mark.
        extra: further fields of the response, for example `needed` and `provided`.
        status: the HTTP status.
        headers: the response's extra headers.
    """

    def __init__(
        self,
        error: str,
        messages: list[str] | None = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.extra = extra
        self.status = status
        self.headers = headers or {}

    def answer(self) -> dict[str, Any]:
        """Return the JSON response. `errors` has the messages unmarked, as at Slack (java-slack-sdk #1017)."""
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["errors"] = self.messages
            answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return answer


@dataclass(slots=True)
class SlackFault:
    """A failure of a call, on demand.

    Attributes:
        method: the Web API method that fails; also `response_url` and `upload`; empty: every call.
        contains: a part of the arguments, as JSON, that selects calls; empty: any.
        error: Slack's error code (`ratelimited` comes as 429 with `Retry-After`), `hang` (no response until the client
            gives up) or `drop` (the connection breaks); empty: a bare HTTP error of `status`.
        status: the HTTP status when there is no error code.
        body: the whole response as text in JSON, in place of an error.
        retry_after: seconds in `Retry-After`.
        when: `before` the call takes effect, or `after` (the effect stays, the response is lost).
        times: how many calls fail; -1: all.
        skip: how many matching calls succeed first.
    """

    method: str = ""
    contains: str = ""
    error: str = ""
    status: int = 500
    body: str = ""
    retry_after: int = 1
    when: Literal["before", "after"] = "before"
    times: int = 1
    skip: int = 0

    def applies(self, method: str, args: dict[str, Any]) -> bool:
        """Return whether this call fails, and count it."""
        if self.times == 0 or self.method not in ("", method):
            return False
        if self.contains and self.contains not in json.dumps(args, ensure_ascii=False):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times > 0:
            self.times -= 1
        return True

    async def respond(self, request: web.Request) -> web.Response:
        """Return the response of the fault.

        Raises:
            Refused: with the fault's error code.
            ConnectionResetError: the connection was dropped.
        """
        if self.body:
            return web.Response(text=self.body, content_type="application/json")
        if self.error == "hang":
            await asyncio.sleep(_HOURS)
        if self.error in ("hang", "drop"):
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError
        if self.error == "ratelimited":
            raise ratelimited(self.retry_after)
        if self.error:
            raise SlackError(self.error)
        return web.Response(status=self.status, text="<html>Server Error</html>", content_type="text/html")


def ratelimited(seconds: int) -> SlackError:
    """Return Slack's error for too many calls: HTTP 429 with `Retry-After` in seconds."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(seconds)})
