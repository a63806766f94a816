"""The follow-ups of a request: buttons for the possible ones, and a line for each one already requested."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ButtonElement

from bot.domain.followups import LABELS, Followup, available_followups, plan_followup
from bot.domain.operations import required_actions
from bot.domain.outcomes import Tally
from bot.domain.requests import CANCELLED, Request, RequestItem, RequestState
from handlers.views.blocks import confirmation
from handlers.views.buttons import button
from handlers.views.request_message import summary_line
from handlers.views.text import count, request_link, safe_text
from providers.base import Action, Outcome

_PREFIX = "follow_"
ACTION_IDS = f"^{_PREFIX}[a-z]+$"
"""A pattern that matches the ids of all follow-up buttons."""
_STATES = {
    RequestState.RECEIVED: "in progress",
    RequestState.RUNNING: "in progress",
    RequestState.WAITING: "waiting for approval",
}
"""The states of a follow-up that have another word here: this line isn't updated when a follow-up starts to run."""
_CONFIRMED = frozenset({Followup.UNDO, Followup.AGAIN})


@dataclass(frozen=True, slots=True)
class FollowupLink:
    """A follow-up, the link to its parent message, and its results; both are empty if there are none yet."""

    request: Request
    link: str = ""
    tally: Tally | None = None


def build(
    request: Request,
    people: Sequence[RequestItem],
    tally: Tally,
    taken: Sequence[FollowupLink],
    able: Collection[Action] = frozenset(Action),
) -> list[ButtonElement]:
    """Build a button for each possible follow-up.

    Args:
        request: the request that has ended.
        people: its items.
        tally: its results.
        taken: the follow-ups already requested; those that were cancelled can be requested again.
        able: the actions that the provider supports.
    """
    requested = {f.request.options.follow for f in taken if f.request.state not in CANCELLED}
    made = []
    for followup in available_followups(request, people):
        planned = plan_followup(request, people, followup)
        to_people = any(line.person.is_person for line in planned.items)
        needed = required_actions(planned.operation, planned.options, people=to_people)
        if planned.items and followup.value not in requested and set(needed) <= set(able):
            made.append(_button(request, tally, followup, len(planned.items)))
    return made


def parse(action_id: str) -> Followup:
    """Parse the id of a follow-up button. Raises `ValueError` for any other id."""
    return Followup(action_id.removeprefix(_PREFIX))


def lines(taken: Sequence[FollowupLink]) -> list[str]:
    """Return a line for each follow-up, the oldest first."""
    return [
        f"↪️ {LABELS[Followup(f.request.options.follow)]}: {linked(f)}, "
        f"requested by <@{f.request.requester}>: {_state(f)}"
        for f in sorted(taken, key=lambda f: f.request.asked_at)
    ]


def _state(followed: FollowupLink) -> str:
    if followed.request.state is RequestState.DONE and followed.tally:
        return summary_line(followed.tally, followed.request.operation)
    return _STATES.get(followed.request.state, followed.request.state)


def linked(followed: FollowupLink) -> str:
    """Return the name of a follow-up, linked to its thread if it has one."""
    return request_link(followed.request.id, followed.link)


def _button(request: Request, tally: Tally, followup: Followup, number: int) -> ButtonElement:
    label = LABELS[followup]
    where = safe_text(request.group_name, 60)
    words = {
        Followup.UNDO: f"This undoes the changes of this request for {count(number, 'person', 'people')} in {where}."
        + _left_alone(tally.count(Outcome.CONFIRMED)),
        Followup.AGAIN: f"This repeats the request for all {count(number, 'entry', 'entries')} in {where}.",
    }
    confirm = None
    if followup in _CONFIRMED:
        confirm = confirmation(f"{label}?", words[followup], label, "Cancel")
    style = "danger" if followup is Followup.UNDO else ""
    return button(label, f"{_PREFIX}{followup.value}", request, tally, style=style, confirm=confirm)


def _left_alone(confirmed: int) -> str:
    """Return whom an undo leaves as they are, because the request may not have changed them."""
    if not confirmed:
        return ""
    are = "is" if confirmed == 1 else "are"
    who = f"{count(confirmed, 'person', 'people')} {are} left as they are"
    return f" {who}: it isn't certain that this request changed them."
