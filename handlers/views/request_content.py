"""What a request sends or changes: who approves it reads what they approve, on the card the beginning of long texts."""

from dataclasses import replace

from slack_sdk.models.blocks import Block, DividerBlock, PlainTextObject, SectionBlock

from bot.commands.values import MAX_TEXT
from bot.domain.drafts import RequestDraft
from bot.domain.operations import invitation
from bot.domain.requests import Request
from handlers.views.blocks import MAX_SECTION_TEXT, sections
from handlers.views.text import count, excerpt, safe_text
from providers.base import GroupChange, Operation

_DAY = 86_400
_MOST_SHOWN = 1000


def content_lines(request: Request, most: int = _MOST_SHOWN) -> list[str]:
    """Give the settings, the text or the invite of a request; nothing where it is about people alone.

    Args:
        request: what is asked for.
        most: how many characters of a text are shown; how many more there are is said.
    """
    details = request.options
    if request.operation is Operation.SETTINGS and details.change:
        return [f"• {line}" for line in _changes(details.change, most)]
    if request.operation is Operation.SEND:
        return [f"Text: {excerpt(details.text, most)}"]
    if request.operation is Operation.INVITE and details.text:
        return [f"Before the link: {excerpt(details.text, most)}"]
    if details.invite_refused:
        return ["Who refuses a direct add is sent an invite."]
    return []


def full_content(request: Request) -> list[Block]:
    """Show the same, every text to its end."""
    details = request.options
    if request.operation is Operation.SETTINGS and details.change:
        return changed(details.change)
    if request.operation is Operation.SEND:
        return sent(details.text)
    if request.operation is Operation.INVITE and details.text:
        return exactly(details.text, "What stands before the link")
    return sections(content_lines(request))


def sent(text: str) -> list[Block]:
    """Show a text that is sent."""
    return exactly(text, f"The text, exactly as it is sent ({len(text):,} of {MAX_TEXT:,} characters)")


def changed(change: GroupChange) -> list[Block]:
    """Show what is to be different about a group, its description to the end."""
    inline = replace(change, description=None) if change.description else change
    blocks = sections([f"• {line}" for line in _changes(inline, _MOST_SHOWN)])
    return [*blocks, *exactly(change.description, "The description")] if change.description else blocks


def exactly(text: str, heading: str) -> list[Block]:
    """Show a text character by character; no emoji, because what is sent are their names."""
    most = MAX_SECTION_TEXT if text.isascii() else MAX_SECTION_TEXT // 2  # an emoji may count twice
    parts = [text[start : start + most] for start in range(0, len(text), most)]
    texts = [SectionBlock(text=PlainTextObject(text=part, emoji=False)) for part in parts if part.strip()]
    return [DividerBlock(), *sections([heading]), *texts]


def _changes(change: GroupChange, most: int) -> list[str]:
    """Say what is to be different about a group, a line for each thing."""
    lines = []
    if change.subject is not None:
        lines.append(f"Name: “{safe_text(change.subject, 200)}”")
    if change.description is not None:
        new = excerpt(change.description, most) if change.description else "emptied"
        lines.append(f"Description: {new}")
    if change.picture is not None:
        shown = safe_text(change.picture.url, 500) or f"the uploaded JPEG, {len(change.picture.jpeg):,} bytes"
        lines.append(f"Picture: {shown}")
    if change.announce_only is not None:
        lines.append(f"Who may write: {'only admins' if change.announce_only else 'everybody in the group'}")
    if change.locked is not None:
        lines.append(f"Who may edit the group's info: {'only admins' if change.locked else 'everybody in the group'}")
    if change.ephemeral is not None:
        after = f"after {count(change.ephemeral // _DAY, 'day')}" if change.ephemeral else "never"
        lines.append(f"Messages disappear: {after}")
    return lines


def draft_content(draft: RequestDraft) -> list[Block]:
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
