"""What a person is told at once, and only they see: what was taken, what was refused and why, what to do next."""

from collections.abc import Sequence

from bot.domain.groups import KnownGroup
from bot.domain.requests import Request
from bot.domain.roster import Roster
from bot.manifest import COMMANDS
from handlers.views.text import count, cut, escape, foreign

TOO_LATE = (
    "Slack did not open the form in time; nothing was done. "
    "Type the command again, or put the group and the numbers behind it."
)
_SHOWN = 10
"""How many rejected entries the answer names; all of them stand in the results."""
_LISTED = 20


def usage(problem: str) -> str:
    """Say what is missing in a typed `/wa-add`, and how it goes."""
    lines = [
        problem,
        "Usage: `/wa-add <group> <numbers, …> [reason: …]`",
        "A group whose name has spaces goes in quotes; `/wa-add` alone opens a form.",
    ]
    return escape("\n".join(lines))


def taken(request: Request, roster: Roster, *, again: bool) -> str:
    """Say that a request was taken in, and what of it could not be read."""
    group = f"*{foreign(request.group_name, 100)}*"
    if again:
        return f"This request was taken already: `{request.id}` for {group}. Nothing was done twice."
    people = count(len(roster.people), "person", "people")
    lines = [f"Taken: {request.operation} {people} to {group}. Every name gets an answer in the thread."]
    if request.rule is not None:
        lines.append(f"It waits for approval by {_roles(request.rule.approvers)}.")
    if roster.duplicates:
        lines.append(f"{count(len(roster.duplicates), 'entry', 'entries')} named somebody twice and counted once.")
    lines += rejected(roster)
    return "\n".join(lines)


def rejected(roster: Roster) -> list[str]:
    """Name the entries that are no numbers, each with its reason."""
    if not roster.rejected:
        return []
    lines = [f"Not usable ({len(roster.rejected):,}):"]
    lines += [f"• “{foreign(r.typed, 60)}”: {escape(r.reason)}" for r in roster.rejected[:_SHOWN]]
    if len(roster.rejected) > _SHOWN:
        lines.append(f"• and {len(roster.rejected) - _SHOWN:,} more")
    return lines


def nobody(roster: Roster) -> str:
    """Say in plain text, for a field of a form, that it names nobody who can be added."""
    if not roster.rejected:
        return "Type at least one number."
    first = roster.rejected[0]
    return f"No entry is a number that can be used. “{cut(first.typed, 60)}”: {first.reason}"


def unknown_group(text: str, nearest: Sequence[KnownGroup]) -> str:
    """Say that a name is no group, and which ones are near."""
    known = f"I know no group “{foreign(text, 100)}”. Nothing was done"
    if not nearest:
        return f"{known}; `/wa-groups` lists those that you may read."
    return f"{known}. Did you mean {' or '.join(f'“{foreign(g.name, 80)}”' for g in nearest)}?"


def ambiguous_group(text: str, candidates: Sequence[KnownGroup]) -> str:
    """Say that several groups have this name, and how to tell them apart."""
    if not candidates:
        return unknown_group(text, ())
    lines = [
        f"Several groups are called “{foreign(text, 100)}”. Nothing was done.",
        "Name one by its id, or choose it in the form that `/wa-add` alone opens:",
        *(_listed(g) for g in candidates[:_SHOWN]),
    ]
    return "\n".join(lines)


def groups(found: Sequence[KnownGroup]) -> str:
    """List groups, each with its connection and id."""
    lines = [_listed(g) for g in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"and {len(found) - _LISTED:,} more: `/wa-groups` with a part of the name narrows it down")
    return "\n".join(lines)


def no_groups(text: str) -> str:
    """Say that no group has this in its name."""
    return f"I know no group that matches “{foreign(text, 80)}”." if text else "I know no group yet."


def help_text(verb: str) -> str:
    """List the commands; `verb` is what was typed and is none of them, or `help`, or nothing."""
    lines = [f"`{c.name} {escape(c.usage_hint)}`  {escape(c.description)}" for c in COMMANDS]
    if verb and verb.casefold() != "help":
        lines.insert(0, f"I do not know “{foreign(verb, 40)}”. This is what I know:")
    return "\n".join(lines)


def failure(reference: str) -> str:
    """Say that something broke here, with the reference that also stands in the log."""
    return (
        "Something went wrong on my side, and I cannot say whether this took effect. "
        f"Look in the channel before you try again. Reference: `{reference}`"
    )


def _listed(group: KnownGroup) -> str:
    return f"• *{foreign(group.name, 80)}* on `{escape(group.connection)}`: `{foreign(group.id, 200)}`"


def _roles(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{escape(name)}`" for name in names)
