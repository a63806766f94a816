"""The preview of a request: what it would do, before it is submitted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import Json
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, DividerBlock, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from bot.domain.approvals import ApprovalRule
from bot.domain.outcomes import Tally
from bot.domain.requests import Preview, RequestDraft
from bot.domain.sync import Drift, SyncMode
from handlers.payloads import Payload
from handlers.views.answers import Unread
from handlers.views.blocks import MAX_LABEL, Message, context, message, sections
from handlers.views.operation_texts import OPERATION_TEXTS, Subject, capitalize, describe, submit_label
from handlers.views.request_content import INVITES_REFUSED, draft_content
from handlers.views.results import duplicates_ignored
from handlers.views.text import (
    count,
    escape,
    format_time,
    person_name,
    rejected_entry,
    roles,
    safe_text,
    scheduled_for,
    shorten,
)
from providers.base import Person

CALLBACK_ID = "preview"
CONFIRM = "confirm_command"
CANCEL = "cancel_command"
_MAX_SHOWN = 50
_MAX_NAMED = 10
_MINUTE, _HOUR = 60, 3600
_DAY = 86_400
_ASK_FOR_APPROVAL = "Ask for approval"
_NOT_READ = "to send to the provider"
_MODES = {
    SyncMode.ADD: "Adds people who are missing from the group, and removes no one.",
    SyncMode.MIRROR: "Adds people who are missing from the group, and removes people who aren't on the list, except "
    "admins and the numbers that the configuration keeps.",
    SyncMode.REPORT: "Only reports the difference, and changes nothing.",
}


class SyncTerms(Payload):
    """The options of a sync besides its list: `every` in seconds, 0 for once; `other` is a connection and group id."""

    mode: SyncMode
    every: float = 0.0
    usergroup: str = ""
    usergroup_name: str = ""
    other: tuple[str, str] | None = None


class PreviewMetadata(Payload):
    """What a preview carries: the key of the saved draft, and the terms of a sync."""

    draft: str
    sync: SyncTerms | None = None


class _View(Payload):
    private_metadata: Json[PreviewMetadata]


@dataclass(frozen=True, slots=True)
class PreviewData:
    """The content of a preview.

    Attributes:
        key: the key of the saved draft.
        preview: what the draft would do; None for a sync, which compares its list when it runs.
        reading: whether the group is still being read; a complete preview then replaces this one.
        warning: the group's warning in the configuration.
        source: where in the file the numbers are; empty without a file.
        without: the lines of the file that have no number.
        sync: the terms of a sync.
        list_: the list of a sync, in words.
        drift: how the group differs from the list, or why they can't be compared; None if unknown.
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
    drift: Drift | Unread | None = None
    rule: ApprovalRule | None = None


def build(data: PreviewData, external_id: str) -> View:
    """Build the preview."""
    submit = _submit(data)
    blocks: list[Block] = sections([f"*{_heading(data)}*"])
    if data.warning:
        blocks += sections([f"⚠️ Warning: {safe_text(data.warning, 1000)}"])
    blocks += [*sections(_lines(data)), *draft_content(data.draft)]
    if skipped := _skipped(data):
        blocks += [DividerBlock(), *sections(skipped)]
    blocks.append(context(f"Nothing happens until you press *{submit}*. *Back* keeps what you typed."))
    carried = PreviewMetadata(draft=data.key, sync=data.sync)
    return View(
        type="modal",
        callback_id=CALLBACK_ID,
        external_id=external_id,
        title=PlainTextObject(text="Preview"),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text="Back"),
        private_metadata=carried.model_dump_json(),
        blocks=blocks,
    )


