"""What a request says or changes, as its preview shows it."""

from slack_sdk.models.blocks import Block

from bot.domain.drafts import RequestDraft
from bot.domain.operations import invitation
from handlers.views.message import sections
from handlers.views.request_content import changed, exactly, sent
from providers.base import Operation


def content(draft: RequestDraft) -> list[Block]:
    """Show exactly what is sent, or what is to be different; no emoji, because what is sent are their names."""
    details = draft.options
    if draft.operation is Operation.SETTINGS and details.change:
        return changed(details.change)
    if draft.operation is Operation.INVITE and draft.roster.people:
        said = invitation(draft.group.subject, "<the link>")
        return exactly(f"{details.text}\n{said}" if details.text else said, "The message")
    if draft.operation is Operation.INVITE:
        return sections(["Whoever has the old link cannot join with it any more."])
    if draft.operation is Operation.SEND:
        return sent(details.text)
    return []
