"""The list of requests."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.parser import unquoted
from bot.commands.values import nearest
from bot.domain.access import Actor, Capability
from bot.domain.outcomes import RequestSummary
from bot.domain.requests import Request, RequestState
from bot.services.authorization import READ_SIZE, visible_page
from handlers.commands.context import CommandContext, Deferred, require_capability, resolve
from handlers.commands.reply import Reply
from handlers.errors import UserError, read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, request_list
from handlers.views.blocks import Message
from handlers.views.request_list import RequestCursor

_LISTS = ("mine", "waiting", "all")


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons of the list."""

    @app.action(request_list.NEWEST, middleware=[read_only])
    @app.action(request_list.NEXT, middleware=[read_only])
    async def show_page(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        actor = await services.slack.user_groups.actor(click.user.id)
        page = await _page(services, actor, RequestCursor.parse_text(click.value))
        await Reply(respond, client, click.user.id, click.channel_id).send(page, replace=True)


async def listing(services: Services, command: CommandContext) -> Message | Deferred:
    """List the requests that the person may see. Raises `UserError`."""
    word = unquoted(command.text)
    which = word.casefold() or "mine"
    if which in _LISTS:
        actor = await services.slack.user_groups.actor(command.user)
        if which == "all":
            await require_capability(services, command, actor, Capability.AUDIT_READ)
        return Deferred(partial(_page, services, actor, RequestCursor(which=which)), "the requests")
    try:
        resolved = await resolve(services, command, word)
    except UserError as error:
        if near := nearest(which, _LISTS):
            raise UserError(f"{error.text} `{command.command.name} {near}` is a list, if you meant that.") from error
        raise
    group = resolved.group
    cursor = RequestCursor(which="group", connection=group.connection, group_id=group.id)
    return await _page(services, resolved.actor, cursor)


async def _page(services: Services, actor: Actor, cursor: RequestCursor) -> Message:
    read = partial(_read, services, actor, cursor)
    summaries, more = await visible_page(read, _may_see(services, actor, cursor), request_list.PAGE)
    if not summaries:
        return Message(answers.no_requests(cursor.which, further=cursor.before is not None))
    links = await services.delivery.permalinks.get_many(summary.request.id for summary in summaries)
    return request_list.build(summaries, links, cursor, more=more)


async def _read(
    services: Services, actor: Actor, cursor: RequestCursor, last: RequestSummary | None
) -> Sequence[RequestSummary]:
    return await services.stores.queries.newest(
        requester=actor.user_id if cursor.which == "mine" else "",
        states=[RequestState.WAITING] if cursor.which == "waiting" else [],
        group_id=cursor.group_id,
        before=(last.request.asked_at.timestamp(), last.request.id) if last else cursor.before,
        limit=READ_SIZE,
    )


def _may_see(services: Services, actor: Actor, cursor: RequestCursor) -> Callable[[RequestSummary], bool]:
    def may(capability: Capability, request: Request) -> bool:
        group = services.directory.get(request.group)
        return services.authorizer.allows(actor, capability, group)

    def may_see(summary: RequestSummary) -> bool:
        request = summary.request
        if cursor.which == "group" and request.connection != cursor.connection:
            return False
        may_decide = request.state is RequestState.WAITING and may(Capability.APPROVE, request)
        return request.requester == actor.user_id or may(Capability.AUDIT_READ, request) or may_decide

    return may_see
