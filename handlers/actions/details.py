"""Everything that is known of a request, in a modal that can be leafed through."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Allowed
from bot.domain.operations import actions_of
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.actions.clicks import GONE, find, group_of, tell
from handlers.actions.opening import open_modal
from handlers.failures import only_reads
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import buttons
from handlers.views import details as modal
from handlers.views.followup_buttons import Followed
from providers.base import Ability, Action, Capability


def register(app: AsyncApp, services: Services) -> None:
    """Hang the button, and those that turn the modal's pages, on the app."""

    @app.action(buttons.DETAILS, middleware=[only_reads])
    async def show(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request = await find(services, click.value)
        if request is None:
            await tell(respond, click, GONE)
            return
        facts = await _facts(services, request, 0, await services.usergroups.actor(click.user.id))
        if problem := await open_modal(client, click.trigger_id, modal.build(facts)):
            await tell(respond, click, problem)

    async def turn(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        request_id, page = modal.parse(click.value)
        request = await find(services, request_id)
        if request is not None and click.view is not None:
            facts = await _facts(services, request, page, await services.usergroups.actor(click.user.id))
            await client.views_update(view_id=click.view.id, view=modal.build(facts))

    app.action(modal.PREVIOUS, middleware=[only_reads])(turn)
    app.action(modal.NEXT, middleware=[only_reads])(turn)


async def _facts(services: Services, request: Request, page: int, viewer: Actor) -> modal.Facts:
    """Read what the modal shows to this person."""
    parent = request.details.parent
    tally, people, votes, after, links = await asyncio.gather(
        services.journal.tally(request.id),
        services.journal.page(request.id, page * modal.PAGE, modal.PAGE),
        services.decisions.of(request.id),
        services.archive.following(request.id),
        services.links.of([parent] if parent else []),
    )
    may = services.rights.may_use(viewer, Capability.GROUPS_READ, group_of(services, request))
    return modal.Facts(
        request=request,
        tally=tally,
        people=people,
        page=page,
        full=isinstance(may, Allowed),
        needs=_needs(services, request, tally),
        votes=votes,
        deciders=services.decisions.deciders(request),
        warning=services.warnings.get((request.connection, request.group_id), ""),
        link=links.get(parent, ""),
        followed=[Followed(brief.request) for brief in after],
    )


def _needs(services: Services, request: Request, tally: Tally) -> list[tuple[Action, Ability | None]]:
    line = services.lines.get(request.connection)
    abilities = line.provider.abilities if line else {}
    actions = actions_of(request.operation, request.details, people=tally.people > 0)
    return [(action, abilities.get(action)) for action in actions]
