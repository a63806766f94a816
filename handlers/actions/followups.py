"""What follows a request that has ended: each followup is a new request, linked to the one before."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.domain.access import Actor
from bot.domain.drafts import RequestDraft
from bot.domain.followups import LABELS, Followup, available_followups, plan_followup
from bot.domain.requests import CANCELLED, Request, RequestOptions, request_id
from bot.domain.roster import Roster
from bot.services.submission import Rejected
from handlers.actions.clicks import GONE, find, group_of, record_refused_click, reply
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import approval_card, followup_buttons
from handlers.views.followup_buttons import FollowupLink, linked
from handlers.views.text import escape, format_time, safe_text, scheduled_for

_TIME_IS_PAST = "The time that was asked for is past, so it runs as soon as it may."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons below a summary on the app."""

    @app.action(re.compile(followup_buttons.ACTION_IDS))
    async def follow(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        actor = await services.usergroups.actor(click.user.id, fresh=APPROVAL_MEMBERS_TTL)
        before = await find(services, click.value)
        followup = followup_buttons.parse(click.clicked.action_id)
        words = await _follow(services, before, followup, actor) if before else GONE
        await ack()
        await reply(respond, click, words)


async def _follow(services: Services, before: Request, followup: Followup, actor: Actor) -> str:
    """Ask for what follows, as the person who clicked. Gives what they are told."""
    after = [brief.request for brief in await services.queries.followups_of(before.id)]
    same = [request for request in after if request.options.follow == followup]
    if taken := next((request for request in same if request.state not in CANCELLED), None):
        return await _taken_already(services, taken)
    if words := await _impossible(services, before, followup, actor):
        return words
    people = await services.requests.items(before.id)
    planned = plan_followup(before, people, followup)
    if followup not in available_followups(before, people) or not planned.items:
        await record_refused_click(services, before, actor.user_id, action=followup, code="nothing_left")
        return f"“{LABELS[followup]}” has nothing to do here; nothing was done."
    draft = RequestDraft(
        id=request_id(before.id, followup, *(request.id for request in same)),
        operation=planned.operation,
        group=group_of(services, before),
        roster=Roster(),
        reason="" if followup is Followup.UNDO else before.reason,
        requester=actor,
        channel=before.channel,
        options=_in_time(planned.options),
        items=planned.items,
    )
    result = await services.submissions.submit(draft)
    if isinstance(result, Rejected):
        return f"{result.reason} Nothing was done."
    if result.already_submitted:
        return await _taken_already(services, result.request)
    return "\n".join(_taken(services, result.request, LABELS[followup]))


def _in_time(options: RequestOptions) -> RequestOptions:
    """Drop a time that is past, and say so to whoever decides."""
    if options.run_at is None or options.run_at > datetime.now(UTC):
        return options
    return replace(options, run_at=None, note=f"{_TIME_IS_PAST} {options.note}".strip())


async def _impossible(services: Services, before: Request, followup: Followup, actor: Actor) -> str:
    """Tell why the sender cannot do it now, which is kept; nothing where it can."""
    line = services.connections.get(before.connection)
    if line is None:
        await record_refused_click(services, before, actor.user_id, action=followup, code="no_connection")
        return f"The connection `{escape(before.connection)}` is not in the configuration any more; nothing was done."
    if followup is not Followup.RESUME:
        return ""
    if rest := await line.throttle.cooldown():
        await record_refused_click(services, before, actor.user_id, action=followup, code="sender_rests")
        why = safe_text(rest.reason, 300)
        return f"Not resumed: the account rests until {format_time(rest.until)}, because: {why} Click again after that."
    if await line.throttle.remaining_today() == 0:
        await record_refused_click(services, before, actor.user_id, action=followup, code="day_is_full")
        return "Not resumed: the connection may send nobody else on this day (UTC). Click again tomorrow."
    return ""


def _taken(services: Services, request: Request, label: str) -> list[str]:
    said = [f"Taken: {label}, as request `{request.id}` in this channel."]
    if request.options.run_at:
        said.append(scheduled_for(request.options.run_at))
    if request.options.note:
        said.append(request.options.note)
    if request.rule is not None:
        said.append(f"It waits for approval by {' or '.join(f'`{escape(name)}`' for name in request.rule.approvers)}.")
    if warning := services.catalog.get(request.group).warning:
        said.append(approval_card.warned(warning))
    return said


async def _taken_already(services: Services, request: Request) -> str:
    followed = FollowupLink(request, await services.permalinks.get(request.id))
    return f"<@{request.requester}> asked for this already: {linked(followed)}. Nothing was done twice."
