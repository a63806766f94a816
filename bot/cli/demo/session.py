"""What the tour and the workspace share: the sandbox and its files; and how to use them after the tour."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.commands.manifest import BOT_SCOPES, manifest
from sandbox.providers.wasend import WasendServer
from sandbox.providers.world import Disposition, Effect
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox
from sandbox.slack.workspace import DEFAULT_SEED, Seed

CAST = (
    ("14155550101", Disposition.OPEN),
    ("14155550102", Disposition.OPEN),
    ("14155550103", Disposition.PRIVATE),
    ("14155550104", Disposition.NO_ACCOUNT),
    ("14155550105", Disposition.OPEN),
)
"""The people whom Alice adds everywhere in the tour, with WhatsApp's answers; the last one is in the groups already."""


async def open_sandbox(stack: AsyncExitStack, port: int, console: Console, seed: Seed = DEFAULT_SEED) -> Sandbox:
    """Serve the sandbox until the stack closes. If a port from `port` on is taken, free ones are used."""
    try:
        sandbox = await stack.enter_async_context(
            serve_sandbox(port=port, scopes=BOT_SCOPES, seed=seed, manifest=manifest())
        )
    except OSError:
        console.print(f"Ports from {port} on aren't all free, so free ones are used.")
        sandbox = await stack.enter_async_context(serve_sandbox(scopes=BOT_SCOPES, seed=seed, manifest=manifest()))
    for name, server in sandbox.providers.items():
        server.world.put_group(SIMULATORS[name].group_id, f"{name.capitalize()} Team", ["14155550105"])
        for phone, disposition in CAST:
            server.world.put_person(phone, disposition)
        if isinstance(server, WasendServer):
            server.reasons[Effect.PRIVATE] = "403"  # WhatsApp's own code; the contract doesn't define it
    return sandbox


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """The files in the tour's folder: the configuration, and the sandbox's tokens for a shell."""

    config: Path
    environment: Path


def write_files(folder: Path, config: str, environment: Mapping[str, str]) -> SessionFiles:
    """Write the files into `folder`."""
    files = SessionFiles(folder / "rollcall.toml", folder / "environment")
    files.config.write_text(config)
    files.environment.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))
    return files


def instructions(sandbox: Sandbox, files: SessionFiles) -> str:
    """Return the addresses of the servers and commands to copy, each on one line."""
    base = f"{sandbox.slack.base_url}/_control"
    addresses = [f"{name:<10} {url}" for name, url in {"Slack": sandbox.slack.base_url, **sandbox.urls}.items()]
    place = '"user": "U01ALICE", "channel": "C0LAUNCH"'
    typed = f'{{{place}, "name": "/wa-add", "text": "wasend-team +1 415 555 0199"}}'
    clicked = f'{{{place}, "message_ts": "{_last_undo_message(sandbox)}", "name": "Undo"}}'
    rollcall = f"{shlex.quote(sys.executable)} -m bot"
    return "\n".join(
        [
            "",
            "The servers run until Ctrl-C:",
            *addresses,
            "Type a command:",
            f"  curl -s {base}/command -d '{typed}'",
            "Read the channel, and the messages that only one person sees:",
            f"  curl -s '{base}/messages?channel=C0LAUNCH'",
            f"  curl -s '{base}/ephemerals?user=U01ALICE'",
            "Click a button by its label; this is the last Undo button:",
            f"  curl -s {base}/click -d '{clicked}'",
            "See what really happened at a provider:",
            f"  curl -s {sandbox.urls['wasend']}/_control/truth",
            "Use the command line on the tour's database:",
            f"  (set -a; . {files.environment}; {rollcall} audit export --config {files.config})",
            f"  (set -a; . {files.environment}; {rollcall} check --config {files.config})",
        ]
    )


def _last_undo_message(sandbox: Sandbox) -> str:
    """Return the `ts` of the newest message with an Undo button."""
    messages = reversed(sandbox.slack.messages("C0LAUNCH"))
    return next((str(m["ts"]) for m in messages if any(_has_undo(block) for block in m.get("blocks", []))), "")


def _has_undo(block: dict[str, Any]) -> bool:
    return block["type"] == "actions" and any(element["text"]["text"] == "Undo" for element in block["elements"])
