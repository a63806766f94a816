"""The OpenAPI contracts of the providers: checks of HTTP exchanges against them, and what they document as data."""

import functools
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.responses.exceptions import ResponseFinderError
from werkzeug.datastructures import Headers, ImmutableMultiDict

_checked: set[tuple[Any, ...]] = set()
"""Exchanges that kept to their contract: the same ones are frequent, and the check of one takes milliseconds."""

CONTRACTS = Path(__file__).parent.parent / "contracts"

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For simulators, which use plain HTTP: reading the system's certificates takes longer than many tests."""


@functools.cache
def contract(name: str) -> OpenAPI:
    """Read a provider's contract; its server becomes the root, so that paths match on every host."""
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
    """Send over the network, and check each request and each JSON answer against the contract.

    Args:
        name: the contract, for example `wasend`.
        prefix: what the simulator's paths have before the contract's paths, for example `/api/v2`.
        undescribed: ends of paths that the contract names without describing them; they aren't checked.
        is_undocumented: whether the contract leaves out the answer on purpose, by path and status.

    Attributes:
        breaches: what broke the contract, one line each, which starts with `request` or `answer to`.
    """

    def __init__(
        self,
        name: str,
        prefix: str = "",
        undescribed: tuple[str, ...] = (),
        is_undocumented: Callable[[str, int], bool] = lambda _path, _status: False,
    ) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self._contract = contract(name)
        self._prefix = prefix
        self._undescribed = undescribed
        self._is_undocumented = is_undocumented
        self.breaches: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        if not request.url.path.endswith(self._undescribed or "\n"):
            self._check(request, response)
        return response

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        headers = tuple((name, value) for name, value in request.headers.items() if name != "host")
        sent = (self._prefix, request.method, request.url.raw_path, headers, request.content)
        received = (response.status_code, response.headers.get("Content-Type"), response.content)
        exchange = (self._contract, *sent, *received)
        if exchange in _checked:
            return
        line = f"{request.method} {request.url.raw_path.decode()} {request.content!r}"
        wrapped = _Request(request, self._prefix)
        requests = [
            f"request {line}: {error!r} {error.__cause__!r}" for error in self._contract.iter_request_errors(wrapped)
        ]
        answers = [
            f"answer to {line}: {response.status_code} {response.text[:500]}: {error!r} {error.__cause__!r}"
            for error in (
                self._contract.iter_response_errors(wrapped, _Response(response)) if _is_json(response) else ()
            )
            if not (
                isinstance(error, ResponseFinderError) and self._is_undocumented(request.url.path, response.status_code)
            )
        ]
        self.breaches += requests + answers
        if not requests and not answers:
            _checked.add(exchange)


def _is_json(response: httpx.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return not response.content
    return True


_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_IN_DEFAULT = (403, 404, 500, 503)
"""Statuses that stand for `default`: those of WUTS's site-wide table, and two of a failing server."""

_EVERYWHERE = (401, 403, 429)
"""Statuses that the conventions of every contract hold for all operations, named on their pages or not."""

HTML = b"<html><head><title>Error</title></head><body>Something went wrong</body></html>"


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """A documented error: its status, one body, and the provider's code and words in it, empty where it has none.

    Attributes:
        body: None for what the simulator answers with this status.
        made_up: the contract shows no body.
    """

    status: int
    label: str
    body: bytes | None
    made_up: bool = False
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ContractDocument:
    """A provider's contract."""

    name: str
    document: Mapping[str, Any]

    def operations(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the operations by their id."""
        return {operation["operationId"]: operation for _, _, operation in self._walk()}

    def operation_of(self, method: str, path: str) -> str:
        """Return the id of the operation that a call is; empty where the contract does not describe it.

        A path that is written out comes before one with parameters.
        """
        found = [
            (template.count("{"), operation["operationId"])
            for template, verb, operation in self._walk()
            if verb == method.lower() and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)
        ]
        return min(found, default=(0, ""))[1]

    def native(self, operation_id: str) -> tuple[str, ...]:
        """Return the scopes or permissions that the contract names for an operation."""
        operation = self.operations()[operation_id]
        scopes = [scope for way in operation.get("security") or () for needed in way.values() for scope in needed]
        named = [*scopes, operation.get("x-required-scope"), operation.get("x-capability")]
        return tuple(dict.fromkeys(word for word in named if word))

    def calls_success(self, operation_id: str, status: int, body: bytes) -> bool:
        """Return whether an answer is a success by the contract, though it may say next to nothing."""
        for key, answer in self.operations()[operation_id]["responses"].items():
            if key.upper() in {str(status), f"{status // 100}XX"} and self._fits(self._resolved(answer), body):
                return True
        return False

    def _fits(self, response: Mapping[str, Any], body: bytes) -> bool:
        if not response.get("content"):
            return not body
        try:
            content = json.loads(body)
        except ValueError:
            return False
        schema = response["content"]["application/json"].get("schema", {})
        return Draft202012Validator({**schema, "components": self.document["components"]}).is_valid(content)

    def errors_of(self, operation_id: str) -> Iterator[DocumentedError]:
        """Return every documented error of an operation with its bodies; without any: an empty one, and HTML."""
        for status, answer in self.operations()[operation_id]["responses"].items():
            response = self._resolved(answer)
            if status == "default":
                statuses: tuple[int, ...] = _IN_DEFAULT
            else:
                statuses = (int(status),) if status.isdecimal() and int(status) >= 400 else ()
            shown = dict(self._bodies(response))
            for number in statuses:
                for label, body in (shown or {"empty": b"", "html": HTML}).items():
                    yield DocumentedError(number, label, body, not shown, *code_and_text(body))
        for number in _EVERYWHERE:
            if str(number) not in self.operations()[operation_id]["responses"]:
                yield DocumentedError(number, "as everywhere", None, made_up=True)

    def _walk(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for path, item in self.document["paths"].items():
            for verb, operation in item.items():
                if verb in _METHODS:
                    yield path, verb, operation

    def _resolved(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            *_, section, name = node["$ref"].split("/")
            node = self.document["components"][section][name]
        return node

    def _bodies(self, response: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
        content = response.get("content", {}).get("application/json", {})
        if "example" in content:
            yield "example", json.dumps(content["example"]).encode()
        for name, example in content.get("examples", {}).items():
            yield name, json.dumps(self._resolved(example)["value"]).encode()
        for code in response.get("x-error-codes", ()):  # where it sits in the body is not documented: both ways
            yield f"{code} nested", json.dumps({"error": {"code": code, "message": f"It says {code}"}}).encode()
            yield f"{code} flat", json.dumps({"code": code, "message": f"It says {code}"}).encode()


@functools.cache
def contract_document(name: str) -> ContractDocument:
    """Read a contract."""
    return ContractDocument(name, yaml.load((CONTRACTS / f"{name}.openapi.yaml").read_text(), yaml.CSafeLoader))


def quotes(name: str, text: str) -> bool:
    """Return whether a contract has these words, wherever its lines break."""
    return text in " ".join((CONTRACTS / f"{name}.openapi.yaml").read_text().split())


def code_and_text(body: bytes | str) -> tuple[str, str]:
    """Find the code and the words of an example body, in any of the shapes of the five contracts."""
    try:
        content = json.loads(body)
    except ValueError:
        return "", ""
    error = content.get("error")
    inner = error if isinstance(error, dict) else content
    text = [inner.get(name) for name in ("error_message", "message", "detail")]
    code = inner.get("error_code") or inner.get("code") or ""
    return str(code), next((w for w in text if isinstance(w, str)), error if isinstance(error, str) else "")
