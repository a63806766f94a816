"""Opening a modal within the lifetime of its trigger."""

import asyncio
import secrets

from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code, is_trigger_expired
from handlers.errors import UserError

OPEN_TIMEOUT = 2.5
"""Seconds that Slack has to open a modal: a trigger expires after 3 (docs.slack.dev, views.open)."""
OPENED_TOO_LATE = "Slack didn't open the form in time, and nothing was done. Click or type it again."


def new_external_id() -> str:
    """Return a new external id, by which a modal is found again to be updated."""
    return f"rollcall-{secrets.token_hex(12)}"


async def open_modal(
    client: AsyncWebClient, trigger_id: str, view: View, *, view_id: str = "", waited: float = 0.0
) -> None:
    """Open a modal (views.open), or replace one (views.update); a modal that was closed meanwhile stays closed.

    Args:
        client: calls Slack.
        trigger_id: the trigger of the click or command.
        view: the modal.
        view_id: the modal to replace; empty: none.
        waited: the seconds since the click or command.

    Raises:
        UserError: it was too late for the trigger.
    """
    try:
        async with asyncio.timeout(max(0.0, OPEN_TIMEOUT - waited)):
            if view_id:
                await client.views_update(view_id=view_id, view=view)
            else:
                await client.views_open(trigger_id=trigger_id, view=view)
    except TimeoutError as error:
        raise UserError(OPENED_TOO_LATE) from error
    except SlackApiError as error:
        if view_id and error_code(error) == "not_found":
            return
        if not is_trigger_expired(error):
            raise
        raise UserError(OPENED_TOO_LATE) from error
