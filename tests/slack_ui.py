"""What people type, click and see in the simulated Slack."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.slack.delivery import Ack
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message, SlackView

ALICE, BOB, CAROL, DAVE = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
CHANNEL, ELSEWHERE, PRIVATE = "C0LAUNCH", "C0ELSEWHERE", "C0PRIVATE"
PHONE = "+1 415 555 0100"
LATER = (datetime.now(UTC).replace(day=1) + timedelta(days=62)).strftime("%Y-%m-01 09:00")
"""A start time after the end of every test. It is the same for a month, because it is in the names of tests, which
must agree in all processes of a run."""


def labels_of(message: Message) -> list[str]:
    """Return the labels of a message's buttons."""
    return [e["text"]["text"] for b in message.get("blocks") or [] if b["type"] == "actions" for e in b["elements"]]


def named_messages(slack: SlackServer, name: str, channel: str = CHANNEL) -> list[Message]:
    """Return the bot's messages with this name, such as `parent` and `approval`, oldest first."""
    own = [m for m in slack.messages(channel) if m.get("metadata")]
    return [m for m in own if m["metadata"]["event_payload"]["name"] == name]


def ephemeral_texts(slack: SlackServer, user: str = ALICE) -> list[str]:
    """Return the texts that only this person saw, oldest first."""
    return [str(message["text"]) for message in slack.ephemerals(user)]


def open_modal(slack: SlackServer, user: str = ALICE) -> SlackView:
    """Return the modal that this person sees."""
    view = slack.open_view(user)
    assert view is not None
    return view


def modal_title(slack: SlackServer, user: str = ALICE) -> str:
    """Return the title of the open modal, or an empty text when there is none."""
    view = slack.open_view(user)
    return str(view.body["title"]["text"]) if view else ""


def modal_text(slack: SlackServer, user: str = ALICE) -> str:
    """Return the blocks of the open modal as JSON."""
    return json.dumps(open_modal(slack, user).body["blocks"], ensure_ascii=False)


def is_done(parent: Message) -> bool:
    """Return whether a request's parent message shows its result."""
    return any(line.startswith(("✅ Done: ", "⚠️ ", "📋 ")) for line in str(parent["text"]).splitlines()[1:2])


async def submit_modal(slack: SlackServer, values: dict[str, Any] | None = None, user: str = ALICE) -> Ack:
    """Fill in and submit the open modal."""
    ack = await slack.submit(user, open_modal(slack, user).body["id"], values)
    assert ack.ok, ack
    return ack


async def command(
    slack: SlackServer, text: str, *, user: str = ALICE, name: str = "/wa-add", channel: str = CHANNEL
) -> str:
    """Send a slash command, and return the text of its acknowledgement."""
    ack = await slack.command(user, channel, name, text)
    assert ack.ok, ack
    return str(ack.body["text"]) if isinstance(ack.body, dict) else str(ack.body or "")


async def type_command(slack: SlackServer, line: str, *, user: str = ALICE) -> str:
    """Send a slash command that is typed with its name, and return the text of its acknowledgement."""
    name, _, text = line.partition(" ")
    return await command(slack, text, user=user, name=name)


async def run_command(slack: SlackServer, line: str, *, user: str = ALICE) -> str:
    """Send a slash command, confirm it if it asks, and return the answer."""
    answer, asked = await type_command(slack, line, user=user), slack.ephemerals(user)[-1:]
    elements = [e for m in asked for b in m.get("blocks") or [] if b["type"] == "actions" for e in b["elements"]]
    confirm = next((e["text"]["text"] for e in elements if e["action_id"] == "confirm_command"), "")
    return await click_last_answer(slack, confirm, user=user) if confirm else answer


async def click_last_answer(slack: SlackServer, label: str, *, user: str = ALICE) -> str:
    """Click a button of the last ephemeral message with buttons, and return the text that replaces or follows it."""
    shown = next(message for message in reversed(slack.ephemerals(user)) if labels_of(message))
    before, count = str(shown["text"]), len(slack.ephemerals(user))
    assert (await slack.click(user, CHANNEL, shown["ts"], label)).ok
    await slack.wait_for(lambda: shown["text"] != before or len(slack.ephemerals(user)) > count)
    return str(shown["text"] if shown["text"] != before else slack.ephemerals(user)[-1]["text"])
