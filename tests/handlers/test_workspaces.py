"""Payloads with a valid signature, whose person belongs to another workspace."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from handlers.views import answers
from sandbox.slack import payloads
from sandbox.slack.delivery import Ack, Kind
from sandbox.slack.server import SlackServer
from tests.app import RunningApp, app_slack, approval_rule, module_app
from tests.slack_ui import ALICE, BOB, CHANNEL, ephemeral_texts

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER, ALLOWED = "T0OTHER", "T0ALLOWED"
NUMBER = "+1 415 555 0101"
Change = Callable[[dict[str, Any]], object]

app = module_app(
    rules=approval_rule("add"), edit=lambda toml: toml.replace("[slack]", f'[slack]\nworkspaces = ["{ALLOWED}"]')
)
slack = app_slack


def command(slack: SlackServer, text: str = f"wasend-team {NUMBER}") -> dict[str, Any]:
    return payloads.command(slack.workspace, ALICE, CHANNEL, "/wa-add", text, response_url="")


def mention(slack: SlackServer, **fields: str) -> dict[str, Any]:
    text = f"<@U0ROLLCALL> add wasend-team {NUMBER}"
    return payloads.event(
        slack.workspace,
        {
            "type": "app_mention",
            "user": ALICE,
            "text": text,
            "ts": slack.workspace.new_ts(),
            "channel": CHANNEL,
            **fields,
        },
    )


async def deliver(slack: SlackServer, kind: Kind, payload: dict[str, Any]) -> Ack:
    """Deliver a payload, and check that nothing was requested."""
    count = len(slack.messages(CHANNEL))
    with capture_logs() as log:
        delivery = await slack.deliverer.deliver(kind, payload)
    assert [e["event"] for e in log if e["event"] == "foreign_workspace"] == ["foreign_workspace"]
    assert len(slack.messages(CHANNEL)) == count
    assert delivery.ack is not None
    assert delivery.ack.ok
    return delivery.ack


async def test_a_command_from_another_workspace_is_refused(slack: SlackServer) -> None:
    ack = await deliver(slack, "slash_commands", {**command(slack), "team_id": OTHER})
    assert answers.FOREIGN_WORKSPACE in str(ack.body)


@pytest.mark.parametrize("field", ["user_team", "source_team", "team"])
async def test_an_external_person_in_a_shared_channel_is_ignored(slack: SlackServer, field: str) -> None:
    await deliver(slack, "events_api", mention(slack, **{field: OTHER}))


async def test_an_event_without_any_workspace_is_ignored(slack: SlackServer) -> None:
    payload = mention(slack)
    del payload["team_id"]
    await deliver(slack, "events_api", payload)


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload["user"].update(team_id=OTHER),
        lambda payload: payload["team"].update(id=OTHER),
        lambda payload: payload.update(team={"id": ["T0SANDBOX"]}),
    ],
)
async def test_an_external_approver_decides_nothing(app: RunningApp, slack: SlackServer, change: Change) -> None:
    count = len(slack.messages(CHANNEL))
    await app.add(f"wasend-team {NUMBER}")
    await slack.wait_for(lambda: len(slack.messages(CHANNEL)) == count + 2)
    card = await app.message_with_button("Approve")
    button = next(
        e for b in card["blocks"] for e in b.get("elements", []) if e.get("action_id", "").startswith("approve")
    )
    action = {k: button[k] for k in ("action_id", "type", "value")} | {"block_id": "b"}
    channel = slack.workspace.channels[CHANNEL]
    payload = payloads.message_action(slack.workspace, BOB, channel, card, action, response_url="")
    change(payload)
    await deliver(slack, "interactive", payload)
    await slack.wait_for(lambda: answers.FOREIGN_WORKSPACE in ephemeral_texts(slack, BOB))
    assert app.world().events == []


async def test_a_submitted_form_from_another_workspace_is_refused(slack: SlackServer) -> None:
    await slack.command(ALICE, CHANNEL, "/wa-add")
    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    payload = payloads.view_submission(slack.workspace, view, {})
    payload["user"]["team_id"] = OTHER
    ack = await deliver(slack, "interactive", payload)
    assert "errors" in str(ack.body)


async def test_a_workspace_of_the_configuration_is_allowed(slack: SlackServer) -> None:
    delivery = await slack.deliverer.deliver("slash_commands", {**command(slack), "team_id": ALLOWED})
    assert delivery.ack is not None
    assert answers.FOREIGN_WORKSPACE not in str(delivery.ack.body)
