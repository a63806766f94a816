"""The preview of a request: what it would do, before anything is asked for."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import Block, DividerBlock, PlainTextObject
from slack_sdk.models.views import View

from bot.domain.approvals import ApprovalRule
from bot.domain.drafts import Preview, RequestDraft
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from bot.domain.sync import Drift, SyncMode
from handlers.payloads import Payload
from handlers.views.blocks import context, sections
from handlers.views.operation_texts import title
from handlers.views.request_content import draft_content
from handlers.views.text import count, escape, format_time, person_name, rejected_entry, safe_text, shorten
from providers.base import Operation, Person

CALLBACK_ID = "preview"
_SHOWN = 50
_MOST_NAMED = 10
_MINUTE, _HOUR = 60, 3600
_DAY = 86_400
_SUBMIT = {
    Operation.ADD: "Add",
    Operation.REMOVE: "Remove",
    Operation.PROMOTE: "Make admins",
    Operation.DEMOTE: "Take admin rights",
    Operation.CREATE: "Create",
    Operation.SETTINGS: "Change",
    Operation.INVITE: "Invite",
    Operation.SEND: "Send",
    Operation.SYNC: "Start the sync",
}
_TO_DO = "to be sent to the provider"
_NEW = {
    Operation.ADD: "new: to be added",
    Operation.REMOVE: "in the group: to be removed",
    Operation.PROMOTE: "not admins yet: to be made admins",
    Operation.DEMOTE: "who may be admins: to be made members again",
    Operation.SEND: "to be sent the text",
    Operation.INVITE: "to be sent the link",
}
_LATER = {
    Operation.ADD: "in the group already; nothing is sent for them",
    Operation.PROMOTE: "admins already; nothing is sent for them",
    Operation.DEMOTE: "no admins; nothing is sent for them",
}
_ABSENT = {
    Operation.REMOVE: "not in the group: nothing to remove, nothing is sent for them",
    Operation.PROMOTE: "not in the group: they cannot be made admins, and nothing is sent for them",
    Operation.DEMOTE: "not in the group: no admin rights to take, nothing is sent for them",
}
_MODES = {
    SyncMode.ADD: "Who is missing in the group is added; nobody is removed.",
    SyncMode.MIRROR: "Who is missing in the group is added, and who is not on the list is removed, but for admins and "
    "those whom the configuration keeps.",
    SyncMode.REPORT: "Only reported: nothing is changed.",
}


class SyncTerms(Payload):
    """What a sync says besides its list: `every` in seconds, 0: once; `other` is by connection and id."""

    mode: SyncMode
    every: float = 0.0
    usergroup: str = ""
    usergroup_name: str = ""
    other: tuple[str, str] | None = None


class PreviewMetadata(Payload):
    """What a preview brings back: under which key its draft is kept, and of a sync its terms."""

    draft: str
    sync: SyncTerms | None = None


@dataclass(frozen=True, slots=True)
class PreviewData:
    """What a preview shows.

    Attributes:
        key: under which the draft is kept.
        preview: what it would do; None for a sync, whose list is compared when it runs.
        reading: the group is still being read; another preview takes the place of this one.
        warning: what the configuration wants everybody to know of the group.
        source: where in the file the numbers stood; empty where there was no file.
        without: the lines of the file that have no number.
        sync: the terms of a sync.
        list_: what the list of a sync is, in words.
        drift: how the group differs from the list, or why that cannot be told, in words; None where it is not known.
        rule: the approval that a sync needs.
    """

    key: str
    draft: RequestDraft
    preview: Preview | None
    reading: bool = False
    warning: str = ""
    source: str = ""
    without: Sequence[int] = field(default_factory=tuple)
    sync: SyncTerms | None = None
    list_: str = ""
    drift: Drift | str | None = None
    rule: ApprovalRule | None = None


def build(facts: PreviewData, external_id: str) -> View:
    """Build the preview."""
    blocks: list[Block] = sections([f"*{_heading(facts)}*"])
    if facts.warning:
        blocks += sections([f"⚠️ Warning: {safe_text(facts.warning, 1000)}"])
    blocks += [*sections(_lines(facts)), *draft_content(facts.draft)]
    if unusable := _unusable(facts):
        blocks += [DividerBlock(), *sections(unusable)]
    blocks.append(context("Nothing has been asked for yet. *Back* leads to the form, with all that you typed."))
    carried = PreviewMetadata(draft=facts.key, sync=facts.sync)
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        external_id=external_id,
        title=PlainTextObject(text="Preview"),
        submit=PlainTextObject(text=_submit(facts)),
        close=PlainTextObject(text="Back"),
        private_metadata=carried.model_dump_json(),
        blocks=blocks,
    )


def parse(view: dict[str, Any]) -> PreviewMetadata:
    """Read back what is to be asked for, from the `view` of a `view_submission`. Raises `ValueError` for another."""
    return PreviewMetadata.model_validate(json.loads(view["private_metadata"]))


def _submit(facts: PreviewData) -> str:
    needs_approval = facts.preview and facts.preview.rule
    return "Ask for approval" if needs_approval else _SUBMIT[facts.draft.operation]


def _heading(facts: PreviewData) -> str:
    draft = facts.draft
    if facts.sync:
        return f"Bring {safe_text(draft.group.name, 100)} in line with a list"
    total, rejected = len(draft.roster.people) + len(draft.roster.rejected), len(draft.roster.rejected)
    request = Request(
        id=draft.id,
        operation=draft.operation,
        connection=draft.group.connection,
        group_id=draft.group.id,
        group_name=draft.group.name,
        requester=draft.requester.user_id,
        channel=draft.channel,
        reason=draft.reason,
        rule=None,
        duplicates=len(draft.roster.duplicates),
        asked_at=datetime.now(UTC),
        options=draft.options,
    )
    return title(request, Tally.of([None] * total, rejected=rejected), bold=False)


def _lines(facts: PreviewData) -> list[str]:
    draft = facts.draft
    lines = [f"Connection: `{safe_text(draft.group.connection, 100)}`"]
    if draft.group.id:
        lines.append(f"Group id: `{safe_text(draft.group.id, 200)}`")
    if facts.sync:
        lines += _of_sync(facts, facts.sync)
    if facts.source:
        lines.append(f"Read from the file: {safe_text(facts.source, 200)}")
    if facts.preview:
        lines += _of_people(facts, facts.preview) if draft.roster.people else []
        lines += _of_sending(facts.preview, nobody=bool(draft.roster.people) and not facts.preview.to_change)
    if draft.options.invite_refused:
        lines.append("Those who refuse a direct add are sent the invite link in a message.")
    lines.append(
        f"Begins: {format_time(draft.options.run_at)}, not before" if draft.options.run_at else "Begins: at once"
    )
    if facts.sync:
        lines += _of_approval(facts.rule)
    elif facts.preview:
        lines += _of_approval(facts.preview.rule)
    if draft.reason:
        lines.append(f"Reason: {safe_text(draft.reason, 600)}")
    return lines


def _of_people(facts: PreviewData, preview: Preview) -> list[str]:
    roster, operation = facts.draft.roster, facts.draft.operation
    new = _NEW.get(operation, _TO_DO) if preview.group_was_read else _TO_DO
    lines = [f"• {count(len(preview.to_change), 'person', 'people')} {new}"]
    if facts.reading:
        lines.append("• Still reading who is in the group; this preview is updated by itself.")
    elif not preview.group_was_read and facts.draft.group.id:
        lines.append("• The group could not be read: who is as wanted already is found out before anything is sent.")
    elif operation in _LATER:
        lines.append(f"• {count(len(preview.already), 'person', 'people')} {_LATER[operation]}")
    if preview.absent:
        absent = count(len(preview.absent), "person", "people")
        lines.append(f"• {absent} {_ABSENT[operation]}: {_named(preview.absent)}")
    if roster.duplicates:
        times = count(len(roster.duplicates), "entry names", "entries name")
        lines.append(f"• {times} somebody again, and counts once: {_named(d.first for d in roster.duplicates)}")
    if roster.rejected:
        lines.append(f"• {count(len(roster.rejected), 'entry', 'entries')} not usable, listed below")
    if preview.over_capacity:
        lines.append(f"• ⚠️ {count(preview.over_capacity, 'person', 'people')} more than the group has places for")
    return lines


def _named(people: Iterable[Person]) -> str:
    """Name each of some people once, the first of them only where they are many."""
    names = list(dict.fromkeys(person_name(person) for person in people))
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return escape(", ".join(names[:_MOST_NAMED])) + more


def _of_sending(preview: Preview, *, nobody: bool) -> list[str]:
    if nobody:
        return ["Nothing would be sent to the provider."]
    lines = [f"Takes about {_span(preview.seconds)} at this connection's pace"]
    if preview.remaining_today is not None:
        late = " ⚠️ That is not enough for all." if preview.remaining_today < len(preview.to_change) else ""
        lines.append(f"People that the connection may still send today: {preview.remaining_today:,}.{late}")
    if preview.cooldown:
        why = safe_text(preview.cooldown.reason, 300)
        lines.append(f"⚠️ The account rests until {format_time(preview.cooldown.until)} and sends nothing before: {why}")
    return lines


def _of_approval(rule: ApprovalRule | None) -> list[str]:
    if not rule:
        return ["Approval: none needed"]
    roles = " or ".join(f"`{escape(name)}`" for name in rule.approvers)
    return [f"Approval: needs {rule.quorum} by {roles}"]


def _of_sync(facts: PreviewData, terms: SyncTerms) -> list[str]:
    lines = [f"The list: {facts.list_}", _MODES[terms.mode]]
    if facts.draft.roster.duplicates:
        again = count(len(facts.draft.roster.duplicates), "entry names", "entries name")
        lines.append(f"{again} somebody again, and counts once")
    lines.append("Group and list are compared when it runs; what differs becomes a request with a line for each name.")
    match facts.drift:
        case Drift() as drift:
            lines.append("Compared just now:")
            lines.append(f"• {count(len(drift.missing), 'person', 'people')} on the list and not in the group")
            lines.append(f"• {count(len(drift.extra), 'person', 'people')} in the group and not on the list")
            lines.append(f"• {count(len(drift.protected), 'person', 'people')} not on the list, but never removed")
            lines.append(f"• {count(drift.without_phone, 'member')} without a phone, of whom nobody can tell")
        case str(words):
            lines.append(f"They could not be compared just now: {words}")
        case None if facts.reading:
            lines.append("Still comparing them; this preview is updated by itself.")
    if terms.every:
        lines.append(f"Repeated every {_span(terms.every)}")
    return lines


def _unusable(facts: PreviewData) -> list[str]:
    rejected, lines = facts.draft.roster.rejected, []
    if rejected:
        what = "they are left out of the list" if facts.sync else "each gets its answer in the results"
        lines.append(f"*Not usable ({len(rejected):,})*; {what}:")
        lines += [f"• {rejected_entry(entry)}" for entry in rejected[:_SHOWN]]
        if len(rejected) > _SHOWN:
            lines.append(f"• and {len(rejected) - _SHOWN:,} more")
    if facts.without:
        named = ", ".join(f"{line:,}" for line in facts.without[:_SHOWN])
        more = ", …" if len(facts.without) > _SHOWN else ""
        lines.append(f"Lines of the file without a number ({len(facts.without):,}): {shorten(named, 500)}{more}")
    return lines


def _span(seconds: float) -> str:
    """Say how long something takes, rounded up.

    >>> _span(90)
    '2 minutes'
    """
    if seconds < _MINUTE:
        return count(max(1, round(seconds)), "second")
    if seconds < 2 * _HOUR:
        return count(-(-int(seconds) // _MINUTE), "minute")
    if seconds < 2 * _DAY:
        return count(-(-int(seconds) // _HOUR), "hour")
    return count(timedelta(seconds=seconds + _DAY - 1).days, "day")
