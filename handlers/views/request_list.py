"""A page of requests, each with its state, its progress and a link to its thread."""

from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.domain.outcomes import RequestSummary
from bot.domain.requests import Request, RequestState
from handlers.payloads import Payload
from handlers.views.blocks import Message, message, sections, value_button
from handlers.views.operation_texts import title
from handlers.views.request_message import progress, summary_line
from handlers.views.text import format_time

NEWEST = "requests_newest"
NEXT = "requests_next"
PAGE = 10
_PAGES = "page of the requests"


class RequestCursor(Payload):
    """The place in a list of requests that a button leads to.

    Attributes:
        which: `mine`, `waiting`, `all` or `group`.
        connection: of the group, for `group`.
        group_id: of the group, for `group`.
        before: the end of the previous page: `asked_at` in seconds since 1970 and the id of its last request.
    """

    which: str
    connection: str = ""
    group_id: str = ""
    before: tuple[float, str] | None = None


def build(
    summaries: Sequence[RequestSummary], links: Mapping[str, str], cursor: RequestCursor, *, more: bool
) -> Message:
    """Build one page; `links` are the links to the threads by request id."""
    lines = [_line(summary, links.get(summary.request.id, "")) for summary in summaries]
    buttons = []
    if cursor.before:
        buttons.append(value_button("Newest", NEWEST, cursor.model_copy(update={"before": None}), _PAGES))
    if more:
        last = summaries[-1].request
        following = cursor.model_copy(update={"before": (last.asked_at.timestamp(), last.id)})
        buttons.append(value_button("Next", NEXT, following, _PAGES))
    blocks: list[Block] = sections(lines)
    return message(lines, [*blocks, ActionsBlock(elements=buttons)] if buttons else blocks)


def _line(summary: RequestSummary, link: str) -> str:
    request, tally = summary.request, summary.tally
    where = f"<{link}|thread>" if link else "no thread yet"
    who = f"`{request.id}` by <@{request.requester}> {format_time(request.asked_at)}"
    return f"• *{state_of(request)}* {title(request, tally)} · {result_so_far(summary)}\n   {who} · {where}"


def state_of(request: Request) -> str:
    """Return the state of a request in one word."""
    return "scheduled" if request.options.run_at and request.state is RequestState.APPROVED else str(request.state)


def result_so_far(summary: RequestSummary) -> str:
    """Return how many results of a request are in, and their counts."""
    tally = summary.tally
    counts = f": {summary_line(tally, summary.request.operation)}" if tally.answered else ""
    return f"{progress(tally)}{counts}"
