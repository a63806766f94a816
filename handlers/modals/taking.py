"""A preview that was submitted: the request is taken in, once, however often it is submitted."""

from dataclasses import replace
from datetime import timedelta

from slack_bolt.async_app import AsyncAck

from bot.intake import Draft, NotTaken
from handlers import sync
from handlers.modals.drafting import Submission
from handlers.modals.previewing import Previewing, wish_of
from handlers.services import Services
from handlers.views import answers, preview, waiting_modal
from handlers.views.preview import SyncTerms
from handlers.views.text import unformatted

_GONE = (
    "This preview is more than a day old, somebody else's, or its connection is not in the configuration any more. "
    "Go back, and press Preview again."
)


async def take(services: Services, previewing: Previewing, submission: Submission, ack: AsyncAck) -> tuple[str, str]:
    """Take in what a preview showed, and acknowledge it.

    Gives what the person is told and in which channel; no text where the view in its place tells it.
    """
    carried = preview.parse(submission.view)
    draft = await previewing.kept(carried.draft, submission)
    if draft is None:
        await ack(response_action="update", view=waiting_modal.stopped([_GONE]))
        return "", ""
    draft = replace(draft, requester=submission.actor)
    if carried.sync:
        text: str | NotTaken = await _start(services, draft, carried.sync)
    else:
        text = await _ask(services, draft)
    if isinstance(text, NotTaken):
        words = answers.referred(unformatted(text.reason), draft.id)
        await ack(response_action="update", view=waiting_modal.stopped([words]))
        return "", ""
    await ack(response_action="clear")
    return text, draft.channel


async def _ask(services: Services, draft: Draft) -> str | NotTaken:
    result = await services.intake.take(draft)
    if isinstance(result, NotTaken):
        return result
    warning = services.warnings.get((draft.group.connection, draft.group.id), "")
    return answers.taken(result.request, draft.roster, again=result.again, warning=warning)


async def _start(services: Services, draft: Draft, terms: SyncTerms) -> str | NotTaken:
    wish = wish_of(services, draft, terms)
    if refused := services.intake.refusal(draft) if draft.roster.people else None:
        return refused
    return await sync.start(services, wish, timedelta(seconds=terms.every) if terms.every else None)
