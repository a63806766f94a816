"""The peer of the acknowledgement benchmark: a Bolt app that only acknowledges, served as Rollcall is."""

import asyncio
import sys

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.server import serving


async def main(api_url: str, signing_secret: str) -> None:
    async with ClientSession() as session:
        app = AsyncApp(
            client=AsyncWebClient(token="xoxb-sandbox", base_url=api_url, session=session),
            signing_secret=signing_secret,
        )

        @app.command("/wa-add")
        async def add(ack: AsyncAck) -> None:
            await ack("ok")

        async with serving("127.0.0.1", 0, events=app, is_ready=lambda: True) as url:
            print(url, flush=True)
            await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2]))
