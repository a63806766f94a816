"""The details of a request: what it needs, the decisions, and the whole roster."""

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
from handlers.views.operation_texts import OPERATION_TEXTS, people_of, title
from handlers.views.request_content import full_content
from handlers.views.request_message import origin, progress, summary_line, why
from handlers.views.text import count, escape, format_time, item_name, mentions, roles, safe_text, scheduled_for
from providers.base import Ability, Action

CALLBACK_ID = "details"
PREVIOUS = "details_previous"
NEXT = "details_next"
PAGE = 50
"""Items of the roster on one page."""
_MAX_VOTES = 20


@dataclass(frozen=True, slots=True)
class DetailsData:
    """The content of the modal.

    Attributes:
        tally: the results of the whole request.
        people: the items of the page.
        page: its number, from 0.
        full: whether the viewer may see full phone numbers.
        needs: the provider's actions that the operation needs; None for an action that the provider doesn't support.
        votes: the decisions, oldest first.
        deciders: the ids of the approvers: users and user groups.
        warning: the group's warning in the configuration.
        link: leads to the request that this one follows up on.
        followed: the follow-ups of this request.
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


def build(data: DetailsData) -> View:
    """Build the modal with one page of the roster; the first page also shows everything about the request."""
    blocks: list[Block] = sections([f"*{title(data.request, data.tally, bold=False)}*", _name(data.request)])
    if data.page == 0:
        blocks += [*sections(_about(data)), *sections(_decided(data)), *full_content(data.request), DividerBlock()]
    blocks += sections([_heading(data), *(_line(p, full=data.full) for p in data.people)])
    if paging := _paging(data):
        blocks.append(ActionsBlock(elements=paging))
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        title=PlainTextObject(text="Details"),
        close=PlainTextObject(text="Close"),
        blocks=blocks,
    )


def parse(value: str) -> tuple[str, int]:
    """Parse the request id and the page of a paging button. Raises `ValueError` for any other value."""
    request_id, page = value.split(" ")
    return request_id, int(page)


def _name(request: Request) -> str:
    return f"Request `{request.id}`, requested by <@{request.requester}> {format_time(request.asked_at)}"


def _about(data: DetailsData) -> list[str]:
    request = data.request
    lines = [f"State: {request.state}; {progress(data.tally)}"]
    if data.tally.answered:
        lines.append(summary_line(data.tally, request.operation))
    lines += [*origin(request, data.link), *why(request), *followup_buttons.lines(data.followed)]
    if request.options.run_at:
        lines.append(scheduled_for(request.options.run_at))
    if data.warning:
        lines.append(approval_card.warned(data.warning))
    if request.stopped_by:
        lines.append(
            f"{'Withdrawn' if request.state is RequestState.WITHDRAWN else 'Stopped'} by <@{request.stopped_by}>"
        )
    if request.duplicates:
        lines.append(results.duplicates_ignored(request.duplicates))
    return [*lines, *(_need(request, action, ability) for action, ability in data.needs)]


def _need(request: Request, action: Action, ability: Ability | None) -> str:
    where = f"the connection `{escape(request.connection)}`"
    if ability is None:
        return f"Needs: {action}, which {where} doesn't support"
    native = ", ".join(f"`{escape(scope)}`" for scope in ability.native)
    there = f", and {native} on {where}" if native else f" ({where} has no scope for it)"
    return f"Needs: {action}, with the capability `{ability.capability}`{there}"


def _decided(data: DetailsData) -> list[str]:
    rule = data.request.rule
    if rule is None:
        return ["No approval needed."]
    who = mentions(data.deciders) or "no eligible approver"
    until = format_time(data.request.asked_at + rule.expires_after)
    lines = [f"Needs {count(rule.quorum, 'approval')} by {roles(rule.approvers)} ({who}), until {until}"]
    votes = [f"• {approval_card.vote_line(vote)}" for vote in data.votes[-_MAX_VOTES:]]
    return [*lines, *(votes or ["No decisions yet."])]


def _heading(data: DetailsData) -> str:
    if not data.people:
        return "*The list is empty.*"
    shown = f"{data.people[0].position + 1:,} to {data.people[-1].position + 1:,} of {data.tally.total:,}"
    who = people_of(data.tally) if data.tally.people or data.tally.rejected else "Changes"
    numbers = "" if data.full or not data.tally.people else "; full numbers need `groups:read`"
    return f"*{who}*: {shown}{numbers}"


def _line(p: RequestItem, *, full: bool) -> str:
    if p.outcome is not None:
        return results.line(p, short=not full)
    return f"{safe_text(item_name(p, short=not full), 62)}  {OPERATION_TEXTS[p.operation].planned}"


def _paging(data: DetailsData) -> list[ButtonElement]:
    pages = -(-data.tally.total // PAGE)
    made = []
    if data.page > 0:
        made.append(_page_button("Previous", PREVIOUS, data, data.page - 1, pages))
    if data.page + 1 < pages:
        made.append(_page_button("Next", NEXT, data, data.page + 1, pages))
    return made


def _page_button(label: str, action_id: str, data: DetailsData, page: int, pages: int) -> ButtonElement:
    return ButtonElement(
        text=label,
        action_id=action_id,
        value=f"{data.request.id} {page}",
        accessibility_label=f"{label}: page {page + 1} of {pages}",
    )
