"""The tour of `rollcall demo`: a sandbox workspace, simulated providers and the real bot, played in one terminal."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bot import bootstrap
from bot.cli.demo import driving
from bot.cli.demo.screen import Screen
from bot.cli.demo.story import CAST, RULES, Story
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from sandbox.providers.wasend import WasendServer
from sandbox.providers.world import Effect
from sandbox.scene import PLACES, Scene, scene


async def tour(*, port: int, keep: bool) -> None:
    """Play the tour; with `keep`, leave the servers up afterwards until interrupted.

    Args:
        port: the sandbox workspace's; the providers' follow it. Where one is taken, free ones are used.
        keep: whether to stay.
    """
    console = Console()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-demo-")))
        stage = await _open(stack, port, console)
        storage = f"sqlite:///{folder}/rollcall.db"
        files = driving.write(folder, stage.config(storage, rules=RULES), stage.environment())
        url = await stack.enter_async_context(bootstrap.running(load(files.config, stage.environment())))
        stage.slack.request_url = f"{url}/slack/events"
        database = Database(storage)
        stack.push_async_callback(database.aclose)
        screen = Screen(console, stage.slack.workspace.seed)
        screen.panel("Up and running", f"Slack     {stage.slack.base_url}\nRollcall  {url}/slack/events")
        await Story(stage, screen, AuditJournal(database)).play()
        if keep:
            screen.copied(driving.how_to(stage, files))
            await asyncio.Event().wait()


async def _open(stack: AsyncExitStack, port: int, console: Console) -> Scene:
    try:
        stage = await stack.enter_async_context(scene(port=port, scopes=BOT_SCOPES))
    except OSError:
        console.print(f"A port from {port} on is taken; using free ones.")
        stage = await stack.enter_async_context(scene(scopes=BOT_SCOPES))
    for name, server in stage.providers.items():
        server.world.put_group(PLACES[name].group_id, f"{name.capitalize()} Team", ["14155550105"])
        for phone, disposition in CAST:
            server.world.put_human(phone, disposition)
        if isinstance(server, WasendServer):
            server.reasons[Effect.PRIVATE] = "403"  # WhatsApp's own code; the contract leaves the word open
    return stage
