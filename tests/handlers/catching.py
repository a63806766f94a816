"""A foreign server: what is sent to it was sent to the wrong place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from sandbox.http import serve


class Catcher:
    """A server that keeps what is sent to it; `url` is its address."""

    def __init__(self) -> None:
        self.url = ""
        self.caught: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.caught.append(await request.text())
        return web.Response(text="ok")


@asynccontextmanager
async def catching() -> AsyncIterator[Catcher]:
    catcher, app = Catcher(), web.Application()
    app.router.add_post("/{path:.*}", catcher.handle)
    async with serve(app) as url:
        catcher.url = f"{url}/caught"
        yield catcher
