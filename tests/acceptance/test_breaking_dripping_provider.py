import asyncio

import httpx
import pytest

from providers import http
from providers.base import OutcomeUnknown
from providers.http import HttpClient

SHORT = httpx.Timeout(1.0)


async def test_an_endless_response_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CALL_TIMEOUT", 0.3)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient(f"http://127.0.0.1:{port}", headers={}, timeout=SHORT)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(OutcomeUnknown):
                await client.write("POST", "/x")
    finally:
        await client.aclose()
        server.close()
        await server.wait_closed()
