"""A simulated Slack over real HTTP and WebSocket, strict as the real one."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from sandbox.http import serve
from sandbox.slack import chat, conversations, files, response_urls, views
from sandbox.slack.client import SlackClient
from sandbox.slack.control import Control
from sandbox.slack.delivery import Deliverer, Delivery
from sandbox.slack.faults import SlackFault
from sandbox.slack.rates import Rates
from sandbox.slack.seed import DEFAULT_SEED, Seed
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.web_api import BOT_SCOPES, ApiCall, Token, WebApi
from sandbox.slack.workspace import Workspace

T = TypeVar("T")
LARGEST_BODY = 64 * 1024 * 1024


class SlackServer(SlackClient):
    """A simulated Slack workspace with one app installed.

    Deliveries go by Socket Mode when a connection is open, else by signed HTTP to `request_url`.

    Args:
        signing_secret: signs HTTP deliveries.
        bot_token: the app's bot token.
        app_token: the app-level token for Socket Mode.
        scopes: the bot token's scopes.
        request_url: where HTTP deliveries go; may be set later.
        seed: who and what is there at the start.
        clock: gives the current time in seconds.
        ack_limit: seconds that the app has to acknowledge.

    Attributes:
        sockets: the Socket Mode connections; `await sockets.refresh()`, `sockets.drop()`.
    """

    def __init__(
        self,
        *,
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107
        bot_token: str = "xoxb-sandbox",  # noqa: S107
        app_token: str = "xapp-sandbox",  # noqa: S107
        scopes: Iterable[str] = BOT_SCOPES.split(","),
        request_url: str = "",
        seed: Seed = DEFAULT_SEED,
        clock: Callable[[], float] = time.time,
        ack_limit: float = 3.0,
    ) -> None:
        self.signing_secret = signing_secret
        self.bot_token = bot_token
        self.app_token = app_token
        workspace = Workspace(seed, clock=clock)
        self.sockets = SocketMode(workspace)
        super().__init__(workspace, Deliverer(workspace, self.sockets, signing_secret, ack_limit))
        self.deliverer.request_url = request_url
        tokens = {
            bot_token: Token("bot", frozenset(scopes)),
            app_token: Token("app", frozenset({"connections:write"})),
        }
        methods = {
            **chat.METHODS,
            **conversations.METHODS,
            **views.METHODS,
            **files.METHODS,
            **self.sockets.methods,
        }
        self._api = WebApi(workspace, tokens, methods, Rates(clock))

    @property
    def api_url(self) -> str:
        """The Web API's base, as `slack.api_url` of the bot's configuration takes it."""
        return f"{self.base_url}/api/"

    @property
    def request_url(self) -> str:
        """Where HTTP deliveries go."""
        return self.deliverer.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self.deliverer.request_url = url

    @property
    def enforce_rates(self) -> bool:
        """Whether calls over Slack's rate limits are refused."""
        return self._api.rates.enforced

    @enforce_rates.setter
    def enforce_rates(self, on: bool) -> None:
        self._api.rates.enforced = on

    @property
    def faults(self) -> list[SlackFault]:
        """What goes wrong on demand; add to it."""
        return self._api.faults

    @property
    def calls(self) -> list[ApiCall]:
        """The log of every Web API call, `response_url` reply and upload."""
        return self._api.log

    @property
    def deliveries(self) -> list[Delivery]:
        """The log of every delivery to the app."""
        return self.deliverer.log

    @property
    def oddities(self) -> list[str]:
        """What Slack would show wrongly, though it does not refuse it."""
        return self.workspace.oddities

    def wait_for(self, predicate: Callable[[], T | None], timeout: float = 60.0) -> Awaitable[T]:
        """Wait until `predicate` gives something true, looking again at every change, and give that.

        Raises:
            TimeoutError: it did not within `timeout` seconds.
        """
        return self.workspace.wait_for(predicate, timeout)

    def app(self) -> web.Application:
        """Make the aiohttp application: Slack's own addresses and the control API under `/_control`."""
        app = web.Application(middlewares=[self._learn_address], client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                web.get("/api/{method}", self._api.handle),
                web.post("/api/{method}", self._api.handle),
                web.get("/link/", self.sockets.handle),
                web.post("/upload/v1/{file}", self._upload),
                web.get("/files-pri/{file}/download/{name}", self._download),
                web.post("/hooks/{name:.+}", self._reply),
                *Control(self, self._api, self.sockets).routes(),
            ]
        )
        app.on_shutdown.append(self._shut_down)
        return app

    @asynccontextmanager
    async def serving(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve it on 127.0.0.1 and give its base URL; `port` 0 takes a free one."""
        async with serve(self.app(), port=port) as base_url:
            self.base_url = base_url
            yield base_url

    @web.middleware
    async def _learn_address(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not self.base_url:
            self.base_url = f"{request.scheme}://{request.host}"
        return await handler(request)

    async def _upload(self, request: web.Request) -> web.Response:
        return await files.receive(self._api, request)

    async def _download(self, request: web.Request) -> web.Response:
        return await files.fetch(self._api, request)

    async def _reply(self, request: web.Request) -> web.Response:
        return await response_urls.handle(self._api, request)

    async def _shut_down(self, _: web.Application) -> None:
        await self.sockets.close()
        await self.deliverer.close()
