"""The part of the Home tab with the groups that somebody may administer: found by a search, leafed through."""

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
from handlers.views.groups import GroupCursor, listed, paging
from handlers.views.inputs import value_of
from handlers.views.text import count, safe_text, shorten

PREVIOUS = "home_previous"
NEXT = "home_next"
SEARCH = "home_search"
VERB = "home_verb_"
"""How the ids of the buttons begin that open a form for a group."""
VERBS = f"^{VERB}"
MORE = "home_more"
PAGE = 10
_GROUP = "home_group:"
_BUTTONS = 3
_MOST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class GroupPage:
    """The groups that somebody may administer and that have what they searched for in a name.

    Attributes:
        page: those that are shown, each with the verbs of what they may do to it.
        total: how many were found.
        turn: which of them are shown.
    """

    page: Sequence[tuple[KnownGroup, Sequence[str]]]
    total: int
    turn: GroupCursor


def build(found: GroupPage) -> list[Block]:
    """Build the groups' part of the page; nothing where somebody may administer none."""
    turn = found.turn
    if not found.total and not turn.search:
        return []
    blocks: list[Block] = [HeaderBlock(text="Groups")]
    if found.total > PAGE or turn.search:
        blocks.append(_search(turn))
    for group, verbs in found.page:
        blocks += sections([listed(group).removeprefix("• ")])
        blocks.append(ActionsBlock(block_id=f"{_GROUP}{value_of(group)}", elements=_buttons(group, verbs)))
    matching = f" with “{safe_text(turn.search, _MOST_SEARCH)}” in a name" if turn.search else ""
    if not found.total:
        return [*blocks, *sections([f"There is no group that you may administer{matching}."])]
    if leaf := paging(turn, found.total, PAGE, (PREVIOUS, NEXT)):
        blocks.append(ActionsBlock(elements=leaf))
    if found.total > PAGE or turn.search:
        first, last = turn.start + 1, turn.start + len(found.page)
        blocks.append(context(f"{first:,} to {last:,} of {count(found.total, 'group')}{matching}"))
    return blocks


def searched(text: str) -> GroupCursor:
    """Begin a search."""
    return GroupCursor(search=text.strip()[:_MOST_SEARCH])


def group_in(block_id: str) -> str:
    """Read which group the buttons of a block are for, as `inputs.value_of` names it."""
    return block_id.removeprefix(_GROUP)


def _search(turn: GroupCursor) -> InputBlock:
    return InputBlock(
        block_id=SEARCH,
        label="Find a group",
        hint="A part of its name, then Enter; empty shows all",
        optional=True,
        dispatch_action=True,
        element=PlainTextInputElement(action_id=SEARCH, max_length=_MOST_SEARCH, initial_value=turn.search or None),
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
