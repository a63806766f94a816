"""The buttons of a request: Details, Stop and Export CSV."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Allowed, Capability, Denied
from bot.domain.operations import required_actions
from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestState
from handlers.actions.clicks import find_request, refuse_click, reply
from handlers.clients.personal import send_file
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.errors import read_only
from handlers.modals.open import open_modal
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, buttons, results
from handlers.views import details as modal
from handlers.views.followup_buttons import FollowupLink
from providers.base import Ability, Action

_STOPPING = "Stopping. What was sent stays as it is; the others will be “not attempted”."
_NOT_PERMITTED = (
    "Only the requester, or a person with `approve` or `admin` for this group, can stop this request. It continues."
)


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons."""

    @app.action(buttons.DETAILS, middleware=[read_only])
    async def show_details(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request = await find_request(services, click.value)
        data = await _details(services, request, 0, await services.slack.user_groups.actor(click.user.id))
        await open_modal(client, click.trigger_id, modal.build(data))

    @app.action(modal.PREVIOUS, middleware=[read_only])
    @app.action(modal.NEXT, middleware=[read_only])
    async def show_page(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request_id, page = modal.parse(click.value)
        request = await find_request(services, request_id)
        if click.view is not None:
            data = await _details(services, request, page, await services.slack.user_groups.actor(click.user.id))
            await client.views_update(view_id=click.view.id, view=modal.build(data))

    @app.action(buttons.STOP)
    async def stop(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        actor = await services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        request = await find_request(services, click.value)
        await _stop(services, request, actor)
        await ack()
        await reply(respond, click, _STOPPING)
        current = await services.stores.requests.get(request.id)
        services.delivery.notifier.show_progress(current)

    @app.action(results.EXPORT, middleware=[read_only])
    async def export(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        actor = await services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        request = await find_request(services, click.value)
        await _check_export(services, request, actor)
        await ack()
        await services.record_disclosure(
            actor.user_id, "the results as CSV", request.connection, request.group_id, request_id=request.id
        )
        content = results.csv_file(request, await services.stores.requests.items(request.id))
        comment = f"The complete results of request `{request.id}`, one line for each person."
        await send_file(client, actor.user_id, f"{request.id}.csv", content, comment)
        await reply(respond, click, answers.SENT_DIRECTLY)


async def _stop(services: Services, request: Request, actor: Actor) -> None:
    """Stop a request. Raises `UserError`, and records the click, if it can't be stopped."""
    if not services.stores.votes.may_stop(request, actor):
        raise await refuse_click(services, request, actor.user_id, action="stop", code="not_yours", text=_NOT_PERMITTED)
    if await services.stores.requests.stop(request.id, actor.user_id):
        return
    text = _why_not_stopped(await services.stores.requests.get(request.id))
    raise await refuse_click(services, request, actor.user_id, action="stop", code="over", text=text)


def _why_not_stopped(request: Request) -> str:
    if request.stopped_by:
        return f"<@{request.stopped_by}> has already stopped this request. Your click changed nothing."
    if request.state is RequestState.DONE:
        return "This request is done. There is nothing to stop."
    return f"This request isn't running: it is {request.state}. Nothing was changed."


async def _check_export(services: Services, request: Request, actor: Actor) -> None:
    """Check that the person may read full numbers. Raises `UserError`, and records the click."""
    decision = services.authorizer.check(actor, Capability.GROUPS_READ, services.group_of(request))
    if isinstance(decision, Denied):
        text = f"The file contains full phone numbers. {decision.text}"
        raise await refuse_click(services, request, actor.user_id, action="export", code=decision.code, text=text)


async def _details(services: Services, request: Request, page: int, viewer: Actor) -> modal.DetailsData:
    """Read what the modal shows to this person."""
    parent = request.options.parent
    tally, people, votes, after, links = await asyncio.gather(
        services.stores.requests.tally(request.id),
        services.stores.requests.items_page(request.id, page * modal.PAGE, modal.PAGE),
        services.stores.votes.for_request(request.id),
        services.stores.queries.followups_of(request.id),
        services.delivery.permalinks.get_many([parent] if parent else []),
    )
    may = services.authorizer.check(viewer, Capability.GROUPS_READ, services.group_of(request))
    return modal.DetailsData(
        request=request,
        tally=tally,
        people=people,
        page=page,
        full=isinstance(may, Allowed),
        needs=_needs(services, request, tally),
        votes=votes,
        deciders=services.stores.votes.eligible_approvers(request),
        warning=services.directory.catalog.get(request.group).warning,
        link=links.get(parent, ""),
        followed=[FollowupLink(summary.request) for summary in after],
    )


def _needs(services: Services, request: Request, tally: Tally) -> list[tuple[Action, Ability | None]]:
    line = services.connections.get(request.connection)
    abilities = line.provider.abilities if line else {}
    actions = required_actions(request.operation, request.options, people=tally.people > 0)
    return [(action, abilities.get(action)) for action in actions]
