"""The peers of the benchmarks: two Bolt apps such as somebody writes by hand, served as Rollcall is.

`acknowledge` only acknowledges `/wa-add`. `add` also adds one person: a dbos workflow of four steps makes the same
calls as Rollcall does, without access checks, approvals, outcomes per person, send limits or a journal.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
from aiohttp import ClientSession
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from pydantic import SecretStr
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.server import SlackEvents, serving
from bot.storage.sqlite import SqliteConnection


async def main(mode: str, api_url: str, signing_secret: str, *add: str) -> None:
    """Serve a peer until the process is killed, and print its address.

    Args:
        mode: `acknowledge` or `add`.
        api_url: Slack's Web API.
        signing_secret: Slack's.
        *add: for `add`: the address of the group's members, the provider's token, and a folder for the workflows.
    """
    members_url, token, folder = add or ("", "", "")
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession() as session, httpx.AsyncClient(headers=headers, timeout=60) as provider:
        app = AsyncApp(
            client=AsyncWebClient(token="xoxb-sandbox", base_url=api_url, session=session),
            request_verification_enabled=False,
        )
        if mode == "add":
            add_people(app, provider, members_url, Path(folder))
        else:
            acknowledge(app)
        events = SlackEvents(app, SecretStr(signing_secret))
        async with serving("127.0.0.1", 0, events=events, is_ready=lambda: True) as url:
            print(url, flush=True)
            await asyncio.Event().wait()


def acknowledge(app: AsyncApp) -> None:
    """Add a listener that only acknowledges."""

    @app.command("/wa-add")
    async def add(ack: AsyncAck) -> None:
        await ack("ok")


def add_people(app: AsyncApp, provider: httpx.AsyncClient, members_url: str, folder: Path) -> None:
    """Add a listener that starts a durable workflow of four steps for each command."""
    client: AsyncWebClient = app.client
    DBOS(
        config=DBOSConfig(
            name="peer",
            system_database_url=f"sqlite:///{folder}/peer.db",
            application_version="1",
            serializer=DBOSPortableJSONSerializer(),
            db_engine_kwargs={"connect_args": {"factory": SqliteConnection}},
            log_level="ERROR",
        )
    )

    @DBOS.step()
    async def open_thread(channel: str, phone: str) -> str:
        answer = await client.chat_postMessage(channel=channel, text=f"Adding {phone}")
        await client.chat_update(channel=channel, ts=answer["ts"], text=f"Adding {phone}: running")
        return str(answer["ts"])

    @DBOS.step()
    async def add_person(phone: str) -> str:
        members = await provider.get(members_url)
        members.raise_for_status()
        answer = await provider.post(f"{members_url}/add", json={"participants": [phone]})
        answer.raise_for_status()
        return "added"

    @DBOS.step()
    async def post_result(channel: str, ts: str, result: str) -> None:
        await client.chat_postMessage(channel=channel, thread_ts=ts, text=result)

    @DBOS.step()
    async def close_thread(channel: str, ts: str, result: str) -> None:
        await client.chat_postMessage(channel=channel, thread_ts=ts, text=f"Summary: {result}")
        await client.chat_update(channel=channel, ts=ts, text=f"Done: {result}")

    @DBOS.workflow()
    async def carry_out(channel: str, phone: str) -> None:
        ts = await open_thread(channel, phone)
        result = await add_person(phone)
        await post_result(channel, ts, result)
        await close_thread(channel, ts, result)

    @app.command("/wa-add")
    async def add(ack: AsyncAck, command: dict[str, Any]) -> None:
        phone = command["text"].split(" ", 1)[1].split(" reason:")[0]
        await DBOS.start_workflow_async(carry_out, command["channel_id"], phone)
        await ack("ok")

    DBOS.launch()


asyncio.run(main(*sys.argv[1:]))
