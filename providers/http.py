"""The HTTP client of all adapters: timeouts, retried reads, writes sent once, parsed responses."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, TypeVar

import httpx
import stamina
from pydantic import BaseModel, ValidationError

from providers.base import MAX_COOLDOWN, OutcomeUnknown, ProviderError, ProviderFault, Unreachable
from providers.text import clean_json

MAX_READ_ATTEMPTS = 4
MAX_READ_WAIT = 30.0
"""The longest wait of a read before its next attempt, in seconds. A longer `Retry-After` is returned to the caller."""
MAX_SHARED_WAIT = 60.0
"""The longest time for which one 429 delays the other reads, in seconds: the limit may be that of one path alone."""
DEFAULT_LIMIT_WINDOW = 1.0
"""The wait after a 429 without `Retry-After`, in seconds, unless the provider documents its window."""

MAX_DEPTH = 50
"""The deepest accepted nesting of a body; no contract has more than ten levels."""
CALL_TIMEOUT = 120.0
"""Seconds for a whole call: httpx restarts its read timeout with every chunk."""
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=30.0)
LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=5)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_TRANSIENT = frozenset({429, 500, 502, 503, 504})

Query = Mapping[str, str | int]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response: its status, its JSON body (None if there is none), its text, and how long to wait.

    Attributes:
        retry_after: seconds from the `Retry-After` header (RFC 9110 §10.2.3), None if it is absent or unreadable; at
            least a second and at most `MAX_COOLDOWN`, because some servers send a timestamp instead of a duration.
    """

    status: int
    body: Any
    text: str
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """True for every 2xx status."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is RFC 9110's

    @property
    def accepted_for_later(self) -> bool:
        """True for 202: the provider accepted the request and hasn't done it yet (RFC 9110 §15.3.3)."""
        return self.status == httpx.codes.ACCEPTED

    def parse(self, model: type[Model]) -> Model:
        """Parse the body as `model`. Raises `ProviderFault` if it has another format."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors()[:3])
            raise ProviderFault(
                f"The provider's answer has an undocumented format ({places}).", code=str(self.status)
            ) from None

    def parse_or(self, default: Model) -> Model:
        """Parse the body as the model of `default`, or return `default` if it has another format."""
        try:
            return type(default).model_validate(self.body)
        except ValidationError:
            return default

    def parse_result(self, model: type[Model], provider_text: str | None = None) -> Model:
        """Parse the response to a write. Raises `OutcomeUnknown` if the body has another format.

        Its text is `provider_text`, or the text of the body.
        """
        try:
            return self.parse(model)
        except ProviderFault as fault:
            text = self.text if provider_text is None else provider_text
            raise OutcomeUnknown(fault.message, code=fault.code, provider_text=text) from None


class HttpClient:
    """The pooled HTTP client of one connection.

    Args:
        base_url: the URL to which the provider's paths are added.
        headers: sent with every request; the credentials are only here.
        limit_window: seconds to wait after a 429 without `Retry-After`.
        timeout: seconds for connecting, sending, waiting and for a connection from the pool.
        transport: replaces the network, for tests that record exchanges.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        limit_window: float = DEFAULT_LIMIT_WINDOW,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": "rollcall", "Accept": "application/json", **headers},
            timeout=timeout,
            limits=LIMITS,
            follow_redirects=False,
            transport=transport,
            http2=transport is None and base_url.startswith("https://"),
        )
        self._limit_window = limit_window
        self._last_429: Reply | None = None
        self._free_at = 0.0

    async def read(self, method: str, path: str, *, params: Query | None = None, body: Any = None) -> Reply:
        """Send a call that changes nothing. Retry it with back-off after a transport error, a 429 or a 5xx.

        `Retry-After` sets the wait; if it is longer than `MAX_READ_WAIT`, the response is returned immediately. The
        response of the last attempt is returned whatever its status, as with a write. The reads of one client share a
        rate limit: after a 429 to one of them the others wait too, and each wait counts as one of their attempts.

        Raises:
            Unreachable: no connection could be made at the last attempt.
            ProviderFault: the connection broke, or the response was a redirect.
        """
        try:
            async for attempt in stamina.retry_context(
                on=_wait_before_next_read, attempts=MAX_READ_ATTEMPTS, timeout=120.0
            ):
                with attempt:
                    return await self._attempt(method, path, params, body)
        except _RetryableReply as last:
            return last.reply
        raise AssertionError("stamina ends by a return or an error")

    async def write(self, method: str, path: str, *, params: Query | None = None, body: Any = None) -> Reply:
        """Send a call that changes something, once. Return its response whatever its status, 5xx too.

        Raises:
            Unreachable: no connection could be made; nothing was sent.
            OutcomeUnknown: it was sent, and no response came back or only a redirect.
        """
        try:
            return await self._send(method, path, params, body)
        except _NOT_SENT as error:
            raise _unreachable(error) from error
        except ProviderFault as error:
            raise OutcomeUnknown(error.message, code=error.code) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"The request was sent, but no answer came back ({type(error).__name__}).", code=type(error).__name__
            ) from error

    async def aclose(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def _attempt(self, method: str, path: str, params: Query | None, body: Any) -> Reply:
        reply = self._still_refused() or await self._read_once(method, path, params, body)
        wait = self._wait_after(reply)
        if reply.status in _TRANSIENT and (wait or 0.0) <= MAX_READ_WAIT:
            raise _RetryableReply(reply, wait)
        return reply

    async def _read_once(self, method: str, path: str, params: Query | None, body: Any) -> Reply:
        try:
            reply = await self._send(method, path, params, body)
        except _NOT_SENT as error:
            raise _unreachable(error) from error
        except httpx.HTTPError as error:
            raise ProviderFault(f"The connection to the provider broke ({type(error).__name__}).") from error
        if reply.status == httpx.codes.TOO_MANY_REQUESTS and (wait := self._wait_after(reply)):
            self._last_429, self._free_at = reply, monotonic() + min(wait, MAX_SHARED_WAIT)
        return reply

    def _still_refused(self) -> Reply | None:
        """Return the 429 that delays all reads, with the time that is left; None if calls are accepted."""
        left = self._free_at - monotonic()
        return replace(self._last_429, retry_after=left) if self._last_429 and left > 0 else None

    def _wait_after(self, reply: Reply) -> float | None:
        """Return the seconds to wait after a response; None if nothing says so."""
        if reply.retry_after is None and reply.status == httpx.codes.TOO_MANY_REQUESTS:
            return self._limit_window
        return reply.retry_after

    async def _send(self, method: str, path: str, params: Query | None, body: Any) -> Reply:
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                response = await self._client.request(method, path, params=params, json=body)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the response did not end") from error
        if response.is_redirect:
            raise ProviderFault(
                "The provider answered with a redirect. Check base_url.", code=str(response.status_code)
            )
        return Reply(
            status=response.status_code,
            body=_json(response.content),
            text=response.content.decode("utf-8", "replace"),
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


class _RetryableReply(Exception):
    """A response to a read that is worth another attempt, after `wait` seconds if known."""

    def __init__(self, reply: Reply, wait: float | None) -> None:
        super().__init__(reply.status)
        self.reply = reply
        self.wait = wait


def _wait_before_next_read(error: Exception) -> bool | float:
    """Return for stamina whether to retry a read (True: with its own back-off), or the seconds to wait first."""
    if isinstance(error, _RetryableReply) and error.wait is not None:
        return error.wait
    if isinstance(error, Unreachable | _RetryableReply):
        return True
    return type(error) is ProviderFault and isinstance(error.__cause__, httpx.HTTPError)


def _unreachable(error: Exception) -> ProviderError:
    return Unreachable(f"Couldn't reach the provider ({type(error).__name__}).", code=type(error).__name__)


def _json(content: bytes) -> Any:
    """Parse a body; None if it isn't JSON, or is nested too deeply for adapters to walk through."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    level = [body]
    for _ in range(MAX_DEPTH):
        outer = [value for value in level if isinstance(value, dict | list)]
        if not outer:
            return clean_json(body)
        level = [inner for value in outer for inner in (value.values() if isinstance(value, dict) else value)]
    return None


def _retry_after(header: str | None) -> float | None:
    """Parse `Retry-After`: whole seconds, or an HTTP date, always in UTC."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            seconds = float(header)
        else:
            until = parsedate_to_datetime(header)
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            seconds = (until - datetime.now(UTC)).total_seconds()
    except ValueError:
        return None
    return min(max(1.0, seconds), MAX_COOLDOWN)
