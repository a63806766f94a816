"""What follows a request that has ended: each followup is a new request, linked to the one before."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.domain.access import Actor
from bot.domain.followups import LABELS, Followup, available_followups, plan_followup
from bot.domain.requests import CANCELLED, Request, RequestDraft, RequestOptions, request_id
from bot.domain.roster import Roster
from handlers.actions.clicks import find_request, refuse_click, reply
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import followup_buttons
from handlers.views.followup_buttons import FollowupLink, linked
from handlers.views.text import escape, format_time, safe_text

_TIME_IS_PAST = "Its scheduled time has passed, so it runs as soon as possible."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons below a summary."""

    @app.action(re.compile(followup_buttons.ACTION_IDS))
    async def follow(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        actor = await services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        before = await find_request(services, click.value)
        text = await _follow(services, before, followup_buttons.parse(click.clicked.action_id), actor)
        await ack()
        await reply(respond, click, text)


async def _follow(services: Services, before: Request, followup: Followup, actor: Actor) -> str:
    """Submit the request that follows, as the person who clicked. Return the answer. Raises `UserError`."""
    after = [summary.request for summary in await services.stores.queries.followups_of(before.id)]
    same = [request for request in after if request.options.follow == followup]
    if open_ := next((request for request in same if request.state not in CANCELLED), None):
        return await _already_submitted(services, open_)
    await _check_connection(services, before, followup, actor)
    people = await services.stores.requests.items(before.id)
    planned = plan_followup(before, people, followup)
    if followup not in available_followups(before, people) or not planned.items:
        text = f"There's nothing left for “{LABELS[followup]}”. Nothing was done."
        raise await refuse_click(services, before, actor.user_id, action=followup, code="nothing_left", text=text)
    draft = RequestDraft(
        id=request_id(before.id, followup, *(request.id for request in same)),
        operation=planned.operation,
        group=services.group_of(before),
        roster=Roster(),
        reason="" if followup is Followup.UNDO else before.reason,
        requester=actor,
        channel=before.channel,
        options=await _placed(services, before, followup, _without_past_time(planned.options)),
        items=planned.items,
    )
    return await services.submit(draft)


async def _placed(services: Services, before: Request, followup: Followup, options: RequestOptions) -> RequestOptions:
    """Keep a follow-up in the thread of the request before it. Running that one again begins a new thread."""
    if followup is Followup.AGAIN:
        return options
    return replace(options, thread_ts=await services.delivery.notifier.thread_ts(before))


def _without_past_time(options: RequestOptions) -> RequestOptions:
    """Drop a scheduled time that has passed, and add a note for the approvers."""
    if options.run_at is None or options.run_at > datetime.now(UTC):
        return options
    return replace(options, run_at=None, note=f"{_TIME_IS_PAST} {options.note}".strip())


async def _check_connection(services: Services, before: Request, followup: Followup, actor: Actor) -> None:
    """Check that the connection can send now. Raises `UserError`, and records the click."""
    connection = services.connections.get(before.connection)
    if connection is None:
        code = "no_connection"
        text = f"The connection `{escape(before.connection)}` is no longer in the configuration. Nothing was done."
    elif followup is not Followup.RESUME:
        return
    elif cooldown := await connection.throttle.cooldown():
        code, until = "sender_rests", format_time(cooldown.until)
        text = f"Not resumed: the account is paused until {until} ({safe_text(cooldown.reason, 300)}). Try again then."
    elif await connection.throttle.remaining_today() == 0:
        code = "day_is_full"
        text = "Not resumed: the connection has reached its daily limit (UTC). Try again tomorrow."
    else:
        return
    raise await refuse_click(services, before, actor.user_id, action=followup, code=code, text=text)


async def _already_submitted(services: Services, request: Request) -> str:
    link = linked(FollowupLink(request, await services.delivery.permalinks.get(request.id)))
    return f"<@{request.requester}> has already requested this: {link}. Nothing was done twice."
