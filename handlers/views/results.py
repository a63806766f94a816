"""The results in the thread: a line for each person up to 20, above that a table for each 100; and the summary."""

from collections import Counter
from collections.abc import Collection, Sequence

from slack_sdk.models.blocks import ActionsBlock, RawTextObject, TableBlock

from bot.domain.audit import format_timestamp
from bot.domain.csv_rows import COLUMNS, csv_row
from bot.domain.outcomes import OUTCOME_TEXTS, Tally, advice, outcome_label
from bot.domain.requests import Request, RequestItem
from handlers.views import followup_buttons
from handlers.views.blocks import Message, message, sections
from handlers.views.buttons import button
from handlers.views.followup_buttons import FollowupLink
from handlers.views.operation_texts import people_of
from handlers.views.request_message import summary_line
from handlers.views.text import count, item_name, safe_text, shorten, shorten_numbers
from providers.base import Action, Operation, Outcome

EXPORT = "export_csv"
MAX_LINES = 20
_DONE = {
    Operation.ADD: "in the group",
    Operation.CREATE: "in the group",
    Operation.REMOVE: "out of the group",
    Operation.PROMOTE: "admins now",
    Operation.DEMOTE: "no admins now",
}
"""How those are called in the summary who are as the request wanted."""
_NAME = 24
"""Characters of a name in a table: with the longest answer, 100 rows stay under the size that Slack refuses."""
_SAID = 100
"""Characters of a provider's words in a line."""


def build(request: Request, people: Sequence[RequestItem], *, total: int, short: bool = False) -> Message:
    """Build one page of results: lines where the whole request has at most 20 people, else a table.

    Args:
        request: what was asked for.
        people: the page.
        total: how many there are on all pages.
        short: whether digits are left out of phone numbers, because more people read here than may know them.
    """
    where = safe_text(request.group_name, 100)
    summary = summary_line(tally_of(people), request.operation)
    if total <= MAX_LINES:
        lines = [line(p, short=short) for p in people]
        return message([f"Results for {where}: {summary}", *lines], sections([f"*Results for {where}*", *lines]))
    pages = f"people {people[0].position + 1:,} to {people[-1].position + 1:,} of {total:,}"
    rows = [[RawTextObject(text=cell) for cell in _row(p, short=short)] for p in people]
    return message(
        [
            f"Results for {where}, {pages}: {summary}",
            "Each person stands in the table, and in the file in this thread.",
        ],
        [*sections([f"*Results for {where}*, {pages}"]), TableBlock(rows=rows)],
    )


def summary(
    request: Request,
    people: Sequence[RequestItem],
    followed: Sequence[FollowupLink] = (),
    able: Collection[Action] = frozenset(Action),
) -> Message:
    """Build the last message of the thread: how many have which outcome, what to do about the rest, what followed.

    `able` is what the provider can do: the rest is neither advised nor offered.
    """
    tally = tally_of(people)
    head, details = _report(people) if request.reports_only else _answers(request, people, tally, able)
    if request.duplicates:
        details.append(f"• {count(request.duplicates, 'entry', 'entries')} named somebody twice and counted once")
    details += followup_buttons.lines(followed)
    pressed = followup_buttons.build(request, people, tally, followed, able)
    if people:
        pressed.append(button("Export CSV", EXPORT, request, tally))
    return message(
        [f"<@{request.requester}> {head}", *details],
        [
            *sections([f"<@{request.requester}> *{head}*", *details]),
            *([ActionsBlock(elements=pressed)] if pressed else []),
        ],
    )


def _report(people: Sequence[RequestItem]) -> tuple[str, list[str]]:
    """Say what a sync that only reports has found."""
    adding = sum(p.operation is Operation.ADD for p in people)
    head = f"Would add {count(adding, 'person', 'people')}, would remove {len(people) - adding:,}."
    return head, ["Nothing was changed. Resume asks for it, with the approval that it needs."]


def _answers(
    request: Request, people: Sequence[RequestItem], tally: Tally, able: Collection[Action]
) -> tuple[str, list[str]]:
    """Say how many have which outcome, and what to do about those who are not as was wanted."""
    inviting = request.operation is Operation.INVITE and tally.people > 0
    done = tally.count(Outcome.INVITED) if inviting else sum(n for o, n in tally.counts if OUTCOME_TEXTS[o].done)
    standing = "invited" if inviting else _DONE.get(request.operation, "done")
    about = f"{people_of(tally)}, " if tally.people or tally.rejected else ""
    head = f"{about}{count(tally.answered, 'answer')}: {done:,} {standing}."
    invites = {Action.READ_INVITE, Action.SEND_TO_PERSON} <= set(able)
    advised = [
        f"• {OUTCOME_TEXTS[o].icon} {n:,} {outcome_label(o, request.operation)}: {words}"
        for (o, words), n in _advice(people).items()
        if words and (invites or "invite" not in words)
    ]
    return head, [summary_line(tally, request.operation), *advised, *_left(request, people)]


def _advice(people: Sequence[RequestItem]) -> Counter[tuple[Outcome, str]]:
    """Count those who have the same outcome and are advised the same, in the order of the outcomes."""
    return Counter((o, advice(o, p.cause)) for o in Outcome for p in people if p.outcome is o)


def tally_of(people: Sequence[RequestItem]) -> Tally:
    """Count the outcomes of these lines, and how many of them name nobody."""
    nameless = [p for p in people if not p.person.is_person]
    rejected = sum(p.outcome is Outcome.INVALID for p in nameless)
    return Tally.of((p.outcome for p in people), rejected=rejected, things=len(nameless) - rejected)


def csv_file(request: Request, people: Sequence[RequestItem]) -> str:
    """Write the complete results as CSV (RFC 4180), in the order of the roster."""
    rows = (
        (
            request.id,
            request.operation,
            request.connection,
            request.group_id,
            p.person.raw,
            p.person.phone,
            p.outcome or "",
            p.evidence,
            p.provider_code,
            p.provider_message,
            format_timestamp(p.at) if p.at else "",
        )
        for p in people
    )
    return "".join(map(csv_row, (COLUMNS, *rows)))


def line(p: RequestItem, *, short: bool) -> str:
    """Say what became of a person; where they are not as was wanted, also why, in the words of who said so."""
    outcome = p.outcome or Outcome.NOT_ATTEMPTED
    said = " ".join(part for part in (p.provider_code, p.provider_message) if part)
    told = f"{safe_text(item_name(p, short=short), 62)}  {_told(p)}"
    if not said or OUTCOME_TEXTS[outcome].done:
        return told
    return f"{told}: {safe_text(shorten_numbers(said) if short else said, _SAID)}"


def _left(request: Request, people: Sequence[RequestItem]) -> list[str]:
    """Say why people were not attempted, in the words of the first of them, and who stopped it where somebody did."""
    left = next((p for p in people if p.outcome is Outcome.NOT_ATTEMPTED), None)
    if left is None or request.options.look_only:
        return []
    if request.stopped_by:
        return [f"• ⏹️ Stopped by <@{request.stopped_by}> before everybody's turn had come"]
    return [f"• ⏸️ Why it stopped: {safe_text(left.provider_message, 300)}"] if left.provider_message else []


def _row(p: RequestItem, *, short: bool) -> tuple[str, str]:
    return shorten(item_name(p, short=short), _NAME), _told(p)


def _told(p: RequestItem) -> str:
    outcome = p.outcome or Outcome.NOT_ATTEMPTED
    return f"{OUTCOME_TEXTS[outcome].icon} {outcome_label(outcome, p.operation)}"
