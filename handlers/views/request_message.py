"""The parent message of a request: who, what, where, why, how far, and how to end it."""

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.outcomes import OUTCOME_TEXTS, Tally, outcome_label
from bot.domain.requests import Request, RequestState
from handlers.views import buttons
from handlers.views.blocks import Message, context, message, sections
from handlers.views.operation_texts import title
from handlers.views.request_content import content_lines
from handlers.views.text import escape, format_time, safe_text
from providers.base import Operation

_BAR = 20

_STATES = {
    RequestState.RECEIVED: "🕓 Received",
    RequestState.WAITING: "⏳ Waiting for approval",
    RequestState.APPROVED: "🕓 Approved",
    RequestState.RUNNING: "🏃 Running",
    RequestState.DONE: "🏁 Done",
    RequestState.DENIED: "⛔ Denied",
    RequestState.EXPIRED: "⌛ Expired",
    RequestState.WITHDRAWN: "↩️ Withdrawn",
}
_TO_COME = frozenset({RequestState.RECEIVED, RequestState.WAITING, RequestState.APPROVED})
_FOLLOWS = {
    "retry": "A retry of",
    "invite": "Invites those who refused in",
    "verify": "Looks after the unknown ones of",
    "resume": "Resumes",
    "undo": "Undoes",
    "again": "Runs once more",
}


def build(request: Request, tally: Tally, link: str = "") -> Message:
    """Build the parent message in its present state; `link` leads to the request that this one follows from."""
    heading = title(request, tally, bold=False)
    where = f"asked by <@{request.requester}> · connection `{escape(request.connection)}`"
    asked = reasons(request, link)
    progress = [f"{_state(request)} · {tally.answered:,} of {tally.total:,} answered", *_notes(request)]
    drawn = [f"`{bar(tally)}`"] if request.state in {RequestState.RUNNING, RequestState.DONE} else []
    summary = [summary_line(tally, request.operation)] if request.state is RequestState.DONE else []
    name = f"Request `{request.id}`"
    return message(
        [f"{heading}, {where}", *progress, *summary, *asked, name],
        [
            *sections([f"*{heading}*\n{where}", *asked]),
            *sections([*progress, *drawn, *summary]),
            ActionsBlock(elements=_buttons(request, tally)),
            context(name),
        ],
    )


def origin(request: Request, link: str) -> list[str]:
    """Say which request this one follows from, and how; nothing where it is a first one."""
    if not request.options.parent:
        return []
    how = _FOLLOWS.get(request.options.follow, "Follows from")
    return [f"{how} {request_link(request.options.parent, link)}"]


def reasons(request: Request, link: str) -> list[str]:
    """Say where a request comes from, what it sends or changes, why, and what else is to be known of it."""
    return [*origin(request, link), *content_lines(request), *why(request)]


def why(request: Request) -> list[str]:
    """Say for which reason something is asked, and what else is to be known of it."""
    reason = [f">{safe_text(request.reason, 500)}"] if request.reason else []
    return [*reason, *noted(request)]


def noted(request: Request) -> list[str]:
    """Say what else is to be known of a request."""
    return [f"ℹ️ {safe_text(request.options.note, 500)}"] if request.options.note else []


def request_link(request_id: str, link: str) -> str:
    """Name a request, with a link where there is one."""
    return f"{f'<{link}|request>' if link else 'request'} `{request_id}`"


def bar(tally: Tally) -> str:
    """Draw how many are answered.

    >>> bar(Tally((), 0))
    '████████████████████ 100 %'
    """
    part = tally.answered / tally.total if tally.total else 1.0
    full = int(part * _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {int(part * 100)} %"


def summary_line(tally: Tally, operation: Operation) -> str:
    """Say how many people have which outcome, with words beside every icon."""
    told = (f"{OUTCOME_TEXTS[o].icon} {n:,} {outcome_label(o, operation)}" for o, n in tally.counts)
    return " · ".join(told) or "nobody to answer"


def _state(request: Request) -> str:
    if request.state is RequestState.APPROVED and request.options.run_at:
        return "🕓 Scheduled" if request.rule is None else "🕓 Approved and scheduled"
    return _STATES[request.state]


def _notes(request: Request) -> list[str]:
    notes = []
    if request.options.run_at and request.state in _TO_COME:
        notes.append(f"It runs {format_time(request.options.run_at)}, not before.")
    if request.stopped_by and request.state is RequestState.WITHDRAWN:
        notes.append(f"Withdrawn by <@{request.stopped_by}>: nothing was sent.")
    elif request.stopped_by:
        notes.append(f"⏹️ Stopped by <@{request.stopped_by}>: what was sent stays as it is.")
    return notes


def _buttons(request: Request, tally: Tally) -> list[ButtonElement]:
    made = []
    if request.state is RequestState.RUNNING and not request.stopped_by:
        made.append(buttons.stop(request, tally))
    if request.state is RequestState.WAITING or (request.state is RequestState.APPROVED and request.options.run_at):
        made.append(buttons.withdraw(request, tally))
    return [*made, buttons.details(request, tally)]
