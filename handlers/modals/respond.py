"""Responding to a form in time: Slack waits 3 seconds, and a file or a provider may take longer."""

import asyncio
from collections.abc import Awaitable

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code
from handlers.errors import UserError
from handlers.modals.form_preview import Screen
from handlers.modals.open import new_external_id
from handlers.views import interim_modals
from handlers.views.text import without_markup

ACK_DEADLINE = 2.2
"""Seconds after which an interim modal is shown."""
_RETRY_DELAYS = (0.2, 0.5, 1.0, 0.0)
"""Seconds before a view is looked for again: Slack shows what an acknowledgement pushes a moment after it."""

log = structlog.get_logger(__name__)


async def respond(work: Awaitable[Screen], ack: AsyncAck, client: AsyncWebClient) -> None:
    """Acknowledge a form with the modal that follows it.

    Work that takes longer is announced in an interim modal, which is then replaced: the form stays beneath it, with
    everything that was typed.

    Args:
        work: builds what follows.
        ack: acknowledges the form.
        client: replaces what was shown.

    Raises:
        UserError: what the work raises in time.
    """
    task, external_id = asyncio.ensure_future(work), new_external_id()
    await asyncio.wait([task], timeout=ACK_DEADLINE)
    if not task.done():
        await ack(response_action="push", view=interim_modals.reading_preview(external_id))
        await _replace(client, external_id, await _late(task, external_id))
        return
    screen = task.result()
    await ack(response_action="push", view=screen.view)
    if screen.more:
        await _replace(client, screen.external_id, await screen.more())


async def _late(task: asyncio.Future[Screen], external_id: str) -> View:
    """Wait for the complete modal that follows: there is no deadline left."""
    try:
        screen = await task
        view = await screen.more() if screen.more else screen.view
    except UserError as error:
        return interim_modals.no_preview([without_markup(error.text)], external_id)
    except Exception:
        log.exception("preview_failed")
        return interim_modals.no_preview(["Something went wrong on our side."], external_id)
    view.external_id = external_id
    return view


async def _replace(client: AsyncWebClient, external_id: str, view: View) -> None:
    """Replace a modal with another one; if the person closed it, nothing is left to do."""
    for delay in _RETRY_DELAYS:
        try:
            await client.views_update(external_id=external_id, view=view)
        except SlackApiError as error:
            if error_code(error) != "not_found":
                raise
            await asyncio.sleep(delay)
        else:
            return
    log.info("modal_closed", external_id=external_id)
