"""Signed payloads of any shape: each is answered, or refused with 400 and one line in the log."""

import copy
import json
import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from structlog.testing import capture_logs
from structlog.typing import EventDict

from sandbox.slack import forms, payloads
from sandbox.slack.delivery import Kind, sign
from sandbox.slack.server import SlackServer
from tests.app import RunningApp, app_slack, approval_rule, module_app
from tests.slack_ui import ALICE, BOB, CHANNEL

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

MUTATIONS = 500
NUMBER = "+1 415 555 0101"
TEXTS = {"/wa-add": f"wasend-team {NUMBER}", "/wa": f"add wasend-team {NUMBER}", "/wa-audit": "", "/wa-requests": ""}
FORMS = ("/wa-add", "/wa-send", "/wa-settings", "/wa-sync", "/wa-create", "/wa-invite")
OTHER_VALUES: tuple[Any, ...] = (
    *(None, 0, -1, 1.5, True, "", "x", "\ud83d", [], {}, [None], [[]], [{}], 10**30),
    *({"id": None}, {"id": 5}, "{}", "[]", '{"a":1}', {"value": None}, {"values": 3}),
)

Delivered = tuple[Kind, dict[str, Any]]
app = module_app(rules=approval_rule("add"))
slack = app_slack


def mutate(payload: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a copy in which up to three values are replaced or removed."""
    changed = copy.deepcopy(payload)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        parent, key = rng.choice(list(places(changed)))
        if rng.random() < 0.25:
            del parent[key]
        else:
            parent[key] = copy.deepcopy(rng.choice(OTHER_VALUES))
        if not changed:
            return changed
    return changed


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each object or array inside, with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(min(4, len(value))):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def slack_refused(entry: EventDict) -> bool:
    """Return whether Slack refused a call: the payload had the right shape, but named what doesn't exist."""
    return isinstance(entry.get("exc_info"), SlackApiError)


async def samples(app: RunningApp, slack: SlackServer) -> list[Delivered]:
    """Return a payload of each kind, as Slack sends it."""
    workspace = slack.workspace
    found: list[Delivered] = [
        ("slash_commands", payloads.command(workspace, ALICE, CHANNEL, name, text, response_url=""))
        for name, text in TEXTS.items()
    ]
    await app.add(f"wasend-team {NUMBER}")
    card = await app.message_with_button("Approve")
    for element in (e for block in card["blocks"] for e in block.get("elements", []) if "action_id" in e):
        action = {k: v for k, v in element.items() if k in {"action_id", "type", "value"}} | {"block_id": "b"}
        channel = workspace.channels[CHANNEL]
        click = payloads.message_action(workspace, BOB, channel, card, action, response_url="")
        found.append(("interactive", click))
    for command in FORMS:
        while view := slack.open_view(ALICE):
            await slack.close_view(ALICE, view.body["id"])
        await slack.command(ALICE, CHANNEL, command)
        view = await slack.wait_for(lambda: slack.open_view(ALICE))
        values = forms.values(view)
        suggestion = {**payloads.interaction(workspace, "block_suggestion", ALICE), "value": "wa", "view": view.body}
        found += [
            ("interactive", payloads.view_submission(workspace, view, values)),
            ("interactive", payloads.view_closed(workspace, view, values, cleared=False)),
            ("interactive", {**suggestion, "action_id": "group_select", "block_id": "group"}),
        ]
    said = {"user": ALICE, "text": f"<@U0ROLLCALL> add wasend-team {NUMBER}", "ts": workspace.new_ts()}
    mention = {"type": "app_mention", "channel": CHANNEL, **said}
    opened = {"type": "app_home_opened", "user": ALICE, "tab": "home", "channel": "D0ALICE"}
    return found + [("events_api", payloads.event(workspace, event)) for event in (mention, opened)]


def encoded(kind: Kind, payload: dict[str, Any]) -> tuple[bytes, str]:
    """Return the body of a request, and its content type."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    plain = {key: value for key, value in fields.items() if isinstance(value, str | int)}
    return urlencode(plain, errors="replace").encode(), "application/x-www-form-urlencoded"


async def test_a_malformed_payload_never_causes_an_error(app: RunningApp, slack: SlackServer) -> None:
    rng, delivered = random.Random(1), await samples(app, slack)
    refused = 0
    async with httpx.AsyncClient(timeout=20) as client:
        for _ in range(MUTATIONS):
            kind, payload = rng.choice(delivered)
            changed = mutate(payload, rng)
            body, content_type = encoded(kind, changed)
            timestamp = str(int(time.time()))
            headers = {
                "Content-Type": content_type,
                "X-Slack-Request-Timestamp": timestamp,
                "X-Slack-Signature": sign(slack.signing_secret, timestamp, body),
            }
            with capture_logs() as entries:
                response = await client.post(slack.deliverer.request_url, content=body, headers=headers)
            failures = [e for e in entries if e["log_level"] == "error" and not slack_refused(e)]
            assert response.status_code in {200, 400}, changed
            assert failures == [], changed
            refused += response.status_code == 400
    assert refused > MUTATIONS / 20
