"""The parent message of a request: what, who, where, why, its progress, and its buttons."""

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.outcomes import OUTCOME_TEXTS, Tally
from bot.domain.requests import Request, RequestState
from handlers.views import buttons
from handlers.views.blocks import Message, context, message, sections
from handlers.views.operation_texts import outcome_label, title
from handlers.views.request_content import content_lines
from handlers.views.text import escape, format_time, request_link, safe_text, scheduled_for
from providers.base import Operation, Outcome

_STEP, _MINUTE, _HOUR = 10, 60, 3600
"""Seconds."""

_STATES = {
    RequestState.RECEIVED: "🕓 Received",
    RequestState.WAITING: "⏳ Waiting for approval",
    RequestState.APPROVED: "🕓 Approved",
    RequestState.RUNNING: "🏃 Running",
    RequestState.DONE: "🏁 Ended",
    RequestState.DENIED: "⛔ Denied",
    RequestState.EXPIRED: "⌛ Expired",
    RequestState.WITHDRAWN: "↩️ Withdrawn",
}
_NOT_STARTED = frozenset({RequestState.RECEIVED, RequestState.WAITING, RequestState.APPROVED})
_FOLLOWS = {
    "retry": "Retries the failed results of",
    "invite": "Invites the people who couldn't be added by",
    "verify": "Verifies the unknown results of",
    "resume": "Resumes",
    "undo": "Undoes",
    "again": "Repeats",
}


def build(request: Request, tally: Tally, link: str = "", *, result: str = "", followed: Sequence[str] = ()) -> Message:
    """Build the message at the top of a request's thread, in its current state.

    Args:
        request: the request.
        tally: its results so far.
        link: leads to the request that this one follows up on.
        result: the progress of a running request, or the result of one that is done, in a sentence.
        followed: a line for each request that followed in the same thread.
    """
    heading = title(request, tally, bold=False)
    where = f"requested by <@{request.requester}> · connection `{escape(request.connection)}`"
    background = reasons(request, link)
    state = result or (running(request, tally) if request.state is RequestState.RUNNING else _state(request))
    current = [state, *_notes(request)]
    summary = [summary_line(tally, request.operation)] if request.state is RequestState.DONE else []
    name = f"Request `{request.id}`"
    return message(
        [f"{heading}, {where}", *current, *summary, *followed, *background, name],
        [
            *sections([f"*{heading}*\n{where}", *background]),
            *sections(
                [f"*{state}*" if request.state is RequestState.DONE else state, *_notes(request), *summary, *followed]
            ),
            ActionsBlock(elements=_buttons(request, tally)),
            context(name),
        ],
    )


def origin(request: Request, link: str) -> list[str]:
    """Return which request this one follows up on, and how; nothing if it is a first one."""
    if not request.options.parent:
        return []
    how = _FOLLOWS.get(request.options.follow, "Follows up on")
    return [f"{how} {request_link(request.options.parent, link)}"]


def reasons(request: Request, link: str) -> list[str]:
    """Return the origin, the content, the reason and the note of a request."""
    return [*origin(request, link), *content_lines(request), *why(request)]


def why(request: Request) -> list[str]:
    """Return the reason and the note of a request."""
    reason = [f">{safe_text(request.reason, 500)}"] if request.reason else []
    return [*reason, *noted(request)]


def noted(request: Request) -> list[str]:
    """Return the note of a request."""
    return [f"ℹ️ {safe_text(request.options.note, 500)}"] if request.options.note else []


def running(
    request: Request, tally: Tally, seconds_left: float | None = None, next_check: datetime | None = None
) -> str:
    """Return how far a running request is, and how long it will still take.

    Args:
        request: the request.
        tally: its results so far.
        seconds_left: the estimated time until everyone was sent; None if that is unknown.
        next_check: when the unknown results are verified next, aware; None while people are sent.
    """
    unknown = tally.count(Outcome.UNKNOWN) if next_check else 0
    parts = ["🏃 Running", f"{tally.answered - unknown:,} of {tally.total:,}"]
    if next_check:
        parts.append(f"verifying {unknown:,}, next check {format_time(next_check)}")
    elif seconds_left and not request.stopped_by:
        parts.append(f"about {_span(seconds_left)} left")
    return " · ".join(parts)


def _span(seconds: float) -> str:
    """Return a duration in words, rounded up.

    >>> _span(47), _span(100)
    ('50 s', '2 min')
    """
    if seconds <= _MINUTE:
        return f"{-(-int(seconds) // _STEP) * _STEP or _STEP} s"
    return f"{-(-int(seconds) // _MINUTE):,} min" if seconds < 2 * _HOUR else f"{-(-int(seconds) // _HOUR):,} h"


def progress(tally: Tally) -> str:
    """Return how many results are in."""
    return f"{tally.answered:,} of {tally.total:,} processed"


def summary_line(tally: Tally, operation: Operation) -> str:
    """Return the number of results of each outcome, with words beside every icon."""
    counted = (f"{OUTCOME_TEXTS[o].icon} {n:,} {outcome_label(o, operation)}" for o, n in tally.counts)
    return " · ".join(counted) or "no results"


def _state(request: Request) -> str:
    if request.state is RequestState.APPROVED and request.options.run_at:
        return "🕓 Scheduled" if request.rule is None else "🕓 Approved and scheduled"
    return _STATES[request.state]


def _notes(request: Request) -> list[str]:
    notes = []
    if request.options.run_at and request.state in _NOT_STARTED:
        notes.append(scheduled_for(request.options.run_at))
    if request.stopped_by and request.state is RequestState.WITHDRAWN:
        notes.append(f"Withdrawn by <@{request.stopped_by}>. Nothing was sent.")
    elif request.stopped_by:
        notes.append(f"⏹️ Stopped by <@{request.stopped_by}>. Finished work wasn't undone.")
    return notes


def _buttons(request: Request, tally: Tally) -> list[ButtonElement]:
    made = []
    if request.state is RequestState.RUNNING and not request.stopped_by:
        made.append(buttons.stop(request, tally))
    if request.state is RequestState.WAITING or (request.state is RequestState.APPROVED and request.options.run_at):
        made.append(buttons.withdraw(request, tally))
    return [*made, buttons.details(request, tally)]
