import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer

ALICE, BOB, LAUNCH, ELSEWHERE, DM = "U01ALICE", "U02BOB", "C0LAUNCH", "C0ELSEWHERE", "D0ALICE"
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Add"}, "blocks": [{"type": "divider"}]}
METADATA = {"event_type": "request", "event_payload": {"id": "r1"}}


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=clock)
    async with server.serving():
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


def error_of(caught: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(caught.value.response["error"])


async def test_auth_test_names_the_bot_and_its_scopes(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["team_id"], answer["bot_id"]) == ("U0ROLLCALL", "T0SANDBOX", "B0ROLLCALL")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-other", "invalid_auth")])
async def test_a_token_is_needed(slack: SlackServer, token: str, error: str) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.post(f"{slack.api_url}auth.test", headers=headers) as answer:
            assert (await answer.json())["error"] == error
        async with session.post(f"{slack.api_url}auth.test", data={"token": slack.bot_token}) as answer:
            assert (await answer.json())["ok"]
    assert slack.bot_token not in str(slack.calls)


async def test_a_missing_scope_is_named() -> None:
    slack = SlackServer(scopes=["commands", "users:read"])
    async with slack.serving():
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=LAUNCH, text="x")
        assert caught.value.response["needed"] == "chat:write"
        assert caught.value.response["provided"] == "commands,users:read"
        assert caught.value.response.headers["x-oauth-scopes"] == "commands,users:read"
        with pytest.raises(SlackApiError, match="missing_scope"):
            await client.conversations_history(channel=LAUNCH)
        assert "email" not in (await client.users_info(user=ALICE))["user"]["profile"]


async def test_a_thread_is_posted_and_read_back(client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=LAUNCH, text="Adding", metadata=METADATA)
    for number in range(3):
        await client.chat_postMessage(channel=LAUNCH, text=f"row {number}", thread_ts=parent["ts"])
    history = await client.conversations_history(channel=LAUNCH, include_all_metadata=True)
    assert [m["text"] for m in history["messages"]] == ["Adding"]
    assert history["messages"][0]["metadata"] == METADATA
    assert history["messages"][0]["reply_count"] == 3
    replies = await client.conversations_replies(channel=LAUNCH, ts=parent["ts"])
    assert [m["text"] for m in replies["messages"]] == ["Adding", "row 0", "row 1", "row 2"]
    assert "metadata" not in replies["messages"][0]


async def test_history_comes_newest_first_in_pages_and_between_two_times(client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=LAUNCH, text=str(n)))["ts"] for n in range(5)]
    first = await client.conversations_history(channel=LAUNCH, limit=2)
    assert [m["text"] for m in first["messages"]] == ["4", "3"]
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=LAUNCH, limit=2, cursor=cursor)
    assert [m["text"] for m in second["messages"]] == ["2", "1"]
    between = await client.conversations_history(channel=LAUNCH, oldest=stamps[0], latest=stamps[3])
    assert [m["text"] for m in between["messages"]] == ["2", "1"]
    with_ends = await client.conversations_history(channel=LAUNCH, oldest=stamps[0], latest=stamps[3], inclusive=True)
    assert [m["text"] for m in with_ends["messages"]] == ["3", "2", "1", "0"]


