"""The Home tab: what waits for somebody, what of theirs is going on, and what they may do and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, HeaderBlock
from slack_sdk.models.views import View

from bot.domain.groups import GroupCatalog
from bot.domain.outcomes import RequestSummary
from bot.domain.send_limits import Cooldown
from handlers.views import answers, approval_card, buttons, home_groups, home_syncs, request_list
from handlers.views.blocks import context, sections
from handlers.views.home_groups import GroupPage
from handlers.views.home_syncs import RepeatedSync
from handlers.views.operation_texts import title
from handlers.views.request_content import content_lines
from handlers.views.request_message import bar, noted, origin
from handlers.views.text import count, escape, format_time, safe_text, shorten
from providers.base import Account, AccountState, Capability

NEW_REQUEST = "home_new_request"
MAX_LISTED = 5
"""Requests of a kind that are shown with their buttons: with everything at its longest the page has 100 blocks."""
MAX_RECENT = 10
_MOST_SHOWN = 300
"""Characters of a text that somebody decides on: a request has two sections at the most."""
MOST_CONNECTIONS = 20
_ICONS = {
    AccountState.CONNECTED: "✅",
    AccountState.DISCONNECTED: "⛔",
    AccountState.RESTRICTED: "⛔",
    AccountState.UNKNOWN: "❔",
}


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How a connection stands.

    Attributes:
        account: the state of its account; a sentence for people where it could not be read, None while it is read.
        rest: until when and why it sends nothing.
        left_today: how many people it may still send today (UTC); None: there is no limit.
    """

    name: str
    account: Account | str | None
    rest: Cooldown | None
    left_today: int | None


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """The newest requests of a kind, and whether there are more."""

    briefs: Sequence[RequestSummary] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class HomeData:
    """What the page shows to one person.

    Attributes:
        may: the capabilities that they have somewhere.
        refused: why they do not have the others, sentence by sentence; which roles do.
        may_ask: whether there is anything that they may ask for.
        waiting: what waits for their decision.
        overridable: the ids of those of them that they may not decide but override.
        votes: how many decided so far, by a request's id.
        running: what of theirs is carried out now.
        to_come: what of theirs waits for approval or for its time.
        repeated: the repeated syncs that concern them, the soonest.
        repeated_more: how many others do.
        recent: the newest requests, of theirs or of everybody.
        everybody: whether `recent` holds those of others too.
        links: to the threads, by the requests' ids.
        warnings: what is to be known about groups, by connection and id.
        notice: what came of their last click.
    """

    may: Sequence[Capability]
    refused: Sequence[str]
    may_ask: bool
    connections: Sequence[ConnectionStatus]
    found: GroupPage
    waiting: SummaryPage = SummaryPage()
    overridable: frozenset[str] = frozenset()
    votes: Mapping[str, int] = field(default_factory=dict)
    running: SummaryPage = SummaryPage()
    to_come: SummaryPage = SummaryPage()
    repeated: Sequence[RepeatedSync] = ()
    repeated_more: int = 0
    recent: Sequence[RequestSummary] = ()
    everybody: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    catalog: GroupCatalog = field(default_factory=GroupCatalog)
    notice: str = ""


def build(facts: HomeData) -> View:
    """Build the page."""
    blocks = [
        *sections([facts.notice] if facts.notice else []),
        *_rights(facts),
        *_part("Waiting for you", [_waiting(facts, brief) for brief in facts.waiting.briefs], facts.waiting.more),
        *_part("Running", [_running(facts, brief) for brief in facts.running.briefs], facts.running.more),
        *_part("To come", [_to_come(facts, brief) for brief in facts.to_come.briefs], facts.to_come.more),
        *home_syncs.build(facts.repeated, facts.repeated_more, facts.links),
        *home_groups.build(facts.found),
        *_connections(facts.connections),
        *_recent(facts),
    ]
    return View(type="home", blocks=blocks)


def _rights(facts: HomeData) -> list[Block]:
    made: list[Block] = []
    if facts.may_ask:
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
    if not facts.may:
        made += sections(["You may do nothing here yet. Ask somebody who has one of the roles named here:"])
    refused = [f"• {shorten(reason, 500)}" for reason in facts.refused]
    may = f"You may: {', '.join(f'`{capability}`' for capability in facts.may)}."
    lines = [*([may] if facts.may else []), *refused]
    return [*made, context("\n".join(lines))] if lines else made


