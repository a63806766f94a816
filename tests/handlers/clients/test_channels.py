import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.channels import ChannelDirectory
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Channel, ChannelInfo

PRIVATE = Channel(ChannelInfo("C0PRIVATE", "private", (), kind="groups"), {"U0ROLLCALL"})


@pytest.mark.parametrize(
    ("channel", "short"), [("C0LAUNCH", True), ("C0PRIVATE", False), ("D0ALICE", False), ("C0GONE", True)]
)
async def test_numbers_are_short_in_public_channels_and_where_nobody_knows(
    slack: SlackServer, client: AsyncWebClient, channel: str, short: bool
) -> None:
    slack.workspace.channels["C0PRIVATE"] = PRIVATE
    channels = ChannelDirectory(client)

    assert [await channels.shortens_numbers(channel) for _ in range(2)] == [short, short]
    assert len(slack.calls) == (1 if channel.startswith("C") else 0)


async def test_what_slack_failed_to_tell_is_asked_again(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.workspace.channels["C0PRIVATE"] = PRIVATE
    slack.faults.append(SlackFault("conversations.info", error="fatal_error"))
    channels = ChannelDirectory(client)

    assert [await channels.shortens_numbers("C0PRIVATE") for _ in range(2)] == [True, False]


async def test_where_the_settings_want_it_numbers_are_never_short(slack: SlackServer, client: AsyncWebClient) -> None:
    assert not await ChannelDirectory(client, shorten=False).shortens_numbers("C0LAUNCH")
    assert slack.calls == []


async def test_who_is_not_in_a_channel_is_known_and_nobody_where_slack_does_not_say(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channels = ChannelDirectory(client)
    slack.workspace.channels["C0LAUNCH"].members |= {
        f"U1{n:04}" for n in range(1500)
    }  # Bob and Dave are on the last page

    assert await channels.not_members("C0LAUNCH", ["U02BOB", "U04DAVE", "U09AWAY"]) == {"U09AWAY"}
    assert await channels.not_members("C0GONE", ["U02BOB"]) == frozenset()
    assert await channels.not_members("C0LAUNCH", []) == frozenset()


async def test_in_a_channel_too_large_to_be_read_everybody_is_taken_to_be(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    slack.workspace.channels["C0LAUNCH"].members |= {f"U1{n:04}" for n in range(6000)}

    assert await ChannelDirectory(client).not_members("C0LAUNCH", ["U09AWAY"]) == frozenset()
