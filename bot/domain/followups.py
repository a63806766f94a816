"""The follow-ups of a request, such as a retry or an undo. Each is a new request, linked to the one before."""

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
    """A follow-up; its value is stored in the new request."""

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
    """What a follow-up would request.

    Attributes:
        operation: the operation of the new request.
        items: its items, in the order of the one before, without outcomes.
        options: its options.
    """

    operation: Operation
    items: tuple[RequestItem, ...]
    options: RequestOptions


def available_followups(request: Request, people: Sequence[RequestItem]) -> tuple[Followup, ...]:
    """Return the possible follow-ups of a request, in the order of their buttons; none until it has ended."""
    if request.state is not RequestState.DONE:
        return (Followup.AGAIN,) if request.state in ENDED else ()
    return tuple(followup for followup in Followup if plan_followup(request, people, followup).items)


def plan_followup(request: Request, people: Sequence[RequestItem], followup: Followup) -> FollowupPlan:
    """Plan a follow-up. It has no items if there is nothing to do.

    An undo is about exactly the people for whom this request changed something. A retry of a creation whose group
    exists adds to that group. If it is unknown whether the group exists, the creation isn't repeated. Resuming a sync
    that only reported carries out what it reported. Only running the whole request again keeps its start time.
    """
    planned = _plan(request, people, followup)
    if planned.operation is not Operation.SYNC or planned.options.look_only or planned.options.note:
        return planned
    return replace(
        planned, options=replace(planned.options, note=summarize_changes(item.operation for item in planned.items))
    )


def _plan(request: Request, people: Sequence[RequestItem], followup: Followup) -> FollowupPlan:
    options = replace(request.options, parent=request.id, follow=followup.value, run_at=None, note="")
    match followup:
        case Followup.INVITE:
            fits = OPERATIONS[request.operation].invitable and not request.options.look_only
            chosen = _chosen(people, followup) if fits else []
            items = _new_items(chosen, lambda _: Operation.INVITE)
            return FollowupPlan(Operation.INVITE, items, RequestOptions(parent=request.id, follow=followup.value))
        case Followup.VERIFY:
            items = tuple(
                replace(item, before=p.before)
                for p in _chosen(people, followup)
                if OPERATIONS[p.operation].desired and request.group_id
                for item in _new_items([p], lambda p: p.operation)
            )
            return FollowupPlan(request.operation, items, replace(options, look_only=True, invite_refused=False))
        case Followup.UNDO:
            undone = [p for p in _chosen(people, followup) if OPERATIONS[p.operation].opposite]
            opposite = _opposite(request.operation)
            items = _new_items(undone, lambda p: _opposite(p.operation))
            return FollowupPlan(opposite, items, RequestOptions(parent=request.id, follow=followup.value))
        case Followup.AGAIN:
            everyone = [p for p in people if p.outcome is not Outcome.INVALID or p.person.is_person]
            done_once = request.options.look_only or (request.operation is Operation.CREATE and request.group_id)
            items = () if done_once else _new_items(everyone, lambda p: p.operation)
            return FollowupPlan(request.operation, items, replace(options, run_at=request.options.run_at))
        case Followup.RETRY | Followup.RESUME:
            created = request.operation is Operation.CREATE and bool(request.group_id)
            operation = Operation.ADD if created else request.operation
            report = request.reports_only and followup is Followup.RESUME
            unsure = request.operation is Operation.CREATE and not created and _chosen(people, Followup.VERIFY)
            nothing = unsure or (request.options.look_only and not report)
            chosen = [] if nothing else _chosen(people, followup)
            options = replace(options, look_only=False, note=request.options.note if report else "")
            return FollowupPlan(operation, _new_items(chosen, lambda p: operation if created else p.operation), options)


def _chosen(people: Sequence[RequestItem], followup: Followup) -> list[RequestItem]:
    """Return the people for whom a follow-up makes sense, without those who would fail again for the same cause."""
    repeats = followup in {Followup.RETRY, Followup.RESUME}
    return [p for p in people if p.outcome in _OUTCOMES[followup] and (not repeats or is_retryable(p.cause))]


def _opposite(operation: Operation) -> Operation:
    return OPERATIONS[operation].opposite or operation


def _new_items(people: Sequence[RequestItem], operation: Callable[[RequestItem], Operation]) -> tuple[RequestItem, ...]:
    """Return people as new items, each with its operation."""
    return tuple(RequestItem(position, p.person, operation(p)) for position, p in enumerate(people))
