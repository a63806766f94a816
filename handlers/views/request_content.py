"""The content of a request: the text that it sends, or the settings that it changes."""

from dataclasses import replace

from slack_sdk.models.blocks import Block, DividerBlock, PlainTextObject, SectionBlock

from bot.commands.values import MAX_TEXT
from bot.domain.operations import invitation
from bot.domain.requests import Request, RequestDraft
from handlers.views.blocks import MAX_SECTION_TEXT, sections
from handlers.views.text import count, excerpt, safe_text
from providers.base import GroupChange, Operation

INVITES_REFUSED = "Anyone we can't add directly gets an invite link."
_DAY = 86_400
_MAX_SHOWN = 1000


def content_lines(request: Request, most: int = _MAX_SHOWN) -> list[str]:
    """Return the settings, the text or the invite of a request; nothing if it has none.

    Args:
        request: the request.
        most: the maximum number of characters of a text; the number of further ones is shown.
    """
    options = request.options
    if request.operation is Operation.SETTINGS and options.change:
        return [f"• {line}" for line in _changes(options.change, most)]
    if request.operation is Operation.SEND:
        return [f"Text: {excerpt(options.text, most)}"]
    if request.operation is Operation.INVITE and options.text:
        return [f"Text before the link: {excerpt(options.text, most)}"]
    return [INVITES_REFUSED] if options.invite_refused else []


def full_content(request: Request) -> list[Block]:
    """Build the same with every text in full."""
    options = request.options
    if request.operation is Operation.SETTINGS and options.change:
        return _changed(options.change)
    if request.operation is Operation.SEND:
        return _sent(options.text)
    if request.operation is Operation.INVITE and options.text:
        return _exactly(options.text, "Text before the link")
    return sections(content_lines(request))


def draft_content(draft: RequestDraft) -> list[Block]:
    """Build the full content of a draft, for its preview."""
    options = draft.options
    if draft.operation is Operation.SETTINGS and options.change:
        return _changed(options.change)
    if draft.operation is Operation.INVITE and draft.roster.people:
        text = invitation(draft.group.subject, "<the link>")
        return _exactly(f"{options.text}\n{text}" if options.text else text, "The message")
    if draft.operation is Operation.INVITE:
        return sections(["The current link stops working for everyone who has it."])
    if draft.operation is Operation.SEND:
        return _sent(options.text)
    return []


def _sent(text: str) -> list[Block]:
    return _exactly(text, f"The text exactly as it will be sent ({len(text):,} of {MAX_TEXT:,} characters)")


def _changed(change: GroupChange) -> list[Block]:
    inline = replace(change, description=None) if change.description else change
    blocks = sections([f"• {line}" for line in _changes(inline, _MAX_SHOWN)])
    return [*blocks, *_exactly(change.description, "The description")] if change.description else blocks


def _exactly(text: str, heading: str) -> list[Block]:
    """Build a text character by character: emoji names stay names, as they do in WhatsApp."""
    most = MAX_SECTION_TEXT if text.isascii() else MAX_SECTION_TEXT // 2  # an emoji may count twice
    parts = [text[start : start + most] for start in range(0, len(text), most)]
    texts = [SectionBlock(text=PlainTextObject(text=part, emoji=False)) for part in parts if part.strip()]
    return [DividerBlock(), *sections([heading]), *texts]


def _changes(change: GroupChange, most: int) -> list[str]:
    """Return a line for each changed setting."""
    lines = []
    if change.subject is not None:
        lines.append(f"Name: “{safe_text(change.subject, 200)}”")
    if change.description is not None:
        new = excerpt(change.description, most) if change.description else "removed"
        lines.append(f"Description: {new}")
    if change.picture is not None:
        shown = safe_text(change.picture.url, 500) or f"the uploaded JPEG, {len(change.picture.jpeg):,} bytes"
        lines.append(f"Picture: {shown}")
    if change.announce_only is not None:
        lines.append(f"Who can send messages: {'only admins' if change.announce_only else 'everyone in the group'}")
    if change.locked is not None:
        lines.append(f"Who can edit the group's info: {'only admins' if change.locked else 'everyone in the group'}")
    if change.ephemeral is not None:
        after = f"after {count(change.ephemeral // _DAY, 'day')}" if change.ephemeral else "never"
        lines.append(f"Messages disappear: {after}")
    return lines
