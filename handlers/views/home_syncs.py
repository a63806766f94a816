"""The repeated syncs on the Home tab, with a button for each group that ends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, HeaderBlock

from bot.domain.groups import GroupRef
from bot.domain.outcomes import RequestSummary
from bot.domain.sync import MAX_FAILURES, SyncSchedule
from handlers.views import request_list
from handlers.views.blocks import confirmation, sections
from handlers.views.groups import GroupAddress
from handlers.views.text import format_time, safe_text, shorten, without_markup

END = "home_end_sync"
"""The prefix of the ids of the buttons; a number follows."""
MAX_LISTED = 10
_MAX_LABEL = 75
_MAX_HELD = 300


@dataclass(frozen=True, slots=True)
class RepeatedSync:
    """A repeated sync.

    Attributes:
        name: the group's name.
        may_end: whether the viewer may end it.
        held: why its next run would do nothing; empty if nothing prevents it.
        last: the last request that it made; None if there is none yet.
    """

    schedule: SyncSchedule
    name: str
    may_end: bool
    held: str = ""
    last: RequestSummary | None = None


def build(repeated: Sequence[RepeatedSync], more: int, links: Mapping[str, str]) -> list[Block]:
    """Build this part of the page; nothing if there are no repeated syncs.

    Args:
        repeated: the syncs to show.
        more: the number of others.
        links: the links to the threads by request id.
    """
    if not repeated:
        return []
    lines = [_line(one, links) for one in repeated]
    if more:
        lines.append(f"and {more:,} more")
    groups = {one.schedule.group: one.name for one in repeated if one.may_end}
    ends = [_end(number, group, name) for number, (group, name) in enumerate(groups.items())]
    return [HeaderBlock(text="Repeated syncs"), *sections(lines), *([ActionsBlock(elements=ends)] if ends else [])]


def _line(one: RepeatedSync, links: Mapping[str, str]) -> str:
    schedule = one.schedule
    hours = schedule.every.total_seconds() / 3600 if schedule.every else 0
    how = f"every {hours:g} hours" if hours else "once"
    list_ = f", with {safe_text(schedule.source.name, 150)}" if schedule.source.name else ""
    who = f"requested by <@{schedule.requester}>"
    lines = [
        f"• *{safe_text(one.name, 100)}* {how}, next {format_time(schedule.next_at)}; {schedule.mode}{list_}; {who}"
    ]
    if one.last:
        lines.append(f"   last request: {_last(one.last, links)}")
    elif schedule.run:
        lines.append("   no request yet")
    if schedule.failed:
        lines.append(f"   ⚠️ {_failed(schedule.failed)}")
    if one.held:
        lines.append(f"   💤 {shorten(one.held, _MAX_HELD)}")
    return "\n".join(lines)


def _failed(times: int) -> str:
    runs = "The last run" if times == 1 else f"The last {times} runs"
    return f"{runs} failed. It ends after {MAX_FAILURES} failures in a row."


def _last(last: RequestSummary, links: Mapping[str, str]) -> str:
    link = links.get(last.request.id, "")
    thread = f" · <{link}|thread>" if link else ""
    state = f"{request_list.state_of(last.request)}, {request_list.result_so_far(last)}"
    return f"{format_time(last.request.asked_at)}, {state}{thread}"


def _end(number: int, group: GroupRef, name: str) -> ButtonElement:
    words = "No more runs for this group. A request that waits is withdrawn; one that runs continues."
    label = f"End: {without_markup(safe_text(name, 60))}"
    return ButtonElement(
        text=shorten(label, _MAX_LABEL),
        action_id=f"{END}:{number}",
        value=GroupAddress(connection=group.connection, group_id=group.id).model_dump_json(),
        confirm=confirmation("End the repeated syncs of this group?", words, "End them", "Keep them"),
        accessibility_label=shorten(f"{label}, repeated syncs", _MAX_LABEL),
    )
