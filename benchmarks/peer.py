"""The peer of the acknowledgement benchmark: a Bolt app that only acknowledges, served as Rollcall is."""

import asyncio
import sys

from aiohttp import ClientSession
from pydantic import SecretStr
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.server import SlackEvents, serving


async def main(api_url: str, signing_secret: str) -> None:
    async with ClientSession() as session:
        app = AsyncApp(
            client=AsyncWebClient(token="xoxb-sandbox", base_url=api_url, session=session),
            request_verification_enabled=False,
        )

        @app.command("/wa-add")
        async def add(ack: AsyncAck) -> None:
            await ack("ok")

        events = SlackEvents(app, SecretStr(signing_secret))
        async with serving("127.0.0.1", 0, events=events, is_ready=lambda: True) as url:
            print(url, flush=True)
            await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2]))
