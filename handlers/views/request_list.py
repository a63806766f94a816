"""Requests, a page of them: each with its state, how far it is, and the way to its thread."""

from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.domain.outcomes import RequestSummary
from bot.domain.requests import Request, RequestState
from handlers.payloads import Payload
from handlers.views.blocks import Message, message, sections, value_button
from handlers.views.operation_texts import title
from handlers.views.request_message import summary_line
from handlers.views.text import format_time

NEWEST = "requests_newest"
NEXT = "requests_next"
PAGE = 10
_PAGES = "page of the requests"


class RequestCursor(Payload):
    """What a button carries.

    Attributes:
        which: `mine`, `waiting`, `all` or `group`.
        connection: of the group, for `group`.
        group_id: of the group, for `group`.
        before: where the page before ended: `asked_at` in seconds since 1970 and the id of its last request.
    """

    which: str
    connection: str = ""
    group_id: str = ""
    before: tuple[float, str] | None = None


def build(briefs: Sequence[RequestSummary], links: Mapping[str, str], turn: RequestCursor, *, more: bool) -> Message:
    """Build one page; `links` lead to the threads, by the requests' ids."""
    lines = [_line(brief, links.get(brief.request.id, "")) for brief in briefs]
    buttons = []
    if turn.before:
        buttons.append(value_button("Newest", NEWEST, turn.model_copy(update={"before": None}), _PAGES))
    if more:
        last = briefs[-1].request
        following = turn.model_copy(update={"before": (last.asked_at.timestamp(), last.id)})
        buttons.append(value_button("Next", NEXT, following, _PAGES))
    blocks: list[Block] = sections(lines)
    return message(lines, [*blocks, ActionsBlock(elements=buttons)] if buttons else blocks)


def _line(brief: RequestSummary, link: str) -> str:
    request, tally = brief.request, brief.tally
    where = f"<{link}|thread>" if link else "no thread yet"
    who = f"`{request.id}` by <@{request.requester}> {format_time(request.asked_at)}"
    return f"• *{state_of(request)}* {title(request, tally)} · {answered(brief)}\n   {who} · {where}"


def state_of(request: Request) -> str:
    """Say in a word how far a request is."""
    return "scheduled" if request.options.run_at and request.state is RequestState.APPROVED else str(request.state)


def answered(brief: RequestSummary) -> str:
    """Say how many lines of a request have an answer, and which."""
    tally = brief.tally
    summary = f": {summary_line(tally, brief.request.operation)}" if tally.answered else ""
    return f"{tally.answered:,} of {tally.total:,} answered{summary}"
