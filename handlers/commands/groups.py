"""The groups: the list of groups, one group's card, and the export of its members."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.catalogue import GROUP
from bot.commands.parser import unquoted
from bot.domain.access import Allowed
from bot.domain.csv_rows import csv_row
from bot.domain.groups import GroupRef, search
from handlers.clients.personal import send_file
from handlers.commands.context import (
    GROUP_LIST_TIMEOUT,
    CommandContext,
    Deferred,
    Resolved,
    require_action,
    resolve,
)
from handlers.commands.reply import Reply
from handlers.errors import UserError, read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, groups
from handlers.views.answers import Unread
from handlers.views.blocks import Message
from providers.base import Action, GroupNotFound, Member, Provider, ProviderError

CARD_TIMEOUT = 20.0
"""Seconds for each part that the card reads. A part that isn't there in time is shown as missing."""
COLUMNS = ("connection", "group_id", "phone", "lid", "name", "role")
"""The columns of the members' CSV. `phone` is E.164, `lid` ends in `@lid`; either is empty if the provider doesn't
report it. `role` is `admin`, `member`, or `present` if the provider doesn't report it."""

T = TypeVar("T")


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons of the list and the card."""

    @app.action(groups.PREVIOUS, middleware=[read_only])
    @app.action(groups.NEXT, middleware=[read_only])
    async def show_page(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        page = await _page(services, click.user.id, groups.GroupCursor.parse_text(click.value))
        await Reply(respond, client, click.user.id, click.channel_id).send(page, replace=True)

    @app.action(groups.EXPORT, middleware=[read_only])
    async def export(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        answer = await _export(services, client, click)
        await Reply(respond, client, click.user.id, click.channel_id).send(answer)


async def listing(services: Services, command: CommandContext) -> Message:
    """List the groups that the person may read and whose name contains the text."""
    cursor = groups.GroupCursor(search=unquoted(command.text), start=0)
    return await _page(services, command.user, cursor)


async def card(services: Services, command: CommandContext) -> Message | Deferred:
    """Show one group, or list them all if none is named. Raises `UserError`."""
    if not command.text.strip():
        return await listing(services, command)
    parsed = command.parse()
    name = f"{parsed.group} {parsed.rest_text}".strip()  # nothing follows the name, so it needs no quotes
    resolved = await resolve(services, command, name)
    await require_action(services, command, resolved, Action.LIST_GROUPS)
    return Deferred(partial(_card, services, resolved), "the group")


async def _page(services: Services, user: str, cursor: groups.GroupCursor) -> Message:
    actor, _ = await asyncio.gather(
        services.slack.user_groups.actor(user), services.directory.refresh(max_wait=GROUP_LIST_TIMEOUT)
    )
    decisions = [
        (group, services.authorizer.check(actor, Action.LIST_GROUPS, group))
        for group in search(cursor.search, services.directory.known())
    ]
    allowed = [group for group, decision in decisions if isinstance(decision, Allowed)]
    if allowed:
        return groups.page(allowed, cursor)
    refused = [decision.text for _, decision in decisions if not isinstance(decision, Allowed)]
    return Message(refused[0] if refused else answers.no_matching_groups(cursor.search))


async def _card(services: Services, resolved: Resolved) -> Message:
    group, provider = resolved.group, services.connections[resolved.group.connection].provider
    info, account, members = await asyncio.gather(
        _if_allowed(services, resolved, Action.READ_GROUP, partial(provider.group, group.id)),
        _bounded(provider.account),
        _if_allowed(services, resolved, Action.LIST_MEMBERS, partial(_members, provider, group.id)),
    )
    if isinstance(info, Unread) and info.not_found:
        services.directory.invalidate(group.connection)
    return groups.card(
        groups.GroupCardData(
            group=group,
            info=info,
            account=account,
            members=members,
            can=frozenset(provider.abilities),
            may_list=services.authorizer.allows(resolved.actor, Action.LIST_MEMBERS, group),
            warning=services.directory.catalog.get(group.ref).warning,
        )
    )


async def _members(provider: Provider, group_id: str) -> list[Member] | Unread:
    """Read the members, to show the admins, and to count the members if the provider doesn't report their number."""
    if Action.PROMOTE not in provider.abilities:
        return Unread("groups of this provider have none.")
    return [member async for member in provider.members(group_id)]


async def _if_allowed(
    services: Services, resolved: Resolved, action: Action, read: Callable[[], Awaitable[T]]
) -> T | Unread:
    decision = services.authorizer.check(resolved.actor, action, resolved.group)
    return await _bounded(read) if isinstance(decision, Allowed) else Unread(decision.text)


async def _bounded(read: Callable[[], Awaitable[T]]) -> T | Unread:
    """Return what is read in time, or why it couldn't be read."""
    try:
        async with asyncio.timeout(CARD_TIMEOUT):
            return await read()
    except ProviderError as error:
        return Unread(answers.provider_answer(error), not_found=isinstance(error, GroupNotFound))
    except TimeoutError:
        return Unread("the provider didn't answer in time.")


async def _export(services: Services, client: AsyncWebClient, click: Click) -> Message:
    """Send the members to the person who clicked, and return the answer. Raises `UserError`."""
    address = groups.GroupAddress.parse_text(click.value)
    if address.connection not in services.connections:
        raise UserError("This group's connection is no longer in the configuration.")
    actor = await services.slack.user_groups.actor(click.user.id)
    resolved = Resolved(actor, services.directory.get(GroupRef(address.connection, address.group_id)))
    command = CommandContext(GROUP, "", click.user.id, click.team_id, click.channel_id, click.trigger_id)
    await require_action(services, command, resolved, Action.LIST_MEMBERS)
    rows = [csv_row(COLUMNS)]
    try:
        async for member in services.connections[address.connection].provider.members(address.group_id):
            rows.append(csv_row((address.connection, address.group_id, *_cells(member))))  # noqa: PERF401 - as they come
    except ProviderError as error:
        raise UserError(answers.not_read("the members", error)) from error
    name = "".join(c if c.isalnum() else "-" for c in resolved.group.name)[:60]
    comment = answers.exported_members(resolved.group, len(rows) - 1)
    await services.record_disclosure(click.user.id, "the members as CSV", address.connection, address.group_id)
    await send_file(client, click.user.id, f"members-{name}.csv", "".join(rows), comment)
    return Message(answers.SENT_DIRECTLY)


def _cells(member: Member) -> tuple[str, str, str, str]:
    return member.phone, member.lid, member.name, member.status
