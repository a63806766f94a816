"""What a request says or changes, as its preview shows it."""

from slack_sdk.models.blocks import Block, DividerBlock, PlainTextObject, SectionBlock

from bot.deeds import invitation
from bot.intake import Draft
from handlers.views.contents import changes
from handlers.views.message import sections
from handlers.views.send_modal import MOST_TEXT
from providers.base import Operation

_MOST_SECTION = 3000


def content(draft: Draft) -> list[Block]:
    """Show exactly what is sent, or what is to be different; no emoji, because what is sent are their names."""
    details = draft.details
    if draft.operation is Operation.SETTINGS and details.change:
        return sections([f"• {line}" for line in changes(details.change)])
    if draft.operation is Operation.INVITE and draft.roster.people:
        said = invitation(draft.group.subject, "<the link>")
        return _exactly(f"{details.text}\n{said}" if details.text else said, "The message")
    if draft.operation is Operation.INVITE:
        return sections(["Whoever has the old link cannot join with it any more."])
    if draft.operation is Operation.SEND:
        length = f"{len(details.text):,} of {MOST_TEXT:,} characters"
        return _exactly(details.text, f"The text, exactly as it is sent ({length})")
    return []


def _exactly(text: str, heading: str) -> list[Block]:
    parts = [text[start : start + _MOST_SECTION] for start in range(0, len(text), _MOST_SECTION)]
    texts = [SectionBlock(text=PlainTextObject(text=part, emoji=False)) for part in parts if part.strip()]
    return [DividerBlock(), *sections([heading]), *texts]
