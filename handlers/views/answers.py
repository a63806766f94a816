"""The ephemeral answers to a person: what was submitted, what was refused and why, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.commands.usage import Command
from bot.domain.groups import KnownGroup
from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem
from bot.domain.roster import Roster
from handlers.views.operation_texts import in_progress, phrase
from handlers.views.request_content import content_lines
from handlers.views.results import duplicates_ignored
from handlers.views.text import (
    count,
    escape,
    group_line,
    reference,
    rejected_entry,
    roles,
    safe_text,
    scheduled_for,
    shorten,
)
from providers.base import Account, ProviderError

_MAX_SHOWN = 10
"""Rejected entries in an answer; the results have all of them."""
_MAX_ECHO = 200
_STEPS = {
    "open": "post this request",
    "verify": "verify the unknown results",
    "invite": "invite everyone who refused",
    "csv": "upload the file with the results",
    "summary": "post the summary",
    "close": "post that this request has ended",
    "remind": "remind the approvers",
}
"""What a step of a request does, by its name in `bot.execution.workflow`."""
SENT_DIRECTLY = "I sent you the file in a direct message."
CHECKING = (
    "⏳ This is taking longer than usual. We're checking what happened; the answer appears here or in your direct "
    "messages. You don't need to send it again."
)
"""The answer if a listener can't acknowledge in time."""
FOREIGN_WORKSPACE = (
    "This app works only for people of its own workspace. Nothing was done. An admin of the app can allow other "
    "workspaces in its configuration (`slack.workspaces`)."
)
FORM_CLOSED = "Here's the answer to the form you submitted."
APPROVAL_COUNTED = "Your approval was counted."
OUTDATED = "This button or form is from another version of Rollcall. Nothing was done. Type `/wa` to start again."


def submitted(
    request: Request, roster: Roster, items: Sequence[RequestItem] = (), *, again: bool, warning: str = ""
) -> str:
    """Return that a request was submitted, and which entries couldn't be read.

    Args:
        request: the request.
        roster: its people.
        items: its items instead, if it follows from another request.
        again: it had been submitted before.
        warning: the warning of its group.
    """
    if again:
        group = f"*{safe_text(request.group_name, 100)}*"
        before = f"<@{request.requester}> has already requested this for {group}."
        return f"{before} Nothing was done twice. {reference(request.id)}"
    people = roster.people or [item.person for item in items if item.person.is_person]
    tally = Tally.of([None] * len(people))
    if request.rule is not None:
        lines = [f"Request sent: {phrase(request, tally)}. Waiting for approval by {roles(request.rule.approvers)}."]
    elif request.options.run_at:
        lines = [f"Scheduled: {phrase(request, tally)}."]
    else:
        lines = [f"{in_progress(request, tally)}. Results appear in the thread."]
    lines += content_lines(request, _MAX_ECHO)
    if request.options.run_at:
        lines.append(scheduled_for(request.options.run_at))
    if request.options.note:
        lines.append(escape(request.options.note))
    if warning:
        lines.append(f"⚠️ Warning: {safe_text(warning, 500)}")
    if roster.duplicates:
        lines.append(f"{duplicates_ignored(len(roster.duplicates))}.")
    return "\n".join([*lines, *rejected(roster)])


def sync_started(group: KnownGroup, every: timedelta | None, *, replaces: bool) -> str:
    """Return that a sync was started; `replaces` if it takes the place of the group's previous repeated sync."""
    name = safe_text(group.name, 100)
    sentences = [f"Comparing *{name}* with the list. If they differ, a request appears here."]
    if every:
        hours = every.total_seconds() / 3600
        sentences.append(f"The sync repeats every {hours:g} hours until you type `/wa-sync {name} off`.")
    if replaces:
        sentences.append("It replaces this group's previous repeated sync.")
    return " ".join(sentences)


def sync_started_before(group: KnownGroup) -> str:
    """Return that the same sync was started before."""
    return f"This sync of *{safe_text(group.name, 100)}* was already started. Nothing was done twice."


def syncs_ended(number: int, withdrawn: int) -> str:
    """Return how many repeated syncs were ended, and how many of their requests were withdrawn."""
    if not number:
        return "This group has no repeated sync."
    waiting = f" Withdrew {count(withdrawn, 'request')} that hadn't started." if withdrawn else ""
    return f"Ended {count(number, 'repeated sync')}.{waiting}"


def refused(reason: str, roster: Roster, request_id: str) -> str:
    """Return why nothing was submitted, and which entries couldn't be read."""
    return "\n".join([with_reference(reason, request_id), *rejected(roster)])


def with_reference(reason: str, request_id: str) -> str:
    """Return a refusal with the reference under which the log and the audit journal have it."""
    return f"{reason} {reference(request_id)}"


