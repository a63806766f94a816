"""The page's addresses: its files, the event stream, the traffic and the switches."""

import asyncio
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.bot_process import BotProcess
from sandbox.sandbox import Sandbox, serve_sandbox

STATIC = Path(__file__).parents[2] / "sandbox" / "web" / "static"
ALICE, CHANNEL = "U01ALICE", "C0LAUNCH"
SILENT_BOT = """
import sys
from aiohttp import web
app = web.Application()
app.router.add_get("/readyz", lambda _: web.Response())
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serve_sandbox(["wasend"], manifest={"features": {"slash_commands": [{"command": "/wa"}]}}) as served:
        yield served


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.slack.base_url) as session:
        yield session


class Stream:
    """The parts that a browser has received."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.parts: dict[str, Any] = {}
        self._response = response

    async def settle(self) -> list[str]:
        """Read until everything is up to date. Return the names of the parts that came."""
        names: list[str] = []
        async with asyncio.timeout(10):
            async for line in self._response.content:
                if line.startswith(b": up to date"):
                    return names
                if line.startswith(b"data: "):
                    part = json.loads(line.removeprefix(b"data: "))
                    self.parts[part["name"]] = part["value"]
                    names.append(part["name"])
        raise AssertionError("the stream ended")

    async def until(self, name: str, is_shown: Callable[[Any], bool]) -> Any:
        """Read until a part shows something. Return the part."""
        while not is_shown(self.parts[name]):
            await self.settle()
        return self.parts[name]


@pytest.fixture
async def stream(page: aiohttp.ClientSession) -> AsyncIterator[Stream]:
    async with page.get("/_control/stream", params={"user": ALICE}) as response:
        received = Stream(response)
        await received.settle()
        yield received


async def post(page: aiohttp.ClientSession, path: str, body: Any) -> int:
    async with page.post(f"/_control/{path}", json=body) as response:
        return response.status


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
async def test_every_file_of_the_page_is_served(page: aiohttp.ClientSession, name: str) -> None:
    async with page.get(f"/page/{name}") as response:
        assert await response.text() == (STATIC / name).read_text()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/..%2Froutes.py", "/page/%2Fetc%2Fpasswd"])
async def test_nothing_else_is_served(page: aiohttp.ClientSession, path: str) -> None:
    async with page.get(path) as response:
        assert response.status == 404


async def test_the_stream_sends_everything_first_and_then_only_what_changed(
    page: aiohttp.ClientSession, stream: Stream
) -> None:
    assert stream.parts["about"]["commands"] == [{"command": "/wa"}]
    assert stream.parts["messages/C0LAUNCH"] == []
    await post(page, "say", {"user": ALICE, "channel": CHANNEL, "text": "Hello"})
    assert await stream.settle() == ["messages/C0LAUNCH"]
    assert [message["text"] for message in stream.parts["messages/C0LAUNCH"]] == ["Hello"]


async def test_a_person_sees_only_their_own_ephemeral_messages(
    sandbox: Sandbox, page: aiohttp.ClientSession, stream: Stream
) -> None:
    sandbox.slack.workspace.post_ephemeral("U02BOB", CHANNEL, {"text": "for Bob"})
    await post(page, "say", {"user": ALICE, "channel": CHANNEL, "text": "Hello"})
    messages = await stream.until("messages/C0LAUNCH", bool)
    assert [message["text"] for message in messages] == ["Hello"]


async def test_providers_are_switched_and_shown_as_they_are(
    sandbox: Sandbox, page: aiohttp.ClientSession, stream: Stream
) -> None:
    fault = {"match": "POST", "status": -1, "when": "after", "times": 3}
    switched = {"account": "disconnected", "latency": 2, "faults": [fault]}
    assert await post(page, "provider/wasend", switched) == 200
    shown = await stream.until("provider/wasend", lambda provider: bool(provider["faults"]))
    assert (shown["account"], shown["latency"], shown["faults"][0]["times"]) == ("disconnected", 2.0, 3)
    assert (shown["groups"][0]["alias"], shown["groups"][0]["members"]) == ("wasend-team", [])
    assert (sandbox.providers["wasend"].latency, sandbox.providers["wasend"].faults[0].when) == (2.0, "after")