def question(data: PreviewData) -> Message:
    """Build the question that only the person sees, before a typed command does what can't be taken back."""
    submit = _submit(data)
    heading = f"{_heading(data)}?"
    warned = [f"⚠️ Warning for this group: {safe_text(data.warning, 1000)}"] if data.warning else []
    lines = [f"Connection: `{safe_text(data.draft.group.connection, 100)}`"]
    if data.preview:
        lines += [*_limit_lines(data.preview), _start_line(data.draft), _approval_line(data.preview.rule)]
    if data.draft.reason:
        lines.append(f"Reason: {safe_text(data.draft.reason, 600)}")
    skipped, last = _skipped(data), f"Nothing happens until you press *{submit}*. Only you see this."
    label = shorten(f"{submit}: {heading}", MAX_LABEL)
    pressed = [
        ButtonElement(text=submit, action_id=CONFIRM, value=data.key, style="primary", accessibility_label=label),
        ButtonElement(text="Cancel", action_id=CANCEL, accessibility_label=shorten(f"Cancel: {heading}", MAX_LABEL)),
    ]
    content = draft_content(data.draft)
    blocks = [*sections([f"*{heading}*", *warned]), *content, *sections([*lines, *skipped])]
    spoken = [heading, *warned, *_plain(content), *lines, *skipped, last]
    return message(spoken, [*blocks, ActionsBlock(elements=pressed), context(last)])


def _plain(content: Sequence[Block]) -> list[str]:
    """Return the texts of blocks, for the plain text of their message."""
    texts = [block.text for block in content if isinstance(block, SectionBlock)]
    return [escape(text.text) if isinstance(text, PlainTextObject) else text.text for text in texts if text]


def parse(view: dict[str, Any]) -> PreviewMetadata:
    """Parse the `view` of a `view_submission`. Raises `MalformedPayload` for another shape."""
    return _View.model_validate(view).private_metadata


def _submit(data: PreviewData) -> str:
    needs_approval = data.preview and data.preview.rule
    return _ASK_FOR_APPROVAL if needs_approval else submit_label(*_subject(data.draft))


def _heading(data: PreviewData) -> str:
    draft = data.draft
    if data.sync:
        return f"Sync {safe_text(draft.group.name, 100)} with a list"
    return capitalize(describe(*_subject(draft), bold=False))


def _subject(draft: RequestDraft) -> tuple[Subject, Tally]:
    """Return what the phrases are about, and the number of people."""
    total, rejected = len(draft.roster.people) + len(draft.roster.rejected), len(draft.roster.rejected)
    subject = Subject(draft.operation, draft.group.name, draft.group.connection, draft.options)
    return subject, Tally.of([None] * total, rejected=rejected)


def _lines(data: PreviewData) -> list[str]:
    draft = data.draft
    lines = [f"Connection: `{safe_text(draft.group.connection, 100)}`"]
    if draft.group.id:
        lines.append(f"Group id: `{safe_text(draft.group.id, 200)}`")
    if data.sync:
        lines += _sync_lines(data, data.sync)
    if data.source:
        lines.append(f"Read from the file: {safe_text(data.source, 200)}")
    if data.preview:
        lines += _people_lines(data, data.preview) if draft.roster.people else []
        lines += _sending_lines(data.preview, no_one=bool(draft.roster.people) and not data.preview.to_change)
    if draft.options.invite_refused:
        lines.append(INVITES_REFUSED)
    lines.append(_start_line(draft))
    if data.sync:
        lines.append(_approval_line(data.rule))
    elif data.preview:
        lines.append(_approval_line(data.preview.rule))
    if draft.reason:
        lines.append(f"Reason: {safe_text(draft.reason, 600)}")
    return lines


