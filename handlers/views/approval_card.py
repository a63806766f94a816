"""The question for approval, with its buttons; later, what was decided."""

from collections.abc import Sequence
from datetime import UTC, datetime

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from bot.domain.approvals import ApprovalRule, Choice, Vote
from bot.domain.outcomes import Tally
from bot.domain.requests import Request, State
from handlers.views.message import Message, context, message, sections
from handlers.views.request_message import people_of
from handlers.views.text import count, cut, escape, foreign

APPROVE = "approve_request"
DENY = "deny_request"

_ENDS = {
    State.APPROVED: "✅ Approved",
    State.RUNNING: "✅ Approved",
    State.DONE: "✅ Approved",
    State.DENIED: "⛔ Denied",
    State.EXPIRED: "⌛ Expired without a decision",
}
_MOST_LABEL = 75
"""Characters in a button's `accessibility_label` (docs.slack.dev, "Button element")."""


def build(request: Request, tally: Tally, decisions: Sequence[Vote]) -> Message:
    """Build the card in its present state. Raises `ValueError` for a request without a rule, which has none."""
    if request.rule is None:
        raise ValueError("a request without a rule has no approval card")
    people = people_of(tally)
    group = foreign(request.group_name, 100)
    asks = f"<@{request.requester}> asks to {request.operation} {people} to"
    why = [f">{foreign(request.reason, 500)}"] if request.reason else []
    votes = [f"<@{d.user_id}> {'approved' if d.choice is Choice.APPROVE else 'denied'}" for d in decisions]
    source = f" in <#{request.channel}>" if request.channel.startswith(("C", "G")) else ""
    name = f"Request `{request.id}`{source}"
    if request.state is State.WAITING:
        votes.insert(0, _needs(request, request.rule))
        state = []
        action = f"{request.operation} {people} to {cut(request.group_name, _MOST_LABEL)}"
        blocks = [*sections([f"{asks} *{group}*", *why]), _buttons(request.id, action)]
    else:
        state = [_ENDS[request.state]]
        blocks = [*sections([f"{asks} *{group}*", *why]), *sections(state)]
    return message([*state, f"{asks} {group}", *why, *votes, name], [*blocks, context(" · ".join([*votes, name]))])


def ending(request: Request, decisions: Sequence[Vote]) -> Message:
    """Build the last message of the thread of a request that was not carried out."""
    who = ", ".join(f"<@{d.user_id}>" for d in decisions if d.choice is Choice.DENY)
    end = f"{_ENDS[request.state]}{f' by {who}' if who else ''}."
    lines = [f"{end} Nothing was sent to the provider. <@{request.requester}>"]
    return message(lines, sections(lines))


def _needs(request: Request, rule: ApprovalRule) -> str:
    approvers = " or ".join(f"`{escape(name)}`" for name in rule.approvers)
    return (
        f"Needs {count(rule.quorum, 'approval')} by {approvers}, until {_date(request.asked_at + rule.expires_after)}"
    )


def _buttons(request_id: str, action: str) -> ActionsBlock:
    """Make the buttons; a screen reader hears with each what it decides on."""
    return ActionsBlock(
        elements=[
            ButtonElement(
                text="Approve",
                action_id=APPROVE,
                value=request_id,
                style="primary",
                accessibility_label=cut(f"Approve: {action}", _MOST_LABEL),
            ),
            ButtonElement(
                text="Deny",
                action_id=DENY,
                value=request_id,
                style="danger",
                accessibility_label=cut(f"Deny: {action}", _MOST_LABEL),
            ),
        ]
    )


def _date(at: datetime) -> str:
    """Show a moment in the reader's own time zone, in UTC where that cannot be done."""
    fallback = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"
