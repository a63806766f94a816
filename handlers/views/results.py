"""The results in the thread: a line for each person up to 20, else a table for each 100; and the summary."""

from collections import Counter
from collections.abc import Collection, Sequence

from slack_sdk.models.blocks import ActionsBlock, RawTextObject, TableBlock

from bot.domain.audit import format_timestamp
from bot.domain.csv_rows import COLUMNS, csv_row
from bot.domain.outcomes import OUTCOME_TEXTS, Tally, advice
from bot.domain.requests import Request, RequestItem
from handlers.views import followup_buttons
from handlers.views.blocks import Message, message, sections
from handlers.views.buttons import button
from handlers.views.followup_buttons import FollowupLink
from handlers.views.headlines import headline, tally_of
from handlers.views.operation_texts import outcome_label
from handlers.views.request_message import summary_line
from handlers.views.text import count, item_name, safe_text, shorten, shorten_numbers
from providers.base import Action, Outcome

EXPORT = "export_csv"
MAX_LINES = 20
_MAX_NAME = 24
"""Characters of a name in a table: 100 rows with the longest results stay below the size that Slack refuses."""
_MAX_PROVIDER_TEXT = 100


def build(request: Request, people: Sequence[RequestItem], *, total: int, short: bool = False) -> Message:
    """Build one page of results: lines for a request of up to 20 people, else a table.

    Args:
        request: the request.
        people: the page.
        total: the number of people on all pages.
        short: whether phone numbers are masked, because not everyone in the channel may see them.
    """
    where = safe_text(request.group_name, 100)
    counted = summary_line(tally_of(people), request.operation)
    if total <= MAX_LINES:
        lines = [line(p, short=short) for p in people]
        return message([f"Results for {where}: {counted}", *lines], sections([f"*Results for {where}*", *lines]))
    pages = f"people {people[0].position + 1:,} to {people[-1].position + 1:,} of {total:,}"
    rows = [[RawTextObject(text=cell) for cell in _row(p, short=short)] for p in people]
    return message(
        [
            f"Results for {where}, {pages}: {counted}",
            "Everyone is in the table. Export CSV sends you the complete list.",
        ],
        [*sections([f"*Results for {where}*, {pages}"]), TableBlock(rows=rows)],
    )


def summary(
    request: Request,
    people: Sequence[RequestItem],
    followed: Sequence[FollowupLink] = (),
    able: Collection[Action] = frozenset(Action),
    *,
    account: str = "The provider",
    lost_file: bool = False,
) -> Message:
    """Build the last message of the thread: the result, what to do about the rest, and the follow-ups.

    Follow-ups and advice that need other actions than `able` are left out. `account` is the provider's name.
    `lost_file` says whether the file with the results couldn't be uploaded.
    """
    tally = tally_of(people)
    head, lines = headline(request, people, account), _details(request, people, tally, able)
    if request.duplicates:
        lines.append(f"• {duplicates_ignored(request.duplicates)}")
    if lost_file:
        lines.append("• ⚠️ The file with the results couldn't be uploaded. Press Export CSV to get it.")
    lines += followup_buttons.lines(followed)
    pressed = followup_buttons.build(request, people, tally, followed, able)
    if people:
        pressed.append(button("Export CSV", EXPORT, request, tally))
    return message(
        [f"<@{request.requester}> {head}", *lines],
        [
            *sections([f"<@{request.requester}> *{head}*", *lines]),
            *([ActionsBlock(elements=pressed)] if pressed else []),
        ],
    )


def duplicates_ignored(number: int) -> str:
    """Return how many entries were duplicates."""
    return f"{count(number, 'duplicate')} ignored"


def _details(request: Request, people: Sequence[RequestItem], tally: Tally, able: Collection[Action]) -> list[str]:
    """Return lines with the counts and with what to do about the rest."""
    if request.reports_only:
        resume = " Press Resume to make these changes; they may need approval." if people else ""
        return [f"Nothing was changed.{resume}"]
    invites = {Action.READ_INVITE, Action.SEND_TO_PERSON} <= set(able)
    advised = [
        f"• {OUTCOME_TEXTS[o].icon} {n:,} {outcome_label(o, request.operation)}: {words}"
        for (o, words), n in _advice(people).items()
        if words and (invites or "invite" not in words)
    ]
    return [summary_line(tally, request.operation), *advised, *_unattempted(request, people)]


def _advice(people: Sequence[RequestItem]) -> Counter[tuple[Outcome, str]]:
    """Count the people with the same outcome and the same advice, in the order of the outcomes."""
    return Counter((o, advice(o, p.cause)) for o in Outcome for p in people if p.outcome is o)


def csv_file(request: Request, people: Sequence[RequestItem]) -> str:
    """Return the complete results as CSV (RFC 4180), in the order of the roster, with the people's names at the end."""
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
            p.person.name,
        )
        for p in people
    )
    return "".join(map(csv_row, ((*COLUMNS, "name"), *rows)))


def line(p: RequestItem, *, short: bool) -> str:
    """Return the result of a person; if it isn't a success, with the code and the words behind it."""
    outcome = p.outcome or Outcome.NOT_ATTEMPTED
    reason = " ".join(part for part in (p.provider_code, p.provider_message) if part)
    result = f"{safe_text(item_name(p, short=short), 62)}  {_outcome(p)}"
    if not reason or OUTCOME_TEXTS[outcome].done:
        return result
    return f"{result}: {safe_text(shorten_numbers(reason) if short else reason, _MAX_PROVIDER_TEXT)}"


def _unattempted(request: Request, people: Sequence[RequestItem]) -> list[str]:
    """Return why people weren't attempted, from the first of them, and who stopped the request."""
    first = next((p for p in people if p.outcome is Outcome.NOT_ATTEMPTED), None)
    if first is None or request.options.look_only:
        return []
    if request.stopped_by:
        return [f"• ⏹️ Stopped by <@{request.stopped_by}> before everyone was processed"]
    return [f"• ⏸️ Why it stopped: {safe_text(first.provider_message, 300)}"] if first.provider_message else []


def _row(p: RequestItem, *, short: bool) -> tuple[str, str]:
    return shorten(item_name(p, short=short), _MAX_NAME), _outcome(p)


def _outcome(p: RequestItem) -> str:
    outcome = p.outcome or Outcome.NOT_ATTEMPTED
    return f"{OUTCOME_TEXTS[outcome].icon} {outcome_label(outcome, p.operation)}"
