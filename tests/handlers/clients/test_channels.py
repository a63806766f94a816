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
async def test_numbers_are_short_in_public_and_unknown_channels(
    slack: SlackServer, client: AsyncWebClient, channel: str, short: bool
) -> None:
    slack.workspace.channels["C0PRIVATE"] = PRIVATE
    channels = ChannelDirectory(client)

    assert [await channels.shortens_numbers(channel) for _ in range(2)] == [short, short]
    assert len(slack.calls) == (1 if channel.startswith("C") else 0)


async def test_a_failed_read_is_repeated(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.workspace.channels["C0PRIVATE"] = PRIVATE
    slack.faults.append(SlackFault("conversations.info", error="fatal_error"))
    channels = ChannelDirectory(client)

    assert [await channels.shortens_numbers("C0PRIVATE") for _ in range(2)] == [True, False]


async def test_numbers_are_full_if_configured(slack: SlackServer, client: AsyncWebClient) -> None:
    assert not await ChannelDirectory(client, shorten=False).shortens_numbers("C0LAUNCH")
    assert slack.calls == []


async def test_people_outside_a_channel_are_known_if_slack_answers(slack: SlackServer, client: AsyncWebClient) -> None:
    channels = ChannelDirectory(client)
    slack.workspace.channels["C0LAUNCH"].members |= {
        f"U1{n:04}" for n in range(1500)
    }  # Bob and Dave are on the last page

    assert await channels.not_members("C0LAUNCH", ["U02BOB", "U04DAVE", "U09AWAY"]) == {"U09AWAY"}
    assert await channels.not_members("C0GONE", ["U02BOB"]) == frozenset()
    assert await channels.not_members("C0LAUNCH", []) == frozenset()


async def test_a_very_large_channel_is_taken_to_include_all_people(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.workspace.channels["C0LAUNCH"].members |= {f"U1{n:04}" for n in range(6000)}

    assert await ChannelDirectory(client).not_members("C0LAUNCH", ["U09AWAY"]) == frozenset()
