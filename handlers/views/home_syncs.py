"""The repeated syncs of the Home tab, each group's with a button that ends them."""

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, HeaderBlock

from bot.runtime.schedules import Schedule
from handlers.views.buttons import question
from handlers.views.group_card import Place
from handlers.views.message import sections
from handlers.views.text import cut, foreign, moment, unformatted

END = "home_end_sync"
"""How the ids of the buttons begin: one of its own for each."""
MOST = 10
_MOST_LABEL = 75


def build(repeated: Sequence[tuple[Schedule, str]]) -> list[Block]:
    """Build this part of the page, from schedules with their groups' names; nothing where there are none."""
    if not repeated:
        return []
    lines = [_line(schedule, name) for schedule, name in repeated[:MOST]]
    if len(repeated) > MOST:
        lines.append(f"and {len(repeated) - MOST:,} more")
    groups = {(schedule.connection, schedule.group_id): name for schedule, name in repeated[:MOST]}
    ends = [_end(number, *group, name) for number, (group, name) in enumerate(groups.items())]
    return [HeaderBlock(text="Repeated syncs"), *sections(lines), ActionsBlock(elements=ends)]


def parse(value: str) -> Place:
    """Read back which group a button means. Raises `ValueError` for the value of another one."""
    return Place.model_validate_json(value)


def _line(schedule: Schedule, name: str) -> str:
    hours = schedule.every.total_seconds() / 3600 if schedule.every else 0
    how = f"every {hours:g} hours" if hours else "once"
    who = f"asked by <@{schedule.requester}>, {schedule.mode}"
    return f"• *{foreign(name, 100)}* {how}, next {moment(schedule.next_at)}; {who}"


def _end(number: int, connection: str, group_id: str, name: str) -> ButtonElement:
    words = "This group is compared and asked about no more. What was asked for already goes on."
    label = f"End: {unformatted(foreign(name, 60))}"
    return ButtonElement(
        text=cut(label, _MOST_LABEL),
        action_id=f"{END}:{number}",
        value=Place(connection=connection, group_id=group_id).model_dump_json(),
        confirm=question("End the repeated syncs of this group?", words, "End them", "Keep them"),
        accessibility_label=cut(f"{label}, its repeated syncs", _MOST_LABEL),
    )
