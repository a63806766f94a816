"""The groups on the Home tab: those that a person can administer, with a search and paging."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    HeaderBlock,
    InputBlock,
    InteractiveElement,
    Option,
    OverflowMenuElement,
    PlainTextInputElement,
)

from bot.domain.groups import KnownGroup
from handlers.views.blocks import context, sections
from handlers.views.groups import GroupCursor, paging
from handlers.views.inputs import value_of
from handlers.views.text import count, group_line, safe_text, shorten

PREVIOUS = "home_previous"
NEXT = "home_next"
SEARCH = "home_search"
VERB = "home_verb_"
"""The prefix of the ids of the buttons that open a form for a group."""
VERBS = f"^{VERB}"
MORE = "home_more"
PAGE = 10
_GROUP = "home_group:"
_BUTTONS = 3
_MAX_SEARCH = 100


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page of the groups that a person can administer and that match the search.

    Attributes:
        page: the groups of the page, each with the verbs that the person can use.
        total: the number of groups on all pages.
        cursor: the search and the position of the page.
    """

    page: Sequence[tuple[KnownGroup, Sequence[str]]]
    total: int
    cursor: GroupCursor


def build(found: GroupPage) -> list[Block]:
    """Build this part of the page; nothing for a person who can't administer any group."""
    cursor = found.cursor
    if not found.total and not cursor.search:
        return []
    blocks: list[Block] = [HeaderBlock(text="Groups")]
    if found.total > PAGE or cursor.search:
        blocks.append(_search(cursor))
    for group, verbs in found.page:
        blocks += sections([group_line(group).removeprefix("• ")])
        blocks.append(ActionsBlock(block_id=f"{_GROUP}{value_of(group)}", elements=_buttons(group, verbs)))
    matching = f" with “{safe_text(cursor.search, _MAX_SEARCH)}” in a name" if cursor.search else ""
    if not found.total:
        return [*blocks, *sections([f"There's no group you can administer{matching}."])]
    if pages := paging(cursor, found.total, PAGE, (PREVIOUS, NEXT)):
        blocks.append(ActionsBlock(elements=pages))
    if found.total > PAGE or cursor.search:
        first, last = cursor.start + 1, cursor.start + len(found.page)
        blocks.append(context(f"{first:,} to {last:,} of {count(found.total, 'group')}{matching}"))
    return blocks


def searched(text: str) -> GroupCursor:
    """Return the cursor of a new search."""
    return GroupCursor(search=text.strip()[:_MAX_SEARCH])


def group_in(block_id: str) -> str:
    """Return the group of a block of buttons, as `inputs.value_of` names it."""
    return block_id.removeprefix(_GROUP)


def _search(cursor: GroupCursor) -> InputBlock:
    return InputBlock(
        block_id=SEARCH,
        label="Find a group",
        hint="Type part of a name and press Enter. Empty shows all groups.",
        optional=True,
        dispatch_action=True,
        element=PlainTextInputElement(action_id=SEARCH, max_length=_MAX_SEARCH, initial_value=cursor.search or None),
    )


def _buttons(group: KnownGroup, verbs: Sequence[str]) -> list[InteractiveElement]:
    shown = len(verbs) if len(verbs) <= _BUTTONS + 1 else _BUTTONS
    made: list[InteractiveElement] = [
        ButtonElement(
            text=verb.capitalize(),
            action_id=f"{VERB}{verb}",
            value=verb,
            accessibility_label=shorten(f"{verb.capitalize()}: {group.name}", 75),
        )
        for verb in verbs[:shown]
    ]
    if rest := verbs[shown:]:
        options = [Option(text=verb.capitalize(), value=verb) for verb in rest]
        made.append(OverflowMenuElement(action_id=MORE, options=options))
    return made
