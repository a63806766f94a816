"""Opening a modal before Slack's patience ends."""

import asyncio

from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code, is_trigger_expired

OPEN_TIMEOUT = 2.5
"""Seconds that Slack has to open a form: a trigger lives for 3."""
OPENED_TOO_LATE = "Slack did not open the form in time; nothing was done. Click or type it again."


async def open_modal(
    client: AsyncWebClient, trigger_id: str, view: View, *, view_id: str = "", waited: float = 0.0
) -> str:
    """Open a modal; gives what the person is told where that comes too late, else nothing.

    Where the click was in a modal, `view_id`, it takes that one's place (views.update); if somebody has closed it
    meanwhile, nothing happens. `waited` are the seconds that have gone since the click.
    """
    try:
        async with asyncio.timeout(max(0.0, OPEN_TIMEOUT - waited)):
            if view_id:
                await client.views_update(view_id=view_id, view=view)
            else:
                await client.views_open(trigger_id=trigger_id, view=view)
    except TimeoutError:
        return OPENED_TOO_LATE
    except SlackApiError as error:
        if view_id and error_code(error) == "not_found":
            return ""
        if not is_trigger_expired(error):
            raise
        return OPENED_TOO_LATE
    return ""
