"""A listener that breaks: the person sees a reference where they look, and the log has the same one."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from structlog.typing import EventDict

from handlers import errors
from handlers.views import inputs, request_forms, submitted_view
from sandbox.http import serve
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from tests.slack_ui import ALICE, CHANNEL, ephemeral_texts

DIRECT = "D0ALICE"
BUTTON = {"type": "button", "action_id": "break", "text": {"type": "plain_text", "text": "Break"}}
LOOK = {"type": "button", "action_id": "look", "text": {"type": "plain_text", "text": "Look"}}
BUTTONS = [{"type": "actions", "elements": [BUTTON, LOOK]}]
NO_FIELDS = {
    "type": "modal",
    "callback_id": "add",
    "title": {"type": "plain_text", "text": "No fields"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": BUTTONS,
}


class Broken(Exception):
    """What no listener expects."""


def broken(acks_first: bool) -> AsyncApp:
    app = AsyncApp(signing_secret="sandbox-signing-secret", token="xoxb-sandbox")

    async def listener(ack: AsyncAck) -> None:
        if acks_first:
            await ack()
        raise Broken

    app.command("/wa-add")(listener)
    app.event("app_mention")(listener)
    app.action("break")(listener)
    app.action("look", middleware=[errors.read_only])(listener)
    app.view("add")(listener)
    app.options(inputs.GROUP_SELECT)(listener)
    errors.register(app)
    return app


@pytest.fixture(params=[False, True], ids=["before the ack", "after the ack"])
def acks_first(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(autouse=True)
async def _app(slack: SlackServer, acks_first: bool) -> AsyncIterator[None]:
    app = broken(acks_first)
    app.client.base_url = slack.api_url
    async with serve(app.server(path="/slack/events").web_app) as url:
        slack.deliverer.request_url = f"{url}/slack/events"
        yield


async def opened(slack: SlackServer, client: AsyncWebClient, view: Any) -> str:
    await client.views_open(trigger_id=slack.workspace.new_trigger(ALICE), view=view)
    shown = slack.open_view(ALICE)
    assert shown is not None
    return str(shown.body["id"])


async def click(
    slack: SlackServer, client: AsyncWebClient, label: str = "Break", thread: str | None = None, *faults: SlackFault
) -> None:
    """Post the two buttons, and click one while Slack has these faults."""
    posted = await client.chat_postMessage(channel=CHANNEL, text="Break?", blocks=BUTTONS, thread_ts=thread)
    slack.faults.extend(faults)
    assert (await slack.click(ALICE, CHANNEL, str(posted["ts"]), label)).ok


def direct(slack: SlackServer) -> list[str]:
    return [str(message["text"]) for message in slack.messages(DIRECT)]


def assert_names(text: str, log: list[EventDict], surface: str) -> None:
    """Check that a text has the reference of the one failure in the log."""
    (entry,) = [entry for entry in log if entry["event"] == "listener_failed"]
    (reference,) = re.findall(r"Reference: `?(\w{8})`?", text)
    assert (entry["reference"], entry["surface"], entry["user"]) == (reference, surface, ALICE)
    assert isinstance(entry["exc_info"], Broken)
    assert "Something went wrong" in text


async def test_a_command_answers_there(slack: SlackServer, log: list[EventDict]) -> None:
    ack = await slack.command(ALICE, CHANNEL, "/wa-add", "x")
    await slack.wait_for(lambda: ephemeral_texts(slack))

    assert ack.ok
    assert_names(ephemeral_texts(slack)[0], log, "/wa-add")


async def test_a_button_answers_there(slack: SlackServer, client: AsyncWebClient, log: list[EventDict]) -> None:
    await click(slack, client)
    await slack.wait_for(lambda: ephemeral_texts(slack))

    assert_names(ephemeral_texts(slack)[0], log, "block_actions")
    assert slack.messages(CHANNEL)[-1]["text"] == "Break?"


async def test_a_failed_read_says_that_nothing_was_changed(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    await click(slack, client, "Look")
    await slack.wait_for(lambda: ephemeral_texts(slack))
    await click(slack, client)
    await slack.wait_for(lambda: len(ephemeral_texts(slack)) > 1)

    looked, broke = ephemeral_texts(slack)
    assert "Nothing was changed." in looked
    assert "took effect" not in looked
    assert "your request may have taken effect" in broke
    assert [entry["reference"] in text for entry, text in zip(log, (looked, broke), strict=True)] == [True, True]


async def test_in_a_thread_a_button_and_a_mention_answer_in_the_thread(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    parent = await slack.say(ALICE, CHANNEL, "A thread")
    await click(slack, client, thread=parent["ts"])
    await slack.wait_for(lambda: ephemeral_texts(slack))
    assert_names(ephemeral_texts(slack)[0], log, "block_actions")

    await slack.say(ALICE, CHANNEL, "<@U0ROLLCALL> break", parent["ts"])
    await slack.wait_for(lambda: len(ephemeral_texts(slack)) > 1)

    assert [message["thread_ts"] for message in slack.ephemerals(ALICE)] == [parent["ts"]] * 2


async def test_a_click_is_answered_in_a_channel_that_the_bot_left(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    slack.workspace.channels[CHANNEL].members.remove("U0ROLLCALL")
    await click(slack, client)
    await slack.wait_for(lambda: ephemeral_texts(slack))

    assert_names(ephemeral_texts(slack)[0], log, "block_actions")


async def test_a_click_whose_response_url_fails_is_answered_in_direct_messages(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    slack.workspace.channels[CHANNEL].members.remove("U0ROLLCALL")
    slack.faults.append(SlackFault("response_url", error="drop", times=-1))
    await click(slack, client)
    await slack.wait_for(lambda: direct(slack))

    assert_names(direct(slack)[0], log, "block_actions")


async def test_a_form_shows_the_failure_while_it_is_open(
    slack: SlackServer,
    client: AsyncWebClient,
    log: list[EventDict],
    acks_first: bool,
) -> None:
    view_id = await opened(slack, client, request_forms.people_form("add", inputs.Prefill(CHANNEL), can_invite=True))
    slack.workspace.views[view_id].typed[submitted_view.GROUP_BLOCK, inputs.GROUP_SELECT] = {
        "type": "external_select",
        "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": "support x"},
    }
    ack = await slack.submit(ALICE, view_id, {"Numbers": "+1 415 555 0100"})

    assert ack.ok
    if acks_first:
        await slack.wait_for(lambda: direct(slack))
        assert_names(direct(slack)[0], log, "view_submission")
        return
    still_open = slack.open_view(ALICE)
    assert still_open is not None
    assert list(still_open.errors) == [submitted_view.GROUP_BLOCK]
    assert_names(still_open.errors[submitted_view.GROUP_BLOCK], log, "view_submission")
    assert "`" not in still_open.errors[submitted_view.GROUP_BLOCK]


async def test_a_form_without_a_field_answers_in_itself_and_later_in_direct_messages(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict], acks_first: bool
) -> None:
    ack = await slack.submit(ALICE, await opened(slack, client, NO_FIELDS))
    if acks_first:
        await slack.wait_for(lambda: direct(slack))

    assert ack.ok
    assert_names(direct(slack)[0] if acks_first else json.dumps(ack.body, ensure_ascii=False), log, "view_submission")


async def test_a_button_in_a_form_answers_in_direct_messages(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    ack = await slack.press(ALICE, await opened(slack, client, NO_FIELDS), "Break")
    await slack.wait_for(lambda: direct(slack))

    assert ack.ok
    assert_names(direct(slack)[0], log, "block_actions")


@pytest.mark.parametrize("acks_first", [False], indirect=True)
async def test_a_search_offers_nothing_and_does_not_fail(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    view_id = await opened(slack, client, request_forms.people_form("add", inputs.Prefill(CHANNEL), can_invite=True))

    assert await slack.suggest(ALICE, view_id, "Group", "x") == []
    assert slack.deliveries[-1].ack is not None
    assert slack.deliveries[-1].ack.ok
    assert [entry["surface"] for entry in log if entry["event"] == "listener_failed"] == ["block_suggestion"]


async def test_without_a_way_to_answer_the_log_has_the_failure(
    slack: SlackServer, client: AsyncWebClient, log: list[EventDict]
) -> None:
    faults = (
        SlackFault("response_url", error="drop", times=-1),
        SlackFault("chat.postEphemeral", error="fatal_error"),
        SlackFault("chat.postMessage", error="drop", times=-1),
    )
    await click(slack, client, "Break", None, *faults)
    await slack.wait_for(lambda: slack.calls[-1].method == "chat.postMessage" and slack.calls[-1].status == 0)

    assert "listener_failed" in [entry["event"] for entry in log]
