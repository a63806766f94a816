"""The HTTP client that all adapters share: time-outs, retried reads, writes sent once, answers parsed at the border."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import stamina
from pydantic import BaseModel, ValidationError

from providers.base import LONGEST_REST, OutcomeUnknown, ProviderError, ProviderFault, RateLimited, Unreachable

READ_ATTEMPTS = 4
LONGEST_WAIT = 30.0
"""Seconds a read waits before it is tried again; a longer `Retry-After` is passed on to the caller."""

DEEPEST = 50
"""Levels of a body; no contract has more than ten."""
LONGEST_CALL = 120.0
"""Seconds for a whole call: httpx counts each piece of an answer anew."""
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=30.0)
LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=5)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_GATEWAY_STATUSES = frozenset({500, 502, 503, 504})

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
        timeout: seconds for connecting, sending, waiting and for a place in the pool.
        transport: another transport than the network, for tests that record exchanges.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
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

    async def read(self, method: str, path: str, *, params: Query | None = None, body: Any = None) -> Reply:
        """Send a call that changes nothing, and again after a transport error, a 429 or a 5xx, with back-off.

        Raises:
            Unreachable: no connection could be made, at the last attempt.
            ProviderFault: the connection broke or the answer was a redirect.
            RateLimited: 429 at the last attempt, or with a wait longer than `LONGEST_WAIT`.
        """
        async for attempt in stamina.retry_context(on=_wait_before_next_read, attempts=READ_ATTEMPTS, timeout=120.0):
            with attempt:
                try:
                    reply = await self._send(method, path, params, body)
                except _NOT_SENT as error:
                    raise _unreachable(error) from error
                except httpx.HTTPError as error:
                    raise ProviderFault(f"The connection to the provider broke ({type(error).__name__}).") from error
                if reply.status == httpx.codes.TOO_MANY_REQUESTS:
                    raise rate_limited(reply)
                if reply.status in _GATEWAY_STATUSES and attempt.num < READ_ATTEMPTS:
                    raise _TryAgain(reply)
                return reply
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

    async def _send(self, method: str, path: str, params: Query | None, body: Any) -> Reply:
        try:
            async with asyncio.timeout(LONGEST_CALL):
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


class _TryAgain(ProviderFault):
    """A 5xx to a read that is not the last attempt's."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("The provider failed.", code=str(reply.status), words=reply.text)


def rate_limited(reply: Reply, *, code: str = "", words: str = "") -> RateLimited:
    """Make the error of a 429, with the wait that came with it."""
    return RateLimited(
        "The provider refused because of too many calls.",
        code=code or str(reply.status),
        words=words or reply.text,
        retry_after=reply.retry_after,
    )


def _wait_before_next_read(error: Exception) -> bool | float:
    """Tell stamina whether to try a read again (True: with its own back-off), or after how many seconds."""
    if isinstance(error, RateLimited):
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= LONGEST_WAIT else False
    if isinstance(error, Unreachable | _TryAgain):
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
    for _ in range(DEEPEST):
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
    return min(max(1.0, seconds), LONGEST_REST)
