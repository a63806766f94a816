"""The audit journal: its search and its export."""

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
from bot.domain.access import Actor, Capability
from bot.domain.audit_chain import EXPORT_COLUMNS, AuditRow
from bot.domain.csv_rows import csv_row
from bot.domain.groups import GroupRef
from bot.domain.roster import RejectionCode
from bot.services.authorization import READ_SIZE, visible_page
from handlers.clients.personal import send_file
from handlers.commands.context import CommandContext, Deferred, require_capability, resolve
from handlers.commands.reply import Reply
from handlers.errors import read_only
from handlers.payloads import Click
from handlers.services import Services
from handlers.views import answers, audit_list
from handlers.views.audit_list import AuditCursor
from handlers.views.blocks import Message
from handlers.views.text import shorten

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|([UW][A-Z0-9]{6,})")
MAX_EXPORTED_ROWS = 20_000
"""The maximum rows of one file; `rollcall audit export` has no limit."""


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons of the journal."""

    @app.action(audit_list.NEWEST, middleware=[read_only])
    @app.action(audit_list.NEXT, middleware=[read_only])
    async def show_page(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        actor = await _permitted(services, click)
        page = await _page(services, actor, AuditCursor.parse_text(click.value))
        await Reply(respond, client, click.user.id, click.channel_id).send(page, replace=True)

    @app.action(audit_list.EXPORT_CSV, middleware=[read_only])
    async def as_csv(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        await _export(services, client, ack, respond, Click.model_validate(body), csv=True)

    @app.action(audit_list.EXPORT_JSONL, middleware=[read_only])
    async def as_jsonl(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        await _export(services, client, ack, respond, Click.model_validate(body), csv=False)


async def search(services: Services, command: CommandContext) -> Deferred:
    """Show the newest rows that match. Raises `UserError`."""
    parsed = command.parse()
    actor = await services.slack.user_groups.actor(command.user)
    await require_capability(services, command, actor, Capability.AUDIT_READ)
    return Deferred(partial(_search, services, command, parsed, actor), "the audit journal")


async def _search(services: Services, command: CommandContext, parsed: ParsedCommand, actor: Actor) -> Message:
    return await _page(services, actor, await _cursor(services, command, parsed))


async def _cursor(services: Services, command: CommandContext, parsed: ParsedCommand) -> AuditCursor:
    """Read the filters of a search. Raises `UserError`."""
    if empty := [name for name, value in parsed.options.items() if not value]:
        raise command.usage_error(f"`{empty[0]}:` has no value.")
    person = _parse_person(parsed.rest)
    if person is None:
        raise command.usage_error(f"“{shorten(parsed.rest_text, 60)}” isn't a person. {_hint(parsed.rest)}")
    times: dict[str, datetime | None] = {"since": None, "until": None}
    for name in times.keys() & parsed.options.keys():
        zone = await services.slack.profiles.time_zone_of(command.user)
        times[name] = values.parse_time(parsed.option(name), zone, whole_day=name == "until")
        if times[name] is None:
            raise command.usage_error(f"“{shorten(parsed.option(name), 60)}” isn't a valid date. Use 2026-11-01.")
    since, until = times["since"], times["until"]
    if since and since > datetime.now(UTC):
        raise command.usage_error(f"“{parsed.option('since')}” is in the future.")
    if since and until and until <= since:
        raise command.usage_error(f"“{parsed.option('until')}” isn't after “{parsed.option('since')}”.")
    if not parsed.option("group"):
        return AuditCursor(person=person, **times)
    group = (await resolve(services, command, parsed.option("group"))).group
    return AuditCursor(person=person, connection=group.connection, group_id=group.id, **times)


def _parse_person(text: str) -> str | None:
    """Read a person: a Slack mention or user id, a phone or a LID; empty for no text, None if it is none of these."""
    if not text or (user := _mentioned(typed_text(text))):
        return text and user
    people = roster.parse(text).people
    return (people[0].phone or people[0].lid) if len(people) == 1 else None


def _hint(text: str) -> str:
    if len(rejected := roster.parse(text).rejected) == 1 and rejected[0].code is RejectionCode.NO_COUNTRY_CODE:
        return "Write the number with + and the country code."
    return "Use one mention, one Slack user id, or one phone number with its country code."


def _mentioned(text: str) -> str:
    """Return the Slack user id of a mention or a bare id; empty for any other text."""
    match = _MENTION.fullmatch(text)
    return (match[1] or match[2]) if match else ""


async def _page(services: Services, actor: Actor, cursor: AuditCursor) -> Message:
    read, may_see = partial(_read, services, cursor), _filter(services, actor, cursor)
    rows, more = await visible_page(read, may_see, audit_list.PAGE)

    def name_of(group: GroupRef) -> str:
        return services.directory.get(group).name

    if not rows:
        return Message(audit_list.nothing(cursor, name_of))
    return audit_list.build(rows, cursor, name_of, more=more)


async def _read(services: Services, cursor: AuditCursor, last: AuditRow | None) -> Sequence[AuditRow]:
    return await services.stores.audit.search(
        person=cursor.person,
        group=cursor.group_id,
        since=cursor.since,
        until=cursor.until,
        before_seq=last.seq if last else cursor.before,
        limit=READ_SIZE,
    )


def _filter(services: Services, actor: Actor, cursor: AuditCursor) -> Callable[[AuditRow], bool]:
    """Return which rows the person may see: those of groups that `audit:read` covers; without a group, of all."""

    def may_see(row: AuditRow) -> bool:
        if cursor.group_id and row.connection != cursor.connection:
            return False
        group = services.directory.get(GroupRef(row.connection, row.group_id))
        return services.authorizer.allows(actor, Capability.AUDIT_READ, group)

    return may_see


async def _permitted(services: Services, click: Click) -> Actor:
    """Return the person who clicked. Raises `UserError` without `audit:read`."""
    command = CommandContext(AUDIT, "", click.user.id, click.team_id, click.channel_id, click.trigger_id)
    actor = await services.slack.user_groups.actor(click.user.id)
    await require_capability(services, command, actor, Capability.AUDIT_READ)
    return actor


async def _export(
    services: Services, client: AsyncWebClient, ack: AsyncAck, respond: AsyncRespond, click: Click, *, csv: bool
) -> None:
    """Send all rows that match, oldest first, to the person who clicked."""
    await ack()
    actor, cursor = await _permitted(services, click), AuditCursor.parse_text(click.value)
    read, may_see = partial(_read, services, cursor), _filter(services, actor, cursor)
    rows, more = await visible_page(read, may_see, MAX_EXPORTED_ROWS, max_reads=MAX_EXPORTED_ROWS)
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
    await Reply(respond, client, click.user.id, click.channel_id).send(Message(answers.SENT_DIRECTLY))
