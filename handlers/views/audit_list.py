"""A page of the audit journal, newest first, with buttons for paging and exports."""

from collections.abc import Callable, Sequence
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.domain.audit import AuditEntry, EntryKind
from bot.domain.audit_chain import AuditRow
from bot.domain.groups import GroupRef
from handlers.payloads import Payload
from handlers.views.blocks import Message, context, message, sections, value_button
from handlers.views.text import escape, format_time, safe_text, shorten

NEWEST = "audit_newest"
NEXT = "audit_next"
EXPORT_CSV = "audit_csv"
EXPORT_JSONL = "audit_jsonl"
PAGE = 15
_PAGES = "page of the audit journal"
_SHOWN = ("code", "choice", "state", "reason", "digest")
"""The details in a line; the export has all."""
_ASKED = "ask"
"""The action of a refused command or form; its operation says more."""

GroupName = Callable[[GroupRef], str]


class AuditCursor(Payload):
    """The filters of a list of audit rows, and the place in it that a button leads to.

    Attributes:
        person: a Slack user id, an E.164 phone or a LID; empty for everyone.
        connection: the connection of the group.
        group_id: the id of the group; empty for all groups.
        since: the start of the period, aware.
        until: the end of the period (exclusive), aware.
        before: the sequence number at which the previous page ended.
    """

    person: str = ""
    connection: str = ""
    group_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def build(rows: Sequence[AuditRow], cursor: AuditCursor, name_of: GroupName, *, more: bool) -> Message:
    """Build one page; `name_of` returns the name of a group."""
    lines = [_line(row, name_of) for row in rows]
    start = cursor.model_copy(update={"before": None})
    buttons = [value_button("Newest", NEWEST, start, _PAGES)] if cursor.before else []
    if more:
        buttons.append(value_button("Next", NEXT, cursor.model_copy(update={"before": rows[-1].seq}), _PAGES))
    buttons += [
        value_button("Export CSV", EXPORT_CSV, start, "of the audit journal"),
        value_button("Export JSONL", EXPORT_JSONL, start, "of the audit journal"),
    ]
    note = "Exports include all rows of this list. They're sent only to you."
    blocks: list[Block] = [*sections(lines), ActionsBlock(elements=buttons), context(note)]
    return message([*lines, note], blocks)


def nothing(cursor: AuditCursor, name_of: GroupName) -> str:
    """Recursor that there are no rows, and the filters of the list."""
    if cursor.before:
        return "There are no more rows."
    person = f"<@{cursor.person}>" if cursor.person.isalnum() else f"`{escape(cursor.person)}`"
    filters = [
        f" about {person}" if cursor.person else "",
        f" in *{safe_text(name_of(GroupRef(cursor.connection, cursor.group_id)), 100)}*" if cursor.group_id else "",
        f" since {format_time(cursor.since)}" if cursor.since else "",
        f" before {format_time(cursor.until)}" if cursor.until else "",
    ]
    return f"There are no audit rows{''.join(filters)} that you can see. `/wa-audit` lists the newest."


def _line(row: AuditRow, name_of: GroupName) -> str:
    try:
        entry = row.entry
    except ValueError:
        return f"• {row.seq}: ⚠️ this row was altered and can't be read"
    who = f" <@{entry.actor}>" if entry.actor else ""
    group = name_of(GroupRef(entry.connection, entry.group_id)) if entry.group_id else ""
    about = f" {entry.operation}" if entry.operation else ""
    where = f" *{safe_text(group, 80)}*" if group else ""
    request = f" `{safe_text(entry.request_id, 40)}`" if entry.request_id else ""
    detail = safe_text(_detail(entry), 200)
    kind = "refused" if entry.kind is EntryKind.REFUSED_CLICK else entry.kind
    return f"• {row.seq}: {format_time(entry.at)} {kind}{who}{about}{where}{request}{f': {detail}' if detail else ''}"


def _detail(entry: AuditEntry) -> str:
    clicked = entry.details.get("action", "")
    parts = [shorten(entry.phone or entry.typed, 60), entry.outcome, entry.provider_code]
    parts += [str(clicked)] if clicked not in {"", _ASKED} else []
    parts += [f"{name} {entry.details[name]}" for name in _SHOWN if entry.details.get(name)]
    return " · ".join(part for part in parts if part)
