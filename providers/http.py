"""The HTTP client that all adapters share: time-outs, retried reads, writes sent once, answers parsed at the border."""

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

from providers.base import MAX_COOLDOWN, OutcomeUnknown, ProviderError, ProviderFault, RateLimited, Unreachable

MAX_READ_ATTEMPTS = 4
MAX_READ_WAIT = 30.0
"""Seconds a read waits before it is tried again; a longer `Retry-After` is passed on to the caller."""
MAX_SHARED_WAIT = 60.0
"""Seconds for which one refused read holds back the others: a limit may be that of one path alone."""
DEFAULT_LIMIT_WINDOW = 1.0
"""Seconds that a 429 without `Retry-After` is taken to mean, where the provider does not document its window."""

MAX_DEPTH = 50
"""Levels of a body; no contract has more than ten."""
CALL_TIMEOUT = 120.0
"""Seconds for a whole call: httpx counts each piece of an answer anew."""
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=30.0)
LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=5)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_TRANSIENT = frozenset({429, 500, 502, 503, 504})

Query = Mapping[str, str | int]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: its status, its JSON body (None where there is none), its text, and how long to wait.

    Attributes:
        retry_after: seconds from the `Retry-After` header (RFC 9110 §10.2.3), None where it is absent or unreadable;
            never less than a second or more than `LONGEST_REST`, for some senders write a moment in place of a time.
    """

    status: int
    body: Any
    text: str
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """True for every 2xx status."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is RFC 9110's

    def parse(self, model: type[Model]) -> Model:
        """Read the body as `model`. Raises `ProviderFault` for a body of another shape."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors()[:3])
            raise ProviderFault(
                f"The provider answered in a shape it does not document ({places}).", code=str(self.status)
            ) from None


class HttpClient:
    """One pooled client for one connection.

    Args:
        base_url: where the provider's paths start.
        headers: sent with every request; the credentials are here and nowhere else.
        limit_window: seconds until calls are accepted again after a 429 that does not say so.
        timeout: seconds for connecting, sending, waiting and for a place in the pool.
        transport: another transport than the network, for tests that record exchanges.
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
        self._refusal: Reply | None = None
        self._free_at = 0.0

    async def read(self, method: str, path: str, *, params: Query | None = None, body: Any = None) -> Reply:
        """Send a call that changes nothing, and again after a transport error, a 429 or a 5xx, with back-off.

        `Retry-After` says how long to wait; where that is longer than `LONGEST_WAIT`, the answer is given at once. What
        the last attempt was answered is returned for the adapter to read by its contract, as with a write. The reads
        of one client share a limit: once one is refused, the others wait too, and each wait is one of their attempts.

        Raises:
            Unreachable: no connection could be made, at the last attempt.
            ProviderFault: the connection broke or the answer was a redirect.
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
        """Send a call that changes something, once.

        Any status is returned for the adapter to read by its contract, 5xx too.

        Raises:
            Unreachable: no connection could be made; nothing was sent.
            OutcomeUnknown: it was sent, and no answer came back, or one that tells nothing: a redirect.
        """
        try:
            return await self._send(method, path, params, body)
        except _NOT_SENT as error:
            raise _unreachable(error) from error
        except ProviderFault as error:
            raise OutcomeUnknown(error.message, code=error.code) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"The request was sent and no answer came back ({type(error).__name__}).", code=type(error).__name__
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
            self._refusal, self._free_at = reply, monotonic() + min(wait, MAX_SHARED_WAIT)
        return reply

    def _still_refused(self) -> Reply | None:
        """Give the 429 that holds back all reads, with the time that is left; None where calls are accepted."""
        left = self._free_at - monotonic()
        return replace(self._refusal, retry_after=left) if self._refusal and left > 0 else None

    def _wait_after(self, reply: Reply) -> float | None:
        """Tell how many seconds to wait after an answer; None where nobody says so."""
        if reply.retry_after is None and reply.status == httpx.codes.TOO_MANY_REQUESTS:
            return self._limit_window
        return reply.retry_after

    async def _send(self, method: str, path: str, params: Query | None, body: Any) -> Reply:
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                response = await self._client.request(method, path, params=params, json=body)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the answer did not end") from error
        if response.is_redirect:
            raise ProviderFault(
                "The provider answered with a redirect; check base_url.", code=str(response.status_code)
            )
        return Reply(
            status=response.status_code,
            body=_json(response.content),
            text=response.content.decode("utf-8", "replace"),
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


class _RetryableReply(Exception):
    """An answer to a read that another attempt may better, after `wait` seconds where they are known."""

    def __init__(self, reply: Reply, wait: float | None) -> None:
        super().__init__(reply.status)
        self.reply = reply
        self.wait = wait


def rate_limited(reply: Reply, *, code: str = "", provider_text: str = "") -> RateLimited:
    """Make the error of a 429, with the wait that came with it."""
    return RateLimited(
        "The provider refused because of too many calls.",
        code=code or str(reply.status),
        provider_text=provider_text or reply.text,
        retry_after=reply.retry_after,
    )


def _wait_before_next_read(error: Exception) -> bool | float:
    """Tell stamina whether to try a read again (True: with its own back-off), or after how many seconds."""
    if isinstance(error, _RetryableReply) and error.wait is not None:
        return error.wait
    if isinstance(error, Unreachable | _RetryableReply):
        return True
    return type(error) is ProviderFault and isinstance(error.__cause__, httpx.HTTPError)


def _unreachable(error: Exception) -> ProviderError:
    return Unreachable(f"No connection to the provider ({type(error).__name__}).", code=type(error).__name__)


def _json(content: bytes) -> Any:
    """Read a body; None where it is no JSON, or nests deeper than adapters can walk through it."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    level = [body]
    for _ in range(MAX_DEPTH):
        outer = [value for value in level if isinstance(value, dict | list)]
        if not outer:
            return body
        level = [inner for value in outer for inner in (value.values() if isinstance(value, dict) else value)]
    return None


def _retry_after(header: str | None) -> float | None:
    """Read `Retry-After`: whole seconds, or an HTTP date, which is in UTC whether it says so or not."""
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
