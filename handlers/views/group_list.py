"""The groups that somebody may read, a page of them, with buttons to turn it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.domain.groups import KnownGroup
from handlers.payloads import Payload
from handlers.views.answers import listed
from handlers.views.buttons import carrying
from handlers.views.message import Message, context, message, sections
from handlers.views.text import count, safe_text

PREVIOUS = "groups_previous"
NEXT = "groups_next"
PAGE = 15
_MOST_SEARCH = 200
"""Characters of what was searched for that a button carries; nothing is called by more."""


class GroupCursor(Payload):
    """What a button carries: what was searched for, and the place of the page's first group."""

    search: str
    start: int


def build(found: Sequence[KnownGroup], turn: GroupCursor) -> Message:
    """Build one page; `found` are all groups that were found."""
    start = min(turn.start, max(0, (len(found) - 1) // PAGE * PAGE))
    shown = found[start : start + PAGE]
    lines = [listed(group) for group in shown]
    matching = f" with “{safe_text(turn.search, 80)}” in a name" if turn.search else ""
    where = f"{start + 1:,} to {start + len(shown):,} of {count(len(found), 'group')}{matching}"
    if len(found) <= PAGE:
        return message([*lines], [*sections(lines)])
    blocks: list[Block] = [*sections(lines), ActionsBlock(elements=_buttons(turn.search, start, len(found)))]
    return message([*lines, where], [*blocks, context(where)])


def parse(value: str) -> GroupCursor:
    """Read back where a button leads. Raises `ValueError` for the value of another one."""
    return GroupCursor.model_validate_json(value)


def _buttons(search: str, start: int, total: int) -> list[ButtonElement]:
    made, search = [], search[:_MOST_SEARCH]
    if start > 0:
        previous = GroupCursor(search=search, start=max(0, start - PAGE))
        made.append(carrying("Previous", PREVIOUS, previous, "page of the groups"))
    if start + PAGE < total:
        made.append(carrying("Next", NEXT, GroupCursor(search=search, start=start + PAGE), "page of the groups"))
    return made
