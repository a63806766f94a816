"""The modals: what their selects offer, and what happens when they are submitted."""

import asyncio
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import roster
from bot.domain.groups import KnownGroup, search
from bot.domain.requests import request_id
from bot.intake import Draft, Refused
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import add_modal, answers
from handlers.views.text import unformatted
from handlers.whisper import whisper
from providers.base import Operation

WITHIN = 1.5
"""Seconds that a search waits for connections that were not read lately; Slack waits for 3."""
_MOST_OPTIONS = 100

log = structlog.get_logger(__name__)


class _Named(Payload):
    id: str


class _Search(Payload):
    """The payload of a `block_suggestion` (docs.slack.dev, "Block suggestion payload")."""

    user: _Named
    value: str = ""


class _Submission(Payload):
    """The payload of a `view_submission`; what the view holds is read by its builder."""

    user: _Named
    team: _Named
    view: dict[str, Any]


def register(app: AsyncApp, services: Services) -> None:
    """Hang the modals on the app."""

    @app.options(add_modal.GROUP_SELECT)
    async def suggest_groups(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack(options=add_modal.options(await _suggest(services, _Search.model_validate(body))))

    @app.view(add_modal.CALLBACK_ID)
    async def submit_add(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        submission = _Submission.model_validate(body)
        answer = await _submit(services, submission)
        if isinstance(answer, dict):
            await ack(response_action="errors", errors=answer)
            return
        await ack()
        text, channel = answer
        try:
            await whisper(client, submission.user.id, channel, text)
        except Exception:
            # The request is in the journal, and its thread is coming: a failure here must not say anything else.
            log.warning("taken_not_told", user=submission.user.id, exc_info=True)


async def _suggest(services: Services, asked: _Search) -> list[KnownGroup]:
    actor, _ = await asyncio.gather(services.usergroups.actor(asked.user.id), services.directory.refresh(within=WITHIN))
    hits = search(asked.value, services.directory.known())
    return services.shown_to(actor, hits)[:_MOST_OPTIONS]


async def _submit(services: Services, submission: _Submission) -> dict[str, str] | tuple[str, str]:
    """Take a submitted modal in. Gives the errors by block, or what the person is told and in which channel."""
    form = add_modal.parse(submission.view)
    actor, group = await asyncio.gather(services.usergroups.actor(submission.user.id), _chosen(services, form.group))
    if group is None:
        return {add_modal.GROUP_BLOCK: "This group is gone; choose another one."}
    people = roster.parse(form.numbers, default_region=services.regions[group.connection])
    if not people.people:
        return {add_modal.NUMBERS_BLOCK: answers.nobody(people)}
    result = await services.intake.take(
        Draft(
            id=request_id(submission.team.id, str(submission.view["id"])),
            operation=Operation.ADD,
            group=group,
            roster=people,
            reason=form.reason,
            requester=actor,
            channel=form.channel,
        )
    )
    if isinstance(result, Refused):
        return {add_modal.GROUP_BLOCK: unformatted(result.reason)}
    return answers.taken(result.request, people, again=result.again), form.channel


async def _chosen(services: Services, value: str) -> KnownGroup | None:
    """Find the chosen group; after a restart the lists that it came from may have to be read again."""
    group = add_modal.group_of(value, services.directory.known())
    if group is None:
        await services.directory.refresh(within=WITHIN)
        group = add_modal.group_of(value, services.directory.known())
    return group
