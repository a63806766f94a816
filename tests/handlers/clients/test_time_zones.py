from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients import time_zones
from handlers.clients.time_zones import TimeZones
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import User


async def test_a_zone_is_asked_for_once(slack: SlackServer, client: AsyncWebClient) -> None:
    asked = TimeZones(client)

    assert [await asked.get("U02BOB"), await asked.get("U02BOB")] == [ZoneInfo("America/New_York")] * 2
    assert [call.method for call in slack.calls] == ["users.info"]


@pytest.mark.parametrize("tz", ["Mars/Olympus", "../etc/passwd", ""])
async def test_a_zone_that_nobody_knows_is_utc(slack: SlackServer, client: AsyncWebClient, tz: str) -> None:
    slack.workspace.users["U02BOB"] = User("U02BOB", "bob", "Bob", tz)

    assert str(await TimeZones(client).get("U02BOB")) == "UTC"


@pytest.mark.parametrize("error", ["user_not_found", "hang"])
async def test_where_slack_does_not_tell_it_is_utc_and_asked_again(
    slack: SlackServer, client: AsyncWebClient, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_zones, "READ_TIMEOUT", 0.2 if error == "hang" else time_zones.READ_TIMEOUT)
    slack.faults.append(SlackFault("users.info", error=error))
    asked = TimeZones(client)

    assert await asked.get("U02BOB") is UTC
    monkeypatch.undo()
    assert await asked.get("U02BOB") == ZoneInfo("America/New_York")
