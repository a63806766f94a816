"""Stopping what runs."""

from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.domain.access import Actor
from bot.domain.requests import Request, RequestState
from handlers.actions.clicks import GONE, find, record_refused_click, reply
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import buttons

_STOPPED = "Stopping: what was sent stays as it is, and whoever was not sent yet will be answered as not attempted."
_NOT_YOURS = "Only who asked for a request, or has `approve` or `admin` for this group, can stop it. It goes on."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the button on the app."""

    @app.action(buttons.STOP)
    async def stop(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        actor = await services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        request = await find(services, click.value)
        words = await _stop(services, request, actor) if request else GONE
        await ack()
        await reply(respond, click, words)
        if request and words == _STOPPED:
            current = await services.requests.get(request.id)
            await services.notifier.show_progress(current, partial(services.requests.tally, request.id))


async def _stop(services: Services, request: Request, actor: Actor) -> str:
    """Stop a request, or keep that somebody could not. Gives what they are told."""
    if not services.votes.may_stop(request, actor):
        await record_refused_click(services, request, actor.user_id, action="stop", code="not_yours")
        return _NOT_YOURS
    if await services.requests.stop(request.id, actor.user_id):
        return _STOPPED
    await record_refused_click(services, request, actor.user_id, action="stop", code="over")
    current = await services.requests.get(request.id)
    if current.stopped_by:
        return f"<@{current.stopped_by}> stopped this request already; your click changed nothing."
    if current.state is RequestState.DONE:
        return "This request has ended; there is nothing to stop."
    return f"This request does not run: it is {current.state}. Nothing was changed."
