"""Delivers what happens in Slack to the app: over a Socket Mode connection when one is open, else by signed HTTP.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack and
https://docs.slack.dev/apis/events-api (3 s to acknowledge; `X-Slack-Retry-Num`, `X-Slack-Retry-Reason`)
"""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.workspace import Workspace

Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class Ack:
    """What the app answered to a delivery.

    Attributes:
        status: the HTTP status (200 for an acknowledged envelope; 0: none came).
        body: the parsed JSON, or the text; empty when there was none.
        elapsed: seconds it took.
        trigger_id: the trigger that the delivery carried, if any.
        timed_out: no acknowledgement came within Slack's limit.
        error: why Slack could not use the answer, or why none came; empty without an error.
        delivery: the delivery's id in the log.
    """

    status: int
    body: Any
    elapsed: float
    trigger_id: str = ""
    timed_out: bool = False
    error: str = ""
    delivery: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the app acknowledged in time and Slack could use the answer."""
        return self.status == HTTPStatus.OK and not self.error


@dataclass(slots=True)
class Delivery:
    """One line of the log: what was delivered, how, as which attempt, and how it was acknowledged."""

    id: str
    at: float
    kind: Kind
    payload: dict[str, Any]
    transport: Literal["socket", "http"]
    retry_num: int = 0
    retry_reason: str = ""
    ack: Ack | None = field(default=None)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of `X-Slack-Signature`: HMAC-SHA256 over `v0:{timestamp}:{body}`."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class Deliverer:
    """Delivers, waits for the acknowledgement, and keeps a log.

    Args:
        workspace: the workspace.
        sockets: the Socket Mode connections.
        signing_secret: what HTTP deliveries are signed with; may be changed later.
        ack_limit: seconds the app has to acknowledge.

    Attributes:
        request_url: where HTTP deliveries go.
        log: every delivery, oldest first.
    """

    def __init__(self, workspace: Workspace, sockets: SocketMode, signing_secret: str, ack_limit: float) -> None:
        self.request_url = ""
        self.log: list[Delivery] = []
        self._workspace = workspace
        self._sockets = sockets
        self.signing_secret = signing_secret
        self._limit = ack_limit
        self._session: aiohttp.ClientSession | None = None

    async def deliver(
        self, kind: Kind, payload: dict[str, Any], *, retry_num: int = 0, retry_reason: str = ""
    ) -> Delivery:
        """Deliver once. Return the delivery with its acknowledgement."""
        delivery = Delivery(
            id=self._workspace.new_id("delivery-"),
            at=self._workspace.now(),
            kind=kind,
            payload=payload,
            transport="socket" if self._sockets.listening else "http",
            retry_num=retry_num,
            retry_reason=retry_reason,
        )
        self.log.append(delivery)
        self._workspace.changed()
        began = time.monotonic()
        status, body, error = 0, "", ""
        try:
            status, body = await (self._by_socket if delivery.transport == "socket" else self._by_http)(delivery)
        except TimeoutError:
            error = "operation_timeout"
        except (aiohttp.ClientError, OSError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        delivery.ack = Ack(
            status=status,
            body=body,
            elapsed=time.monotonic() - began,
            trigger_id=str(payload.get("trigger_id", "")),
            timed_out=error == "operation_timeout",
            error=error,
            delivery=delivery.id,
        )
        self._workspace.changed()
        return delivery

    def find(self, delivery_id: str) -> Delivery:
        """Return a delivery of the log.

        Raises:
            LookupError: there is none of this id.
        """
        for delivery in reversed(self.log):
            if delivery.id == delivery_id:
                return delivery
        raise LookupError(f"no delivery {delivery_id}")

    async def close(self) -> None:
        """Close the HTTP connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _by_socket(self, delivery: Delivery) -> tuple[int, Any]:
        retry = {"retry_attempt": delivery.retry_num, "retry_reason": delivery.retry_reason}
        return HTTPStatus.OK, await self._sockets.send(
            delivery.kind, delivery.payload, retry if delivery.kind == "events_api" else {}, self._limit
        )

    async def _by_http(self, delivery: Delivery) -> tuple[int, Any]:
        if not self.request_url:
            raise ConnectionError("no Socket Mode connection is open and no request URL is set")
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        content, headers = _encoded(delivery)
        timestamp = str(int(self._workspace.now()))
        headers |= {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self.signing_secret, timestamp, content),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        limit = aiohttp.ClientTimeout(total=self._limit)
        async with self._session.post(self.request_url, data=content, headers=headers, timeout=limit) as response:
            return response.status, _parsed(await response.text())


def _encoded(delivery: Delivery) -> tuple[bytes, dict[str, str]]:
    if delivery.kind == "events_api":
        headers = {"Content-Type": "application/json"}
        if delivery.retry_num:
            headers["X-Slack-Retry-Num"] = str(delivery.retry_num)
            headers["X-Slack-Retry-Reason"] = delivery.retry_reason
        return json.dumps(delivery.payload).encode(), headers
    form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
    return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text.startswith("{") else text
    except ValueError:
        return text
