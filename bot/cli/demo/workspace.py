"""The workspace in the browser: the sandbox, and the real bot as a process."""

import asyncio
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bot.cli.demo.session import open_sandbox, write_files
from sandbox.bot_process import BotProcess
from sandbox.slack.workspace import ChannelInfo, Seed, User, UserGroup

_PEOPLE = (
    User("U01ALICE", "alice", "Alice Archer", email="alice@example.com", title="Operator"),
    User("U02BOB", "bob", "Bob Baker", "America/New_York", "Eastern Standard Time", -18000, title="Lead"),
    User("U05ERIN", "erin", "Erin Ellis", title="Second lead"),
    User("U03CAROL", "carol", "Carol Cole", "Asia/Kolkata", "India Standard Time", 19800, title="Admin"),
    User("U04DAVE", "dave", "Dave Dale", "America/Sao_Paulo", "Brasilia Time", -10800, title="No role"),
)
_BOT = User("U0ROLLCALL", "rollcall", "Rollcall", is_bot=True)
_EVERYONE = tuple(person.id for person in (*_PEOPLE, _BOT))
SEED = Seed(
    users=(*_PEOPLE, _BOT),
    groups=(
        UserGroup("S0OPERATORS", "operators", "Operators", ("U01ALICE",)),
        UserGroup("S0LEADS", "leads", "Leads", ("U02BOB", "U05ERIN")),
    ),
    channels=(
        ChannelInfo("C0LAUNCH", "launch", _EVERYONE),
        ChannelInfo("C0EVENTS", "events", _EVERYONE),
        ChannelInfo("C0PRIVATE", "private", ("U01ALICE", "U02BOB", _BOT.id), "groups"),
        *(
            ChannelInfo(f"D0{person.name.upper()}", "directmessage", (person.id, _BOT.id), "im", person.id)
            for person in _PEOPLE
        ),
    ),
)
"""A person for each role, and one without a role."""
ROLES = """
[roles.operator]
members = ["S0OPERATORS"]
capabilities = ["groups:read", "groups:write", "send"]
[roles.lead]
members = ["S0LEADS"]
capabilities = ["groups:read", "groups:write", "send", "approve", "audit:read"]
[roles.admin]
members = ["U03CAROL"]
capabilities = ["admin"]
[[approvals]]
operations = ["remove"]
groups = ["wuts-team"]
approvers = ["lead"]
quorum = 2
[[approvals]]
operations = ["add", "promote", "demote", "settings", "invite", "send", "sync"]
groups = ["wuts-team"]
approvers = ["lead"]
"""
"""The WUTS group requires the approval of a lead, and of both leads to remove people."""
PACE = 'batch = 10, gap = "1s"'
"""Slow enough to watch, and to kill the bot half-way."""
_PORTS = 6
"""The workspace's port and those of the five providers; the bot's is the next one."""


async def open_workspace(*, port: int) -> None:
    """Serve the workspace, print its address, and run until cancelled.

    Args:
        port: the workspace's port; the providers' and the bot's follow it. If one is taken, free ones are used.

    Raises:
        RuntimeError: the bot doesn't start.
    """
    console = Console(soft_wrap=True, highlight=False)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-demo-")))
        sandbox = await open_sandbox(stack, port, console, SEED)
        bot_port = _free_port(int(sandbox.slack.base_url.rpartition(":")[2]) + _PORTS)
        address = f"http://127.0.0.1:{bot_port}"
        config = sandbox.config(f"sqlite:///{folder}/rollcall.db", port=bot_port, pace=PACE, roles=ROLES)
        files = write_files(folder, config, sandbox.environment())
        sandbox.slack.deliverer.request_url = f"{address}/slack/events"
        sandbox.bot = BotProcess(
            [sys.executable, "-m", "bot", "run", "--config", str(files.config)],
            {"http": sandbox.environment(), "socket": sandbox.environment(socket_mode=True)},
            address,
            folder / "bot.log",
            sandbox.slack.workspace.changed,
        )
        stack.push_async_callback(sandbox.bot.stop)
        console.print("Starting the bot …")
        await sandbox.bot.start()
        console.print(f"Open [bold]{sandbox.slack.base_url}[/bold] in your browser. It runs until Ctrl-C.")
        await asyncio.Event().wait()


def _free_port(wanted: int) -> int:
    """Return this port of 127.0.0.1 if it is free, otherwise another one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of 127.0.0.1 is free")
