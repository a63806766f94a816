"""The commands as a page: `python -m bot.commands.reference` writes `docs/commands.md`."""

from collections.abc import Iterable

from bot.commands.catalogue import COMMANDS
from bot.commands.usage import Command, Usage
from bot.domain.access import Capability
from providers.base import Action

_INTRODUCTION = """\
<!-- Made by `make docs` from `bot/commands/catalogue.py`. Changes made here are lost. -->

# Commands

Every command can also be typed as a word after `/wa`: `/wa add …` is `/wa-add …`. `/wa help` lists them in Slack, and
`/wa help add` explains one. Answers to commands are seen by nobody else; what a request does is posted into its
channel.
"""

_WRITING = """\
## How things are written

**A group** is its alias, its id or its subject. A name with spaces goes in quotes of any kind: `"Spring Fair"`,
`“Spring Fair”`, `«Spring Fair»`.

**Participants** are phone numbers in any form, separated by commas, semicolons or line breaks (by spaces too, where
numbers begin with `+`); JIDs, LIDs and `wa.me` links; a name may stand before a number. A number without a country code
is read by the connection's `default_region`.

**Options** are a name, a colon and a value. They come after everything else, in any order; `reason:` comes last and
takes the rest. A value in quotes may hold anything, also what looks like another option.

**A moment** (`at:`, `since:`, `until:`) is written `2026-12-01 09:00`, in your own time zone, as it stands in your
Slack profile; where Slack does not tell it, in UTC. `2026-12-01 09:00 +01:00` and `2026-12-01 09:00 UTC` name one. The
answer shows the moment that was understood.

**What a command needs** is decided by the group's provider: [providers.md](providers.md) says which capability of
Rollcall each action takes at each provider. What a provider cannot do is refused before anything is tried.
"""

_FILES = """\
## Files

*Export members (CSV)*, a button of `/wa-group`, sends a file to your direct messages with the bot. Its columns are
`connection`, `group_id`, `phone` (E.164), `lid`, `name`, `role`. The role is `admin` or `member`, or `present` where
the provider tells no roles; a phone, LID or name that it does not tell is empty. It needs what the provider asks for
listing members.

*Export CSV* and *Export JSONL*, buttons of `/wa-audit`, send what was asked for, oldest first, at most 20,000 rows; the
columns are those of `rollcall audit export`, which has no such end. A cell that a spreadsheet would run as a formula
begins with an apostrophe.
"""


def page() -> str:
    """Give the whole page in Markdown."""
    table = ["| command | does | alone it |", "|---|---|---|"]
    table += [f"| [`{c.name}`](#{c.name.removeprefix('/')}) | {c.summary} | {c.without_arguments} |" for c in COMMANDS]
    return "\n".join([_INTRODUCTION, *table, "", _WRITING, *(line for c in COMMANDS for line in _section(c)), _FILES])


def _section(command: Command) -> Iterable[str]:
    yield f"## {command.name.removeprefix('/')}\n"
    yield f"{command.summary}. Alone it {command.without_arguments}.\n"
    for form, usage in zip(command.usages, command.usage_lines, strict=True):
        yield f"    {usage}\n"
        yield f"{form.description}{_needs(form)}\n"
    if command.options:
        yield "| option | value | what it is |\n|---|---|---|"
        for option in command.options:
            value = option.value.replace("|", "\\|")
            yield f"| `{option.name}:` | `{value}` | {option.description} |"
        yield ""
    yield from (f"{note}\n" for note in command.notes)
    yield "For example:\n"
    yield from (f"    {example}" for example in command.examples)
    yield ""


def _needs(form: Usage) -> str:
    said = [f"the action *{need}*" for need in form.needs if isinstance(need, Action)]
    said += [f"the capability `{need}`" for need in form.needs if isinstance(need, Capability)]
    return f" Needs {', '.join(said)}." if said else ""


if __name__ == "__main__":
    print(page(), end="")
