"""The buttons."""

from typing import Any

import structlog
from pydantic import Field
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.domain.approvals import Choice, Refused
from bot.domain.requests import Request, State
from handlers.payloads import Payload
from handlers.services import Services
from handlers.usergroups import FRESH_FOR_APPROVAL
from handlers.views import approval_card

log = structlog.get_logger(__name__)


class _User(Payload):
    id: str


class _Button(Payload):
    value: str


class _Click(Payload):
    """The payload of a `block_actions` for a button (docs.slack.dev, "block_actions payload")."""

    user: _User
    actions: list[_Button] = Field(min_length=1)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons on the app."""

    @app.action(approval_card.APPROVE)
    async def approve(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await _vote(services, Choice.APPROVE, ack, _Click.model_validate(body), respond)

    @app.action(approval_card.DENY)
    async def deny(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await _vote(services, Choice.DENY, ack, _Click.model_validate(body), respond)


async def _vote(services: Services, choice: Choice, ack: AsyncAck, click: _Click, respond: AsyncRespond) -> None:
    """Take a click as a vote: checked again here and now, kept before it is acknowledged."""
    request_id, user_id = click.actions[0].value, click.user.id
    actor = await services.usergroups.actor(user_id, fresh=FRESH_FOR_APPROVAL)
    result = await services.decisions.vote(request_id, actor, choice)
    await ack()
    if isinstance(result, Refused):
        log.info("vote_refused", request=request_id, user=user_id, code=result.code)
        await respond(text=result.reason, response_type="ephemeral", replace_original=False)
        return
    services.dispatcher.wake()
    request = await services.journal.request(request_id)
    if request.state is State.WAITING:
        try:
            await _show(services, request)
        except Exception:
            # The vote counts: whatever fails here must not tell the voter anything else.
            log.warning("vote_not_shown", request=request_id, exc_info=True)


async def _show(services: Services, request: Request) -> None:
    """Show a vote that did not decide yet; where another one has decided meanwhile, the buttons must not stay."""
    tally = await services.journal.tally(request.id)
    await services.announcer.show_approval(request, tally)
    current = await services.journal.request(request.id)
    if current.state is not State.WAITING:
        await services.announcer.show_approval(current, tally)
