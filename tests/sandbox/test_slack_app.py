import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.http import serve
from sandbox.slack.delivery import sign
from sandbox.slack.forms import InvalidInput
from sandbox.slack.server import SlackServer

ALICE, BOB, LAUNCH = "U01ALICE", "U02BOB", "C0LAUNCH"
GROUPS = ["Launch team", "Launch guests", "Support"]


def option(text: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text}, "value": text.lower().replace(" ", "-")}


def labelled(label: str, block_id: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "input", "block_id": block_id, "label": text, "element": element, **more}


def modal(title: str = "Add people") -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "add",
        "private_metadata": "kept",
        "notify_on_close": True,
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Add"},
        "blocks": [
            labelled("Group", "group", {"type": "external_select", "action_id": "group", "min_query_length": 0}),
            labelled("People", "people", {"type": "plain_text_input", "action_id": "people", "multiline": True}),
            labelled(
                "Options",
                "options",
                {
                    "type": "checkboxes",
                    "action_id": "options",
                    "options": [option("Invite refused"), option("Dry run")],
                },
                optional=True,
            ),
            labelled("When", "when", {"type": "datetimepicker", "action_id": "when"}, optional=True),
            labelled("Roster", "roster", {"type": "file_input", "action_id": "roster"}, optional=True),
        ],
    }


BUTTONS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Approve?*"}},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "request-1",
                "text": {"type": "plain_text", "text": "Approve"},
                "visible_to_user_ids": [BOB],
            },
            {"type": "button", "action_id": "deny", "text": {"type": "plain_text", "text": "Deny"}},
        ],
    },
]


