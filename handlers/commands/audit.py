"""The audit journal: a look into it, and its export."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import values
from bot.commands.catalogue import AUDIT
from bot.commands.parser import ParsedCommand, typed_text
from bot.domain import roster
from bot.domain.access import Actor, Allowed
from bot.domain.audit_chain import EXPORT_COLUMNS, AuditRow
from bot.domain.csv_rows import csv_row
from bot.domain.groups import GroupRef
from bot.domain.roster import RejectionCode
from handlers.clients.files import send_file
from handlers.commands import pages
from handlers.commands.context import Answer, CommandContext, Deferred, capability_refusal, resolve
from handlers.commands.reply import Reply
from handlers.errors import read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, audit_list
from handlers.views.audit_list import AuditCursor
from handlers.views.text import shorten
from providers.base import Capability

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|([UW][A-Z0-9]{6,})")
MAX_EXPORTED_ROWS = 20_000
"""Rows in one file; `rollcall audit export` has no end."""


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons of the journal on the app."""

    @app.action(audit_list.NEWEST, middleware=[read_only])
    @app.action(audit_list.NEXT, middleware=[read_only])
    async def turn(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        answer = await _allowed(services, click) or await _page(services, *await _meant(services, click))
        await Reply(respond, client, click.user.id, click.place).say(answer, replace=True)

    @app.action(audit_list.EXPORT_CSV, middleware=[read_only])
    async def as_csv(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        await _export(services, client, ack, respond, Click.model_validate(body), csv=True)

    @app.action(audit_list.EXPORT_JSONL, middleware=[read_only])
    async def as_jsonl(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        await _export(services, client, ack, respond, Click.model_validate(body), csv=False)


async def search(services: Services, asked: CommandContext) -> Answer | Deferred:
    """Show the newest rows of what is asked for."""
    typed = asked.parse()
    if isinstance(typed, str):
        return typed
    actor = await services.usergroups.actor(asked.user)
    if refused := await capability_refusal(services, asked, actor, Capability.AUDIT_READ):
        return refused
    return Deferred(partial(_search, services, asked, typed, actor), "the audit journal")


async def _search(services: Services, asked: CommandContext, typed: ParsedCommand, actor: Actor) -> Answer:
    turn = await _turn(services, asked, typed)
    return turn if isinstance(turn, str) else await _page(services, actor, turn)


async def _turn(services: Services, asked: CommandContext, typed: ParsedCommand) -> AuditCursor | str:
    """Read what is asked for; else what is wrong with it."""
    if empty := [name for name, value in typed.options.items() if not value]:
        return asked.usage_error(f"`{empty[0]}:` has no value.")
    person = _person(typed.rest)
    if person is None:
        return asked.usage_error(f"“{shorten(typed.rest_text, 60)}” is no person: {_why_nobody(typed.rest)}")
    moments: dict[str, datetime | None] = {"since": None, "until": None}
    for name in moments.keys() & typed.options.keys():
        zone = await services.time_zones.get(asked.user)
        moments[name] = values.parse_time(typed.option(name), zone, whole_day=name == "until")
        if moments[name] is None:
            return asked.usage_error(f"“{shorten(typed.option(name), 60)}” is no day: write it as 2026-11-01.")
    since, until = moments["since"], moments["until"]
    if since and since > datetime.now(UTC):
        return asked.usage_error(f"“{typed.option('since')}” is in the future: the journal has nothing of then yet.")
    if since and until and until <= since:
        return asked.usage_error(f"“{typed.option('until')}” is not after “{typed.option('since')}”.")
    if not typed.option("group"):
        return AuditCursor(person=person, **moments)
    met = await resolve(services, asked, typed.option("group"))
    if isinstance(met, str):
        return met
    return AuditCursor(person=person, connection=met.group.connection, group_id=met.group.id, **moments)


def _person(text: str) -> str | None:
    """Read a person: a mention or id of Slack, a phone or a LID; empty for nobody, None for what is none of them."""
    if not text or (user := _mentioned(typed_text(text))):
        return text and user
    people = roster.parse(text).people
    return (people[0].phone or people[0].lid) if len(people) == 1 else None


def _why_nobody(text: str) -> str:
    """Say why a text names nobody: what is wrong with its number, or what a person can be written as."""
    if len(rejected := roster.parse(text).rejected) == 1 and rejected[0].code is RejectionCode.NO_COUNTRY_CODE:
        return "write the number with + and the country code."
    return "write one mention, one Slack user id, or one phone number with its country code."


def _mentioned(text: str) -> str:
    """Give the Slack user id that a text is, as a mention or bare; empty where it is none."""
    match = _MENTION.fullmatch(text)
    return (match[1] or match[2]) if match else ""


async def _page(services: Services, actor: Actor, turn: AuditCursor) -> Answer:
    rows, more = await pages.page_of(partial(_read, services, turn), _may_see(services, actor, turn), audit_list.PAGE)

    def name_of(group: GroupRef) -> str:
        return services.directory.get(group).name

    return audit_list.build(rows, turn, name_of, more=more) if rows else audit_list.nothing(turn, name_of)


async def _read(services: Services, turn: AuditCursor, last: AuditRow | None) -> Sequence[AuditRow]:
    return await services.audit.search(
        person=turn.person,
        group=turn.group_id,
        since=turn.since,
        until=turn.until,
        before_seq=last.seq if last else turn.before,
        limit=pages.READ_SIZE,
    )


def _may_see(services: Services, actor: Actor, turn: AuditCursor) -> Callable[[AuditRow], bool]:
    """Give who may see a row: those with the right for its group; what is about none is for a right to all groups."""

    def may_see(row: AuditRow) -> bool:
        if turn.group_id and row.connection != turn.connection:
            return False
        group = services.directory.get(GroupRef(row.connection, row.group_id))
        return isinstance(services.authorizer.check_capability(actor, Capability.AUDIT_READ, group), Allowed)

    return may_see


async def _meant(services: Services, click: Click) -> tuple[Actor, AuditCursor]:
    return await services.usergroups.actor(click.user.id), AuditCursor.model_validate_json(click.value)


async def _allowed(services: Services, click: Click) -> str:
    """Say why who clicked may not; empty where they may."""
    asked = CommandContext(AUDIT, "", click.user.id, click.team_id, click.place, click.trigger_id)
    actor = await services.usergroups.actor(click.user.id)
    return await capability_refusal(services, asked, actor, Capability.AUDIT_READ)


async def _export(
    services: Services, client: AsyncWebClient, ack: AsyncAck, respond: AsyncRespond, click: Click, *, csv: bool
) -> None:
    """Send all rows that are asked for, oldest first, to whoever clicked."""
    await ack()
    reply = Reply(respond, client, click.user.id, click.place)
    if refused := await _allowed(services, click):
        await reply.say(refused)
        return
    actor, turn = await _meant(services, click)
    rows, more = await pages.page_of(
        partial(_read, services, turn), _may_see(services, actor, turn), MAX_EXPORTED_ROWS, rounds=MAX_EXPORTED_ROWS
    )
    lines, unreadable = [csv_row(EXPORT_COLUMNS)] if csv else [], 0
    for row in reversed(rows):
        try:
            lines.append(row.as_csv() if csv else row.as_json())
        except ValueError:
            unreadable += 1
    name = f"audit.{'csv' if csv else 'jsonl'}"
    comment = answers.exported_rows(len(rows) - unreadable, unreadable, cut=more)
    await services.record_disclosure(click.user.id, f"{name}, {len(rows)} rows", "", "")
    await send_file(client, click.user.id, name, "".join(lines), comment)
    await reply.say(answers.SENT_DIRECTLY)