async def test_how_whatsapp_answers_for_a_number_is_changed(page: aiohttp.ClientSession, stream: Stream) -> None:
    assert await post(page, "person", {"phone": "+1 415 555 0123", "answer": "private"}) == 200
    shown = await stream.until("provider/wasend", lambda provider: bool(provider["people"]))
    assert shown["people"] == [{"phone": "14155550123", "answer": "private"}]
    assert await post(page, "person", {"phone": "none", "answer": "private"}) == 400


async def test_the_traffic_has_the_bodies_of_every_call(
    sandbox: Sandbox, page: aiohttp.ClientSession, stream: Stream
) -> None:
    headers = {"Authorization": f"Bearer {sandbox.slack.bot_token}"}
    async with page.post("/api/chat.postMessage", json={"channel": CHANNEL, "text": "Hi"}, headers=headers) as response:
        assert (await response.json())["ok"]
    async with aiohttp.ClientSession() as other, other.get(f"{sandbox.urls['wasend']}/sessions") as response:
        assert response.status == 401
    await post(page, "command", {"user": ALICE, "channel": CHANNEL, "name": "/wa", "text": "help"})
    shown = await stream.until("traffic", lambda rows: len(rows) == 3 and all(row["status"] != "…" for row in rows))
    rows = {row["id"]: row for row in shown}
    assert (rows["slack/0"]["what"], rows["slack/0"]["ok"]) == ("chat.postMessage", True)
    assert (rows["wasend/0"]["what"], rows["wasend/0"]["status"]) == ("GET /sessions", "401")
    assert (rows["deliveries/0"]["what"], rows["deliveries/0"]["ok"]) == ("/wa help", False)
    for name, word in {"slack/0": "Hi", "wasend/0": "API key missing", "deliveries/0": "help"}.items():
        async with page.get(f"/_control/traffic/{name}") as response:
            assert word in json.dumps(await response.json())
    async with page.get("/_control/traffic/slack/99") as response:
        assert response.status == 404


async def test_an_uploaded_file_is_shared_and_downloaded(page: aiohttp.ClientSession, stream: Stream) -> None:
    async with page.post(
        "/_control/upload", params={"user": ALICE, "name": "liste é.csv"}, data=b"Mobile\n"
    ) as response:
        file = (await response.json())["id"]
    await post(page, "say", {"user": ALICE, "channel": CHANNEL, "text": "", "files": [file]})
    messages = await stream.until("messages/C0LAUNCH", bool)
    assert messages[0]["files"][0]["name"] == "liste é.csv"
    async with page.get(f"/_control/file/{file}") as response:
        assert await response.read() == b"Mobile\n"


@pytest.mark.parametrize("headers", [{"Origin": "https://example.com"}, {"Host": "example.com"}])
async def test_other_sites_cannot_use_the_control_api(page: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    async with page.post("/_control/refresh", headers=headers) as response:
        assert response.status == 403


async def test_the_bot_is_killed_and_started(
    sandbox: Sandbox, page: aiohttp.ClientSession, stream: Stream, tmp_path: Path, unused_tcp_port: int
) -> None:
    assert await post(page, "bot", {"action": "kill"}) == 400
    sandbox.bot = BotProcess(
        [sys.executable, "-c", SILENT_BOT, str(unused_tcp_port)],
        {"http": {}, "socket": {}},
        f"http://127.0.0.1:{unused_tcp_port}",
        tmp_path / "bot.log",
        sandbox.slack.workspace.changed,
    )
    for action, transport, state in (
        ("start", "http", "running"),
        ("kill", "", "killed"),
        ("start", "socket", "running"),
    ):
        assert await post(page, "bot", {"action": action, "transport": transport}) == 200
        shown = await stream.until("bot", partial(_is_in_state, state))
        assert shown["transport"] == transport or not transport
    await sandbox.bot.stop()


def _is_in_state(state: str, bot: dict[str, Any] | None) -> bool:
    return bot is not None and bot["state"] == state


async def test_a_bot_that_does_not_start_says_why(
    sandbox: Sandbox, page: aiohttp.ClientSession, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no configuration')"]
    sandbox.bot = BotProcess(command, {"http": {}}, "http://127.0.0.1:9", tmp_path / "bot.log", lambda: None)
    async with page.post("/_control/bot", json={"action": "start"}) as response:
        assert response.status == 400
        assert "no configuration" in (await response.json())["error"]


def test_the_wheel_has_every_file_of_the_page(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path))
    subprocess.run(build, cwd=STATIC.parents[2], check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {Path(name).name for name in wheel.namelist() if name.startswith("sandbox/web/static/")}
    assert packed == {path.name for path in STATIC.iterdir()}
