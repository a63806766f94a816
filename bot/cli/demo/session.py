"""How to go on when the tour is over: the files that the command line reads, and what to type."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.scene import Scene


@dataclass(frozen=True, slots=True)
class Files:
    """What stands in the tour's folder: the configuration, and the sandbox's tokens as a shell reads them."""

    config: Path
    environment: Path


def write(folder: Path, config: str, environment: Mapping[str, str]) -> Files:
    """Write the files."""
    files = Files(folder / "rollcall.toml", folder / "environment")
    files.config.write_text(config)
    files.environment.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))
    return files


def how_to(stage: Scene, files: Files) -> str:
    """Say where everything listens and how to drive it; each command on one line, to be copied."""
    base = f"{stage.slack.base_url}/_control"
    addresses = [f"{name:<10} {url}" for name, url in {"Slack": stage.slack.base_url, **stage.urls}.items()]
    where = '"user": "U01ALICE", "channel": "C0LAUNCH"'
    typed = f'{{{where}, "name": "/wa-add", "text": "wasend-team +1 415 555 0199"}}'
    clicked = f'{{{where}, "message_ts": "{_with_undo(stage)}", "name": "Undo"}}'
    rollcall = f"{shlex.quote(sys.executable)} -m bot"
    return "\n".join(
        [
            "",
            "The servers stay up until Ctrl-C:",
            *addresses,
            "Type a command:",
            f"  curl -s {base}/command -d '{typed}'",
            "Read the channel, and what only one person sees:",
            f"  curl -s '{base}/messages?channel=C0LAUNCH'",
            f"  curl -s '{base}/ephemerals?user=U01ALICE'",
            "Click a button, by its label; this is the last one that says Undo:",
            f"  curl -s {base}/click -d '{clicked}'",
            "See what truly happened at a provider:",
            f"  curl -s {stage.urls['wasend']}/_control/truth",
            "Use the command line on the tour's own database:",
            f"  (set -a; . {files.environment}; {rollcall} audit export --config {files.config})",
            f"  (set -a; . {files.environment}; {rollcall} check --config {files.config})",
        ]
    )


def _with_undo(stage: Scene) -> str:
    """Give the `ts` of the newest message with this button."""
    messages = reversed(stage.slack.messages("C0LAUNCH"))
    return next((str(m["ts"]) for m in messages if any(_is_undo(block) for block in m.get("blocks", []))), "")


def _is_undo(block: dict[str, Any]) -> bool:
    return block["type"] == "actions" and any(element["text"]["text"] == "Undo" for element in block["elements"])
