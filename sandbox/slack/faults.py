"""What goes wrong on demand in the simulated Slack."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from sandbox.slack.errors import SlackError

_HOURS = 7200.0


@dataclass(slots=True)
class SlackFault:
    """Something that goes wrong on demand.

    Attributes:
        method: the Web API method it strikes; also `response_url` and `upload`; empty: every call.
        contains: a part of the arguments, as JSON, that a call must hold; empty: any.
        error: Slack's error code (`ratelimited` comes as 429 with `Retry-After`), `hang` (no answer until the client
            gives up) or `drop` (the connection breaks); empty: a bare HTTP error of `status`.
        status: the HTTP status when there is no error code.
        retry_after: seconds in `Retry-After`.
        when: `before` the call takes effect, or `after` (the effect stays, the answer is lost).
        times: how many calls it strikes; -1: all.
        skip: how many matching calls it lets pass first.
    """

    method: str = ""
    contains: str = ""
    error: str = ""
    status: int = 500
    retry_after: int = 1
    when: Literal["before", "after"] = "before"
    times: int = 1
    skip: int = 0

    def strikes(self, method: str, args: dict[str, Any]) -> bool:
        """Tell whether it strikes this call, and count it."""
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

    async def strike(self, request: web.Request) -> web.Response:
        """Answer as the fault says.

        Raises:
            Refused: with the fault's error code.
            ConnectionResetError: the connection was dropped.
        """
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
    """Give Slack's answer to a call too many: HTTP 429 with `Retry-After` in seconds."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(seconds)})