def _part(name: str, shown: Sequence[Sequence[Block]], more: bool) -> list[Block]:
    if not shown:
        return []
    further = [context("There are more: `/wa-requests waiting` and `/wa-requests mine` list them all.")] if more else []
    return [HeaderBlock(text=name), *(block for blocks in shown for block in blocks), *further]


def _waiting(facts: HomeData, brief: RequestSummary) -> list[Block]:
    request, tally = brief.request, brief.tally
    votes = facts.votes.get(request.id, 0)
    lines = [
        f"Asked by <@{request.requester}>",
        *origin(request, facts.links.get(request.options.parent, "")),
        *content_lines(request, _MOST_SHOWN),
        *noted(request),
    ]
    if request.rule:
        lines.append(approval_card.needs(request, request.rule, votes))
    if request.options.run_at:
        lines.append(approval_card.runs(request.options.run_at))
    if warning := facts.catalog.get(request.group).warning:
        lines.append(approval_card.warned(warning))
    if request.id in facts.overridable:
        return _shown(facts, brief, lines, [buttons.override(request, tally)])
    pressed = [buttons.approve(request, tally), buttons.deny(request, tally)]
    return _shown(facts, brief, lines, pressed)


def _running(facts: HomeData, brief: RequestSummary) -> list[Block]:
    request, tally = brief.request, brief.tally
    lines = [f"`{bar(tally)}` {tally.answered:,} of {tally.total:,} answered"]
    if request.stopped_by:
        return _shown(facts, brief, [*lines, f"⏹️ Stopped by <@{request.stopped_by}>"], [])
    return _shown(facts, brief, lines, [buttons.stop(request, tally)])


def _to_come(facts: HomeData, brief: RequestSummary) -> list[Block]:
    request, tally = brief.request, brief.tally
    waits = (
        f"⏳ Waits for approval, until {format_time(request.asked_at + request.rule.expires_after)}"
        if request.rule
        else ""
    )
    lines = [waits] if waits and request.state == "waiting" else []
    if request.options.run_at:
        lines.append(f"🕓 Runs {format_time(request.options.run_at)}")
    return _shown(facts, brief, lines, [buttons.withdraw(request, tally)])


def _shown(
    facts: HomeData, brief: RequestSummary, lines: Sequence[str], pressed: Sequence[ButtonElement]
) -> list[Block]:
    request, tally = brief.request, brief.tally
    link = facts.links.get(request.id, "")
    reason = [f">{safe_text(request.reason, 300)}"] if request.reason else []
    where = f"on `{escape(request.connection)}` · {f'<{link}|thread>' if link else f'`{request.id}`'}"
    said = sections([f"*{title(request, tally, bold=False)}*", *lines, *reason, where])
    actions = ActionsBlock(
        block_id=f"{pressed[0].action_id}:{request.id}" if pressed else f"request:{request.id}",
        elements=[*pressed, buttons.details(request, tally)],
    )
    return [*said, actions]


def _connections(connections: Sequence[ConnectionStatus]) -> list[Block]:
    if not connections:
        return []
    lines = [_line(connection) for connection in connections[:MOST_CONNECTIONS]]
    if len(connections) > MOST_CONNECTIONS:
        lines.append(f"and {len(connections) - MOST_CONNECTIONS:,} more")
    return [HeaderBlock(text="Connections"), *sections(lines)]


def _line(connection: ConnectionStatus) -> str:
    match connection.account:
        case None:
            state = "⏳ checking its account"
        case str(problem):
            state = f"❔ its account could not be read: {problem}"
        case account:
            state = f"{_ICONS[account.state]} {answers.account(account)}"
    rest = connection.rest
    rests = [f"💤 sends nothing until {format_time(rest.until)}: {safe_text(rest.reason, 200)}"] if rest else []
    left = connection.left_today
    today = [] if left is None else [f"may still send {count(left, 'person', 'people')} today (UTC)"]
    return f"• *{safe_text(connection.name, 60)}*: {'; '.join([state, *rests, *today])}"


def _recent(facts: HomeData) -> list[Block | dict[str, Any]]:
    if not facts.recent:
        return []
    name = "Recent requests" if facts.everybody else "Your recent requests"
    listed = request_list.build(facts.recent, facts.links, request_list.RequestCursor(which="mine"), more=False)
    return [HeaderBlock(text=name), *listed.blocks]
