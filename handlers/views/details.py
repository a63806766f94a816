"""The modal with everything that is known of a request: what it needs, who decided what, and the whole roster."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, DividerBlock, PlainTextObject
from slack_sdk.models.views import View

from bot.domain.approvals import Vote
from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem, RequestState
from handlers.views import approval_card, followup_buttons, results
from handlers.views.blocks import sections
from handlers.views.followup_buttons import FollowupLink
from handlers.views.operation_texts import people_of, title
from handlers.views.request_content import full_content
from handlers.views.request_message import origin, summary_line, why
from handlers.views.text import count, escape, format_time, item_name, safe_text
from providers.base import Ability, Action, Operation

CALLBACK_ID = "details"
PREVIOUS = "details_previous"
NEXT = "details_next"
PAGE = 50
"""How many lines of the roster one page holds."""
_MOST_VOTES = 20
_WAITS = {
    Operation.ADD: "is to be added",
    Operation.CREATE: "is to be added",
    Operation.REMOVE: "is to be removed",
    Operation.PROMOTE: "is to become an admin",
    Operation.DEMOTE: "is to lose admin rights",
    Operation.INVITE: "is to be invited",
    Operation.SEND: "is to get the text",
    Operation.SETTINGS: "is to be changed",
}
"""What is to become of a line that has no answer yet."""


@dataclass(frozen=True, slots=True)
class DetailsData:
    """What the modal shows.

    Attributes:
        tally: of the whole request.
        people: the lines of the page.
        page: its number, from 0.
        full: whether the viewer may see phone numbers in full.
        needs: what the operation does at the provider; None where the connection's provider cannot do it any more.
        votes: the decisions, oldest first.
        deciders: the ids of the users and user groups who may decide.
        warning: what the configuration wants everybody to know of the group.
        link: leads to the request that this one follows from.
        followed: the requests that follow from this one.
    """

    request: Request
    tally: Tally
    people: Sequence[RequestItem]
    page: int
    full: bool
    needs: Sequence[tuple[Action, Ability | None]]
    votes: Sequence[Vote] = ()
    deciders: Sequence[str] = ()
    warning: str = ""
    link: str = ""
    followed: Sequence[FollowupLink] = ()


def build(facts: DetailsData) -> View:
    """Build the modal with one page of the roster; what is known of the request stands on the first page."""
    blocks: list[Block] = sections([f"*{title(facts.request, facts.tally, bold=False)}*", _name(facts.request)])
    if facts.page == 0:
        blocks += [*sections(_about(facts)), *sections(_decided(facts)), *full_content(facts.request), DividerBlock()]
    blocks += sections([_heading(facts), *(_line(p, full=facts.full) for p in facts.people)])
    if turns := _turns(facts):
        blocks.append(ActionsBlock(elements=turns))
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        title=PlainTextObject(text="Details"),
        close=PlainTextObject(text="Close"),
        blocks=blocks,
    )


def parse(value: str) -> tuple[str, int]:
    """Read back which page of which request a button leads to. Raises `ValueError` for the value of another one."""
    request_id, page = value.split(" ")
    return request_id, int(page)


def _name(request: Request) -> str:
    return f"Request `{request.id}`, asked by <@{request.requester}> {format_time(request.asked_at)}"


def _about(facts: DetailsData) -> list[str]:
    request = facts.request
    said = [f"State: {request.state}; {facts.tally.answered:,} of {facts.tally.total:,} answered"]
    if facts.tally.answered:
        said.append(summary_line(facts.tally, request.operation))
    said += [*origin(request, facts.link), *why(request), *followup_buttons.lines(facts.followed)]
    if request.options.run_at:
        said.append(f"Runs {format_time(request.options.run_at)}, not before")
    if facts.warning:
        said.append(approval_card.warned(facts.warning))
    if request.stopped_by:
        said.append(
            f"{'Withdrawn' if request.state is RequestState.WITHDRAWN else 'Stopped'} by <@{request.stopped_by}>"
        )
    if request.duplicates:
        said.append(f"{count(request.duplicates, 'entry', 'entries')} named somebody twice and counted once")
    return [*said, *(_need(request, action, ability) for action, ability in facts.needs)]


def _need(request: Request, action: Action, ability: Ability | None) -> str:
    where = f"the connection `{escape(request.connection)}`"
    if ability is None:
        return f"Needs: {action}, which {where} cannot do"
    native = ", ".join(f"`{escape(scope)}`" for scope in ability.native)
    there = f", and {native} on {where}" if native else f"; {where} names no scope for it"
    return f"Needs: {action}, with the capability `{ability.capability}`{there}"


def _decided(facts: DetailsData) -> list[str]:
    rule = facts.request.rule
    if rule is None:
        return ["No approval is needed."]
    roles = " or ".join(f"`{escape(name)}`" for name in rule.approvers)
    who = approval_card.mentions(facts.deciders) or "nobody"
    until = format_time(facts.request.asked_at + rule.expires_after)
    said = [f"Needs {count(rule.quorum, 'approval')} by {roles} ({who}), until {until}"]
    votes = [f"• {approval_card.told(vote)}" for vote in facts.votes[-_MOST_VOTES:]]
    return [*said, *(votes or ["Nobody has decided yet."])]


def _heading(facts: DetailsData) -> str:
    if not facts.people:
        return "*Nobody is on its list.*"
    shown = f"{facts.people[0].position + 1:,} to {facts.people[-1].position + 1:,} of {facts.tally.total:,}"
    who = people_of(facts.tally) if facts.tally.people or facts.tally.rejected else "Its parts"
    numbers = "" if facts.full or not facts.tally.people else "; numbers in full need `groups:read`"
    return f"*{who}*: {shown}{numbers}"


def _line(p: RequestItem, *, full: bool) -> str:
    if p.outcome is not None:
        return results.line(p, short=not full)
    return f"{safe_text(item_name(p, short=not full), 62)}  {_WAITS.get(p.operation, 'waits')}"


def _turns(facts: DetailsData) -> list[ButtonElement]:
    pages = -(-facts.tally.total // PAGE)
    made = []
    if facts.page > 0:
        made.append(_turn("Previous", PREVIOUS, facts, facts.page - 1, pages))
    if facts.page + 1 < pages:
        made.append(_turn("Next", NEXT, facts, facts.page + 1, pages))
    return made


def _turn(label: str, action_id: str, facts: DetailsData, page: int, pages: int) -> ButtonElement:
    return ButtonElement(
        text=label,
        action_id=action_id,
        value=f"{facts.request.id} {page}",
        accessibility_label=f"{label}: page {page + 1} of {pages}",
    )
