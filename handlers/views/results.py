"""The reply in the thread: the result, the people who need attention, the counts of the others, and the follow-ups."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock

from bot.domain.audit import format_timestamp
from bot.domain.csv_rows import COLUMNS, csv_row
from bot.domain.operations import OPERATIONS
from bot.domain.outcomes import OUTCOME_TEXTS, Tally, advice
from bot.domain.requests import Request, RequestItem, RequestState
from handlers.views import followup_buttons
from handlers.views.blocks import Message, message, sections
from handlers.views.buttons import button
from handlers.views.followup_buttons import FollowupLink
from handlers.views.headlines import headline, is_success, reason, tally_of
from handlers.views.operation_texts import OPERATION_TEXTS, capitalize, outcome_label
from handlers.views.request_message import summary_line
from handlers.views.text import count, format_time, item_name, safe_text, shorten_numbers
from providers.base import Action, Outcome

EXPORT = "export_csv"
MAX_WITHOUT_FILE = 20
"""The maximum number of people in a request whose thread gets no file."""
_MAX_NAME = 62
_MAX_PROVIDER_TEXT = 100
_IN_BLOCKS = (6_000, 12)
"""The maximum number of characters about people, and of reasons for the people who aren't listed. Slack can refuse a
message near 13,200 characters (bolt-js #2509)."""
_IN_TEXT = (2_000, 4)
"""The same for the plain text."""
_MAX_TEXT = 3_600
"""Characters of the plain text: chat.update refuses more than 4,000."""
_ORDER = (
    Outcome.FAILED,
    Outcome.RATE_LIMITED,
    Outcome.GROUP_FULL,
    Outcome.REFUSED,
    Outcome.RECENTLY_LEFT,
    Outcome.BLOCKED,
    Outcome.NOT_ON_WHATSAPP,
    Outcome.INVALID,
    Outcome.UNKNOWN,
    Outcome.PENDING,
    Outcome.INVITED,
    Outcome.NOT_ATTEMPTED,
)
"""The order of the reasons that the same number of people have."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What the reply to a request depends on besides the request.

    Attributes:
        account: the name of its provider.
        able: the actions that the provider supports; follow-ups and advice that need others are left out.
        short: whether phone numbers are masked, because not everyone in the channel may see them.
        lost_file: whether the file with the results couldn't be uploaded.
    """

    account: str
    able: Collection[Action] = frozenset(Action)
    short: bool = False
    lost_file: bool = False


@dataclass(frozen=True, slots=True)
class _Problem:
    """A person who needs attention, and the result in words, which several people can have."""

    name: str
    outcome: Outcome
    result: str


def reply(
    request: Request,
    people: Sequence[RequestItem],
    audience: Audience,
    followed: Sequence[FollowupLink] = (),
    *,
    next_check: datetime | None = None,
) -> Message:
    """Build the reply to a request that is running or done.

    People with a problem come first, each with the reason and the next step; the others are counted. If the list is
    too long for a message, the rest of it is counted by reason. While the request runs, only the people with a result
    are shown, and unknown people as being verified, next at `next_check`. The buttons come at the end.
    """
    if request.state is RequestState.RUNNING:
        return _interim(request, people, audience, next_check)
    tally, problems = tally_of(people), [_problem(request, p, audience) for p in people if not is_success(p)]
    counted = [] if request.reports_only else [summary_line(tally, request.operation)]
    rest = [*counted, *_remarks(request, tally, audience), *followup_buttons.lines(followed)]
    shown, read = ([*_listed(problems, limits), *rest] for limits in (_IN_BLOCKS, _IN_TEXT))
    pressed = followup_buttons.build(request, people, tally, followed, audience.able)
    if people:
        pressed.append(button("Export CSV", EXPORT, request, tally))
    head = headline(request, people, audience.account)
    return message(
        _fitting([f"<@{request.requester}> {head}", *read]),
        [
            *sections([f"<@{request.requester}> *{head}*", *shown]),
            *([ActionsBlock(elements=pressed)] if pressed else []),
        ],
    )


def _interim(
    request: Request, people: Sequence[RequestItem], audience: Audience, next_check: datetime | None
) -> Message:
    checked = [p for p in people if _is_verifiable(p)]
    settled = [p for p in people if p.outcome and not _is_verifiable(p)]
    when = f"next check {format_time(next_check)}" if next_check else "after everyone was sent"
    problems = [
        *(_problem(request, p, audience) for p in settled if not is_success(p)),
        *(_Problem(_name(p, audience), Outcome.UNKNOWN, f"🔎 being verified: {when}.") for p in checked),
    ]
    head = f"<@{request.requester}> Results so far: {len(settled):,} of {len(people):,}"
    counted = [summary_line(tally_of(settled), request.operation)] if settled else []
    shown, read = ([*_listed(problems, limits), *counted] for limits in (_IN_BLOCKS, _IN_TEXT))
    return message(_fitting([head, *read]), sections([head, *shown]))


def duplicates_ignored(number: int) -> str:
    """Return how many entries were duplicates."""
    return f"{count(number, 'duplicate')} ignored"


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
    words = " ".join(part for part in (p.provider_code, p.provider_message) if part)
    result = f"{safe_text(item_name(p, short=short), _MAX_NAME)}  {_outcome(p)}"
    if not words or OUTCOME_TEXTS[outcome].done:
        return result
    return f"{result}: {safe_text(shorten_numbers(words) if short else words, _MAX_PROVIDER_TEXT)}"


def _problem(request: Request, item: RequestItem, audience: Audience) -> _Problem:
    name = _name(item, audience)
    if request.reports_only:
        change = safe_text(item.provider_message, _MAX_PROVIDER_TEXT) or OPERATION_TEXTS[item.operation].planned
        return _Problem(name, Outcome.NOT_ATTEMPTED, change)
    outcome = item.outcome or Outcome.NOT_ATTEMPTED
    why = reason(request, item, audience.account, short=audience.short)
    next_step = advice(outcome, item.cause)
    invites = {Action.READ_INVITE, Action.SEND_TO_PERSON} <= set(audience.able)
    if ("invite" in next_step and not invites) or (outcome is Outcome.NOT_ATTEMPTED and request.options.look_only):
        next_step = ""
    result = f"{_outcome(item)}{f': {why}' if why else ''}."
    return _Problem(name, outcome, f"{result} {capitalize(next_step)}." if next_step else result)


def _is_verifiable(item: RequestItem) -> bool:
    return item.outcome is Outcome.UNKNOWN and OPERATIONS[item.operation].desired is not None


def _name(item: RequestItem, audience: Audience) -> str:
    return safe_text(item_name(item, short=audience.short), _MAX_NAME)


def _listed(problems: Sequence[_Problem], limits: tuple[int, int]) -> list[str]:
    """Return a line for each problem, rare ones first, and for those that don't fit a line for each reason."""
    characters, reasons = limits
    frequency = Counter(problem.result for problem in problems)
    ordered = sorted(problems, key=lambda p: (frequency[p.result], _ORDER.index(p.outcome), p.result))
    lines = [f"• {problem.name}  {problem.result}" for problem in ordered]
    fitting = _count_fitting(lines, characters)
    rest = Counter(problem.result for problem in ordered[fitting:]).most_common()
    more = [f"• {number:,} more  {result}" for result, number in rest[:reasons]]
    if others := sum(number for _, number in rest[reasons:]):
        more.append(f"• {others:,} more, for other reasons.")
    complete = ["Details and Export CSV have the complete list."] if more else []
    return [*lines[:fitting], *more, *complete]


def _remarks(request: Request, tally: Tally, audience: Audience) -> list[str]:
    remarks = []
    if request.reports_only:
        resume = " Press Resume to make these changes; they may need approval." if tally.total else ""
        remarks.append(f"Nothing was changed.{resume}")
    if request.stopped_by:
        remarks.append(f"⏹️ Stopped by <@{request.stopped_by}>. Finished work wasn't undone.")
    if request.duplicates:
        remarks.append(duplicates_ignored(request.duplicates))
    if audience.lost_file:
        remarks.append("⚠️ The file with the results couldn't be uploaded. Press Export CSV to get it.")
    return remarks


def _fitting(lines: Sequence[str]) -> list[str]:
    """Return the lines that fit into the plain text of a message."""
    fitting = _count_fitting(lines, _MAX_TEXT)
    left = len(lines) - fitting
    return [*lines[:fitting], *([f"{count(left, 'more line')} in the message."] if left else [])]


def _count_fitting(lines: Iterable[str], most: int) -> int:
    """Return how many of the first lines have at most `most` characters together."""
    number = used = 0
    for number, text in enumerate(lines, 1):
        used += len(text) + 1
        if used > most:
            return number - 1
    return number


def _outcome(p: RequestItem) -> str:
    outcome = p.outcome or Outcome.NOT_ATTEMPTED
    return f"{OUTCOME_TEXTS[outcome].icon} {outcome_label(outcome, p.operation)}"
