"""A running bot with many groups, and people who type commands at it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from sandbox.sandbox import Sandbox, serve_sandbox
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message, UserGroup

ALICE, BOB, NOBODY, READER = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
LAUNCH, ELSEWHERE = "C0LAUNCH", "C0ELSEWHERE"
ONE = "+1 415 555 0100"
LATER = (datetime.now(UTC).replace(day=1) + timedelta(days=62)).strftime("%Y-%m-01 09:00")
"""A moment in good time after every test, the same for a month: it stands in the names of tests, which every process of
a run has to give alike. What is put off to it does nothing meanwhile."""


@asynccontextmanager
async def commanding(
    folder: Path, providers: Iterable[str], groups: dict[str, str], more: str = ""
) -> AsyncIterator[Sandbox]:
    """Run the bot in a workspace in which Carol has no role; each provider has these groups too.

    Args:
        folder: for the configuration and the database.
        providers: the connections.
        groups: subjects by id.
        more: what else stands in the configuration.
    """
    async with serve_sandbox(providers, scopes=BOT_SCOPES) as played:
        for server in played.providers.values():
            for group_id, subject in groups.items():
                server.world.put_group(group_id, subject)
        played.slack.workspace.groups["S0OPERATORS"] = UserGroup("S0OPERATORS", "operators", "Operators", ())
        config = folder / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{folder}/rollcall.db", rules=more))
        async with bootstrap.running(load(config, played.environment())) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            yield played
        assert played.slack.oddities == []


async def told(
    slack: SlackServer, text: str, *, user: str = ALICE, name: str = "/wa-add", channel: str = LAUNCH
) -> str:
    """Type a command, and give the answer that only this person sees; empty where there is none."""
    ack = await slack.command(user, channel, name, text)
    assert ack.ok, ack
    return str(ack.body["text"]) if isinstance(ack.body, dict) else str(ack.body or "")


async def typed(slack: SlackServer, line: str, *, user: str = ALICE) -> str:
    """Type a whole command, with its name."""
    name, _, text = line.partition(" ")
    return await told(slack, text, user=user, name=name)


def page(slack: SlackServer, user: str) -> Message:
    """Give the last answer with buttons that this person saw."""
    answers = slack.ephemerals(user)
    return next(m for m in reversed(answers) if any(b["type"] == "actions" for b in m.get("blocks", [])))


async def clicked(slack: SlackServer, label: str, *, user: str = ALICE) -> str:
    """Click a button of that answer, and give what they are told then: in its place, or in a new answer."""
    shown = page(slack, user)
    before, count = str(shown["text"]), len(slack.ephemerals(user))
    assert (await slack.click(user, LAUNCH, shown["ts"], label)).ok
    await slack.wait_for(lambda: shown["text"] != before or len(slack.ephemerals(user)) > count)
    return str(shown["text"] if shown["text"] != before else slack.ephemerals(user)[-1]["text"])
