"""What may follow a request: a retry, an undo, and so on; each is a new request, linked to the one before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from bot.domain.operations import OPERATIONS
from bot.domain.outcomes import is_retryable
from bot.domain.requests import ENDED, Request, RequestItem, RequestOptions, RequestState
from bot.domain.sync import summarize_changes
from providers.base import Operation, Outcome


class Followup(StrEnum):
    """What people can have follow a request; the value is the word in the linked request."""

    RETRY = "retry"
    INVITE = "invite"
    VERIFY = "verify"
    RESUME = "resume"
    UNDO = "undo"
    AGAIN = "again"


LABELS: Mapping[Followup, str] = MappingProxyType(
    {
        Followup.RETRY: "Retry failed",
        Followup.INVITE: "Invite refused",
        Followup.VERIFY: "Verify unknown",
        Followup.RESUME: "Resume",
        Followup.UNDO: "Undo",
        Followup.AGAIN: "Run again",
    }
)
"""The labels of the buttons, by which people and scripts find them."""

_OUTCOMES = {
    Followup.RETRY: {Outcome.FAILED, Outcome.RATE_LIMITED},
    Followup.INVITE: {Outcome.REFUSED, Outcome.RECENTLY_LEFT, Outcome.BLOCKED},
    Followup.VERIFY: {Outcome.UNKNOWN},
    Followup.RESUME: {Outcome.NOT_ATTEMPTED},
    Followup.UNDO: {Outcome.ADDED, Outcome.REMOVED, Outcome.PROMOTED, Outcome.DEMOTED},
}


@dataclass(frozen=True, slots=True)
class FollowupPlan:
    """What a followup would ask for.

    Attributes:
        operation: the new request's.
        lines: its lines, in the order of the one before, without outcomes.
        details: what it says besides.
    """

    operation: Operation
    items: tuple[RequestItem, ...]
    options: RequestOptions


def available_followups(request: Request, people: Sequence[RequestItem]) -> tuple[Followup, ...]:
    """Give what can follow this request, in the order of its buttons; nothing while it has not ended."""
    if request.state is not RequestState.DONE:
        return (Followup.AGAIN,) if request.state in ENDED else ()
    return tuple(followup for followup in Followup if plan_followup(request, people, followup).items)


def plan_followup(request: Request, people: Sequence[RequestItem], followup: Followup) -> FollowupPlan:
    """Plan what follows; without lines where there is nothing to do.

    An undo is about exactly those for whom this request brought something about. A retry of a creation whose group
    was made adds to that group; where nobody knows whether it was made, it is not asked for again. A sync that only
    reported is resumed by doing what it reported. A time that was asked for holds for the whole request once more.
    """
    planned = _plan(request, people, followup)
    if planned.operation is not Operation.SYNC or planned.options.look_only or planned.options.note:
        return planned
    return replace(
        planned, options=replace(planned.options, note=summarize_changes(line.operation for line in planned.items))
    )


def _plan(request: Request, people: Sequence[RequestItem], followup: Followup) -> FollowupPlan:
    details = replace(request.options, parent=request.id, follow=followup.value, run_at=None, note="")
    match followup:
        case Followup.INVITE:
            fits = OPERATIONS[request.operation].invitable and not request.options.look_only
            chosen = _chosen(people, followup) if fits else []
            lines = _as(chosen, lambda _: Operation.INVITE)
            return FollowupPlan(Operation.INVITE, lines, RequestOptions(parent=request.id, follow=followup.value))
        case Followup.VERIFY:
            lines = tuple(
                replace(line, before=p.before)
                for p in _chosen(people, followup)
                if OPERATIONS[p.operation].desired and request.group_id
                for line in _as([p], lambda line: line.operation)
            )
            return FollowupPlan(request.operation, lines, replace(details, look_only=True, invite_refused=False))
        case Followup.UNDO:
            undone = [p for p in _chosen(people, followup) if OPERATIONS[p.operation].opposite]
            opposite = _opposite(request.operation)
            lines = _as(undone, lambda p: _opposite(p.operation))
            return FollowupPlan(opposite, lines, RequestOptions(parent=request.id, follow=followup.value))
        case Followup.AGAIN:
            everybody = [p for p in people if p.outcome is not Outcome.INVALID or p.person.is_person]
            twice = request.options.look_only or (request.operation is Operation.CREATE and request.group_id)
            lines = () if twice else _as(everybody, lambda p: p.operation)
            return FollowupPlan(request.operation, lines, replace(details, run_at=request.options.run_at))
        case Followup.RETRY | Followup.RESUME:
            made = request.operation is Operation.CREATE and bool(request.group_id)
            operation = Operation.ADD if made else request.operation
            report = request.reports_only and followup is Followup.RESUME
            unsure = request.operation is Operation.CREATE and not made and _chosen(people, Followup.VERIFY)
            nothing = unsure or (request.options.look_only and not report)
            chosen = [] if nothing else _chosen(people, followup)
            details = replace(details, look_only=False, note=request.options.note if report else "")
            return FollowupPlan(operation, _as(chosen, lambda p: operation if made else p.operation), details)


def _chosen(people: Sequence[RequestItem], followup: Followup) -> list[RequestItem]:
    """Give those whom it makes sense for; what would fail again for the same cause is not repeated."""
    repeats = followup in {Followup.RETRY, Followup.RESUME}
    return [p for p in people if p.outcome in _OUTCOMES[followup] and (not repeats or is_retryable(p.cause))]


def _opposite(operation: Operation) -> Operation:
    return OPERATIONS[operation].opposite or operation


def _as(people: Sequence[RequestItem], operation: Callable[[RequestItem], Operation]) -> tuple[RequestItem, ...]:
    """Make fresh lines of people, each with its operation."""
    return tuple(RequestItem(place, p.person, operation(p)) for place, p in enumerate(people))
