"""The forms: opening, searching, previewing and submitting them."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.requests import request_id
from handlers import payloads
from handlers.errors import read_only
from handlers.modals import parse, respond, selects, settings
from handlers.modals.form_preview import FormPreviews, Screen
from handlers.modals.open import open_form
from handlers.modals.parse import Submission
from handlers.modals.submit import show_link, submit
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import inputs, interim_modals, preview, request_forms
from handlers.views.inputs import Prefill
from handlers.views.submitted_view import SubmittedView, common

__all__ = ["open_form", "register"]


class _View(Payload):
    id: str
    root_view_id: str = ""


def register(app: AsyncApp, services: Services) -> None:
    """Register the forms."""
    previews = FormPreviews(services)
    selects.register(app, services)
    for verb in parse.VERBS:
        app.view(verb, middleware=[read_only])(_on_form(services, previews, verb))

    @app.view(interim_modals.COLUMN_CALLBACK_ID, middleware=[read_only])
    async def on_column(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async def work() -> Screen:
            return await previews.of_column(client, await _submission(services, body))

        await respond.respond(work(), ack, client)

    @app.view(preview.CALLBACK_ID)
    async def on_preview(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await submit(services, previews, client, await _submission(services, body), ack)

    @app.action(inputs.GROUP_SELECT, middleware=[read_only])
    async def on_group(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        payload = payloads.Submission.model_validate(body)
        fields = common(SubmittedView(payload.view))
        group = inputs.group_of(fields.group, services.directory.known())
        actor = await services.slack.user_groups.actor(payload.user.id)
        view_id = _View.model_validate(payload.view).id
        await settings.fill(services, client, actor, Prefill(fields.channel, group), view_id=view_id)


def _on_form(services: Services, previews: FormPreviews, verb: str) -> Any:
    async def on_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        view = payloads.Submission.model_validate(body).view
        if verb == "invite" and request_forms.parse_invite(view).what is request_forms.InviteChoice.SHOW:
            await show_link(services, client, await _submission(services, body), ack)
            return

        async def work() -> Screen:
            return await previews.of_form(client, verb, await _submission(services, body))

        await respond.respond(work(), ack, client)

    return on_form


async def _submission(services: Services, body: dict[str, Any]) -> Submission:
    payload = payloads.Submission.model_validate(body)
    view = _View.model_validate(payload.view)
    actor = await services.slack.user_groups.actor(payload.user.id)
    return Submission(request_id(payload.team_id, view.root_view_id or view.id), actor, payload.view)