def rejected(roster: Roster) -> list[str]:
    """Return a line for each entry that isn't a number, with its reason."""
    if not roster.rejected:
        return []
    lines = [f"Couldn't read {count(len(roster.rejected), 'entry', 'entries')}:"]
    lines += [f"• {rejected_entry(entry)}" for entry in roster.rejected[:_MAX_SHOWN]]
    if len(roster.rejected) > _MAX_SHOWN:
        lines.append(f"• and {len(roster.rejected) - _MAX_SHOWN:,} more")
    return lines


def no_usable_numbers(roster: Roster) -> str:
    """Return in plain text, for a field of a form, that it has no valid number."""
    if not roster.rejected:
        return "Enter at least one phone number."
    first = roster.rejected[0]
    where = f"{first.location}, ".capitalize() if first.location else ""
    return f"There's no valid phone number here. {where}“{shorten(first.raw, 60)}”: {first.reason}"


def unknown_group(text: str, nearest: Sequence[KnownGroup]) -> str:
    """Return that there is no group with this name, and the most similar names."""
    unknown = f"There's no group called “{safe_text(text, 100)}”. Nothing was done."
    if not nearest:
        return f"{unknown} `/wa-groups` lists the groups you can see."
    return f"{unknown} Did you mean {' or '.join(f'“{safe_text(g.name, 80)}”' for g in nearest)}?"


def ambiguous_group(command: Command, text: str, candidates: Sequence[KnownGroup]) -> str:
    """Return that several groups have this name, and how to choose one."""
    if not candidates:
        return unknown_group(text, ())
    form = f", or choose it in the form that `{command.name}` opens" if command.opens_form else ""
    lines = [
        f"{len(candidates):,} groups are called “{safe_text(text, 100)}”. Nothing was done.",
        f"Use the group's id{form}:",
        *(group_line(g) for g in candidates[:_MAX_SHOWN]),
    ]
    return "\n".join(lines)


def no_matching_groups(text: str) -> str:
    """Return that no group has this text in its name."""
    return f"No group matches “{safe_text(text, 80)}”." if text else "There are no groups yet."


def no_requests(which: str, *, further: bool) -> str:
    """Return that a list of requests is empty."""
    if further:
        return "There are no more requests."
    texts = {"mine": "You haven't made any requests yet.", "waiting": "Nothing is waiting."}
    return f"{texts.get(which, 'There are no requests you can see.')} See `/wa help requests` for other lists."


def link(group: KnownGroup, address: str) -> str:
    """Return an invite link."""
    return (
        f"The invite link of *{safe_text(group.name, 100)}*: {escape(address)}\n"
        f"Anyone who has it can join. To replace it, use `/wa-invite` with the group and `reset`."
    )


@dataclass(frozen=True, slots=True)
class Unread:
    """What takes the place of data that couldn't be read.

    Attributes:
        reason: why, as a sentence for people.
        not_found: whether the provider doesn't have it.
    """

    reason: str
    not_found: bool = False


def provider_answer(error: ProviderError) -> str:
    """Return a provider's error in words."""
    return safe_text(error.explanation, 800)


def not_read(what: str, error: ProviderError) -> str:
    """Return that something couldn't be read, and that nothing was changed."""
    return f"Couldn't read {what}. Nothing was changed. {provider_answer(error)}"


def account(account: Account) -> str:
    """Return the state of an account, with the provider's own words if they add something."""
    adds_something = account.detail.casefold() not in {"", account.state}
    detail = f" (provider said: “{safe_text(account.detail, 150)}”)" if adds_something else ""
    return f"{account.state}{detail}"


def reading(what: str) -> str:
    """Return that an answer takes longer."""
    return f"Reading {what}. The answer will appear here."


def exported_members(group: KnownGroup, members: int) -> str:
    """Return the comment of a file with a group's members."""
    return f"{count(members, 'member')} of {safe_text(group.name, 100)}, read just now."


def exported_rows(rows: int, unreadable: int, *, cut: bool) -> str:
    """Return the comment of a file with audit rows; `cut` if there are more rows than it has."""
    text = f"{count(rows, 'audit row')}, oldest first."
    if cut:
        text += " These are the newest ones; use `rollcall audit export` to get all."
    if unreadable:
        text += f" ⚠️ {count(unreadable, 'row was', 'rows were')} left out: altered and unreadable."
    return text


def step_failed(step: str, reference_: str) -> str:
    """Return that a step of a request was given up, with the reference in the log."""
    what = _STEPS.get(step, "finish a step of this request")
    return f"⚠️ Something went wrong: Rollcall couldn't {what}. Details shows the results. {reference(reference_)}"


def failure(reference_: str, *, only_reads: bool = False) -> str:
    """Return that something went wrong, with the reference in the log; `only_reads` if it couldn't change anything."""
    if only_reads:
        return f"Something went wrong. Nothing was changed. Try again. {reference(reference_)}"
    text = "Something went wrong, and your request may have taken effect. Check the channel before you retry."
    return f"{text} {reference(reference_)}"
