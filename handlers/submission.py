"""Submitting a request, starting a sync and ending one, from any surface: a command, a form or a button."""

from datetime import timedelta

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft
from bot.services.submission import Rejected
from bot.services.sync import SyncRequest
from bot.storage.sync_schedules import ScheduleResult
from handlers.errors import UserError
from handlers.services import Services
from handlers.views import answers


async def submit(services: Services, draft: RequestDraft) -> str:
    """Submit a draft, and return the answer. Raises `UserError` if it is rejected."""
    result = await services.submissions.submit(draft)
    if isinstance(result, Rejected):
        raise UserError(answers.refused(result.reason, draft.roster, draft.id))
    warning = services.directory.catalog.get(draft.group.ref).warning
    return answers.submitted(result.request, draft.roster, draft.items, again=result.already_submitted, warning=warning)


async def start_sync(services: Services, request: SyncRequest, every: timedelta | None) -> str:
    """Start a sync that runs now, and again if it is repeated. Return the answer. Raises `UserError`."""
    result = await services.sync_scheduler.start(request, every)
    if isinstance(result, Rejected):
        raise UserError(result.reason, reference=request.id)
    if result is ScheduleResult.EXISTING:
        return answers.sync_started_before(request.group)
    return answers.sync_started(request.group, every, replaces=result is ScheduleResult.REPLACED)


async def end_sync(services: Services, actor: Actor, group: KnownGroup) -> str:
    """End the repeated syncs of a group. Return the answer. Raises `UserError`."""
    result = await services.sync_scheduler.end(actor, group)
    if isinstance(result, Rejected):
        raise UserError(result.reason)
    return answers.syncs_ended(result)
