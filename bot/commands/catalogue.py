"""The slash commands, each declared once: parsing, help, the app's manifest and `docs/commands.md` follow from it."""

from bot.commands.usage import Command, FirstArgument, Option, Usage
from bot.commands.values import MAX_TEXT, nearest
from bot.domain.access import Capability
from providers.base import Action

_PEOPLE = "<participants…>"
_GROUP = "<group>"
_REASON = Option("reason", "…", "Why; it stands in the request and in the audit journal.", to_end=True)
_AT = Option("at", "2026-12-01 09:00", "When to begin, in your own time zone; at once without it.")
_LATER = (_AT, _REASON)


def _on_people(verb: str, action: Action, summary: str, says: str, *options: Option, example: str) -> Command:
    form = Usage(says, (_GROUP, _PEOPLE), (*options, *_LATER), (action,))
    return Command(verb, summary, (form,), (example,))


WA = Command(
    "",
    "Help, and every command as a word after it",
    (
        Usage("Lists the commands, or explains one.", ("help", "[command]")),
        Usage("Does what the command of its own does.", ("<command>", "…")),
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
    Option("invite", "yes", "Sends an invite to those who refuse a direct add; this needs the right to send."),
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
            "Shows the group, its connection's state, and what can be done here; with a button that exports its "
            "members as CSV.",
            (_GROUP,),
            needs=(Action.LIST_GROUPS,),
        ),
    ),
    ("/wa-group launch-team",),
    without_arguments="lists the groups that you may read",
    opens_form=False,
)
GROUPS = Command(
    "groups",
    "List the WhatsApp groups that you may read",
    (
        Usage(
            "Lists the groups that have this in a name, page by page.", ("[part of a name]",), (), (Action.LIST_GROUPS,)
        ),
    ),
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
            "Creates a group with these people in it.",
            ("[connection]", '"<name>"', _PEOPLE),
            _LATER,
            (Action.CREATE,),
        ),
    ),
    ('/wa-create support "Spring Fair" +1 415 555 0100, +44 7700 900123',),
    first_argument=FirstArgument.NEW_GROUP,
    notes=(
        "The connection may be left out where you may create groups on one only.",
        "A name with spaces goes in quotes; words between a name without quotes and the numbers are refused.",
    ),
)
SETTINGS = Command(
    "settings",
    "Change a WhatsApp group's name, description and settings",
    (
        Usage(
            "Changes what is named, several things at once if you like; the rest stays as it is.",
            (_GROUP,),
            (
                Option("name", "…", "The group's name."),
                Option("description", "…", 'Its description; `description: ""` empties it.'),
                Option("announce", "on|off", "Only admins may write."),
                Option("lock", "on|off", "Only admins may edit the group's info."),
                Option("ephemeral", "off|24h|7d|90d", "When messages disappear."),
                Option(
                    "picture",
                    "https://…",
                    "The address of a JPEG. A provider that takes the file itself takes it in the form.",
                ),
                *_LATER,
            ),
            (Action.RENAME, Action.DESCRIBE, Action.ANNOUNCE_ONLY, Action.LOCK, Action.EPHEMERAL, Action.PICTURE),
            needs_any=True,
        ),
    ),
    ("/wa-settings launch-team name: Launch team 2027 announce: on", "/wa-settings launch-team ephemeral: 7d"),
    notes=("A text with a word and a colon in it, such as `name:`, goes in quotes.",),
)
INVITE = Command(
    "invite",
    "Show, send or reset a WhatsApp group's invite link",
    (
        Usage("Shows the invite link to you alone.", (_GROUP,), (), (Action.READ_INVITE,)),
        Usage(
            "Sends the invite link to people.",
            (_GROUP, _PEOPLE),
            (Option("text", "…", "What stands before the link."), *_LATER),
            (Action.READ_INVITE, Action.SEND_TO_PERSON),
        ),
        Usage(
            "Makes the link invalid; the group gets a new one.", (_GROUP, "reset"), (_REASON,), (Action.RESET_INVITE,)
        ),
    ),
    ("/wa-invite launch-team", "/wa-invite launch-team +44 7700 900123 text: Come in", "/wa-invite launch-team reset"),
)
SEND = Command(
    "send",
    "Send a text to a WhatsApp group or to people",
    (
        Usage(
            "Sends the text to the group, exactly as it is typed; one with an option in it is refused.",
            (_GROUP, "<text…>"),
            (),
            (Action.SEND_TO_GROUP,),
        ),
        Usage(
            "Sends the text to people, each alone; without `to:` to the group.",
            (_GROUP,),
            (
                Option("to", _PEOPLE, "Who gets it.", raw=True),
                _AT,
                Option("reason", "…", _REASON.description),
                Option("text", "…", "The text, to the end of what you type.", to_end=True, required=True),
            ),
            (Action.SEND_TO_PERSON,),
        ),
    ),
    (
        "/wa-send launch-team We meet at nine.",
        "/wa-send launch-team to: +1 415 555 0100, +44 7700 900123 text: We meet at nine.",
    ),
    free_text=True,
    notes=(f"A text has at most {MAX_TEXT:,} characters.",),
)
SYNC = Command(
    "sync",
    "Bring a WhatsApp group in line with a list, once or repeatedly",
    (
        Usage(
            "Compares the group with another group, or with the phones in the profiles of a Slack user group.",
            (_GROUP,),
            (
                Option("from", "<another group>|@user-group", "Where the list comes from.", required=True),
                Option(
                    "mode",
                    "add|mirror|report",
                    "`add` adds who is missing (so it is without a mode), `mirror` also removes who is not on the "
                    "list, `report` changes nothing.",
                ),
                Option("every", "24h", "How often it is repeated; once without it."),
                _REASON,
            ),
            (Action.ADD, Action.REMOVE, Action.LIST_MEMBERS),
        ),
        Usage("Ends what is repeated.", (_GROUP, "off"), (), (Action.ADD, Action.REMOVE)),
    ),
    ("/wa-sync launch-team from: @launch every: 24h", "/wa-sync launch-team from: all-staff mode: report"),
    escapes_mentions=True,
)
REQUESTS = Command(
    "requests",
    "List requests: yours, those that wait, those of a group, or all",
    (
        Usage("Lists yours.", ("mine",)),
        Usage("Lists those that wait for an approval and that you asked for, may decide or may audit.", ("waiting",)),
        Usage("Lists those about a group: yours, and with `audit:read` everybody's.", (_GROUP,)),
        Usage("Lists everybody's.", ("all",), (), (Capability.AUDIT_READ,)),
    ),
    ("/wa-requests", "/wa-requests waiting", "/wa-requests launch-team"),
    without_arguments="lists yours",
    first_argument=FirstArgument.ANYTHING,
    opens_form=False,
)
AUDIT = Command(
    "audit",
    "Look into the audit journal",
    (
        Usage(
            "Lists what was asked, decided, refused and answered, newest first; with buttons that export it.",
            ("[person]",),
            (
                Option("group", "…", "Only this group."),
                Option("since", "2026-11-01", "Only from this day, or moment, on."),
                Option("until", "2026-11-30", "Only through this day, or before this moment."),
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
"""The commands that exist."""


def find_command(word: str) -> Command | None:
    """Give the command that a word names, as `add`, `wa-add` or `/wa-add`, however capitalised; None: there is none."""
    verb = _verb(word)
    return next((command for command in COMMANDS if command.verb and command.verb == verb), None)


def nearest_command(word: str) -> str:
    """Give what to type in place of a word that names no command; empty where nothing looks like it."""
    names = {command.verb: command.name for command in COMMANDS if command.verb} | {"help": f"{WA.name} help"}
    near = nearest(_verb(word), names, alike=0.5)
    return names[near] if near else ""


def _verb(word: str) -> str:
    return word.casefold().removeprefix("/").removeprefix("wa-")
