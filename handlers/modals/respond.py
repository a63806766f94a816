"""Shows what follows a form in time: Slack waits 3 seconds for it, and a file or a provider may take longer."""

import asyncio
from collections.abc import Awaitable

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients.errors import error_code
from handlers.modals.errors import FormError
from handlers.modals.form_preview import Screen
from handlers.views import interim_modals
from handlers.views.submitted_view import SubmittedView

ACK_DEADLINE = 2.2
"""Seconds after which something is shown, whatever it is."""
_RETRY_DELAYS = (0.2, 0.5, 1.0, 0.0)
"""Seconds before a view is looked for again: Slack shows what an acknowledgement pushes a moment after it."""

log = structlog.get_logger(__name__)


async def respond(
    work: Awaitable[Screen], ack: AsyncAck, client: AsyncWebClient, view: dict[str, object], *, external_id: str
) -> None:
    """Acknowledge a form with what follows it, or with an error at its field.

    What takes longer is announced, and shown in place of that: the form stays beneath, with all that was typed.

    Args:
        work: makes what follows, and is all that takes time; raises `Mistake`.
        ack: acknowledges the form.
        client: replaces what was shown.
        view: the form.
        external_id: of the announcement, for its replacement.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=ACK_DEADLINE)
    if not task.done():
        await ack(response_action="push", view=interim_modals.reading_preview(external_id))
        await _replace(client, external_id, await _late(task, external_id))
        return
    try:
        screen = task.result()
    except FormError as mistake:
        await ack(response_action="errors", errors={SubmittedView(view).block(mistake.block): mistake.words})
        return
    await ack(response_action="push", view=screen.view)
    if screen.more:
        await _replace(client, screen.external_id, await screen.more())


async def _late(task: asyncio.Future[Screen], external_id: str) -> View:
    """Wait for what follows. A preview is shown once, with all that can be known: time does not press any more."""
    try:
        screen = await task
        view = await screen.more() if screen.more else screen.view
    except FormError as mistake:
        return interim_modals.no_preview([mistake.words], external_id)
    except Exception:
        log.exception("preview_failed")
        return interim_modals.no_preview(["Something went wrong on my side."], external_id)
    view.external_id = external_id
    return view


async def _replace(client: AsyncWebClient, external_id: str, view: View) -> None:
    """Put a view in the place of another; where the person closed that, nothing is left to do."""
    for pause in _RETRY_DELAYS:
        try:
            await client.views_update(external_id=external_id, view=view)
        except SlackApiError as error:
            if error_code(error) != "not_found":
                raise
            await asyncio.sleep(pause)
        else:
            return
    log.info("view_closed_before", external_id=external_id)
