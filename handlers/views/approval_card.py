"""The question for approval, with its buttons; later, what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.approvals import ApprovalRule, ApprovalState, Choice, Refused, Vote
from bot.domain.outcomes import Tally
from bot.domain.requests import CANCELLED, Request, RequestState
from handlers.views import buttons
from handlers.views.blocks import Message, context, message, sections
from handlers.views.followup_buttons import FollowupLink, lines
from handlers.views.operation_texts import phrase
from handlers.views.request_message import reasons
from handlers.views.text import count, escape, format_time, safe_text, scheduled_for

_ENDS = {
    RequestState.APPROVED: "✅ Approved",
    RequestState.RUNNING: "✅ Approved",
    RequestState.DONE: "✅ Approved",
    RequestState.DENIED: "⛔ Denied",
    RequestState.EXPIRED: "⌛ Expired without a decision",
    RequestState.WITHDRAWN: "↩️ Withdrawn",
}
_DECIDED = {Choice.APPROVE: "approved", Choice.DENY: "denied", Choice.OVERRIDE: "overrode the approval"}
_ALL = "All that waits for you stands on my Home tab."
_NOBODY = "As the roles are now, nobody is left who could; somebody with `admin` can override it."
_MOST_ASKED = 10
_MOST_NAMED = 30
"""How many deciders a message mentions; above that it would be noise."""


@dataclass(frozen=True, slots=True)
class MissingVotes:
    """Whose votes a request waits for.

    Attributes:
        ids: the users and user groups who can still vote.
        missing: how many approvals nobody can give any more, as the roles are now.
    """

    ids: Sequence[str] = ()
    missing: int = 0


NOBODY = MissingVotes()
"""For where nobody is to be named."""


def build(
    request: Request,
    tally: Tally,
    decisions: Sequence[Vote],
    *,
    warning: str = "",
    link: str = "",
    thread: str = "",
    alone: bool = False,
    undecided: MissingVotes = NOBODY,
) -> Message:
    """Build the card in its present state.

    Args:
        request: what is asked for.
        tally: how many it is about.
        decisions: the votes so far.
        warning: what the configuration wants everybody to know who decides about this group.
        link: leads to the request that this one follows from.
        thread: leads to the request itself, where the card is not below it.
        alone: it is shown to one of those who decide, who sees nothing else of the request.
        undecided: whose votes it waits for.

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
    votes = [told(decision) for decision in decisions]
    asked = f"{asks} {phrase(request, tally, bold=False)}"
    shown = sections([f"{asks} {phrase(request, tally)}", *why])
    if request.state is not RequestState.WAITING:
        end = _end(request, decisions)
        return message([end, asked, *why, *votes, name], [*shown, *sections([end, *votes]), context(name)])
    needed = [needs(request, request.rule, len(decisions)), *_awaited(undecided, alone=alone)]
    pressed = ActionsBlock(elements=_buttons(request, tally, alone=alone))
    below = [name, _ALL] if alone else [name]
    blocks = [*shown, *sections([*needed, *votes]), pressed, *map(context, below)]
    return message([asked, *why, *needed, *votes, *below], blocks)


def runs(at: datetime) -> str:
    """Say when a request runs that is to be approved first."""
    return f"🕓 Once approved, it runs {format_time(at)}, or at once where that is over by then."


def warned(warning: str) -> str:
    """Say the warning of a group."""
    return f"⚠️ Warning for this group: {safe_text(warning, 1000)}"


def told(decision: Vote) -> str:
    """Say who decided what, when, and why."""
    reason = f": “{safe_text(decision.reason, 500)}”" if decision.reason else ""
    return f"<@{decision.user_id}> {_DECIDED[decision.choice]} {format_time(decision.at)}{reason}"


def ending(
    request: Request,
    decisions: Sequence[Vote],
    *,
    again: Sequence[ButtonElement] = (),
    followed: Sequence[FollowupLink] = (),
) -> Message:
    """Build the last message of the thread of a request that was not carried out, with what can and did follow."""
    who = [f"<@{d.user_id}>" for d in decisions if d.choice is Choice.DENY]
    why = [f"“{safe_text(d.reason, 500)}”" for d in decisions if d.choice is Choice.DENY and d.reason]
    end = f"{_end(request, decisions)}{f' by {who[0]}' if who else ''}{f': {why[0]}' if why else ''}"
    end += "" if end.endswith((".”", "!”", "?”")) else "."
    said = [f"{end} Nothing was sent to the provider. <@{request.requester}>", *lines(followed)]
    pressed = [ActionsBlock(elements=list(again))] if again else []
    return message(said, [*sections(said), *pressed])


def scheduled(request: Request, votes: Sequence[Vote], at: datetime) -> Message:
    """Build the message that tells who asked that a request is approved, by whom, and when it begins."""
    overrides = [vote for vote in votes if vote.choice is Choice.OVERRIDE]
    deciding = overrides or [vote for vote in votes if vote.choice is Choice.APPROVE]
    who = " and ".join(f"<@{vote.user_id}>" for vote in deciding)
    said = [f"{_end(request, votes)} by {who}. {scheduled_for(at)} <@{request.requester}>"]
    return message(said, sections(said))


