"""The tour of `rollcall demo`: a sandbox workspace, simulated providers and the real bot, played in one terminal."""

import asyncio
import html
import re
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from bot import app
from bot.manifest import BOT_SCOPES
from bot.settings import load
from sandbox.providers.world import Disposition
from sandbox.scene import PLACES, Scene, scene
from sandbox.slack.workspace import Message

ALICE, BOB, DAVE = "U01ALICE", "U02BOB", "U04DAVE"
CHANNEL = "C0LAUNCH"
_RULE = """
[[approvals]]
operations = ["add"]
groups = ["wuts-team"]
approvers = ["lead"]
"""
_CAST = (
    ("14155550101", Disposition.OPEN),
    ("14155550102", Disposition.OPEN),
    ("14155550103", Disposition.PRIVATE),
    ("14155550104", Disposition.NO_ACCOUNT),
    ("14155550105", Disposition.OPEN),
)
_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_PATIENCE = 60.0
"""Seconds that the tour waits for a thread to end."""


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
        config = folder / "rollcall.toml"
        config.write_text(stage.config(f"sqlite:///{folder}/rollcall.db", rules=_RULE))
        url = await stack.enter_async_context(app.running(load(config, stage.environment())))
        stage.slack.request_url = f"{url}/slack/events"
        console.print(Panel(f"Slack {stage.slack.base_url}\nRollcall {url}/slack/events", title="Up and running"))
        await _Tour(stage, console).play()
        if keep:
            console.print(_how_to_drive(stage), soft_wrap=True, markup=False, highlight=False)
            await asyncio.Event().wait()


async def _open(stack: AsyncExitStack, port: int, console: Console) -> Scene:
    try:
        stage = await stack.enter_async_context(scene(port=port, scopes=BOT_SCOPES))
    except OSError:
        console.print(f"A port from {port} on is taken; using free ones.")
        stage = await stack.enter_async_context(scene(scopes=BOT_SCOPES))
    for name, server in stage.providers.items():
        server.world.put_group(PLACES[name].group_id, f"{name.capitalize()} Team", ["14155550105"])
        for phone, disposition in _CAST:
            server.world.put_human(phone, disposition)
    return stage


@dataclass(frozen=True, slots=True)
class _News:
    replies: tuple[Message, ...] = ()
    ended: bool = False


class _Tour:
    """Plays the scenes one after another and prints what the people see."""

    def __init__(self, stage: Scene, console: Console) -> None:
        self._slack = stage.slack
        self._console = console
        self._stage = stage
        self._threads = 0

    async def play(self) -> None:
        """Add people at each provider; one needs approval, one is denied for lack of a capability."""
        typed = ", ".join(f"+{phone[0]} {phone[1:4]} {phone[4:7]} {phone[7:]}" for phone, _ in _CAST)
        for number, name in enumerate(self._stage.providers, start=1):
            self._console.rule(f"{number} of {len(self._stage.providers) + 1}: {name}")
            await self._type(ALICE, "/wa-add", f"{name}-team {typed}, 555-CALL reason: launch party")
            await self._follow(approve=name == "wuts")
        self._console.rule(f"{len(self._stage.providers) + 1} of {len(self._stage.providers) + 1}: without the right")
        await self._type(DAVE, "/wa-add", f"wacr-team {typed}")
        self._console.print("[green]The tour is over: every name got an answer.[/green]")

    async def _type(self, user: str, command: str, text: str) -> None:
        name = self._name(user)
        self._console.print(f"[bold]{name}[/bold] types [cyan]{command} {text}[/cyan]")
        ack = await self._slack.command(user, CHANNEL, command, text)
        self._console.print(f"  answered in {ack.elapsed * 1000:.0f} ms, only {name} sees it:")
        self._console.print(_indented(_plain(self._slack.ephemerals(user)[-1]["text"], self._stage)), markup=False)

    async def _follow(self, *, approve: bool) -> None:
        """Print the newest thread as it appears, until its end; where asked, let Bob approve."""
        parent = await self._slack.wait_for(self._newest_parent, _PATIENCE)
        self._threads += 1
        shown = 0
        news = _News()
        while not news.ended:
            news = await self._slack.wait_for(partial(self._news, parent, shown), _PATIENCE)
            for reply in news.replies:
                self._show(reply)
                if approve and _has_button(reply, "Approve"):
                    self._console.print(f"[bold]{self._name(BOB)}[/bold] clicks [cyan]Approve[/cyan]")
                    await self._slack.click(BOB, CHANNEL, reply["ts"], "Approve")
            shown += len(news.replies)
        self._show(self._slack.thread(CHANNEL, parent["ts"])[0])

    def _newest_parent(self) -> Message | None:
        parents = [m for m in self._slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"]]
        return parents[self._threads] if len(parents) > self._threads else None

    def _news(self, parent: Message, shown: int) -> _News | None:
        """Give what was not shown yet; None while nothing is new."""
        current, *replies = self._slack.thread(CHANNEL, parent["ts"])
        news = _News(tuple(replies[shown:]), ended="Done" in current["text"])
        return news if news.replies or news.ended else None

    def _show(self, message: Message) -> None:
        lines = []
        for block in message.get("blocks", []):
            match block["type"]:
                case "section":
                    lines.append(block["text"]["text"])
                case "context":
                    lines += [element["text"] for element in block["elements"]]
                case "actions":
                    lines.append("  ".join(f"( {element['text']['text']} )" for element in block["elements"]))
        body = "\n".join(lines) or message["text"]
        self._console.print(Panel(_plain(body, self._stage), title="#launch", title_align="left"), markup=False)

    def _name(self, user: str) -> str:
        return next(u.real_name for u in self._slack.workspace.seed.users if u.id == user)


def _has_button(message: Message, label: str) -> bool:
    actions = [block for block in message.get("blocks", []) if block["type"] == "actions"]
    return any(element["text"]["text"] == label for block in actions for element in block["elements"])


def _plain(text: str, stage: Scene) -> str:
    """Show mrkdwn as a person reads it."""
    for user in stage.slack.workspace.seed.users:
        text = text.replace(f"<@{user.id}>", f"@{user.name}")
    text = _DATE.sub(r"\1", text).replace(f"<#{CHANNEL}>", "#launch")
    return html.unescape(text.replace("*", "").replace("`", ""))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _how_to_drive(stage: Scene) -> str:
    """Say where everything listens and how to drive it with curl; each command on one line, to be copied."""
    base = f"{stage.slack.base_url}/_control"
    body = '{"user": "U01ALICE", "channel": "C0LAUNCH", "name": "/wa-add", "text": "wasend-team +1 415 555 0199"}'
    addresses = [f"{name:<10} {url}" for name, url in {"Slack": stage.slack.base_url, **stage.urls}.items()]
    return "\n".join(
        [
            "The servers stay up until Ctrl-C:",
            *addresses,
            "Type a command:",
            f"  curl -s {base}/command -d '{body}'",
            "Read the channel:",
            f"  curl -s '{base}/messages?channel={CHANNEL}'",
            "See what truly happened:",
            f"  curl -s {stage.urls['wasend']}/_control/truth",
        ]
    )
