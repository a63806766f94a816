"""The parent message of a request: who, what, where, why, how far."""

from bot.domain.outcomes import MEANINGS, Tally
from bot.domain.requests import Request, State
from handlers.views.message import Message, context, message, sections
from handlers.views.text import count, escape, foreign

_BAR = 20

_STATES = {
    State.RECEIVED: "🕓 Received",
    State.WAITING: "⏳ Waiting for approval",
    State.APPROVED: "🕓 Approved",
    State.RUNNING: "🏃 Running",
    State.DONE: "🏁 Done",
    State.DENIED: "⛔ Denied",
    State.EXPIRED: "⌛ Expired",
}


def build(request: Request, tally: Tally) -> Message:
    """Build the parent message in its present state."""
    people = people_of(tally)
    title = f"{request.operation.capitalize()} {people} to {foreign(request.group_name, 100)}"
    where = f"asked by <@{request.requester}> · connection `{escape(request.connection)}`"
    why = [f">{foreign(request.reason, 500)}"] if request.reason else []
    progress = [f"{_STATES[request.state]} · {tally.answered:,} of {tally.total:,} answered"]
    drawn = [f"`{bar(tally)}`"] if request.state in {State.RUNNING, State.DONE} else []
    summary = [summary_line(tally)] if request.state is State.DONE else []
    name = f"Request `{request.id}`"
    return message(
        [f"{title}, {where}", *progress, *summary, *why, name],
        [*sections([f"*{title}*\n{where}", *why]), *sections([*progress, *drawn, *summary]), context(name)],
    )


def people_of(tally: Tally) -> str:
    """Say how many people a request is about, and how many entries name nobody.

    >>> people_of(Tally((), 6, rejected=1))
    '5 people (1 entry not usable)'
    """
    people = count(tally.people, "person", "people")
    return f"{people} ({count(tally.rejected, 'entry', 'entries')} not usable)" if tally.rejected else people


def bar(tally: Tally) -> str:
    """Draw how many are answered.

    >>> bar(Tally((), 0))
    '████████████████████ 100 %'
    """
    part = tally.answered / tally.total if tally.total else 1.0
    full = int(part * _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {int(part * 100)} %"


def summary_line(tally: Tally) -> str:
    """Say how many people have which outcome, with words beside every icon."""
    return " · ".join(f"{MEANINGS[o].icon} {n:,} {MEANINGS[o].words}" for o, n in tally.counts) or "nobody to answer"
