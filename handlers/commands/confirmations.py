"""Typed commands that ask before they act: a sent text can't be recalled, nor an invite link restored."""

import asyncio
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.requests import RequestDraft
from handlers.commands.reply import Reply
from handlers.errors import UserError, read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, preview
from handlers.views.blocks import Message
from handlers.views.preview import PreviewData

_GONE = (
    "This question is more than a day old, belongs to another person, or its connection is no longer in the "
    "configuration. Nothing was done. Type the command again."
)
_CANCELLED = "Cancelled. Nothing was done."


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons of the question."""

    @app.action(preview.CONFIRM)
    async def confirm(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        draft = await services.stores.drafts.find(click.value)
        gone = draft is None or draft.group.connection not in services.connections
        if draft is None or gone or draft.requester.user_id != click.user.id:
            raise UserError(_GONE)
        actor = await services.slack.user_groups.actor(click.user.id)
        text = await services.submit(replace(draft, requester=actor))
        await ack()
        await Reply(respond, client, click.user.id, click.channel_id).send(Message(text), replace=True)

    @app.action(preview.CANCEL, middleware=[read_only])
    async def cancel(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        await Reply(respond, client, click.user.id, click.channel_id).send(Message(_CANCELLED), replace=True)


async def ask(services: Services, draft: RequestDraft) -> Message:
    """Return the question whether to submit a draft, which is saved until then. Raises `UserError` if it is refused."""
    if rejected := await services.submissions.check_and_record(draft):
        raise UserError(answers.refused(rejected.reason, draft.roster, draft.id))
    key, expected = await asyncio.gather(
        services.stores.drafts.save(draft), services.previews.build(draft, max_wait=0.0)
    )
    warning = services.directory.catalog.get(draft.group.ref).warning
    return preview.question(PreviewData(key=key, draft=draft, preview=expected, warning=warning))
