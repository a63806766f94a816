"""The complete results as a file, for those who may know the numbers."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Allowed
from handlers.actions.clicks import GONE, find, group_of, record_refused_click, reply
from handlers.clients.files import send_file
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.errors import read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, results
from providers.base import Capability

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the button on the app."""

    @app.action(results.EXPORT, middleware=[read_only])
    async def export(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        actor = await services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        request = await find(services, click.value)
        if request is None:
            await ack()
            await reply(respond, click, GONE)
            return
        decision = services.authorizer.check_capability(actor, Capability.GROUPS_READ, group_of(services, request))
        if not isinstance(decision, Allowed):
            await record_refused_click(services, request, actor.user_id, action="export", code=decision.code)
            await ack()
            await reply(respond, click, f"The file has the numbers in full. {decision.reason}")
            return
        await ack()
        await services.record_disclosure(
            actor.user_id, "the results as CSV", request.connection, request.group_id, request_id=request.id
        )
        content = results.csv_file(request, await services.requests.items(request.id))
        comment = f"The complete results of request `{request.id}`, one line for each person."
        await send_file(client, actor.user_id, f"{request.id}.csv", content, comment)
        await reply(respond, click, answers.SENT_DIRECTLY)
