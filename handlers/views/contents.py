"""What a request sends or changes, line by line: who approves it reads what they approve."""

from bot.domain.requests import Request
from handlers.views.text import count, foreign
from providers.base import GroupChange, Operation

_DAY = 86_400
_MOST_TEXT = 1000


def contents(request: Request) -> list[str]:
    """Give the settings, the text or the invite of a request; nothing where it is about people alone."""
    details = request.details
    if request.operation is Operation.SETTINGS and details.change:
        return [f"• {line}" for line in changes(details.change)]
    if request.operation is Operation.SEND:
        return [f"Text: “{foreign(details.text, _MOST_TEXT)}”"]
    if request.operation is Operation.INVITE and details.text:
        return [f"Before the link: “{foreign(details.text, _MOST_TEXT)}”"]
    if details.invite_refused:
        return ["Who refuses a direct add is sent an invite."]
    return []


def changes(change: GroupChange) -> list[str]:
    """Say what is to be different about a group, a line for each thing."""
    lines = []
    if change.subject is not None:
        lines.append(f"Name: “{foreign(change.subject, 200)}”")
    if change.description is not None:
        new = f"“{foreign(change.description, _MOST_TEXT)}”" if change.description else "emptied"
        lines.append(f"Description: {new}")
    if change.picture is not None:
        shown = foreign(change.picture.url, 500) or f"the uploaded JPEG, {len(change.picture.jpeg):,} bytes"
        lines.append(f"Picture: {shown}")
    if change.announce_only is not None:
        lines.append(f"Who may write: {'only admins' if change.announce_only else 'everybody in the group'}")
    if change.locked is not None:
        lines.append(f"Who may edit the group's info: {'only admins' if change.locked else 'everybody in the group'}")
    if change.ephemeral is not None:
        after = f"after {count(change.ephemeral // _DAY, 'day')}" if change.ephemeral else "never"
        lines.append(f"Messages disappear: {after}")
    return lines
