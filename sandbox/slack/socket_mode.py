"""Socket Mode: tickets, connections, envelopes and their acknowledgements.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from sandbox.slack.web_api import ApiRequest, JsonObject, Method
from sandbox.slack.workspace import Workspace

MAX_CONNECTIONS = 10
CONNECTION_SECONDS = 3600


@dataclass(slots=True, eq=False)
class SocketConnection:
    """One open WebSocket; `leaving` after Slack asked the app to reconnect."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    leaving: bool = False
    pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


class SocketMode:
    """The open connections of the app; each envelope goes to one of them, in turn.

    Args:
        workspace: the workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.connections: list[SocketConnection] = []
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._turn = 0

    @property
    def listening(self) -> list[SocketConnection]:
        """The connections that take envelopes."""
        return [connection for connection in self.connections if not connection.leaving]

    def open(self, call: ApiRequest) -> JsonObject:
        """Answer `apps.connections.open`: a WebSocket URL with a ticket for one connection."""
        ticket = uuid4().hex
        self._tickets.add(ticket)
        base = "ws" + call.base_url.removeprefix("http")
        return {"url": f"{base}/link/?ticket={ticket}&app_id={self._workspace.seed.app_id}"}

    @property
    def methods(self) -> dict[str, Method]:
        """The Web API methods of Socket Mode."""
        return {"apps.connections.open": Method(self.open, "connections:write", tier=3, caller="app")}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid ticket")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.connections) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = SocketConnection(socket, request.transport)
        self.connections.append(connection)
        try:
            await socket.send_json(self._hello())
            self._workspace.changed()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    _acknowledge(connection, message.data)
        finally:
            self.connections.remove(connection)
            for future in connection.pending.values():
                if not future.done():
                    future.set_exception(ConnectionResetError("the connection closed before the acknowledgement"))
            self._workspace.changed()
        return socket

    async def send(self, kind: str, payload: dict[str, Any], retry: dict[str, Any], limit: float) -> Any:
        """Send one envelope. Return the payload of its acknowledgement, empty if it has none.

        Args:
            kind: the envelope's type.
            payload: its payload.
            retry: `retry_attempt` and `retry_reason`, for events.
            limit: seconds to wait.

        Raises:
            TimeoutError: no acknowledgement came in time.
            ConnectionError: the connection closed first.
        """
        listening = self.listening
        self._turn += 1
        connection = listening[self._turn % len(listening)]
        envelope_id = str(uuid4())
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
            **retry,
        }
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        connection.pending[envelope_id] = future
        try:
            async with asyncio.timeout(limit):
                await connection.socket.send_json(envelope)
                return await future
        finally:
            del connection.pending[envelope_id]

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the app to reconnect, as Slack does from time to time; the old connections get no more envelopes."""
        for connection in self.listening:
            connection.leaving = True
            await connection.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
            )

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self.connections):
            await connection.socket.close(code=1001, message=b"shutting down")

    def drop(self) -> None:
        """Drop every connection without a close frame."""
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": self._workspace.seed.app_id},
            "debug_info": {
                "host": "sandbox",
                "build_number": 1,
                "approximate_connection_time": CONNECTION_SECONDS,
            },
        }


def _acknowledge(connection: SocketConnection, text: str) -> None:
    try:
        answer = json.loads(text)
    except ValueError:
        return
    future = connection.pending.get(answer.get("envelope_id", "")) if isinstance(answer, dict) else None
    if future is not None and not future.done():
        future.set_result(answer.get("payload") or "")
