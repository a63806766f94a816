"""The session that stays after the tour: its files, and how to use it."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.sandbox import Sandbox


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
