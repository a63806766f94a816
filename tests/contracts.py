"""Holds HTTP exchanges to an OpenAPI contract: what an adapter sends and what a simulated provider answers."""

import functools
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

_held: set[tuple[Any, ...]] = set()
"""Exchanges that kept to their contract: the same ones come again and again, and to check one takes milliseconds."""

CONTRACTS = Path(__file__).parent.parent / "contracts"

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Simulators speak plain HTTP; to read the system's certificates takes longer than many a test."""


@functools.cache
def contract(name: str) -> OpenAPI:
    """Read a provider's contract; its server becomes the root, so that paths match wherever a simulator listens."""
    document: dict[str, Any] = yaml.load((CONTRACTS / f"{name}.openapi.yaml").read_text(), yaml.CSafeLoader)
    document["servers"] = [{"url": "/"}]
    return OpenAPI.from_dict(document)


class _Request:
    def __init__(self, request: httpx.Request, prefix: str) -> None:
        self._request = request
        self._prefix = prefix
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(list(request.url.params.multi_items())),
            header=Headers(dict(request.headers)),
        )

    @property
    def host_url(self) -> str:
        return f"{self._request.url.scheme}://{self._request.url.netloc.decode()}"

    @property
    def path(self) -> str:
        return self._request.url.path.removeprefix(self._prefix)

    @property
    def full_url_pattern(self) -> str:
        return self.host_url + self.path

    @property
    def method(self) -> str:
        return self._request.method.lower()

    @property
    def body(self) -> bytes | None:
        return self._request.content or None

    @property
    def content_type(self) -> str:
        return str(self._request.headers.get("Content-Type", "application/json"))


class _Response:
    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = Headers(dict(response.headers))
        self.content_type = response.headers.get("Content-Type", "application/json").split(";")[0]
        self.data = response.content or None


class ContractTransport(httpx.AsyncHTTPTransport):
    """Sends over the network, and checks each request and each JSON answer against the contract as it passes.

    Args:
        name: the contract, for example `wasend`.
        prefix: what the simulator's paths have before the contract's paths, for example `/api/v2`.

    Attributes:
        exchanges: how many were checked.
        broken: what did not hold, one line each; a test asserts that it is empty.
    """

    def __init__(self, name: str, prefix: str = "") -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self._contract = contract(name)
        self._prefix = prefix
        self.exchanges = 0
        self.broken: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        self.exchanges += 1
        self._check(request, response)
        return response

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        headers = tuple((name, value) for name, value in request.headers.items() if name != "host")
        asked = (self._prefix, request.method, request.url.raw_path, headers, request.content)
        exchange = (
            self._contract,
            *asked,
            response.status_code,
            response.headers.get("Content-Type"),
            response.content,
        )
        if exchange in _held:
            return
        broken = len(self.broken)
        line = f"{request.method} {request.url.raw_path.decode()} {request.content!r}"
        wrapped = _Request(request, self._prefix)
        for error in self._contract.iter_request_errors(wrapped):
            self.broken.append(f"request {line}: {error!r} {error.__cause__!r}")
        if _is_json(response):
            for error in self._contract.iter_response_errors(wrapped, _Response(response)):
                self.broken.append(
                    f"answer to {line}: {response.status_code} {response.text[:500]}: {error!r} {error.__cause__!r}"
                )
        if len(self.broken) == broken:
            _held.add(exchange)


def _is_json(response: httpx.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return not response.content
    return True
