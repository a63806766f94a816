"""A whole sandbox: a Slack workspace and simulated providers, served, and the configuration that points at them."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.bot_process import BotProcess
from sandbox.http import serve
from sandbox.providers.server import ProviderServer
from sandbox.providers.twochat import TwoChatServer
from sandbox.providers.wacr import WacrServer
from sandbox.providers.wagateway import WaGatewayServer
from sandbox.providers.wasend import WasendServer
from sandbox.providers.world import World
from sandbox.providers.wuts import WutsServer
from sandbox.slack.server import SlackServer
from sandbox.slack.web_api import BOT_SCOPES
from sandbox.slack.workspace import DEFAULT_SEED, Seed
from sandbox.web.routes import WorkspacePage


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulated provider: how its server is made, what the bot's configuration says of it, and its one group."""

    make: Callable[[World], ProviderServer]
    group_id: str
    account: str = ""


DEFAULT_SCOPES = tuple(BOT_SCOPES.split(","))

SIMULATORS: dict[str, Simulator] = {
    "wacr": Simulator(lambda world: WacrServer(world, calls_per_minute=100_000), "7"),
    "wagateway": Simulator(WaGatewayServer, "120363041234567890@g.us", "sess_1"),
    "wasend": Simulator(WasendServer, "120363041234567891@g.us", "session-1"),
    "wuts": Simulator(WutsServer, "120363041234567892@g.us"),
    "twochat": Simulator(TwoChatServer, "WAGb7dde9c1-0001", "+595981048477"),
}


@dataclass(slots=True)
class Sandbox:
    """What is served. Aliases of groups are `<provider>-team`, connections are named like their provider.

    Attributes:
        slack: the simulated Slack; the page is at its `base_url`.
        manifest: the app's manifest, whose commands and shortcuts the page offers.
        providers: the simulated providers, by name.
        urls: their base URLs.
        bot: the bot's process; None if the bot runs elsewhere.
    """

    slack: SlackServer
    manifest: Mapping[str, Any] = field(default_factory=dict)
    providers: dict[str, ProviderServer] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    bot: BotProcess | None = None

    def alias(self, provider: str, group_id: str) -> str:
        """Return a group's alias in the configuration, or an empty text."""
        return f"{provider}-team" if SIMULATORS[provider].group_id == group_id else ""

    def environment(self, *, socket_mode: bool = False) -> dict[str, str]:
        """Return the secrets, as the bot reads them from its environment."""
        secrets = {"SLACK_BOT_TOKEN": self.slack.bot_token}
        if socket_mode:
            secrets["SLACK_APP_TOKEN"] = self.slack.app_token
        else:
            secrets["SLACK_SIGNING_SECRET"] = self.slack.signing_secret
        tokens = {f"ROLLCALL_CONNECTIONS__{name.upper()}__TOKEN": p.token for name, p in self.providers.items()}
        return secrets | tokens

    def config(
        self,
        storage_url: str,
        *,
        port: int = 0,
        pace: str = 'batch = 10, gap = "0s"',
        rules: str = "",
        roles: str | None = None,
    ) -> str:
        """Write a `rollcall.toml`. Without `roles`, Alice and the operators may add, Bob decides too, Dave reads."""
        lines = [
            "[slack]",
            f'api_url = "{self.slack.api_url}"',
            "[storage]",
            f'url = "{storage_url}"',
            "[server]",
            f"port = {port}",
        ]
        for name, url in self.urls.items():
            lines += [f"[connections.{name}]", f'provider = "{name}"', f'base_url = "{url}"']
            if SIMULATORS[name].account:
                lines.append(f'account = "{SIMULATORS[name].account}"')
            lines += [f"pace = {{ {pace}, per_day = 100000 }}", 'verify_after = ["0s", "1s"]', 'default_region = "US"']
            lines += [f"[groups.{name}-team]", f'connection = "{name}"', f'id = "{SIMULATORS[name].group_id}"']
        return "\n".join([*lines, _ROLES if roles is None else roles, rules])


_ROLES = """
[roles.operator]
members = ["U01ALICE", "S0OPERATORS"]
capabilities = ["groups:read", "groups:write", "send"]
[roles.lead]
members = ["U02BOB"]
capabilities = ["groups:read", "groups:write", "send", "approve", "audit:read"]
[roles.guest]
members = ["U04DAVE"]
capabilities = ["groups:read"]
"""


@asynccontextmanager
async def serve_sandbox(
    names: Iterable[str] = tuple(SIMULATORS),
    *,
    port: int = 0,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    seed: Seed = DEFAULT_SEED,
    manifest: Mapping[str, Any] | None = None,
) -> AsyncIterator[Sandbox]:
    """Serve a workspace with its page, and these providers, on 127.0.0.1, each provider with one empty group.

    Args:
        names: the providers.
        port: the workspace's; the providers' follow it. 0 takes free ones.
        scopes: the bot token's.
        seed: the workspace at the start.
        manifest: the app's manifest, for the page.

    Raises:
        OSError: a port is taken.
    """
    async with AsyncExitStack() as stack:
        stage = Sandbox(SlackServer(scopes=scopes, seed=seed), manifest or {})
        await stack.enter_async_context(stage.slack.serving(port=port, routes=WorkspacePage(stage).routes()))
        for place, name in enumerate(names, start=1):
            world = World()
            world.put_group(SIMULATORS[name].group_id, f"{name.capitalize()} Team")
            server = SIMULATORS[name].make(world)
            server.on_change = stage.slack.workspace.changed
            stage.providers[name] = server
            stage.urls[name] = await stack.enter_async_context(serve(server.app(), port=port + place if port else 0))
        yield stage
