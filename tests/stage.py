"""The whole thing for a test: a sandbox, the real bot in this process, and what people do and see."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from sandbox.providers.world import Disposition, World
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox
from sandbox.slack.delivery import Ack
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message

ALICE, BOB, CAROL, DAVE = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
CHANNEL = "C0LAUNCH"


@dataclass(slots=True)
class Stage:
    """A running bot with its sandbox; `url` is the bot's own address."""

    scene: Sandbox
    url: str
    folder: Path

    @property
    def slack(self) -> SlackServer:
        return self.scene.slack

    def world(self, provider: str) -> World:
        return self.scene.providers[provider].world

    async def add(self, text: str, *, user: str = ALICE) -> Ack:
        return await self.slack.command(user, CHANNEL, "/wa-add", text)

    def parents(self) -> list[Message]:
        return [m for m in self.slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"]]

    async def parent(self, number: int = 0) -> Message:
        """Wait for the parent message of the channel's request with this number, from 0."""
        await self.slack.wait_for(lambda: len(self.parents()) > number)
        return self.parents()[number]

    async def finished(self, number: int = 0, *, state: str = "Done") -> list[Message]:
        """Wait until a request has ended, and give its whole thread."""
        parent = await self.parent(number)
        await self.slack.wait_for(lambda: state in self.parents()[number]["text"])
        return self.slack.thread(CHANNEL, parent["ts"])

    async def button(self, label: str) -> Message:
        """Wait for a message with this button."""
        return await self.slack.wait_for(lambda: self._with_button(label))

    def told(self, user: str) -> str:
        """Give the last text that only this person saw."""
        return str(self.slack.ephemerals(user)[-1]["text"])

    async def hears(self, user: str, words: str) -> None:
        """Wait until this person, and nobody else, was told `words`."""
        await self.slack.wait_for(lambda: any(words in m["text"] for m in self.slack.ephemerals(user)))

    def _with_button(self, label: str) -> Message | None:
        for message in reversed(self.slack.messages(CHANNEL)):
            for block in message.get("blocks", []):
                if block["type"] == "actions" and any(e["text"]["text"] == label for e in block["elements"]):
                    return message
        return None


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    providers: Iterable[str] = ("wasend",),
    rules: str = "",
    socket_mode: bool = False,
    storage_url: str = "",
) -> AsyncIterator[Stage]:
    """Start a sandbox and the bot; `rules` are approval rules in TOML."""
    async with serve_sandbox(providers, scopes=BOT_SCOPES) as played:
        config = folder / "rollcall.toml"
        config.write_text(played.config(storage_url or f"sqlite:///{folder}/rollcall.db", rules=rules))
        settings = load(config, played.environment(socket_mode=socket_mode))
        async with bootstrap.running(settings) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            yield Stage(played, url, folder)


def people(world: World, dispositions: Mapping[str, Disposition]) -> str:
    """Put people into a world, and give them as somebody would type them."""
    for phone, disposition in dispositions.items():
        world.put_person(phone, disposition)
    return ", ".join(f"+{phone}" for phone in dispositions)


def group_id(provider: str) -> str:
    """Give the id of the provider's one group."""
    return SIMULATORS[provider].group_id
