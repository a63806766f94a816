"""Approving, denying, overriding and withdrawing."""

from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.approvals import Choice, RefusalCode, Refused
from bot.domain.requests import Request, RequestState
from handlers.actions.clicks import find, reply
from handlers.actions.opening import open_modal
from handlers.answering import TimelyAck
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.payloads import Click, Submission
from handlers.services import Services
from handlers.views import answers, approval_card, buttons, reason_modal, submitted_view

_NO_REASON = "Type a reason; it is shown to everybody who sees the request."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons of the approval card, and the modals behind them, on the app."""
    listeners = VoteListeners(services)
    app.action(buttons.APPROVE)(listeners.approve)
    app.action(buttons.DENY)(listeners.ask_why)
    app.action(buttons.OVERRIDE)(listeners.ask_why)
    app.action(buttons.WITHDRAW)(listeners.withdraw)
    app.view(reason_modal.CALLBACK_ID)(listeners.decide)


class VoteListeners:
    """The listeners of decisions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def approve(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Count a click as a vote, kept before it is acknowledged."""
        click = Click.model_validate(body)
        actor = await self._services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        result = await self._services.votes.cast(click.value, actor, Choice.APPROVE)
        await ack()
        if isinstance(result, Refused):
            log.info("vote_refused", request=click.value, user=click.user.id, code=result.code)
            await reply(respond, click, approval_card.not_counted(result, click.value))
        await self._after(click.value, result if isinstance(result, Refused) else None)
        if isinstance(ack, TimelyAck) and ack.late and not isinstance(result, Refused):
            await reply(respond, click, answers.APPROVAL_COUNTED)

    async def ask_why(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        """Open the modal that asks for a reason, where the decision would count."""
        click = Click.model_validate(body)
        choice = Choice.DENY if click.clicked.action_id == buttons.DENY else Choice.OVERRIDE
        actor = await self._services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        refused = await self._services.votes.check(click.value, actor, choice)
        await ack()
        if refused:
            log.info("vote_refused", request=click.value, user=click.user.id, code=refused.code)
            await reply(respond, click, approval_card.not_counted(refused, click.value))
            await self._after(click.value, refused)
            return
        request = await self._services.requests.get(click.value)
        tally = await self._services.requests.tally(click.value)
        if problem := await open_modal(client, click.trigger_id, reason_modal.build(choice, request, tally)):
            await reply(respond, click, problem)

    async def decide(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Count a decision with its reason; where it does not count any more, the modal says why."""
        submission = Submission.model_validate(body)
        form = reason_modal.parse(submission.view)
        if not form.reason:
            await ack(response_action="errors", errors={submitted_view.REASON_BLOCK: _NO_REASON})
            return
        actor = await self._services.usergroups.actor(submission.user.id, fresh=APPROVAL_MEMBERS_TTL)
        result = await self._services.votes.cast(form.request_id, actor, form.choice, form.reason)
        if isinstance(result, Refused):
            log.info("vote_refused", request=form.request_id, user=submission.user.id, code=result.code)
            view = reason_modal.refused(form.choice, approval_card.not_counted(result, form.request_id))
            await ack(response_action="update", view=view)
        else:
            await ack()
        await self._after(form.request_id, result if isinstance(result, Refused) else None)

    async def withdraw(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Take a request back that has not begun."""
        click = Click.model_validate(body)
        actor = await self._services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        refused = await self._services.votes.withdraw(click.value, actor)
        await ack()
        if refused:
            log.info("withdrawal_refused", request=click.value, user=click.user.id, code=refused.code)
            await reply(respond, click, approval_card.not_counted(refused, click.value))
        else:
            self._services.dispatcher.wake()
            await reply(respond, click, "Withdrawn: nothing is sent to the provider.")

    async def _after(self, request_id: str, refused: Refused | None) -> None:
        """Hand over what was decided; show what the workflow does not show by itself.

        A click on a message that looks as if nothing had been decided brings the message up to date.
        """
        if refused and refused.code is not RefusalCode.CLOSED:
            return
        self._services.dispatcher.wake()
        try:
            request = await find(self._services, request_id)
            if request and _shown_by_nobody_else(request):
                await self._show(request)
        except Exception:
            # The vote counts: whatever fails here must not tell the voter anything else.
            log.warning("vote_not_shown", request=request_id, exc_info=True)

    async def _show(self, request: Request) -> None:
        """Show a request that goes on waiting; where it has gone on meanwhile, the buttons must not stay."""
        tally = await self._services.requests.tally(request.id)
        await self._services.notifier.show_approval(request, tally)
        current = await self._services.requests.get(request.id)
        if current.state is not request.state:
            await self._services.notifier.show_approval(current, tally)


def _shown_by_nobody_else(request: Request) -> bool:
    """Tell whether no workflow runs that would show how this request stands: it waits for a vote, or for its time."""
    run_at = request.options.run_at
    later = run_at is not None and run_at > datetime.now(UTC)
    return request.rule is not None and (
        request.state is RequestState.WAITING or (request.state is RequestState.APPROVED and later)
    )
