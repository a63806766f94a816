"""Approving, denying, overriding and withdrawing."""

from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.approvals import Choice, RefusalCode, Refused
from bot.domain.requests import Request, RequestState
from handlers.actions.clicks import reply
from handlers.answering import TimelyAck
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.errors import UserError
from handlers.modals.open import open_modal
from handlers.payloads import Click, Submission
from handlers.services import Services
from handlers.views import answers, approval_card, buttons, reason_modal, submitted_view

_NO_REASON = "Type a reason. Everyone who sees the request will see it."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons of the approval card, and the modals that they open."""
    listeners = VoteListeners(services)
    app.action(buttons.APPROVE)(listeners.approve)
    app.action(buttons.DENY)(listeners.ask_reason)
    app.action(buttons.OVERRIDE)(listeners.ask_reason)
    app.action(buttons.WITHDRAW)(listeners.withdraw)
    app.view(reason_modal.CALLBACK_ID)(listeners.decide)


class VoteListeners:
    """The listeners of votes and withdrawals. Each one is saved before it is acknowledged."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def approve(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Count a click as an approval. Raises `UserError` if it doesn't count."""
        click = Click.model_validate(body)
        actor = await self._services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        result = await self._services.stores.votes.cast(click.value, actor, Choice.APPROVE)
        await ack()
        if isinstance(result, Refused):
            raise await self._refused(result, click.value, click.user.id)
        await self._show_vote(click.value)
        if isinstance(ack, TimelyAck) and ack.late:
            await reply(respond, click, answers.APPROVAL_COUNTED)

    async def ask_reason(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Open the modal that asks for a reason. Raises `UserError` if the vote wouldn't count."""
        click = Click.model_validate(body)
        choice = Choice.DENY if click.clicked.action_id == buttons.DENY else Choice.OVERRIDE
        actor = await self._services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        refused = await self._services.stores.votes.check(click.value, actor, choice)
        await ack()
        if refused:
            raise await self._refused(refused, click.value, click.user.id)
        request = await self._services.stores.requests.get(click.value)
        tally = await self._services.stores.requests.tally(click.value)
        await open_modal(client, click.trigger_id, reason_modal.build(choice, request, tally))

    async def decide(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Count a vote with its reason; if it no longer counts, the modal says why."""
        submission = Submission.model_validate(body)
        form = reason_modal.parse(submission.view)
        if not form.reason:
            raise UserError(_NO_REASON, field=submitted_view.REASON_BLOCK)
        actor = await self._services.slack.user_groups.actor(submission.user.id, max_age=APPROVAL_MEMBERS_TTL)
        result = await self._services.stores.votes.cast(form.request_id, actor, form.choice, form.reason)
        if isinstance(result, Refused):
            error = await self._refused(result, form.request_id, submission.user.id)
            await ack(response_action="update", view=reason_modal.refused(form.choice, error.text))
        else:
            await ack()
            await self._show_vote(form.request_id)

    async def withdraw(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Withdraw a request that hasn't begun. Raises `UserError` if it can't be withdrawn."""
        click = Click.model_validate(body)
        actor = await self._services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        refused = await self._services.stores.votes.withdraw(click.value, actor)
        await ack()
        if refused:
            log.info("withdrawal_refused", request=click.value, user=click.user.id, code=refused.code)
            raise UserError(approval_card.not_counted(refused, click.value))
        self._services.submissions.dispatch()
        await reply(respond, click, "Withdrawn: nothing is sent to the provider.")

    async def _refused(self, refused: Refused, request_id: str, user_id: str) -> UserError:
        """Return the error of a vote that doesn't count. A message that still showed the buttons is updated."""
        log.info("vote_refused", request=request_id, user=user_id, code=refused.code)
        if refused.code is RefusalCode.CLOSED:
            await self._show_vote(request_id)
        return UserError(approval_card.not_counted(refused, request_id))

    async def _show_vote(self, request_id: str) -> None:
        """Dispatch what was decided, and show the votes that no workflow shows."""
        self._services.submissions.dispatch()
        try:
            request = await self._services.stores.requests.get(request_id)
            if _has_no_workflow(request):
                await self._show_approval(request)
        except LookupError:
            log.warning("request_not_found", request=request_id)
        except Exception:
            # The vote counts: a failure here must not look like a failed vote.
            log.warning("vote_not_shown", request=request_id, exc_info=True)

    async def _show_approval(self, request: Request) -> None:
        """Show a request that still waits; if it went on meanwhile, its buttons must not stay."""
        tally = await self._services.stores.requests.tally(request.id)
        await self._services.delivery.notifier.show_approval(request, tally)
        current = await self._services.stores.requests.get(request.id)
        if current.state is not request.state:
            await self._services.delivery.notifier.show_approval(current, tally)


def _has_no_workflow(request: Request) -> bool:
    """Return whether a request waits for votes or for its time, so that no workflow shows it."""
    run_at = request.options.run_at
    later = run_at is not None and run_at > datetime.now(UTC)
    return request.rule is not None and (
        request.state is RequestState.WAITING or (request.state is RequestState.APPROVED and later)
    )
