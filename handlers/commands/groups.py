"""The groups: the list of those that somebody may read, one group's card, and the export of its members."""

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
from handlers.commands.context import (
    GROUP_LIST_TIMEOUT,
    Answer,
    CommandContext,
    Deferred,
    Resolved,
    require_action,
    resolve,
)
from handlers.commands.reply import Reply
from handlers.delivery.personal import send_file
from handlers.errors import UserError, read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, groups
from providers.base import Action, Group, GroupNotFound, Member, Provider, ProviderError

CARD_TIMEOUT = 20.0
"""Seconds for everything that the card reads: what is not there then is said to be missing."""
COLUMNS = ("connection", "group_id", "phone", "lid", "name", "role")
"""The columns of the members' CSV: `phone` E.164, `lid` with `@lid`, either empty where the provider does not tell it;
`role` is `admin`, `member`, or `present` where the provider tells none."""

T = TypeVar("T")


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons of the list and the card on the app."""

    @app.action(groups.PREVIOUS, middleware=[read_only])
    @app.action(groups.NEXT, middleware=[read_only])
    async def turn(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        page = await _page(services, click.user.id, groups.GroupCursor.model_validate_json(click.value))
        await Reply(respond, client, click.user.id, click.place).say(page, replace=True)

    @app.action(groups.EXPORT, middleware=[read_only])
    async def export(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        said = await _export(services, client, click)
        await Reply(respond, client, click.user.id, click.place).say(said)


async def listing(services: Services, asked: CommandContext) -> Answer:
    """List the groups that the person may read and whose name holds what they typed."""
    turn = groups.GroupCursor(search=unquoted(asked.text), start=0)
    return await _page(services, asked.user, turn)


async def card(services: Services, asked: CommandContext) -> Answer | Deferred:
    """Show one group; where none is named, list them."""
    if not asked.text.strip():
        return await listing(services, asked)
    typed = asked.parse()
    name = f"{typed.group} {typed.rest_text}".strip()  # a name with spaces needs no quotes where nothing follows it
    met = await resolve(services, asked, name)
    await require_action(services, asked, met, Action.LIST_GROUPS)
    return Deferred(partial(_card, services, met), "the group")


async def _page(services: Services, user: str, turn: groups.GroupCursor) -> Answer:
    actor, _ = await asyncio.gather(
        services.slack.user_groups.actor(user), services.directory.refresh(max_wait=GROUP_LIST_TIMEOUT)
    )
    decisions = [
        (group, services.authorizer.check(actor, Action.LIST_GROUPS, group))
        for group in search(turn.search, services.directory.known())
    ]
    allowed = [group for group, decision in decisions if isinstance(decision, Allowed)]
    if allowed:
        return groups.page(allowed, turn)
    refused = [decision.reason for _, decision in decisions if not isinstance(decision, Allowed)]
    return refused[0] if refused else answers.no_matching_groups(turn.search)


async def _card(services: Services, met: Resolved) -> Answer:
    group, provider = met.group, services.connections[met.group.connection].provider
    told, account, members = await asyncio.gather(
        _told(services, met, Action.READ_GROUP, partial(_group, provider, group.id)),
        _bounded(provider.account),
        _told(services, met, Action.LIST_MEMBERS, partial(_members, provider, group.id)),
    )
    if isinstance(told, GroupNotFound):
        services.directory.invalidate(group.connection)
    return groups.card(
        groups.GroupCardData(
            group=group,
            info=told,
            account=account,
            members=members,
            can=frozenset(provider.abilities),
            may_list=isinstance(services.authorizer.check(met.actor, Action.LIST_MEMBERS, group), Allowed),
            warning=services.directory.catalog.get(group.ref).warning,
        )
    )


async def _group(provider: Provider, group_id: str) -> Group | GroupNotFound:
    try:
        return await provider.group(group_id)
    except GroupNotFound as error:
        return error


async def _members(provider: Provider, group_id: str) -> list[Member] | str:
    """Read the members for the admins among them, and so that they are counted where nobody tells their number."""
    if Action.PROMOTE not in provider.abilities:
        return "groups of this provider have none."
    return [member async for member in provider.members(group_id)]


async def _told(services: Services, met: Resolved, action: Action, reading: Callable[[], Awaitable[T]]) -> T | str:
    decision = services.authorizer.check(met.actor, action, met.group)
    return await _bounded(reading) if isinstance(decision, Allowed) else decision.reason


async def _bounded(reading: Callable[[], Awaitable[T]]) -> T | str:
    """Give what is read in time; else a sentence for people."""
    try:
        async with asyncio.timeout(CARD_TIMEOUT):
            return await reading()
    except ProviderError as error:
        return answers.provider_answer(error)
    except TimeoutError:
        return "the provider does not answer."


async def _export(services: Services, client: AsyncWebClient, click: Click) -> str:
    """Read the members as they come, and send them to whoever clicked, if they may. Gives what they are told."""
    place = groups.GroupAddress.model_validate_json(click.value)
    if place.connection not in services.connections:
        raise UserError("This group's connection is no longer in the configuration.")
    actor = await services.slack.user_groups.actor(click.user.id)
    met = Resolved(actor, services.directory.get(GroupRef(place.connection, place.group_id)))
    asked = CommandContext(GROUP, "", click.user.id, click.team_id, click.place, click.trigger_id)
    await require_action(services, asked, met, Action.LIST_MEMBERS)
    rows = [csv_row(COLUMNS)]
    try:
        async for member in services.connections[place.connection].provider.members(place.group_id):
            rows.append(csv_row((place.connection, place.group_id, *_cells(member))))  # noqa: PERF401 - as they come
    except ProviderError as error:
        raise UserError(answers.not_read("the members", error)) from error
    name = "".join(c if c.isalnum() else "-" for c in met.group.name)[:60]
    comment = answers.exported_members(met.group, len(rows) - 1)
    await services.record_disclosure(click.user.id, "the members as CSV", place.connection, place.group_id)
    await send_file(client, click.user.id, f"members-{name}.csv", "".join(rows), comment)
    return answers.SENT_DIRECTLY


def _cells(member: Member) -> tuple[str, str, str, str]:
    return member.phone, member.lid, member.name, member.status