def not_counted(refused: Refused, request_id: str) -> str:
    """Say why a click does not count, what else can be done, and the name by which the log keeps it."""
    return f"{_why_not(refused)}\nRequest `{request_id}`"


def overridden(request: Request, vote: Vote, deciders: Sequence[str]) -> Message:
    """Build the message that tells everybody of an override: who, why, and whose decision it took the place of."""
    who = mentions(deciders)
    whose = f"the approval of <@{request.requester}>'s request for {safe_text(request.group_name, 100)}"
    said = [
        f"⚠️ <@{vote.user_id}> overrode {whose}, {format_time(vote.at)}.",
        f">{safe_text(vote.reason, 500)}",
        *([f"Those who would have decided: {who}"] if who else []),
    ]
    return message(said, sections(said))


def reminder(request: Request, undecided: MissingVotes, number: int) -> Message:
    """Build a reminder that mentions those who can still vote; where they are too few, it says so.

    Raises `ValueError` for a request without a rule.
    """
    if request.rule is None:
        raise ValueError("a request without a rule needs no reminder")
    what = f"<@{request.requester}> still waits for a decision about {safe_text(request.group_name, 100)}"
    until = f"until {format_time(request.asked_at + request.rule.expires_after)}"
    who = f"{mentions(undecided.ids)} " if undecided.ids else ""
    said = [f"{who}Reminder {number + 1}: {what}, {until}. Request `{request.id}`", *_stuck(undecided)]
    return message(said, sections(said))


def mentions(deciders: Sequence[str]) -> str:
    """Mention users and user groups."""
    return " ".join(map(mention, deciders[:_MOST_NAMED]))


def mention(member: str) -> str:
    """Mention a user or a user group (docs.slack.dev, "Formatting message text")."""
    return f"<!subteam^{member}>" if member.startswith("S") else f"<@{member}>"


def needs(request: Request, rule: ApprovalRule, votes: int) -> str:
    """Say who has to decide, how many of them, and until when."""
    approvers = " or ".join(f"`{escape(name)}`" for name in rule.approvers)
    so_far = f" ({votes:,} so far)" if votes else ""
    until = format_time(request.asked_at + rule.expires_after)
    return f"Needs {count(rule.quorum, 'approval')} by {approvers}{so_far}, until {until}"


def _awaited(undecided: MissingVotes, *, alone: bool) -> list[str]:
    """Say whose votes are missing: a card in a thread reaches nobody whom it does not mention."""
    asked = [f"Asked: {mentions(undecided.ids)}"] if undecided.ids and not alone else []
    return [*asked, *_stuck(undecided)]


def _stuck(undecided: MissingVotes) -> list[str]:
    if not undecided.missing:
        return []
    said = f"⚠️ As the roles are now, nobody can give {count(undecided.missing, 'approval')} of those it needs."
    can = (
        "It can be withdrawn, denied, or overridden by somebody with `admin`; or whoever runs Rollcall adds approvers."
    )
    return [f"{said} {can}"]


def _end(request: Request, votes: Sequence[Vote]) -> str:
    """Say what was decided: by an override, who withdrew it, how near to a decision it was when it expired."""
    approvals = sum(vote.choice is Choice.APPROVE for vote in votes)
    if request.state is RequestState.EXPIRED and approvals and request.rule is not None:
        return f"⌛ Expired with {approvals:,} of {count(request.rule.quorum, 'approval')}"
    if request.state is RequestState.WITHDRAWN:
        return f"{_ENDS[request.state]} by <@{request.stopped_by or request.requester}>"
    if request.state not in CANCELLED and any(vote.choice is Choice.OVERRIDE for vote in votes):
        return "⚠️ Approval overridden"
    return _ENDS[request.state]


def _why_not(refused: Refused) -> str:
    """Say why a click does not count; where it came too late, also who had decided, or when it expired."""
    ended = refused.ended
    if refused.eligible_approvers is not None:
        who = " or ".join(map(mention, refused.eligible_approvers[:_MOST_ASKED]))
        return f"{refused.reason} {f'Ask {who}.' if who else _NOBODY}"
    if ended is None:
        return refused.reason
    match ended.state:
        case ApprovalState.EXPIRED:
            return f"This request expired {format_time(ended.expires_at)}; nothing was done. It can be asked for again."
        case ApprovalState.WITHDRAWN:
            return f"<@{ended.withdrawn_by or ended.requester}> withdrew this request; nothing was done."
        case _:
            who = ", ".join(f"<@{vote.user_id}> ({format_time(vote.at)})" for vote in ended.votes)
            return f"This request is {ended.state} already, by {who}; your click changed nothing."


def _buttons(request: Request, tally: Tally, *, alone: bool) -> list[ButtonElement]:
    made = [buttons.approve(request, tally), buttons.deny(request, tally), buttons.details(request, tally)]
    if alone:
        return made
    return [
        *made,
        buttons.override(request, tally),
        buttons.withdraw(request, tally),
    ]
