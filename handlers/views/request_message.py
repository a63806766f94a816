"""The parent message of a request: who, what, where, why, how far, and how to end it."""

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.outcomes import MEANINGS, Tally, words_of
from bot.domain.requests import Request, State
from handlers.views import buttons
from handlers.views.contents import contents
from handlers.views.message import Message, context, message, sections
from handlers.views.phrases import title
from handlers.views.text import escape, foreign, moment
from providers.base import Operation

_BAR = 20

_STATES = {
    State.RECEIVED: "🕓 Received",
    State.WAITING: "⏳ Waiting for approval",
    State.APPROVED: "🕓 Approved",
    State.RUNNING: "🏃 Running",
    State.DONE: "🏁 Done",
    State.DENIED: "⛔ Denied",
    State.EXPIRED: "⌛ Expired",
    State.WITHDRAWN: "↩️ Withdrawn",
}
_TO_COME = frozenset({State.RECEIVED, State.WAITING, State.APPROVED})
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
    drawn = [f"`{bar(tally)}`"] if request.state in {State.RUNNING, State.DONE} else []
    summary = [summary_line(tally, request.operation)] if request.state is State.DONE else []
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
    if not request.details.parent:
        return []
    how = _FOLLOWS.get(request.details.follow, "Follows from")
    return [f"{how} {request_link(request.details.parent, link)}"]


def reasons(request: Request, link: str) -> list[str]:
    """Say where a request comes from, what it sends or changes, why, and what else is to be known of it."""
    return [*origin(request, link), *contents(request), *why(request)]


def why(request: Request) -> list[str]:
    """Say for which reason something is asked, and what else is to be known of it."""
    reason = [f">{foreign(request.reason, 500)}"] if request.reason else []
    return [*reason, *noted(request)]


def noted(request: Request) -> list[str]:
    """Say what else is to be known of a request."""
    return [f"ℹ️ {foreign(request.details.note, 500)}"] if request.details.note else []


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
    told = (f"{MEANINGS[o].icon} {n:,} {words_of(o, operation)}" for o, n in tally.counts)
    return " · ".join(told) or "nobody to answer"


def _state(request: Request) -> str:
    if request.state is State.APPROVED and request.details.run_at:
        return "🕓 Scheduled" if request.rule is None else "🕓 Approved and scheduled"
    return _STATES[request.state]


def _notes(request: Request) -> list[str]:
    notes = []
    if request.details.run_at and request.state in _TO_COME:
        notes.append(f"It runs {moment(request.details.run_at)}, not before.")
    if request.stopped_by and request.state is State.WITHDRAWN:
        notes.append(f"Withdrawn by <@{request.stopped_by}>: nothing was sent.")
    elif request.stopped_by:
        notes.append(f"⏹️ Stopped by <@{request.stopped_by}>: what was sent stays as it is.")
    return notes


def _buttons(request: Request, tally: Tally) -> list[ButtonElement]:
    made = []
    if request.state is State.RUNNING and not request.stopped_by:
        made.append(buttons.stop(request, tally))
    if request.state is State.WAITING or (request.state is State.APPROVED and request.details.run_at):
        made.append(buttons.withdraw(request, tally))
    return [*made, buttons.details(request, tally)]
