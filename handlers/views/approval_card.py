"""The approval card: the question with its buttons, later the decision; and the messages about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.access import whom_to_ask
from bot.domain.approvals import ApprovalRule, ApprovalState, Choice, Refused, Vote
from bot.domain.outcomes import Tally
from bot.domain.requests import CANCELLED, Request, RequestState
from handlers.views import buttons
from handlers.views.blocks import Message, context, message, sections
from handlers.views.followup_buttons import FollowupLink, lines
from handlers.views.operation_texts import phrase
from handlers.views.request_message import reasons
from handlers.views.text import count, format_time, mentions, roles, safe_text, scheduled_for

_ENDS = {
    RequestState.APPROVED: "✅ Approved",
    RequestState.RUNNING: "✅ Approved",
    RequestState.DONE: "✅ Approved",
    RequestState.DENIED: "⛔ Denied",
    RequestState.EXPIRED: "⌛ Expired without a decision",
    RequestState.WITHDRAWN: "↩️ Withdrawn",
}
_DECIDED = {Choice.APPROVE: "approved", Choice.DENY: "denied", Choice.OVERRIDE: "overrode the approval"}
_SEE_HOME = "See everything that's waiting for you on my Home tab."
_NO_APPROVER = "No eligible approver remains. An admin can override."


@dataclass(frozen=True, slots=True)
class MissingVotes:
    """The votes that a request is waiting for.

    Attributes:
        ids: the users and user groups who can still vote.
        missing: how many of the required approvals no one can give with the current roles.
    """

    ids: Sequence[str] = ()
    missing: int = 0


NO_VOTES = MissingVotes()


def build(
    request: Request,
    tally: Tally,
    decisions: Sequence[Vote],
    *,
    warning: str = "",
    link: str = "",
    thread: str = "",
    alone: bool = False,
    undecided: MissingVotes = NO_VOTES,
) -> Message:
    """Build the card in its current state.

    Args:
        request: the request.
        tally: its number of people.
        decisions: the votes so far.
        warning: the group's warning in the configuration.
        link: leads to the request that this one follows up on.
        thread: leads to the request, if the card isn't in its thread.
        alone: whether it is shown to a single approver, outside the request's thread.
        undecided: the votes that the request is waiting for.

    Raises:
        ValueError: the request has no rule, and so no card.
    """
    if request.rule is None:
        raise ValueError("a request without a rule has no approval card")
    asks = f"<@{request.requester}> asks to"
    why = reasons(request, link)
    if request.options.run_at and request.state is RequestState.WAITING:
        why.append(runs(request.options.run_at))
    if warning:
        why.append(warned(warning))
    source = f" in <#{request.channel}>" if request.channel.startswith(("C", "G")) else ""
    name = f"{f'<{thread}|Request>' if thread else 'Request'} `{request.id}`{source}"
    votes = [vote_line(decision) for decision in decisions]
    question = f"{asks} {phrase(request, tally, bold=False)}"
    shown = sections([f"{asks} {phrase(request, tally)}", *why])
    if request.state is not RequestState.WAITING:
        end = _end(request, decisions)
        return message([end, question, *why, *votes, name], [*shown, *sections([end, *votes]), context(name)])
    needed = [needs(request, request.rule, len(decisions)), *_awaited(undecided, alone=alone)]
    pressed = ActionsBlock(elements=_buttons(request, tally, alone=alone))
    below = [name, _SEE_HOME] if alone else [name]
    blocks = [*shown, *sections([*needed, *votes]), pressed, *map(context, below)]
    return message([question, *why, *needed, *votes, *below], blocks)


def runs(at: datetime) -> str:
    """Return when a request starts that needs approval first."""
    return f"🕓 Starts {format_time(at)}, or when it's approved if that is later."


def warned(warning: str) -> str:
    """Return the warning of a group."""
    return f"⚠️ Warning for this group: {safe_text(warning, 1000)}"


def vote_line(decision: Vote) -> str:
    """Return who decided what, when, and why."""
    reason = f": “{safe_text(decision.reason, 500)}”" if decision.reason else ""
    return f"<@{decision.user_id}> {_DECIDED[decision.choice]} {format_time(decision.at)}{reason}"


def ending(
    request: Request,
    decisions: Sequence[Vote],
    *,
    again: Sequence[ButtonElement] = (),
    followed: Sequence[FollowupLink] = (),
) -> Message:
    """Build the last message of the thread of a cancelled request, with its follow-ups and the buttons `again`."""
    who = [f"<@{d.user_id}>" for d in decisions if d.choice is Choice.DENY]
    why = [f"“{safe_text(d.reason, 500)}”" for d in decisions if d.choice is Choice.DENY and d.reason]
    end = f"{_end(request, decisions)}{f' by {who[0]}' if who else ''}{f': {why[0]}' if why else ''}"
    end += "" if end.endswith((".”", "!”", "?”")) else "."
    text = [f"{end} Nothing was sent to the provider. <@{request.requester}>", *lines(followed)]
    pressed = [ActionsBlock(elements=list(again))] if again else []
    return message(text, [*sections(text), *pressed])


def scheduled(request: Request, votes: Sequence[Vote], at: datetime) -> Message:
    """Build the message that a scheduled request is approved: by whom, and when it starts."""
    overrides = [vote for vote in votes if vote.choice is Choice.OVERRIDE]
    deciding = overrides or [vote for vote in votes if vote.choice is Choice.APPROVE]
    who = " and ".join(f"<@{vote.user_id}>" for vote in deciding)
    text = [f"{_end(request, votes)} by {who}. {scheduled_for(at)} <@{request.requester}>"]
    return message(text, sections(text))


def not_counted(refused: Refused, request_id: str) -> str:
    """Return why a click doesn't count, what to do next, and the reference in the log."""
    return f"{_why_not(refused)}\nRequest `{request_id}`"


