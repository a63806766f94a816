"""In which time zone a person types a time: the one of their Slack profile."""

import asyncio
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

READ_TIMEOUT = 1.0
"""Seconds that a command waits for Slack: its acknowledgement is due within 3."""
_MAX_ENTRIES = 1000

log = structlog.get_logger(__name__)


class TimeZones:
    """The time zones of people, kept while the process lives.

    Args:
        client: asks Slack (users.info, scope users:read).
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._zones: dict[str, tzinfo] = {}

    async def get(self, user_id: str) -> tzinfo:
        """Give the person's time zone; UTC where Slack does not tell it in time."""
        if user_id in self._zones:
            return self._zones[user_id]
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                answer = await self._client.users_info(user=user_id)
            zone: tzinfo = ZoneInfo(str(answer["user"].get("tz") or "UTC"))
        except (ZoneInfoNotFoundError, ValueError):
            log.warning("zone_unknown", user=user_id)
            zone = UTC
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("zone_not_read", user=user_id, error=type(error).__name__)
            return UTC  # the answer shows the moment that was understood
        if len(self._zones) >= _MAX_ENTRIES:
            self._zones.clear()
        self._zones[user_id] = zone
        return zone
