"""Submitting a request from any surface: a command, a form or a button."""

from bot.domain.drafts import RequestDraft
from bot.services.submission import Rejected
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
