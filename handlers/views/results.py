"""The results in the thread: a line for each person up to 20, above that a table for each 100; and the summary."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC

from slack_sdk.models.blocks import RawTextObject, TableBlock

from bot.domain.outcomes import MEANINGS, Tally
from bot.domain.requests import Participant, Request
from handlers.views.message import Message, message, sections
from handlers.views.request_message import people_of, summary_line
from handlers.views.text import count, cut, foreign, person_name
from providers.base import Outcome

MOST_LINES = 20
COLUMNS = (
    "request_id",
    "operation",
    "connection",
    "group_id",
    "typed",
    "phone",
    "outcome",
    "evidence",
    "provider_code",
    "provider_message",
    "at",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet run a cell (OWASP, "CSV Injection")."""
_JUST_A_NUMBER = re.compile(r"\+[\d ().-]+")
"""A phone as people type it: the worst that a spreadsheet does with it is arithmetic, and scripts compare it."""
_NAME = 24
"""Characters of a name in a table: with the longest answer, 100 rows stay under the size that Slack refuses."""
_SAID = 100
"""Characters of a provider's words in a line."""


def build(request: Request, people: Sequence[Participant], *, total: int) -> Message:
    """Build one page of results: lines where the whole request has at most 20 people, else a table."""
    where = foreign(request.group_name, 100)
    summary = summary_line(Tally.of(p.outcome for p in people))
    if total <= MOST_LINES:
        lines = [_line(p) for p in people]
        return message([f"Results for {where}: {summary}", *lines], sections([f"*Results for {where}*", *lines]))
    pages = f"people {people[0].position + 1:,} to {people[-1].position + 1:,} of {total:,}"
    rows = [[RawTextObject(text=cell) for cell in _row(p)] for p in people]
    return message(
        [
            f"Results for {where}, {pages}: {summary}",
            "Each person stands in the table, and in the file in this thread.",
        ],
        [*sections([f"*Results for {where}*, {pages}"]), TableBlock(rows=rows)],
    )


def summary(request: Request, people: Sequence[Participant]) -> Message:
    """Build the last message of the thread: how many have which outcome, and what to do about the rest."""
    tally = tally_of(people)
    done = sum(n for o, n in tally.counts if MEANINGS[o].done)
    head = f"{people_of(tally)}, {count(tally.answered, 'answer')}: {done:,} in the group."
    details = [
        summary_line(tally),
        *(
            f"• {MEANINGS[o].icon} {n:,} {MEANINGS[o].words}: {MEANINGS[o].advice}"
            for o, n in tally.counts
            if MEANINGS[o].advice
        ),
    ]
    if request.duplicates:
        details.append(f"• {count(request.duplicates, 'entry', 'entries')} named somebody twice and counted once")
    return message(
        [f"<@{request.requester}> {head}", *details], sections([f"<@{request.requester}> *{head}*", *details])
    )


def tally_of(people: Sequence[Participant]) -> Tally:
    """Count the outcomes of these people, and the entries among them that name nobody."""
    return Tally.of((p.outcome for p in people), rejected=sum(not p.person.key for p in people))


def csv_file(request: Request, people: Sequence[Participant]) -> str:
    """Write the complete results as CSV (RFC 4180), in the order of the roster.

    A foreign cell that a spreadsheet would run as a formula gets an apostrophe before it; phones, which are E.164 and
    nothing else, do not.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for p in people:
        writer.writerow(
            (
                request.id,
                request.operation,
                request.connection,
                _harmless(request.group_id),
                _harmless(p.person.typed),
                p.person.phone,
                p.outcome or "",
                p.evidence,
                _harmless(p.provider_code),
                _harmless(p.provider_message),
                p.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if p.at else "",
            )
        )
    return file.getvalue()


def _line(p: Participant) -> str:
    """Say what became of a person; where they are not as was wanted, also why, in the words of who said so."""
    meaning = MEANINGS[p.outcome or Outcome.NOT_ATTEMPTED]
    line = f"{foreign(person_name(p.person), 62)}  {meaning.icon} {meaning.words}"
    said = " ".join(part for part in (p.provider_code, p.provider_message) if part)
    return f"{line}: {foreign(said, _SAID)}" if said and not meaning.done else line


def _row(p: Participant) -> tuple[str, str]:
    meaning = MEANINGS[p.outcome or Outcome.NOT_ATTEMPTED]
    return cut(person_name(p.person), _NAME), f"{meaning.icon} {meaning.words}"


def _harmless(cell: str) -> str:
    if not cell.lstrip(" ").startswith(_FORMULA) or _JUST_A_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
