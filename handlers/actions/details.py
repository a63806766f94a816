"""Everything that is known of a request, in a modal that can be leafed through."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Allowed
from bot.domain.operations import required_actions
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.actions.clicks import GONE, find, group_of, reply
from handlers.actions.opening import open_modal
from handlers.errors import read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import buttons
from handlers.views import details as modal
from handlers.views.followup_buttons import FollowupLink
from providers.base import Ability, Action, Capability


def register(app: AsyncApp, services: Services) -> None:
    """Hang the button, and those that turn the modal's pages, on the app."""

    @app.action(buttons.DETAILS, middleware=[read_only])
    async def show(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request = await find(services, click.value)
        if request is None:
            await reply(respond, click, GONE)
            return
        facts = await _facts(services, request, 0, await services.usergroups.actor(click.user.id))
        if problem := await open_modal(client, click.trigger_id, modal.build(facts)):
            await reply(respond, click, problem)

    async def turn(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request_id, page = modal.parse(click.value)
        request = await find(services, request_id)
        if request is not None and click.view is not None:
            facts = await _facts(services, request, page, await services.usergroups.actor(click.user.id))
            await client.views_update(view_id=click.view.id, view=modal.build(facts))

    app.action(modal.PREVIOUS, middleware=[read_only])(turn)
    app.action(modal.NEXT, middleware=[read_only])(turn)


async def _facts(services: Services, request: Request, page: int, viewer: Actor) -> modal.DetailsData:
    """Read what the modal shows to this person."""
    parent = request.options.parent
    tally, people, votes, after, links = await asyncio.gather(
        services.requests.tally(request.id),
        services.requests.items_page(request.id, page * modal.PAGE, modal.PAGE),
        services.votes.for_request(request.id),
        services.queries.followups_of(request.id),
        services.permalinks.get_many([parent] if parent else []),
    )
    may = services.authorizer.check_capability(viewer, Capability.GROUPS_READ, group_of(services, request))
    return modal.DetailsData(
        request=request,
        tally=tally,
        people=people,
        page=page,
        full=isinstance(may, Allowed),
        needs=_needs(services, request, tally),
        votes=votes,
        deciders=services.votes.eligible_approvers(request),
        warning=services.catalog.get(request.group).warning,
        link=links.get(parent, ""),
        followed=[FollowupLink(brief.request) for brief in after],
    )


def _needs(services: Services, request: Request, tally: Tally) -> list[tuple[Action, Ability | None]]:
    line = services.connections.get(request.connection)
    abilities = line.provider.abilities if line else {}
    actions = required_actions(request.operation, request.options, people=tally.people > 0)
    return [(action, abilities.get(action)) for action in actions]