def overridden(request: Request, vote: Vote, deciders: Sequence[str]) -> Message:
    """Build the message about an override: who, why, and the approvers who were bypassed."""
    who = mentions(deciders)
    whose = f"the approval of <@{request.requester}>'s request for {safe_text(request.group_name, 100)}"
    text = [
        f"⚠️ <@{vote.user_id}> overrode {whose}, {format_time(vote.at)}.",
        f">{safe_text(vote.reason, 500)}",
        *([f"The approvers were: {who}"] if who else []),
    ]
    return message(text, sections(text))


def reminder(request: Request, undecided: MissingVotes, number: int) -> Message:
    """Build a reminder for the approvers who can still vote; it says if there are too few of them.

    Raises `ValueError` for a request without a rule.
    """
    if request.rule is None:
        raise ValueError("a request without a rule needs no reminder")
    what = f"<@{request.requester}> is still waiting for a decision about {safe_text(request.group_name, 100)}"
    until = f"until {format_time(request.asked_at + request.rule.expires_after)}"
    who = f"{mentions(undecided.ids)} " if undecided.ids else ""
    text = [f"{who}Reminder {number + 1}: {what}, {until}. Request `{request.id}`", *_stuck(undecided)]
    return message(text, sections(text))


def needs(request: Request, rule: ApprovalRule, votes: int) -> str:
    """Return which approvals a request needs, how many it has, and the deadline."""
    so_far = f" ({votes:,} so far)" if votes else ""
    until = format_time(request.asked_at + rule.expires_after)
    return f"Needs {count(rule.quorum, 'approval')} by {roles(rule.approvers)}{so_far}, until {until}"


def _awaited(undecided: MissingVotes, *, alone: bool) -> list[str]:
    """Mention the approvers: a card in a thread notifies only the people it mentions."""
    asked = [f"Approvers: {mentions(undecided.ids)}"] if undecided.ids and not alone else []
    return [*asked, *_stuck(undecided)]


def _stuck(undecided: MissingVotes) -> list[str]:
    if not undecided.missing:
        return []
    missing = f"⚠️ No eligible approver remains for {count(undecided.missing, 'approval')}."
    return [f"{missing} Withdraw or deny the request, ask an admin to override it, or have more approvers configured."]


def _end(request: Request, votes: Sequence[Vote]) -> str:
    """Return the decision: the override, who withdrew it, or how many approvals an expired request had."""
    approvals = sum(vote.choice is Choice.APPROVE for vote in votes)
    if request.state is RequestState.EXPIRED and approvals and request.rule is not None:
        return f"⌛ Expired with {approvals:,} of {count(request.rule.quorum, 'approval')}"
    if request.state is RequestState.WITHDRAWN:
        return f"{_ENDS[request.state]} by <@{request.stopped_by or request.requester}>"
    if request.state not in CANCELLED and any(vote.choice is Choice.OVERRIDE for vote in votes):
        return "⚠️ Approval overridden"
    return _ENDS[request.state]


def _why_not(refused: Refused) -> str:
    """Return why a click doesn't count; if it came too late, also the decision or the time of expiry."""
    ended = refused.ended
    if refused.eligible_approvers is not None:
        ask = whom_to_ask(refused.eligible_approvers) if refused.eligible_approvers else _NO_APPROVER
        return f"{refused.reason} {ask}"
    if ended is None:
        return refused.reason
    match ended.state:
        case ApprovalState.EXPIRED:
            return f"This request expired {format_time(ended.expires_at)}. Nothing was done. You can submit it again."
        case ApprovalState.WITHDRAWN:
            return f"<@{ended.withdrawn_by or ended.requester}> withdrew this request. Nothing was done."
        case _:
            who = ", ".join(f"<@{vote.user_id}> ({format_time(vote.at)})" for vote in ended.votes)
            return f"This request is already {ended.state}, by {who}. Your click changed nothing."


def _buttons(request: Request, tally: Tally, *, alone: bool) -> list[ButtonElement]:
    made = [buttons.approve(request, tally), buttons.deny(request, tally), buttons.details(request, tally)]
    return made if alone else [*made, buttons.override(request, tally), buttons.withdraw(request, tally)]