class Bot:
    """A small Bolt app that uses everything a bot needs of Slack, and keeps what it was given."""

    def __init__(self, slack: SlackServer) -> None:
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.slow = asyncio.Event()
        self.submission: dict[str, Any] = {}
        self.options = [option(name) for name in GROUPS]
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        self.app = AsyncApp(client=client, signing_secret=slack.signing_secret)
        self.app.command("/wa-groups")(self.groups)
        self.app.command("/wa-add")(self.add)
        self.app.command("/wa-slow")(self.late)
        self.app.command("/wa-late")(self.respond_later)
        self.app.view("add")(self.submitted)
        self.app.view_closed("add")(self.closed)
        self.app.options("group")(self.suggested)
        self.app.action("approve")(self.clicked)
        self.app.action("deny")(self.clicked)
        self.app.action("group")(self.clicked)
        self.app.shortcut("open-add")(self.add)
        self.app.shortcut("from-message")(self.noted)
        self.app.event("app_mention")(self.mentioned)
        self.app.event("message")(self.noted)
        self.app.event("app_home_opened")(self.home)

    async def groups(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self.seen.append(body)
        await ack(f"You asked for {body['text']}")

    async def add(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    async def late(self, ack: AsyncAck) -> None:
        await self.slow.wait()
        await ack()

    async def respond_later(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("only you see this")
        await respond("everybody sees this", response_type="in_channel")

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self.seen.append(body)
        await ack(**self.submission)

    async def closed(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self.seen.append(body)
        await ack()

    async def suggested(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        wanted = body["value"].lower()
        await ack(options=[o for o in self.options if wanted in o["text"]["text"].lower()])

    async def clicked(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        self.seen.append(body)
        await ack()
        await respond("Approved", replace_original=True)

    async def noted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self.seen.append(body)
        await ack()

    async def mentioned(self, event: dict[str, Any], say: AsyncSay) -> None:
        await say("at your service", thread_ts=event.get("thread_ts", event["ts"]))

    async def home(self, event: dict[str, Any], client: AsyncWebClient) -> None:
        blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Requests"}}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


@asynccontextmanager
async def by_http(slack: SlackServer, bot: Bot) -> AsyncIterator[None]:
    async with serve(bot.app.web_app()) as url:
        slack.deliverer.request_url = f"{url}/slack/events"
        yield


@asynccontextmanager
async def by_socket(slack: SlackServer, bot: Bot) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(bot.app, slack.app_token)
    await handler.client.connect()
    await slack.wait_for(lambda: slack.sockets.listening)
    yield
    await handler.client.close()


Transport = Callable[[SlackServer, Bot], AbstractAsyncContextManager[None]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    async with server.serving():
        yield server


@pytest.fixture(params=[by_http, by_socket])
async def bot(slack: SlackServer, request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    bot = Bot(slack)
    async with request.param(slack, bot):
        yield bot


async def open_modal(slack: SlackServer) -> str:
    await slack.command(ALICE, LAUNCH, "/wa-add")
    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    return str(view.body["id"])


async def post(slack: SlackServer, **more: Any) -> str:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    return str((await client.chat_postMessage(channel=LAUNCH, text="Approve?", blocks=BUTTONS, **more))["ts"])


async def test_only_the_person_sees_the_reply_to_a_command(slack: SlackServer, bot: Bot) -> None:
    ack = await slack.command(ALICE, LAUNCH, "/wa-groups", "launch & co")
    assert ack.ok
    assert [m["text"] for m in slack.ephemerals(ALICE)] == ["You asked for launch & co"]
    assert slack.ephemerals(BOB) == []
    expected = {"user_id": ALICE, "channel_name": "launch", "command": "/wa-groups", "team_id": "T0SANDBOX"}
    assert expected.items() <= bot.seen[0].items()
    assert bot.seen[0]["trigger_id"] == ack.trigger_id


async def test_a_modal_is_opened_filled_in_and_closed_by_its_acknowledgement(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    ack = await slack.submit(
        ALICE,
        view_id,
        {
            "Group": "Launch guests",
            "people": "+1 415 555 0100",
            "Options": ["Dry run"],
            "When": 1_800_000_000,
            "Roster": [("names.csv", b"phone\n+14155550100\n")],
        },
    )
    assert ack.ok
    assert slack.open_view(ALICE) is None
    view = bot.seen[0]["view"]
    values = view["state"]["values"]
    assert view["private_metadata"] == "kept"
    assert values["group"]["group"] == {"type": "external_select", "selected_option": option("Launch guests")}
    assert values["people"]["people"] == {"type": "plain_text_input", "value": "+1 415 555 0100"}
    assert values["options"]["options"] == {"type": "checkboxes", "selected_options": [option("Dry run")]}
    assert values["when"]["when"] == {"type": "datetimepicker", "selected_date_time": 1_800_000_000}
    uploaded = values["roster"]["roster"]["files"][0]
    assert (uploaded["name"], uploaded["size"]) == ("names.csv", 19)


async def test_fields_left_empty_come_as_null_and_as_empty_lists(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    await slack.submit(ALICE, view_id, {"Group": "support", "People": "x"})
    values = bot.seen[0]["view"]["state"]["values"]
    assert values["options"]["options"]["selected_options"] == []
    assert values["when"]["when"]["selected_date_time"] is None


async def test_a_form_with_an_empty_required_field_is_not_sent(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    with pytest.raises(InvalidInput, match="People"):
        await slack.submit(ALICE, view_id, {"Group": "Support"})
    with pytest.raises(InvalidInput, match="no option"):
        await slack.submit(ALICE, view_id, {"Group": "Nobody's"})
    assert bot.seen == []


async def test_an_error_at_a_field_keeps_the_modal_and_what_was_typed(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    bot.submission = {"response_action": "errors", "errors": {"people": "not a number"}}
    await slack.submit(ALICE, view_id, {"Group": "Support", "People": "?"})
    view = slack.open_view(ALICE)
    assert view is not None
    assert view.errors == {"people": "not a number"}
    bot.submission = {}
    await slack.submit(ALICE, view_id, {"People": "+14155550100"})
    assert bot.seen[1]["view"]["state"]["values"]["group"]["group"]["selected_option"] == option("Support")
    assert slack.open_view(ALICE) is None


async def test_an_error_at_a_block_without_an_input_is_reported(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    bot.submission = {"response_action": "errors", "errors": {"poeple": "misspelt"}}
    ack = await slack.submit(ALICE, view_id, {"Group": "Support", "People": "?"})
    assert "poeple" in ack.error


@pytest.mark.parametrize(("action", "titles"), [("update", ["Really?"]), ("push", ["Really?", "Add people"])])
async def test_a_submission_can_update_or_push_a_view(
    slack: SlackServer, bot: Bot, action: str, titles: list[str]
) -> None:
    view_id = await open_modal(slack)
    bot.submission = {"response_action": action, "view": modal("Really?")}
    assert (await slack.submit(ALICE, view_id, {"Group": "Support", "People": "?"})).ok
    seen = []
    while view := slack.open_view(ALICE):
        seen.append(view.body["title"]["text"])
        await slack.close_view(ALICE, view.body["id"])
    assert seen == titles
    assert bot.seen[-1]["type"] == "view_closed"


async def test_a_view_that_slack_refuses_in_an_acknowledgement_is_reported(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    bot.submission = {"response_action": "update", "view": modal("A title longer than twenty-four")}
    ack = await slack.submit(ALICE, view_id, {"Group": "Support", "People": "?"})
    assert "must be less than 25 characters [json-pointer:/view/title/text]" in ack.error


async def test_an_external_select_offers_what_the_app_suggests(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    offered = await slack.suggest(ALICE, view_id, "group", "launch")
    assert [o["text"]["text"] for o in offered] == GROUPS[:2]
    bot.options = [option(f"Launch {n}") for n in range(101)]
    assert await slack.suggest(ALICE, view_id, "group", "launch") == []
    answer = slack.deliveries[-1].ack
    assert answer is not None
    assert "no more than 100 items" in answer.error


async def test_a_choice_in_an_external_select_is_sent_before_the_submission(slack: SlackServer, bot: Bot) -> None:
    await slack.press(ALICE, await open_modal(slack), "Group", value=GROUPS[0])
    assert bot.seen[-1]["actions"][0]["selected_option"]["text"]["text"] == GROUPS[0]


async def test_a_button_is_clicked_by_its_label_and_its_message_replaced(slack: SlackServer, bot: Bot) -> None:
    ts = await post(slack)
    ack = await slack.click(BOB, LAUNCH, ts, "Approve")
    assert ack.ok
    await slack.wait_for(lambda: slack.messages(LAUNCH)[0]["text"] == "Approved")
    action = bot.seen[0]["actions"][0]
    assert (action["action_id"], action["value"], action["type"]) == ("approve", "request-1", "button")
    assert bot.seen[0]["message"]["ts"] == bot.seen[0]["container"]["message_ts"] == ts


async def test_a_hidden_button_is_clicked_only_with_even_if_hidden(slack: SlackServer, bot: Bot) -> None:
    ts = await post(slack)
    with pytest.raises(LookupError, match="does not see"):
        await slack.click(ALICE, LAUNCH, ts, "approve")
    assert (await slack.click(ALICE, LAUNCH, ts, "approve", even_if_hidden=True)).ok
    assert bot.seen[0]["user"]["id"] == ALICE


async def test_a_response_url_answers_the_person_or_the_channel(slack: SlackServer, bot: Bot) -> None:
    assert (await slack.command(ALICE, LAUNCH, "/wa-late")).ok
    await slack.wait_for(lambda: slack.messages(LAUNCH))
    assert [m["text"] for m in slack.ephemerals(ALICE)] == ["only you see this"]
    assert [m["text"] for m in slack.messages(LAUNCH)] == ["everybody sees this"]
    assert bot.seen == []


async def test_shortcuts_mentions_and_the_home_tab_reach_the_app(slack: SlackServer, bot: Bot) -> None:
    await slack.shortcut(ALICE, "open-add")
    await slack.wait_for(lambda: slack.open_view(ALICE))
    ts = await post(slack)
    await slack.shortcut(BOB, "from-message", LAUNCH, ts)
    assert (bot.seen[0]["type"], bot.seen[0]["message"]["text"]) == ("message_action", "Approve?")
    said = await slack.say(ALICE, LAUNCH, "<@U0ROLLCALL> help", ts)
    await slack.wait_for(lambda: slack.thread(LAUNCH, ts)[-1]["text"] == "at your service")
    assert said["thread_ts"] == ts
    await slack.open_home(ALICE)
    home = await slack.wait_for(lambda: slack.home(ALICE))
    assert home.body["blocks"][0]["text"]["text"] == "Requests"


async def test_the_app_receives_direct_messages_with_their_files(slack: SlackServer, bot: Bot) -> None:
    await slack.say(ALICE, "D0ALICE", "help", files=[("team.csv", b"a,b")])
    event = (await slack.wait_for(lambda: bot.seen))[0]["event"]
    assert (event["type"], event["channel_type"], event["subtype"]) == ("message", "im", "file_share")
    assert [(file["name"], file["size"]) for file in event["files"]] == [("team.csv", 3)]
    assert slack.messages("D0ALICE")[0]["files"] == event["files"]
    await slack.say(ALICE, LAUNCH, "nobody is meant")
    assert len(slack.deliveries) == 1


@pytest.mark.parametrize("transport", [by_http, by_socket])
async def test_the_person_sees_the_time_out_of_a_late_app(transport: Transport) -> None:
    slack = SlackServer(ack_limit=0.2)
    async with slack.serving():
        bot = Bot(slack)
        async with transport(slack, bot):
            ack = await slack.command(ALICE, LAUNCH, "/wa-slow")
            bot.slow.set()
    assert ack.timed_out
    assert "operation_timeout" in slack.ephemerals(ALICE)[0]["text"]


async def test_a_redelivery_carries_the_same_payload(slack: SlackServer, bot: Bot) -> None:
    first = await slack.command(ALICE, LAUNCH, "/wa-groups", "twice")
    second = await slack.redeliver(first)
    assert second.ok
    assert bot.seen[0] == bot.seen[1]
    assert [d.retry_num for d in slack.deliveries] == [0, 1]


async def test_the_socket_is_refreshed_and_redelivery_is_marked(slack: SlackServer) -> None:
    bot = Bot(slack)
    async with by_socket(slack, bot):
        before = slack.sockets.listening[0]
        await slack.sockets.refresh()
        after = await slack.wait_for(lambda: slack.sockets.listening)
        assert after[0] is not before
        assert (await slack.command(ALICE, LAUNCH, "/wa-groups", "again")).ok
        slack.sockets.drop()
        await slack.wait_for(lambda: not slack.sockets.connections)


async def test_envelopes_are_shared_between_connections(slack: SlackServer) -> None:
    one, other = Bot(slack), Bot(slack)
    async with by_socket(slack, one), by_socket(slack, other):
        await slack.wait_for(lambda: len(slack.sockets.listening) == 2)
        for number in range(4):
            await slack.command(ALICE, LAUNCH, "/wa-groups", str(number))
    assert (len(one.seen), len(other.seen)) == (2, 2)


async def test_http_deliveries_are_signed_and_repeated_events_are_marked(slack: SlackServer) -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        received.append((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/slack/events", take)])
    async with serve(app) as url:
        slack.deliverer.request_url = f"{url}/slack/events"
        first = await slack.event({"type": "app_home_opened", "user": ALICE})
        await slack.redeliver(first, reason="http_timeout")
    for headers, body in received:
        signature = sign(slack.signing_secret, headers["X-Slack-Request-Timestamp"], body)
        assert headers["X-Slack-Signature"] == signature
    assert "X-Slack-Retry-Num" not in received[0][0]
    assert received[1][0]["X-Slack-Retry-Num"] == "1"
    assert received[1][0]["X-Slack-Retry-Reason"] == "http_timeout"
    assert received[0][1] == received[1][1]


async def test_the_url_check_passes_only_with_the_right_secret(
    slack: SlackServer,
) -> None:
    bot = Bot(slack)
    async with by_http(slack, bot):
        checked = await slack.verify_url()
        assert checked.body == {"challenge": slack.deliveries[-1].payload["challenge"]}
        slack.deliverer.signing_secret = "another"
        refused = await slack.command(ALICE, LAUNCH, "/wa-groups")
    assert refused.error == "http_status_401"
    assert "dispatch_failed" in slack.ephemerals(ALICE)[0]["text"]


async def test_the_person_sees_that_no_app_is_listening(slack: SlackServer) -> None:
    ack = await slack.command(ALICE, LAUNCH, "/wa-groups")
    assert ack.status == 0
    assert "no Socket Mode connection" in ack.error
    assert "dispatch_failed" in slack.ephemerals(ALICE)[0]["text"]


async def test_the_app_fetches_a_file_with_its_token_only(slack: SlackServer, bot: Bot) -> None:
    view_id = await open_modal(slack)
    roster = ("roster.csv", b"phone\n+14155550100\n")
    await slack.submit(ALICE, view_id, {"Group": "Support", "People": "x", "Roster": [roster]})
    url = bot.seen[0]["view"]["state"]["values"]["roster"]["roster"]["files"][0]["url_private_download"]
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    shown = await client.files_info(file=url.split("/")[4])
    assert shown["file"]["url_private_download"] == url
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"}) as answer:
            assert list(csv.DictReader(io.StringIO(await answer.text()))) == [{"phone": "+14155550100"}]
        async with session.get(url) as answer:
            assert answer.content_type == "text/html"


async def test_fifty_concurrent_commands_are_all_acknowledged(slack: SlackServer, bot: Bot) -> None:
    acks = await asyncio.gather(*(slack.command(ALICE, LAUNCH, "/wa-groups", str(n)) for n in range(50)))
    assert all(ack.ok for ack in acks)
    assert sorted(int(body["text"]) for body in bot.seen) == list(range(50))
