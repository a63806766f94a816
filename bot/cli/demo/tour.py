"""The tour: a sandbox workspace, simulated providers and the real bot, in one terminal."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bot import bootstrap
from bot.cli.demo.screen import Screen
from bot.cli.demo.session import instructions, open_sandbox, write_files
from bot.cli.demo.story import RULES, Story
from bot.config import load
from bot.storage.audit import AuditJournal
from bot.storage.database import Database


async def play_tour(*, port: int, keep: bool) -> None:
    """Play the tour.

    Args:
        port: the sandbox workspace's port; the providers' ports follow it. If one is taken, free ones are used.
        keep: whether to keep the servers running afterwards, until interrupted.
    """
    console = Console()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-demo-")))
        sandbox = await open_sandbox(stack, port, console)
        storage = f"sqlite:///{folder}/rollcall.db"
        files = write_files(folder, sandbox.config(storage, rules=RULES), sandbox.environment())
        url = await stack.enter_async_context(bootstrap.running(load(files.config, sandbox.environment())))
        sandbox.slack.deliverer.request_url = f"{url}/slack/events"
        database = Database(storage)
        stack.push_async_callback(database.aclose)
        screen = Screen(console, sandbox.slack.workspace.seed)
        screen.panel("Up and running", f"Slack     {sandbox.slack.base_url}\nRollcall  {url}/slack/events")
        await Story(sandbox, screen, AuditJournal(database)).play()
        screen.plain("Open a workspace in your browser: rollcall demo")
        if keep:
            screen.plain(instructions(sandbox, files))
            await asyncio.Event().wait()
