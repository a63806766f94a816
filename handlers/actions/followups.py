"""What follows a request that has ended: each followup is a new request, linked to the one before."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.domain.access import Actor
from bot.domain.followups import LABELS, Followup, offered, plan
from bot.domain.requests import CALLED_OFF, Details, Request, request_id
from bot.domain.roster import Roster
from bot.intake import Draft, NotTaken
from handlers.actions.clicks import GONE, find, group_of, refuse, tell
from handlers.payloads import Click
from handlers.services import Services
from handlers.usergroups import FRESH_FOR_APPROVAL
from handlers.views import approval_card, followup_buttons
from handlers.views.followup_buttons import Followed, linked
from handlers.views.text import begins, escape, foreign, moment

_TIME_IS_PAST = "The time that was asked for is past, so it runs as soon as it may."

log = structlog.get_logger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons below a summary on the app."""

    @app.action(re.compile(followup_buttons.ACTION_IDS))
    async def follow(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        actor = await services.usergroups.actor(click.user.id, fresh=FRESH_FOR_APPROVAL)
        before = await find(services, click.value)
        followup = followup_buttons.parse(click.clicked.action_id)
        words = await _follow(services, before, followup, actor) if before else GONE
        await ack()
        await tell(respond, click, words)


async def _follow(services: Services, before: Request, followup: Followup, actor: Actor) -> str:
    """Ask for what follows, as the person who clicked. Gives what they are told."""
    after = [brief.request for brief in await services.archive.following(before.id)]
    same = [request for request in after if request.details.follow == followup]
    if taken := next((request for request in same if request.state not in CALLED_OFF), None):
        return await _taken_already(services, taken)
    if words := await _impossible(services, before, followup, actor):
        return words
    people = await services.journal.people(before.id)
    planned = plan(before, people, followup)
    if followup not in offered(before, people) or not planned.lines:
        await refuse(services, before, actor.user_id, action=followup, code="nothing_left")
        return f"“{LABELS[followup]}” has nothing to do here; nothing was done."
    draft = Draft(
        id=request_id(before.id, followup, *(request.id for request in same)),
        operation=planned.operation,
        group=group_of(services, before),
        roster=Roster(),
        reason="" if followup is Followup.UNDO else before.reason,
        requester=actor,
        channel=before.channel,
        details=_in_time(planned.details),
        lines=planned.lines,
    )
    result = await services.intake.take(draft)
    if isinstance(result, NotTaken):
        return f"{result.reason} Nothing was done."
    if result.again:
        return await _taken_already(services, result.request)
    return "\n".join(_taken(services, result.request, LABELS[followup]))


def _in_time(details: Details) -> Details:
    """Drop a time that is past, and say so to whoever decides."""
    if details.run_at is None or details.run_at > datetime.now(UTC):
        return details
    return replace(details, run_at=None, note=f"{_TIME_IS_PAST} {details.note}".strip())


async def _impossible(services: Services, before: Request, followup: Followup, actor: Actor) -> str:
    """Tell why the sender cannot do it now, which is kept; nothing where it can."""
    line = services.lines.get(before.connection)
    if line is None:
        await refuse(services, before, actor.user_id, action=followup, code="no_connection")
        return f"The connection `{escape(before.connection)}` is not in the configuration any more; nothing was done."
    if followup is not Followup.RESUME:
        return ""
    if rest := await line.sender.resting():
        await refuse(services, before, actor.user_id, action=followup, code="sender_rests")
        why = foreign(rest.reason, 300)
        return f"Not resumed: the account rests until {moment(rest.until)}, because: {why} Click again after that."
    if await line.sender.left_today() == 0:
        await refuse(services, before, actor.user_id, action=followup, code="day_is_full")
        return "Not resumed: the connection may send nobody else on this day (UTC). Click again tomorrow."
    return ""


def _taken(services: Services, request: Request, label: str) -> list[str]:
    said = [f"Taken: {label}, as request `{request.id}` in this channel."]
    if request.details.run_at:
        said.append(begins(request.details.run_at))
    if request.details.note:
        said.append(request.details.note)
    if request.rule is not None:
        said.append(f"It waits for approval by {' or '.join(f'`{escape(name)}`' for name in request.rule.approvers)}.")
    if warning := services.warnings.get((request.connection, request.group_id)):
        said.append(approval_card.warned(warning))
    return said


async def _taken_already(services: Services, request: Request) -> str:
    followed = Followed(request, await services.links.to(request.id))
    return f"<@{request.requester}> asked for this already: {linked(followed)}. Nothing was done twice."
