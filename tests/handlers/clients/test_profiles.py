from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients import profiles as module
from handlers.clients.profiles import Profiles, with_names
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import User, UserGroup


async def test_a_time_zone_is_read_once(slack: SlackServer, client: AsyncWebClient) -> None:
    profiles = Profiles(client)

    zones = [await profiles.time_zone_of("U02BOB") for _ in range(2)]

    assert zones == [ZoneInfo("America/New_York")] * 2
    assert [call.method for call in slack.calls] == ["users.info"]


@pytest.mark.parametrize("tz", ["Mars/Olympus", "../etc/passwd", ""])
async def test_an_unknown_time_zone_is_utc(slack: SlackServer, client: AsyncWebClient, tz: str) -> None:
    slack.workspace.users["U02BOB"] = User("U02BOB", "bob", "Bob", tz)

    assert str(await Profiles(client).time_zone_of("U02BOB")) == "UTC"


@pytest.mark.parametrize("error", ["user_not_found", "hang"])
async def test_an_unanswered_time_zone_is_utc_and_is_read_again(
    slack: SlackServer, client: AsyncWebClient, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.2 if error == "hang" else module.READ_TIMEOUT)
    slack.faults.append(SlackFault("users.info", error=error))
    profiles = Profiles(client)

    assert await profiles.time_zone_of("U02BOB") is UTC
    monkeypatch.undo()
    assert await profiles.time_zone_of("U02BOB") == ZoneInfo("America/New_York")


async def test_mentions_become_names_for_plain_text(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.workspace.groups["S0LEADS"] = UserGroup("S0LEADS", "leads", "Leads", ("U02BOB",))

    text = await with_names(client, "Ask <@U02BOB> or <!subteam^S0LEADS>, not <b>.")

    assert text == "Ask @bob or @leads, not <b>."


@pytest.mark.parametrize("error", ["user_not_found", "hang"])
async def test_an_unanswered_name_is_left_out(
    slack: SlackServer, client: AsyncWebClient, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.2 if error == "hang" else module.READ_TIMEOUT)
    slack.faults.append(SlackFault("users.info", error=error))

    assert await with_names(client, "Ask <@U02BOB>.") == "Ask a person with access."
