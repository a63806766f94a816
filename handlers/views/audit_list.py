"""The audit journal, a page of it, newest first; with buttons that turn the page and export what was asked for."""

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
"""The details that a line tells; the export has all."""
_ASKED = "ask"
"""The action of what was refused to somebody who typed it or filled it in: their operation says more."""

GroupName = Callable[[GroupRef], str]


class AuditCursor(Payload):
    """What a button carries: what was asked for, and where the page before ended.

    Attributes:
        person: a Slack user id, an E.164 phone or a LID; empty for everybody.
        connection: of the group that was asked for.
        group_id: likewise; empty for all groups.
        since: the earliest moment, aware.
        until: the first moment that is too late, aware.
        before: only rows before this one.
    """

    person: str = ""
    connection: str = ""
    group_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def build(rows: Sequence[AuditRow], turn: AuditCursor, name_of: GroupName, *, more: bool) -> Message:
    """Build one page; `name_of` returns the name of a group."""
    lines = [_line(row, name_of) for row in rows]
    start = turn.model_copy(update={"before": None})
    buttons = [value_button("Newest", NEWEST, start, _PAGES)] if turn.before else []
    if more:
        buttons.append(value_button("Next", NEXT, turn.model_copy(update={"before": rows[-1].seq}), _PAGES))
    buttons += [
        value_button("Export CSV", EXPORT_CSV, start, "of the audit journal"),
        value_button("Export JSONL", EXPORT_JSONL, start, "of the audit journal"),
    ]
    note = "The exports hold everything that was asked for here, and come to you alone."
    blocks: list[Block] = [*sections(lines), ActionsBlock(elements=buttons), context(note)]
    return message([*lines, note], blocks)


def nothing(turn: AuditCursor, name_of: GroupName) -> str:
    """Say that the journal has nothing of what was asked for, and what that was."""
    if turn.before:
        return "There are no further rows."
    person = f"<@{turn.person}>" if turn.person.isalnum() else f"`{escape(turn.person)}`"
    asked = [
        f" about {person}" if turn.person else "",
        f" in *{safe_text(name_of(GroupRef(turn.connection, turn.group_id)), 100)}*" if turn.group_id else "",
        f" since {format_time(turn.since)}" if turn.since else "",
        f" before {format_time(turn.until)}" if turn.until else "",
    ]
    return f"The audit journal has nothing{''.join(asked)} that you may see. `/wa-audit` alone lists the newest."


def _line(row: AuditRow, name_of: GroupName) -> str:
    try:
        entry = row.entry
    except ValueError:
        return f"• {row.seq}: ⚠️ this row was changed into something that cannot be read"
    who = f" <@{entry.actor}>" if entry.actor else ""
    group = name_of(GroupRef(entry.connection, entry.group_id)) if entry.group_id else ""
    about = f" {entry.operation}" if entry.operation else ""
    where = f" *{safe_text(group, 80)}*" if group else ""
    request = f" `{safe_text(entry.request_id, 40)}`" if entry.request_id else ""
    said = safe_text(_said(entry), 200)
    kind = "refused" if entry.kind is EntryKind.REFUSED_CLICK else entry.kind
    return f"• {row.seq}: {format_time(entry.at)} {kind}{who}{about}{where}{request}{f': {said}' if said else ''}"


def _said(entry: AuditEntry) -> str:
    clicked = entry.details.get("action", "")
    parts = [shorten(entry.phone or entry.typed, 60), entry.outcome, entry.provider_code]
    parts += [str(clicked)] if clicked not in {"", _ASKED} else []
    parts += [f"{name} {entry.details[name]}" for name in _SHOWN if entry.details.get(name)]
    return " · ".join(part for part in parts if part)
