"""What can follow a request, as buttons below its last message, and what followed, as lines in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ButtonElement

from bot.domain.followups import LABELS, Followup, available_followups, plan_followup
from bot.domain.operations import required_actions
from bot.domain.outcomes import Tally
from bot.domain.requests import CANCELLED, Request, RequestItem, RequestState
from handlers.views.blocks import confirmation
from handlers.views.buttons import button
from handlers.views.request_message import request_link
from handlers.views.text import count, safe_text
from providers.base import Action

_PREFIX = "follow_"
ACTION_IDS = f"^{_PREFIX}[a-z]+$"
"""A pattern of the ids of all these buttons."""
_STANDS = {
    RequestState.RECEIVED: "under way",
    RequestState.RUNNING: "under way",
    RequestState.WAITING: "waits for approval",
}
"""How a request that follows stands, where its state's own word is none for people, or changes without being shown."""
_ASKED_BEFORE = frozenset({Followup.UNDO, Followup.AGAIN})


@dataclass(frozen=True, slots=True)
class FollowupLink:
    """A request that follows from another one; `link` leads to its parent message, empty while it has none."""

    request: Request
    link: str = ""


def build(
    request: Request,
    people: Sequence[RequestItem],
    tally: Tally,
    taken: Sequence[FollowupLink],
    able: Collection[Action] = frozenset(Action),
) -> list[ButtonElement]:
    """Make a button for everything that makes sense here, that the provider is able to do, and that does not follow.

    What followed and was not carried out can be asked for again.
    """
    gone = {f.request.options.follow for f in taken if f.request.state not in CANCELLED}
    made = []
    for followup in available_followups(request, people):
        planned = plan_followup(request, people, followup)
        to_people = any(line.person.is_person for line in planned.items)
        needed = required_actions(planned.operation, planned.options, people=to_people)
        if planned.items and followup.value not in gone and set(needed) <= set(able):
            made.append(_button(request, tally, followup, len(planned.items)))
    return made


def parse(action_id: str) -> Followup:
    """Read back what a button asks for. Raises `ValueError` for the id of another one."""
    return Followup(action_id.removeprefix(_PREFIX))


def lines(taken: Sequence[FollowupLink]) -> list[str]:
    """Say what followed, who asked for it, and how it stands, the oldest first."""
    return [
        f"↪️ {LABELS[Followup(f.request.options.follow)]}: {linked(f)}, "
        f"asked by <@{f.request.requester}>: {_STANDS.get(f.request.state, f.request.state)}"
        for f in sorted(taken, key=lambda f: f.request.asked_at)
    ]


def linked(followed: FollowupLink) -> str:
    """Name a request that follows, with a link where there is one."""
    return request_link(followed.request.id, followed.link)


def _button(request: Request, tally: Tally, followup: Followup, number: int) -> ButtonElement:
    label = LABELS[followup]
    where = safe_text(request.group_name, 60)
    words = {
        Followup.UNDO: f"This undoes it for {count(number, 'person', 'people')} in {where}: exactly those whom this "
        "request changed.",
        Followup.AGAIN: f"This asks once more for all {count(number, 'entry', 'entries')} in {where}.",
    }
    confirm = None
    if followup in _ASKED_BEFORE:
        confirm = confirmation(f"{label}?", words[followup], label, "Leave it")
    style = "danger" if followup is Followup.UNDO else ""
    return button(label, f"{_PREFIX}{followup.value}", request, tally, style=style, confirm=confirm)
