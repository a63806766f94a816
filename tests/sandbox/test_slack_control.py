from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.http import serve
from sandbox.slack.server import SlackServer

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Add"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "name"},
        }
    ],
}


class Remote:
    """The simulated Slack as another process sees it: over HTTP only."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str) -> None:
        self.session, self.base, self.token = session, base, token

    async def post(self, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.post(f"{self.base}{path}", json=body, headers=headers) as answer:
            return await answer.json()

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.base}{path}") as answer:
            return await answer.json()


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    async def app(request: web.Request) -> web.Response:
        body = await request.post()
        return web.Response(text="Hello" if "command" in body else "")

    slack, bot = SlackServer(), web.Application()
    bot.add_routes([web.post("/slack/events", app)])
    async with slack.serving() as base, serve(bot) as url, aiohttp.ClientSession() as session:
        remote = Remote(session, base, slack.bot_token)
        await remote.post("/_control/settings", {"request_url": f"{url}/slack/events"})
        yield remote


async def test_a_command_is_typed_and_its_reply_read_over_http(remote: Remote) -> None:
    gesture = {"user": "U01ALICE", "channel": "C0LAUNCH", "name": "/wa", "text": "help"}
    ack = await remote.post("/_control/command", gesture)
    assert (ack["status"], ack["body"]) == (200, "Hello")
    shown = await remote.get("/_control/ephemerals?user=U01ALICE")
    assert [m["text"] for m in shown] == ["Hello"]
    again = await remote.post("/_control/redeliver", {"delivery": ack["delivery"]})
    assert again["status"] == 200
    assert [d["retry_num"] for d in (await remote.get("/_control/log"))["deliveries"]] == [0, 1]


async def test_a_button_is_clicked_and_a_modal_submitted_over_http(remote: Remote) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve"}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = await remote.post("/api/chat.postMessage", {"channel": "C0LAUNCH", "text": "?", "blocks": blocks})
    click = {"user": "U02BOB", "channel": "C0LAUNCH", "message_ts": posted["ts"], "name": "Approve"}
    trigger = (await remote.post("/_control/click", click))["trigger_id"]
    opened = await remote.post("/api/views.open", {"trigger_id": trigger, "view": MODAL})
    assert [view["shown"] for view in await remote.get("/_control/views")] == [True]
    form = {"user": "U02BOB", "view_id": opened["view"]["id"], "values": {}}
    assert "required" in (await remote.post("/_control/submit", form))["error"]
    assert (await remote.post("/_control/submit", {**form, "values": {"Name": "x"}}))["status"] == 200
    assert await remote.get("/_control/views") == []


async def test_messages_are_read_and_faults_set_over_http(remote: Remote) -> None:
    said = {"user": "U01ALICE", "channel": "C0LAUNCH", "text": "hello"}
    ts = (await remote.post("/_control/say", said))["ts"]
    await remote.post("/api/chat.postMessage", {"channel": "C0LAUNCH", "text": "reply", "thread_ts": ts})
    thread = await remote.get(f"/_control/thread?channel=C0LAUNCH&ts={ts}")
    assert thread == await remote.get("/_control/messages?channel=C0LAUNCH")
    assert [m["text"] for m in thread] == ["hello", "reply"]
    await remote.post("/_control/faults", [{"method": "chat.postMessage", "error": "fatal_error", "times": 1}])
    refused = await remote.post("/api/chat.postMessage", {"channel": "C0LAUNCH", "text": "x"})
    assert refused == {"ok": False, "error": "fatal_error"}
    assert (await remote.post("/_control/click", {"user": "U02BOB"}))["error"].startswith("TypeError")
    assert await remote.get("/_control/files") == []
