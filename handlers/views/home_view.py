"""The Home tab: the requests that wait for a person or are theirs, their groups, and what they can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, HeaderBlock
from slack_sdk.models.views import View

from bot.domain.access import Capability, Denied, whom_to_ask
from bot.domain.groups import GroupCatalog
from bot.domain.outcomes import RequestSummary
from bot.domain.send_limits import Cooldown
from handlers.views import answers, approval_card, buttons, home_groups, home_syncs, request_list
from handlers.views.blocks import context, sections
from handlers.views.home_groups import GroupPage
from handlers.views.home_syncs import RepeatedSync
from handlers.views.operation_texts import title
from handlers.views.request_content import content_lines
from handlers.views.request_message import noted, origin, progress
from handlers.views.text import escape, format_time, safe_text, scheduled_for
from providers.base import Account, AccountState, ProviderError

NEW_REQUEST = "home_new_request"
MAX_LISTED = 5
"""Requests of a kind with buttons; a full page with the longest content has 100 blocks, the maximum."""
MAX_RECENT = 10
_MAX_TEXT = 300
"""Characters of a request's text; a request has at most two sections."""
MAX_CONNECTIONS = 20
_ICONS = {
    AccountState.CONNECTED: "✅",
    AccountState.DISCONNECTED: "⛔",
    AccountState.RESTRICTED: "⛔",
    AccountState.UNKNOWN: "❔",
}


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """The status of a connection.

    Attributes:
        account: the state of its account; the error if it couldn't be read, None while it is being read.
        cooldown: the current pause; None if there is none.
        remaining_today: how many people it can still send to today (UTC); None for no limit.
    """

    name: str
    account: Account | Exception | None
    cooldown: Cooldown | None
    remaining_today: int | None


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """The newest requests of a kind, and whether there are more."""

    summaries: Sequence[RequestSummary] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class HomeData:
    """The content of the page for one person.

    Attributes:
        may: the capabilities that they have for any group.
        refused: for each other capability, why they don't have it and whom to ask.
        may_request: whether there is anything they can request.
        waiting: the requests that wait for their decision.
        overridable: the ids of the waiting requests that they can override but not approve.
        votes: the number of votes by request id.
        running: their running requests.
        upcoming: their requests that wait for approval or for their start.
        repeated: the next repeated syncs that concern them.
        repeated_more: the number of other repeated syncs that concern them.
        recent: the newest requests, theirs or everyone's.
        everyone: whether `recent` includes the requests of others.
        links: the links to the threads by request id.
        warnings: what is to be known about groups, by connection and id.
        notice: the result of their last click.
    """

    may: Sequence[Capability]
    refused: Sequence[Denied]
    may_request: bool
    connections: Sequence[ConnectionStatus]
    found: GroupPage
    waiting: SummaryPage = SummaryPage()
    overridable: frozenset[str] = frozenset()
    votes: Mapping[str, int] = field(default_factory=dict)
    running: SummaryPage = SummaryPage()
    upcoming: SummaryPage = SummaryPage()
    repeated: Sequence[RepeatedSync] = ()
    repeated_more: int = 0
    recent: Sequence[RequestSummary] = ()
    everyone: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    catalog: GroupCatalog = field(default_factory=GroupCatalog)
    notice: str = ""


def build(data: HomeData) -> View:
    """Build the page."""
    blocks = [
        *sections([data.notice] if data.notice else []),
        *_access(data),
        *_part("Waiting for you", [_waiting(data, summary) for summary in data.waiting.summaries], data.waiting.more),
        *_part("Running", [_running(data, summary) for summary in data.running.summaries], data.running.more),
        *_part("Upcoming", [_upcoming(data, summary) for summary in data.upcoming.summaries], data.upcoming.more),
        *home_syncs.build(data.repeated, data.repeated_more, data.links),
        *home_groups.build(data.found),
        *_connections(data.connections),
        *_recent(data),
    ]
    return View(type="home", blocks=blocks)


def _access(data: HomeData) -> list[Block]:
    made: list[Block] = []
    if data.may_request:
        made.append(
            ActionsBlock(
                elements=[
                    ButtonElement(
                        text="New request",
                        action_id=NEW_REQUEST,
                        style="primary",
                        accessibility_label="New request: choose what you want to do",
                    )
                ]
            )
        )
    if not data.may:
        ask = dict.fromkeys(member for denied in data.refused for member in denied.ask or ())
        return [*made, *sections([f"You don't have access yet. {whom_to_ask([*ask])}"])]
    may = f"You have: {', '.join(f'`{capability}`' for capability in data.may)}."
    return [*made, context("\n".join([may, *(f"• {denied.text}" for denied in data.refused)]))]


