"""Submissions that end a form: of a preview, and of the form that shows an invite link."""

from dataclasses import replace
from datetime import timedelta

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Denied
from bot.domain.requests import RequestDraft
from handlers.clients.personal import send_ephemeral
from handlers.errors import UserError
from handlers.modals.form_preview import FormPreviews, sync_request_of
from handlers.modals.parse import Submission, chosen_group
from handlers.services import Services
from handlers.views import answers, preview, request_forms
from handlers.views.preview import SyncTerms
from providers.base import Action, ProviderError

_GONE = (
    "This preview is more than a day old, belongs to another person, or its connection is no longer in the "
    "configuration. Go back, and press Preview again."
)

log = structlog.get_logger(__name__)


async def submit(
    services: Services, previews: FormPreviews, client: AsyncWebClient, form: Submission, ack: AsyncAck
) -> None:
    """Submit the request that a preview showed; the same preview twice is one request. Raises `UserError`."""
    metadata = preview.parse(form.view)
    draft = await previews.saved_draft(metadata.draft, form)
    if draft is None:
        raise UserError(_GONE)
    draft = replace(draft, requester=form.actor)
    text = await (_start(services, draft, metadata.sync) if metadata.sync else services.submit(draft))
    await ack(response_action="clear")
    await _send_answer(client, form, draft.channel, text)


async def show_link(services: Services, client: AsyncWebClient, form: Submission, ack: AsyncAck) -> None:
    """Show an invite link to the person who submitted the form, and to no other. Raises `UserError`.

    Nothing is changed, so the provider is called after the acknowledgement.
    """
    fields = request_forms.parse_invite(form.view).common
    group = await chosen_group(services, fields.group)
    decision = services.authorizer.check(form.actor, Action.READ_INVITE, group)
    if isinstance(decision, Denied):
        raise UserError(decision.text, field=request_forms.INVITE_ACTION_BLOCK)
    await ack(response_action="clear")
    try:
        link = await services.connections[group.connection].provider.invite_link(group.id)
    except ProviderError as error:
        await _send_answer(client, form, fields.channel, answers.not_read("the invite link", error))
        return
    await services.record_disclosure(form.actor.user_id, "the invite link", group.connection, group.id)
    await _send_answer(client, form, fields.channel, answers.link(group, link))


async def _start(services: Services, draft: RequestDraft, terms: SyncTerms) -> str:
    if draft.roster.people and (rejected := services.submissions.check(draft)):
        raise UserError(rejected.reason, reference=draft.id)
    every = timedelta(seconds=terms.every) if terms.every else None
    return await services.start_sync(sync_request_of(services, draft, terms), every)


async def _send_answer(client: AsyncWebClient, form: Submission, channel: str, text: str) -> None:
    """Send the answer of a form. A failure is only logged: the request is already saved."""
    try:
        await send_ephemeral(client, form.actor.user_id, channel, text)
    except Exception:
        log.warning("form_answer_not_sent", user=form.actor.user_id, exc_info=True)
