"""What a person is told at once, and only they see: what was taken, what was refused and why, what to do next."""

from collections.abc import Sequence

from bot.commands.usage import Command
from bot.domain.groups import KnownGroup
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from bot.domain.roster import Roster
from handlers.views import groups
from handlers.views.operation_texts import phrase
from handlers.views.request_content import content_lines
from handlers.views.text import count, escape, rejected_entry, safe_text, scheduled_for, shorten
from providers.base import Account, ProviderError

_SHOWN = 10
"""How many rejected entries the answer names; all of them stand in the results."""
_MOST_ECHO = 200
SENT_DIRECTLY = "The file is in your direct messages with me."


def submitted(request: Request, roster: Roster, *, again: bool, warning: str = "") -> str:
    """Say that a request was taken in, and what of it could not be read; `warning` is the group's."""
    group = f"*{safe_text(request.group_name, 100)}*"
    if again:
        return f"This request was taken already: `{request.id}` for {group}. Nothing was done twice."
    tally = Tally.of([None] * (len(roster.people) + len(roster.rejected)), rejected=len(roster.rejected))
    follows = "Every name gets an answer in the thread." if tally.total else "The answer comes in the thread."
    lines = [f"Taken: {phrase(request, tally)}. {follows}"]
    lines += content_lines(request, _MOST_ECHO)
    if request.options.run_at:
        lines.append(scheduled_for(request.options.run_at))
    if warning:
        lines.append(f"⚠️ Warning: {safe_text(warning, 500)}")
    if request.rule is not None:
        lines.append(f"It waits for approval by {_roles(request.rule.approvers)}.")
    if roster.duplicates:
        lines.append(f"{count(len(roster.duplicates), 'entry', 'entries')} named somebody twice and counted once.")
    lines += rejected(roster)
    return "\n".join(lines)


def refused(reason: str, roster: Roster, reference: str) -> str:
    """Say why nothing was taken in, and which entries could not be read."""
    return "\n".join([with_reference(reason, reference), *rejected(roster)])


def with_reference(reason: str, reference: str) -> str:
    """Add to a refusal the id under which the log and the audit journal have it."""
    return f"{reason} Reference: `{reference}`"


def rejected(roster: Roster) -> list[str]:
    """Name the entries that are no numbers, each with its reason."""
    if not roster.rejected:
        return []
    lines = [f"Not usable ({len(roster.rejected):,}):"]
    lines += [f"• {rejected_entry(entry)}" for entry in roster.rejected[:_SHOWN]]
    if len(roster.rejected) > _SHOWN:
        lines.append(f"• and {len(roster.rejected) - _SHOWN:,} more")
    return lines


def no_usable_numbers(roster: Roster) -> str:
    """Say in plain text, for a field of a form, that it names nobody who can be added."""
    if not roster.rejected:
        return "Type at least one number."
    first = roster.rejected[0]
    where = f"{first.location}, ".capitalize() if first.location else ""
    return f"No entry is a number that can be used. {where}“{shorten(first.raw, 60)}”: {first.reason}"


def unknown_group(text: str, nearest: Sequence[KnownGroup]) -> str:
    """Say that a name is no group, and which ones are near."""
    known = f"I know no group “{safe_text(text, 100)}”. Nothing was done"
    if not nearest:
        return f"{known}; `/wa-groups` lists those that you may read."
    return f"{known}. Did you mean {' or '.join(f'“{safe_text(g.name, 80)}”' for g in nearest)}?"


def ambiguous_group(command: Command, text: str, candidates: Sequence[KnownGroup]) -> str:
    """Say that several groups have this name, and how to tell them apart."""
    if not candidates:
        return unknown_group(text, ())
    lines = [
        f"Several groups are called “{safe_text(text, 100)}”. Nothing was done.",
        "Name one by its id"
        + (f", or choose it in the form that `{command.name}` alone opens:" if command.opens_form else ":"),
        *(groups.listed(g) for g in candidates[:_SHOWN]),
    ]
    return "\n".join(lines)


def no_matching_groups(text: str) -> str:
    """Say that no group has this in its name."""
    return f"I know no group that matches “{safe_text(text, 80)}”." if text else "I know no group yet."


def no_requests(which: str, *, further: bool) -> str:
    """Say that no request is in a list."""
    if further:
        return "There are no further requests."
    words = {"mine": "You have asked for nothing yet", "waiting": "Nothing waits that you may see"}
    return f"{words.get(which, 'There is no request that you may see')}. `/wa help requests` says what can be listed."


def link(group: KnownGroup, address: str) -> str:
    """Show an invite link."""
    return (
        f"The invite link of *{safe_text(group.name, 100)}*: {escape(address)}\n"
        f"Whoever has it can join. `/wa-invite` with the group and `reset` makes it invalid."
    )


def provider_answer(error: ProviderError) -> str:
    """Say what a provider answered instead of what was asked for."""
    return safe_text(error.explanation, 800)


def not_read(what: str, error: ProviderError) -> str:
    """Say that something could not be read; nothing was changed by it."""
    return f"I could not read {what}; nothing was changed. {provider_answer(error)}"


def account(told: Account) -> str:
    """Say how an account stands, and the provider's words for it where they say more."""
    says_more = told.detail.casefold() not in {"", told.state}
    return f"{told.state} (as its provider tells: {safe_text(told.detail, 150)})" if says_more else f"{told.state}"


def reading(what: str) -> str:
    """Say that an answer takes longer."""
    return f"Reading {what} takes a moment; the answer comes here."


def exported_members(group: KnownGroup, members: int) -> str:
    """Introduce the file of a group's members."""
    return f"The members of {safe_text(group.name, 100)} as I read them now: {count(members, 'line')}."


def exported_rows(rows: int, unreadable: int, *, cut: bool) -> str:
    """Introduce the file of the audit journal; `cut` where there are more rows than it holds."""
    said = f"The audit journal as you asked for it: {count(rows, 'row')}, oldest first."
    if cut:
        said += " These are the newest of more; `rollcall audit export` writes all."
    if unreadable:
        said += f" ⚠️ Left out, because they were changed into something unreadable: {count(unreadable, 'row')}."
    return said


OUTDATED = "Another version of Rollcall made this, and I do not know it; nothing was done. Type `/wa` to begin anew."


CHECKING = (
    "⏳ Still working on this: it takes longer than usual. What happened is being checked, and the answer follows here "
    "or in your direct messages. You don't need to send it again."
)
"""What a person sees when a listener cannot acknowledge in time."""
FORM_CLOSED = "The answer to the form that you submitted."
APPROVAL_COUNTED = "Your approval counts."


def failure(reference: str, *, only_reads: bool = False) -> str:
    """Say that something broke here, with the reference that also stands in the log.

    `only_reads`: what broke changes nothing.
    """
    if only_reads:
        return (
            "Something went wrong on my side. This only reads: no request was made and no group was changed. "
            f"Try again. Reference: `{reference}`"
        )
    return (
        "Something went wrong on my side, and I cannot say whether this took effect. "
        f"Look in the channel before you try again. Reference: `{reference}`"
    )


def _roles(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{escape(name)}`" for name in names)
