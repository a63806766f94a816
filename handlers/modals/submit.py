"""A preview that was submitted: the request is taken in, once, however often it is submitted."""

from dataclasses import replace
from datetime import timedelta

from slack_bolt.async_app import AsyncAck

from bot.domain.drafts import RequestDraft
from bot.services.submission import Rejected
from handlers import sync
from handlers.modals.form_preview import FormPreviews, wish_of
from handlers.modals.parse import Submission
from handlers.services import Services
from handlers.views import answers, interim_modals, preview
from handlers.views.preview import SyncTerms
from handlers.views.text import without_markup

_GONE = (
    "This preview is more than a day old, somebody else's, or its connection is not in the configuration any more. "
    "Go back, and press Preview again."
)


async def submit(
    services: Services, previewing: FormPreviews, submission: Submission, ack: AsyncAck
) -> tuple[str, str]:
    """Take in what a preview showed, and acknowledge it.

    Gives what the person is told and in which channel; no text where the view in its place tells it.
    """
    carried = preview.parse(submission.view)
    draft = await previewing.saved_draft(carried.draft, submission)
    if draft is None:
        await ack(response_action="update", view=interim_modals.no_preview([_GONE]))
        return "", ""
    draft = replace(draft, requester=submission.actor)
    if carried.sync:
        text: str | Rejected = await _start(services, draft, carried.sync)
    else:
        text = await _ask(services, draft)
    if isinstance(text, Rejected):
        words = answers.with_reference(without_markup(text.reason), draft.id)
        await ack(response_action="update", view=interim_modals.no_preview([words]))
        return "", ""
    await ack(response_action="clear")
    return text, draft.channel


async def _ask(services: Services, draft: RequestDraft) -> str | Rejected:
    result = await services.submissions.submit(draft)
    if isinstance(result, Rejected):
        return result
    warning = services.catalog.get(draft.group.ref).warning
    return answers.submitted(result.request, draft.roster, again=result.already_submitted, warning=warning)


async def _start(services: Services, draft: RequestDraft, terms: SyncTerms) -> str | Rejected:
    wish = wish_of(services, draft, terms)
    if refused := services.submissions.check(draft) if draft.roster.people else None:
        return refused
    return await sync.start(services, wish, timedelta(seconds=terms.every) if terms.every else None)