def _people_lines(data: PreviewData, preview: Preview) -> list[str]:
    roster, text = data.draft.roster, OPERATION_TEXTS[data.draft.operation]
    new = text.new if preview.group_was_read else _NOT_READ
    lines = [f"• {count(len(preview.to_change), 'person', 'people')} {new}"]
    if data.reading:
        lines.append("• Still checking who's in the group. This preview will update.")
    elif not preview.group_was_read and data.draft.group.id:
        lines.append("• Couldn't read the group. We'll check who needs a change before anything is sent.")
    elif text.already:
        lines.append(f"• {count(len(preview.already), 'person', 'people')} {text.already}")
    if preview.absent:
        absent = count(len(preview.absent), "person", "people")
        lines.append(f"• {absent} {text.absent}: {_named(preview.absent)}")
    if roster.duplicates:
        lines.append(f"• {duplicates_ignored(len(roster.duplicates))}: {_named(d.first for d in roster.duplicates)}")
    if roster.rejected:
        lines.append(f"• Couldn't read {count(len(roster.rejected), 'entry', 'entries')}, listed below")
    if preview.over_capacity:
        over = count(preview.over_capacity, "person doesn't", "people don't")
        lines.append(f"• ⚠️ {over} fit into the group")
    return lines


def _named(people: Iterable[Person]) -> str:
    """Return the distinct names of people, the first ten of them if there are more."""
    names = list(dict.fromkeys(person_name(person) for person in people))
    more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
    return escape(", ".join(names[:_MAX_NAMED])) + more


def _sending_lines(preview: Preview, *, no_one: bool) -> list[str]:
    if no_one:
        return ["Nothing would be sent to the provider."]
    return [f"Takes about {_span(preview.seconds)} at this connection's pace.", *_limit_lines(preview)]


def _limit_lines(preview: Preview) -> list[str]:
    lines = []
    if preview.remaining_today is not None:
        short = " ⚠️ That isn't enough for everyone." if preview.remaining_today < len(preview.to_change) else ""
        lines.append(f"{preview.remaining_today:,} left in today's limit.{short}")
    if preview.cooldown:
        why = safe_text(preview.cooldown.reason, 300)
        lines.append(f"⚠️ The account is paused until {format_time(preview.cooldown.until)}: {why}")
    return lines


def _start_line(draft: RequestDraft) -> str:
    return scheduled_for(draft.options.run_at) if draft.options.run_at else "Starts immediately."


def _approval_line(rule: ApprovalRule | None) -> str:
    return f"Needs {count(rule.quorum, 'approval')} by {roles(rule.approvers)}." if rule else "No approval needed."


def _sync_lines(data: PreviewData, terms: SyncTerms) -> list[str]:
    lines = [f"List: {data.list_}", _MODES[terms.mode]]
    if data.draft.roster.duplicates:
        lines.append(duplicates_ignored(len(data.draft.roster.duplicates)))
    lines.append("The group is compared with the list when the sync runs. The changes become a request.")
    match data.drift:
        case Drift() as drift:
            lines.append("Right now:")
            lines.append(f"• {count(len(drift.missing), 'person', 'people')} on the list but not in the group")
            lines.append(f"• {count(len(drift.extra), 'person', 'people')} in the group but not on the list")
            lines.append(f"• {count(len(drift.protected), 'person', 'people')} not on the list but never removed")
            lines.append(f"• {count(drift.without_phone, 'member')} without a visible phone number (skipped)")
        case Unread(reason):
            lines.append(f"Couldn't compare them right now: {reason}")
        case None if data.reading:
            lines.append("Still comparing. This preview will update.")
    if terms.every:
        lines.append(f"Repeats every {_span(terms.every)}.")
    return lines


def _skipped(data: PreviewData) -> list[str]:
    rejected, lines = data.draft.roster.rejected, []
    if rejected:
        lines.append(f"*Couldn't read {count(len(rejected), 'entry', 'entries')}*")
        lines += [f"• {rejected_entry(entry)}" for entry in rejected[:_MAX_SHOWN]]
        if len(rejected) > _MAX_SHOWN:
            lines.append(f"• and {len(rejected) - _MAX_SHOWN:,} more")
    if data.without:
        named = ", ".join(f"{line:,}" for line in data.without[:_MAX_SHOWN])
        more = ", …" if len(data.without) > _MAX_SHOWN else ""
        missing = count(len(data.without), "line of the file has", "lines of the file have")
        lines.append(f"{missing} no number: {shorten(named, 500)}{more}")
    return lines


def _span(seconds: float) -> str:
    """Return a duration in words, rounded up.

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