def _part(name: str, shown: Sequence[Sequence[Block]], more: bool) -> list[Block]:
    if not shown:
        return []
    further = [context("Use `/wa-requests waiting` and `/wa-requests mine` to see all of them.")] if more else []
    return [HeaderBlock(text=name), *(block for blocks in shown for block in blocks), *further]


def _waiting(data: HomeData, summary: RequestSummary) -> list[Block]:
    request, tally = summary.request, summary.tally
    votes = data.votes.get(request.id, 0)
    lines = [
        f"Requested by <@{request.requester}>",
        *origin(request, data.links.get(request.options.parent, "")),
        *content_lines(request, _MAX_TEXT),
        *noted(request),
    ]
    if request.rule:
        lines.append(approval_card.needs(request, request.rule, votes))
    if request.options.run_at:
        lines.append(approval_card.runs(request.options.run_at))
    if warning := data.catalog.get(request.group).warning:
        lines.append(approval_card.warned(warning))
    if request.id in data.overridable:
        return _shown(data, summary, lines, [buttons.override(request, tally)])
    pressed = [buttons.approve(request, tally), buttons.deny(request, tally)]
    return _shown(data, summary, lines, pressed)


def _running(data: HomeData, summary: RequestSummary) -> list[Block]:
    request, tally = summary.request, summary.tally
    lines = [f"🏃 {progress(tally)}"]
    if request.stopped_by:
        return _shown(data, summary, [*lines, f"⏹️ Stopped by <@{request.stopped_by}>"], [])
    return _shown(data, summary, lines, [buttons.stop(request, tally)])


def _upcoming(data: HomeData, summary: RequestSummary) -> list[Block]:
    request, tally = summary.request, summary.tally
    waits = (
        f"⏳ Waiting for approval, until {format_time(request.asked_at + request.rule.expires_after)}"
        if request.rule
        else ""
    )
    lines = [waits] if waits and request.state == "waiting" else []
    if request.options.run_at:
        lines.append(f"🕓 {scheduled_for(request.options.run_at)}")
    return _shown(data, summary, lines, [buttons.withdraw(request, tally)])


def _shown(
    data: HomeData, summary: RequestSummary, lines: Sequence[str], pressed: Sequence[ButtonElement]
) -> list[Block]:
    request, tally = summary.request, summary.tally
    link = data.links.get(request.id, "")
    reason = [f">{safe_text(request.reason, 300)}"] if request.reason else []
    where = f"on `{escape(request.connection)}` · {f'<{link}|thread>' if link else f'`{request.id}`'}"
    content = sections([f"*{title(request, tally, bold=False)}*", *lines, *reason, where])
    actions = ActionsBlock(
        block_id=f"{pressed[0].action_id}:{request.id}" if pressed else f"request:{request.id}",
        elements=[*pressed, buttons.details(request, tally)],
    )
    return [*content, actions]


def _connections(connections: Sequence[ConnectionStatus]) -> list[Block]:
    if not connections:
        return []
    lines = [_line(connection) for connection in connections[:MAX_CONNECTIONS]]
    if len(connections) > MAX_CONNECTIONS:
        lines.append(f"and {len(connections) - MAX_CONNECTIONS:,} more")
    return [HeaderBlock(text="Connections"), *sections(lines)]


def _line(connection: ConnectionStatus) -> str:
    match connection.account:
        case None:
            state = "⏳ checking the account"
        case Account() as account:
            state = f"{_ICONS[account.state]} {answers.account(account)}"
        case error:
            state = f"❔ couldn't read the account: {_problem(error)}"
    cooldown = connection.cooldown
    paused = [f"💤 paused until {format_time(cooldown.until)}: {safe_text(cooldown.reason, 200)}"] if cooldown else []
    left = connection.remaining_today
    today = [] if left is None else [f"{left:,} left in today's limit (UTC)"]
    return f"• *{safe_text(connection.name, 60)}*: {'; '.join([state, *paused, *today])}"


def _problem(error: Exception) -> str:
    match error:
        case ProviderError():
            return answers.provider_answer(error)
        case TimeoutError():
            return "the provider didn't answer in time."
        case _:
            return "something went wrong in Rollcall."


def _recent(data: HomeData) -> list[Block | dict[str, Any]]:
    if not data.recent:
        return []
    name = "Recent requests" if data.everyone else "Your recent requests"
    listed = request_list.build(data.recent, data.links, request_list.RequestCursor(which="mine"), more=False)
    return [HeaderBlock(text=name), *listed.blocks]