async def test_an_update_with_text_alone_removes_the_blocks_and_keeps_the_metadata(
    client: AsyncWebClient, slack: SlackServer
) -> None:
    posted = await client.chat_postMessage(channel=LAUNCH, text="x", blocks=[{"type": "divider"}], metadata=METADATA)
    await client.chat_update(channel=LAUNCH, ts=posted["ts"], text="y")
    message = slack.messages(LAUNCH)[0]
    assert (message["text"], message["metadata"]) == ("y", METADATA)
    assert "blocks" not in message
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel=LAUNCH, ts=posted["ts"], text="y" * 4001)
    await client.chat_delete(channel=LAUNCH, ts=posted["ts"])
    assert slack.messages(LAUNCH) == []


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": LAUNCH}, "no_text"),
        ("chat.postMessage", {"channel": LAUNCH, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": LAUNCH, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": LAUNCH, "text": "x", "thread_ts": "1.0"}, "thread_not_found"),
        ("chat.postMessage", {"channel": LAUNCH, "text": "x", "metadata": {"id": 1}}, "invalid_metadata_format"),
        ("chat.update", {"channel": LAUNCH, "ts": "1.0", "text": "x"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": LAUNCH, "user": "U0ROLLCALL9", "text": "x"}, "user_not_in_channel"),
        ("conversations.history", {"channel": ELSEWHERE}, "not_in_channel"),
        ("conversations.replies", {"channel": LAUNCH, "ts": "1.0"}, "thread_not_found"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("views.open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
        ("views.update", {"view_id": "V0", "view": MODAL}, "not_found"),
        ("apps.connections.open", {}, "not_allowed_token_type"),
        ("chat.shout", {}, "unknown_method"),
    ],
)
async def test_invalid_calls_are_refused(client: AsyncWebClient, method: str, args: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=args)
    assert error_of(caught) == error


async def test_a_public_channel_that_was_not_joined_takes_chat_write_public() -> None:
    without = SlackServer(scopes=["chat:write"])
    async with without.serving():
        client = AsyncWebClient(token=without.bot_token, base_url=without.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=ELSEWHERE, text="x")
    assert error_of(caught) == "not_in_channel"


async def test_chat_write_public_lets_the_bot_post_without_joining(client: AsyncWebClient, slack: SlackServer) -> None:
    await client.chat_postMessage(channel=ELSEWHERE, text="x")
    assert [message["text"] for message in slack.messages(ELSEWHERE)] == ["x"]


async def test_invalid_blocks_are_explained(client: AsyncWebClient, slack: SlackServer) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LAUNCH, text="x", blocks=[{"type": "section", "colour": "red"}])
    messages = caught.value.response["response_metadata"]["messages"]
    assert "[ERROR] invalid additional property: colour [json-pointer:/blocks/0]" in messages
    assert slack.calls[-1].response["error"] == "invalid_blocks"
    assert slack.messages(LAUNCH) == []


async def test_the_bot_cannot_change_another_persons_message(client: AsyncWebClient, slack: SlackServer) -> None:
    said = await slack.say(ALICE, LAUNCH, "mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=LAUNCH, ts=said["ts"], text="yours")


async def test_people_groups_channels_and_direct_messages_are_known(client: AsyncWebClient, slack: SlackServer) -> None:
    assert (await client.users_info(user=BOB))["user"]["tz"] == "America/New_York"
    assert (await client.usergroups_users_list(usergroup="S0OPERATORS"))["users"] == [ALICE, "U03CAROL"]
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["handle"] == "operators"
    assert (await client.conversations_info(channel=LAUNCH))["channel"]["is_member"]
    assert (await client.conversations_open(users=ALICE))["channel"]["id"] == DM
    await client.chat_postMessage(channel=ALICE, text="psst")
    assert [m["text"] for m in slack.messages(DM)] == ["psst"]
    posted = await client.chat_postMessage(channel=LAUNCH, text="x")
    link = await client.chat_getPermalink(channel=LAUNCH, message_ts=posted["ts"])
    assert link["permalink"].endswith(f"/{LAUNCH}/p{posted['ts'].replace('.', '')}")


async def test_an_ephemeral_message_is_for_one_person(client: AsyncWebClient, slack: SlackServer) -> None:
    await client.chat_postEphemeral(channel=LAUNCH, user=ALICE, text="psst")
    assert [m["text"] for m in slack.ephemerals(ALICE)] == ["psst"]
    assert slack.messages(LAUNCH) == slack.ephemerals(BOB) == []


async def test_the_same_client_msg_id_is_posted_twice(client: AsyncWebClient, slack: SlackServer) -> None:
    for _ in range(2):
        await client.chat_postMessage(channel=LAUNCH, text="x", client_msg_id="5f1c8c3e-0000-4000-8000-000000000000")
    assert len(slack.messages(LAUNCH)) == 2


async def test_a_trigger_opens_one_view_within_three_seconds(
    client: AsyncWebClient, slack: SlackServer, clock: Clock
) -> None:
    trigger = slack.workspace.new_trigger(ALICE)
    opened = await client.views_open(trigger_id=trigger, view=MODAL)
    assert slack.open_view(ALICE) is slack.workspace.views[opened["view"]["id"]]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=MODAL)
    late = slack.workspace.new_trigger(ALICE)
    clock.time += 3.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=late, view=MODAL)


