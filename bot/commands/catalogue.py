"""The slash commands. Parsing, help, the app's manifest and `docs/commands.md` follow from these declarations."""

from bot.commands.usage import Command, FirstArgument, Option, Usage
from bot.commands.values import MAX_TEXT, nearest
from bot.domain.access import Capability
from providers.base import Action

_PEOPLE = "<participants…>"
_GROUP = "<group>"
_REASON = Option("reason", "…", "The reason, shown in the request and in the audit journal.", to_end=True)
_AT = Option(
    "at",
    "tomorrow 9am",
    "When to start, in your own time zone: `tomorrow 9am`, `in 2h`, `Mon 14:00`, `2026-12-01 09:00`. Without it, "
    "immediately.",
)
_COMMON = (_AT, _REASON)


def _on_people(verb: str, action: Action, summary: str, description: str, *options: Option, example: str) -> Command:
    usage = Usage(description, (_GROUP, _PEOPLE), (*options, *_COMMON), (action,))
    return Command(verb, summary, (usage,), (example,))


WA = Command(
    "",
    "Show help, or run any command as a word after it",
    (
        Usage("Lists the commands, or explains one.", ("help", "[command]")),
        Usage("Runs that command.", ("<command>", "…")),
    ),
    ("/wa help add", "/wa add launch-team +1 415 555 0100"),
    without_arguments="shows the help",
    first_argument=FirstArgument.ANYTHING,
    opens_form=False,
    escapes_mentions=True,
)
ADD = _on_people(
    "add",
    Action.ADD,
    "Add people to a WhatsApp group",
    "Adds people to a group.",
    Option("invite", "yes", "Sends an invite to people who can't be added directly; you need permission to send."),
    example="/wa-add launch-team +1 415 555 0100, +44 7700 900123 invite: yes reason: new in the team",
)
REMOVE = _on_people(
    "remove",
    Action.REMOVE,
    "Remove people from a WhatsApp group",
    "Removes people from a group.",
    example="/wa-remove launch-team +44 7700 900123 reason: left the company",
)
PROMOTE = _on_people(
    "promote",
    Action.PROMOTE,
    "Make members admins of a WhatsApp group",
    "Makes members admins of a group.",
    example='/wa-promote "Spring Fair" +1 415 555 0100',
)
DEMOTE = _on_people(
    "demote",
    Action.DEMOTE,
    "Take admin rights from members of a WhatsApp group",
    "Makes admins members again.",
    example='/wa-demote "Spring Fair" +1 415 555 0100',
)
GROUP = Command(
    "group",
    "Show one WhatsApp group",
    (
        Usage(
            "Shows the group, the state of its connection, and what you can do; with a button that exports its members "
            "as CSV.",
            (_GROUP,),
            needs=(Action.LIST_GROUPS,),
        ),
    ),
    ("/wa-group launch-team",),
    without_arguments="lists the groups you can see",
    opens_form=False,
)
GROUPS = Command(
    "groups",
    "List the WhatsApp groups you can see",
    (Usage("Lists the groups with this in a name, page by page.", ("[part of a name]",), (), (Action.LIST_GROUPS,)),),
    ("/wa-groups", "/wa-groups spring"),
    without_arguments="lists all of them",
    first_argument=FirstArgument.ANYTHING,
    opens_form=False,
)
CREATE = Command(
    "create",
    "Create a WhatsApp group",
    (
        Usage(
            "Creates a group with these people.",
            ("[connection]", '"<name>"', _PEOPLE),
            _COMMON,
            (Action.CREATE,),
        ),
    ),
    ('/wa-create support "Spring Fair" +1 415 555 0100, +44 7700 900123',),
    first_argument=FirstArgument.NEW_GROUP,
    notes=(
        "You can leave out the connection if you can create groups on only one.",
        "Put a name with spaces in quotes; words between an unquoted name and the numbers are refused.",
    ),
)
SETTINGS = Command(
    "settings",
    "Change a WhatsApp group's name, description and settings",
    (
        Usage(
            "Changes the settings that you name, one or several; the others stay as they are.",
            (_GROUP,),
            (
                Option("name", "…", "The group's name."),
                Option("description", "…", 'Its description; `description: ""` empties it.'),
                Option("announce", "on|off", "Only admins can write."),
                Option("lock", "on|off", "Only admins can edit the group's info."),
                Option("ephemeral", "off|24h|7d|90d", "When messages disappear."),
                Option(
                    "picture",
                    "https://…",
                    "The address of a JPEG. If the provider needs the file itself, upload it in the form.",
                ),
                *_COMMON,
            ),
            (Action.RENAME, Action.DESCRIBE, Action.ANNOUNCE_ONLY, Action.LOCK, Action.EPHEMERAL, Action.PICTURE),
            needs_any=True,
        ),
    ),
    ("/wa-settings launch-team name: Launch team 2027 announce: on", "/wa-settings launch-team ephemeral: 7d"),
    notes=("Put a text that contains a word and a colon, such as `name:`, in quotes.",),
)
INVITE = Command(
    "invite",
    "Show, send or reset a WhatsApp group's invite link",
    (
        Usage("Shows the invite link only to you.", (_GROUP,), (), (Action.READ_INVITE,)),
        Usage(
            "Sends the invite link to people.",
            (_GROUP, _PEOPLE),
            (Option("text", "…", "The text before the link."), *_COMMON),
            (Action.READ_INVITE, Action.SEND_TO_PERSON),
        ),
        Usage(
            "Resets the invite link; the old one stops working.",
            (_GROUP, "reset"),
            (_REASON,),
            (Action.RESET_INVITE,),
        ),
    ),
    ("/wa-invite launch-team", "/wa-invite launch-team +44 7700 900123 text: Come in", "/wa-invite launch-team reset"),
    notes=("Resets the link after you confirm.",),
)
SEND = Command(
    "send",
    "Send a text to a WhatsApp group or to people",
    (
        Usage(
            "Sends the text to the group, exactly as typed; a text with an option in it is refused.",
            (_GROUP, "<text…>"),
            (),
            (Action.SEND_TO_GROUP,),
        ),
        Usage(
            "Sends the text to each person directly; without `to:`, to the group.",
            (_GROUP,),
            (
                Option("to", _PEOPLE, "The people who receive it.", raw=True),
                _AT,
                Option("reason", "…", _REASON.description),
                Option("text", "…", "The text: everything to the end.", to_end=True, required=True),
            ),
            (Action.SEND_TO_PERSON,),
        ),
    ),
    (
        "/wa-send launch-team We meet at nine.",
        "/wa-send launch-team to: +1 415 555 0100, +44 7700 900123 text: We meet at nine.",
    ),
    free_text=True,
    notes=(f"A text has at most {MAX_TEXT:,} characters.", "Shows you the text first, and sends it after you confirm."),
)
SYNC = Command(
    "sync",
    "Sync a WhatsApp group with a list, once or repeatedly",
    (
        Usage(
            "Compares the group with another group, or with the phones in the profiles of a Slack user group.",
            (_GROUP,),
            (
                Option("from", "<another group>|@user-group", "The list.", required=True),
                Option(
                    "mode",
                    "add|mirror|report",
                    "`add` adds missing people (the default), `mirror` also removes people who aren't on the list, "
                    "`report` changes nothing.",
                ),
                Option("every", "24h", "How often it repeats; without it, it runs once."),
                _REASON,
            ),
            (Action.ADD, Action.REMOVE, Action.LIST_MEMBERS),
        ),
        Usage(
            "Ends the repeated sync, and withdraws its request if that waits.",
            (_GROUP, "off"),
            (),
            (Action.ADD, Action.REMOVE),
        ),
    ),
    ("/wa-sync launch-team from: @launch every: 24h", "/wa-sync launch-team from: all-staff mode: report"),
    escapes_mentions=True,
)
REQUESTS = Command(
    "requests",
    "List requests: yours, waiting ones, those of a group, or all",
    (
        Usage("Lists your requests.", ("mine",)),
        Usage("Lists requests that wait for approval, if you made them or can decide on or audit them.", ("waiting",)),
        Usage("Lists the requests of a group: yours, and with `audit:read` everyone's.", (_GROUP,)),
        Usage("Lists everyone's requests.", ("all",), (), (Capability.AUDIT_READ,)),
    ),
    ("/wa-requests", "/wa-requests waiting", "/wa-requests launch-team"),
    without_arguments="lists your requests",
    first_argument=FirstArgument.ANYTHING,
    opens_form=False,
)
AUDIT = Command(
    "audit",
    "Read the audit journal",
    (
        Usage(
            "Lists requests, decisions, refusals and results, newest first; with buttons that export them.",
            ("[person]",),
            (
                Option("group", "…", "Only this group."),
                Option("since", "2026-11-01", "Only from this day or time on."),
                Option("until", "2026-11-30", "Only through this day, or before this time."),
            ),
            (Capability.AUDIT_READ,),
        ),
    ),
    ("/wa-audit", "/wa-audit @bob group: launch-team since: 2026-11-01", "/wa-audit +44 7700 900123"),
    without_arguments="lists the newest",
    first_argument=FirstArgument.ANYTHING,
    opens_form=False,
    escapes_mentions=True,
    notes=("A person is a mention, a Slack user id, a phone number or a LID.",),
)
COMMANDS = (
    WA,
    ADD,
    REMOVE,
    PROMOTE,
    DEMOTE,
    GROUP,
    GROUPS,
    CREATE,
    SETTINGS,
    INVITE,
    SEND,
    SYNC,
    REQUESTS,
    AUDIT,
)
"""All commands."""


def find_command(word: str) -> Command | None:
    """Return the command of a word such as `add`, `wa-add` or `/wa-add`, ignoring case; None if there is none."""
    verb = _verb(word)
    return next((command for command in COMMANDS if command.verb and command.verb == verb), None)


def nearest_command(word: str) -> str:
    """Return the command with the most similar name; empty if none is similar."""
    names = {command.verb: command.name for command in COMMANDS if command.verb} | {"help": f"{WA.name} help"}
    near = nearest(_verb(word), names, alike=0.5)
    return names[near] if near else ""


def _verb(word: str) -> str:
    return word.casefold().removeprefix("/").removeprefix("wa-")