async def test_a_view_is_updated_only_with_its_latest_hash(client: AsyncWebClient, slack: SlackServer) -> None:
    trigger = slack.workspace.new_trigger(ALICE)
    opened = (await client.views_open(trigger_id=trigger, view={**MODAL, "external_id": "add-1"}))["view"]
    await client.views_update(external_id="add-1", view={**MODAL, "external_id": "add-1"}, hash=opened["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=opened["id"], view=MODAL, hash=opened["hash"])


async def test_at_most_three_views_are_stacked(client: AsyncWebClient, slack: SlackServer) -> None:
    await client.views_open(trigger_id=slack.workspace.new_trigger(ALICE), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=slack.workspace.new_trigger(ALICE), view=MODAL)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=slack.workspace.new_trigger(ALICE), view=MODAL)


async def test_a_file_is_uploaded_into_a_thread(client: AsyncWebClient, slack: SlackServer) -> None:
    parent = await client.chat_postMessage(channel=LAUNCH, text="Adding")
    await client.files_upload_v2(
        channel=LAUNCH, thread_ts=parent["ts"], filename="r.csv", content="a,b\n", initial_comment="Results"
    )
    reply = slack.thread(LAUNCH, parent["ts"])[1]
    assert (reply["text"], reply["files"][0]["name"]) == ("Results", "r.csv")
    assert slack.files[0].content == b"a,b\n"


async def test_an_upload_that_was_never_sent_cannot_be_completed(client: AsyncWebClient) -> None:
    announced = await client.files_getUploadURLExternal(filename="r.csv", length=4)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": announced["file_id"]}], channel_id=LAUNCH)


async def test_one_message_a_second_goes_into_a_channel(
    client: AsyncWebClient, slack: SlackServer, clock: Clock
) -> None:
    slack.api.rates.enforced = True
    await client.chat_postMessage(channel=LAUNCH, text="1")
    await client.chat_postMessage(channel="C0APPROVALS", text="elsewhere is another limit")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=LAUNCH, text="2")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    clock.time += 1
    await client.chat_postMessage(channel=LAUNCH, text="2")


async def test_a_tier_counts_calls_in_a_minute(client: AsyncWebClient, slack: SlackServer, clock: Clock) -> None:
    slack.api.rates.enforced = True
    for _ in range(20):
        await client.usergroups_users_list(usergroup="S0OPERATORS")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.usergroups_users_list(usergroup="S0OPERATORS")
    clock.time += 60
    await client.usergroups_users_list(usergroup="S0OPERATORS")


async def test_a_rate_limit_on_demand_is_retried_by_the_sdk(client: AsyncWebClient, slack: SlackServer) -> None:
    slack.faults.append(SlackFault(method="chat.postMessage", error="ratelimited", retry_after=0))
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    assert (await client.chat_postMessage(channel=LAUNCH, text="x"))["ok"]
    assert [call.status for call in slack.calls] == [429, 200]


async def test_an_effect_stays_when_its_response_is_lost(client: AsyncWebClient, slack: SlackServer) -> None:
    client.retry_handlers.clear()
    slack.faults.append(SlackFault(method="chat.postMessage", error="drop", when="after"))
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=LAUNCH, text="x")
    assert len(slack.messages(LAUNCH)) == 1
    assert slack.calls[0].status == 0


async def test_a_call_that_hangs_or_fails_has_no_effect(client: AsyncWebClient, slack: SlackServer) -> None:
    slack.faults[:] = [
        SlackFault(method="chat.postMessage", error="hang", contains="hello"),
        SlackFault(method="chat.postMessage", error="internal_error", skip=1),
        SlackFault(method="chat.update", status=503),
    ]
    hanging = asyncio.create_task(client.chat_postMessage(channel=LAUNCH, text="hello"))
    await slack.wait_for(lambda: slack.faults[0].times == 0)
    hanging.cancel()
    posted = await client.chat_postMessage(channel=LAUNCH, text="first")
    with pytest.raises(SlackApiError, match="internal_error"):
        await client.chat_postMessage(channel=LAUNCH, text="second")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=LAUNCH, ts=posted["ts"], text="third")
    assert caught.value.response.status_code == 503
    assert [m["text"] for m in slack.messages(LAUNCH)] == ["first"]


async def test_a_response_url_works_five_times_within_thirty_minutes(slack: SlackServer, clock: Clock) -> None:
    url = f"{slack.base_url}/hooks/{slack.workspace.new_response_url(ALICE, LAUNCH)}"
    hook = AsyncWebhookClient(url)
    assert [(await hook.send(text=str(n))).status_code for n in range(6)] == [200] * 5 + [404]
    old = AsyncWebhookClient(f"{slack.base_url}/hooks/{slack.workspace.new_response_url(ALICE, LAUNCH)}")
    clock.time += 1801
    assert (await old.send(text="late")).body == '{"ok": false, "error": "expired_url"}'
    assert [m["text"] for m in slack.ephemerals(ALICE)] == ["0", "1", "2", "3", "4"]


async def test_odd_text_is_posted_and_noted(client: AsyncWebClient, slack: SlackServer) -> None:
    await client.chat_postMessage(channel=LAUNCH, text="Fish & chips")
    assert slack.oddities == ["unescaped & in 'Fish & chips'"]


async def test_waiting_ends_with_a_time_out(slack: SlackServer) -> None:
    with pytest.raises(TimeoutError):
        await slack.wait_for(lambda: slack.messages(LAUNCH), timeout=0.01)
