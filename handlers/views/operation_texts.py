"""The words of each operation, in every message and form."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.followups import Followup
from bot.domain.operations import SETTING_LABELS
from bot.domain.outcomes import OUTCOME_TEXTS, Tally
from bot.domain.requests import Request, RequestOptions
from handlers.views.text import count, safe_text
from providers.base import Operation, Outcome

_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Phrase:
    """A verb, the same as an action in progress, and its object with the fields `people`, `group` and others."""

    verb: str
    gerund: str
    rest: str


@dataclass(frozen=True, slots=True)
class OperationText:
    """The words of an operation.

    Attributes:
        phrase: what a request asks for.
        submit: the button that submits a preview; Slack allows 24 characters.
        done: what happened to the people for whom it worked: `3 of 5 added`.
        state: what those people are now, whether or not this request changed it: for one, and for several.
        planned: what will happen to a person without a result.
        new: how a preview counts the people that it would change.
        already: how a preview counts the people who are already in the desired state.
        already_done: the outcome of a person who was in the desired state before.
        confirmed: the outcome of a person who is in the desired state, and may have been before.
        absent: how a preview counts the people who aren't in the group and are skipped for that reason.
    """

    phrase: Phrase
    submit: str
    done: str
    state: tuple[str, str] | None = None
    planned: str = "waiting"
    new: str = "to send to the provider"
    already: str = ""
    absent: str = ""
    already_done: str = "already so"
    confirmed: str = "as requested"


OPERATION_TEXTS: Mapping[Operation, OperationText] = MappingProxyType(
    {
        Operation.ADD: OperationText(
            Phrase("add", "Adding", "{people} to {group}"),
            submit="Add",
            done="added",
            state=("is in the group", "are in the group"),
            planned="will be added",
            new="to add",
            already="already in the group (skipped)",
            already_done="already in the group",
            confirmed="in the group",
        ),
        Operation.REMOVE: OperationText(
            Phrase("remove", "Removing", "{people} from {group}"),
            submit="Remove",
            done="removed",
            state=("is out of the group", "are out of the group"),
            planned="will be removed",
            new="to remove",
            absent="not in the group (skipped)",
            already_done="was not in the group",
            confirmed="not in the group",
        ),
        Operation.PROMOTE: OperationText(
            Phrase("make", "Making", "{people} {admins} of {group}"),
            submit="Make admins",
            done="promoted",
            state=("is an admin", "are admins"),
            planned="will become an admin",
            new="to make admins",
            already="already admins (skipped)",
            absent="not in the group, so they can't become admins (skipped)",
            already_done="was an admin already",
            confirmed="an admin",
        ),
        Operation.DEMOTE: OperationText(
            Phrase("remove", "Removing", "admin rights from {people} in {group}"),
            submit="Remove admin rights",
            done="demoted",
            state=("isn't an admin", "aren't admins"),
            planned="will lose admin rights",
            new="to lose admin rights",
            already="not admins (skipped)",
            absent="not in the group (skipped)",
            already_done="was no admin",
            confirmed="not an admin",
        ),
        Operation.CREATE: OperationText(
            Phrase("create", "Creating", "the group {group} with {people}"),
            submit="Create",
            done="added",
            state=("is in the group", "are in the group"),
            planned="will be added",
            new="to add",
        ),
        Operation.SETTINGS: OperationText(
            Phrase("change", "Changing", "{group}: {settings}"),
            submit="Change",
            done="changed",
            planned="will be changed",
        ),
        Operation.INVITE: OperationText(
            Phrase("invite", "Inviting", "{people} to {group}"),
            submit="Invite",
            done="invited",
            planned="will be invited",
            new="to invite",
        ),
        Operation.SEND: OperationText(
            Phrase("message", "Messaging", "{people} (sent from {connection})"),
            submit="Send",
            done="sent",
            planned="will be sent",
            new="to message",
        ),
        Operation.SYNC: OperationText(
            Phrase("sync", "Syncing", "{group} with {list}, changing {people}"),
            submit="Start the sync",
            done="changed",
        ),
    }
)
_CHECK = Phrase("check", "Checking", "the unknown results of {people} in {group}")
_REPORT = Phrase("compare", "Comparing", "{group} with {list}")
_RESET = Phrase("reset", "Resetting", "the invite link of {group}")
_SEND_TO_GROUP = Phrase("send", "Sending", "a message to {group}")
_UNDO_SYNC = Phrase("undo", "Undoing", "a sync of {group}, changing {people} back")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a phrase is about: a request, or a draft that isn't a request yet."""

    operation: Operation
    group_name: str
    connection: str
    options: RequestOptions

    @classmethod
    def of(cls, request: Request) -> "Subject":
        """Return the subject of a request."""
        return cls(request.operation, request.group_name, request.connection, request.options)


def people_of(tally: Tally) -> str:
    """Return the number of people in words.

    >>> people_of(Tally((), 6, rejected=1))
    '5 people'
    """
    return count(tally.people, "person", "people")


def phrase(request: Request, tally: Tally, *, bold: bool = True) -> str:
    """Return what a request asks for, beginning with a verb: `add 5 people to *launch-team* · 2 entries skipped`.

    `bold` formats the group's name for blocks.
    """
    return describe(Subject.of(request), tally, bold=bold)


def title(request: Request, tally: Tally, *, bold: bool = True) -> str:
    """Return the same with a capital, as the title of a message."""
    return capitalize(phrase(request, tally, bold=bold))


def in_progress(request: Request, tally: Tally) -> str:
    """Return the same as an action in progress: `Adding 5 people to *launch-team*`."""
    subject = Subject.of(request)
    chosen = _phrase_of(subject, tally)
    return f"{chosen.gerund} {_rest(chosen, subject, tally, bold=True)}"


def describe(subject: Subject, tally: Tally, *, bold: bool = True) -> str:
    """Return what a request or a draft asks for, beginning with a verb."""
    chosen = _phrase_of(subject, tally)
    skipped = f" · {count(tally.rejected, 'entry', 'entries')} skipped" if tally.rejected else ""
    return f"{chosen.verb} {_rest(chosen, subject, tally, bold=bold)}{skipped}"


def submit_label(subject: Subject, tally: Tally) -> str:
    """Return the label of the button that submits a preview."""
    chosen = _phrase_of(subject, tally)
    return "Reset link" if chosen is _RESET else OPERATION_TEXTS[subject.operation].submit


def outcome_label(outcome: Outcome, operation: Operation) -> str:
    """Return an outcome in words, as it reads after this operation.

    >>> outcome_label(Outcome.ALREADY_DONE, Operation.REMOVE)
    'was not in the group'
    """
    if outcome is Outcome.ALREADY_DONE:
        return OPERATION_TEXTS[operation].already_done
    if outcome is Outcome.CONFIRMED:
        return OPERATION_TEXTS[operation].confirmed
    return OUTCOME_TEXTS[outcome].label


def capitalize(text: str) -> str:
    """Return the text with its first letter capitalized, and the rest as it is."""
    return text[:1].upper() + text[1:]


def _phrase_of(subject: Subject, tally: Tally) -> Phrase:
    options = subject.options
    if options.look_only:
        is_report = subject.operation is Operation.SYNC and options.follow != Followup.VERIFY
        return _REPORT if is_report else _CHECK
    match subject.operation:
        case Operation.INVITE if not tally.people:
            return _RESET
        case Operation.SEND if not tally.people:
            return _SEND_TO_GROUP
        case Operation.SYNC if options.follow == Followup.UNDO:
            return _UNDO_SYNC
        case operation:
            return OPERATION_TEXTS[operation].phrase


def _rest(chosen: Phrase, subject: Subject, tally: Tally, *, bold: bool) -> str:
    name, change, source = safe_text(subject.group_name, _MAX_NAME), subject.options.change, subject.options.source
    return chosen.rest.format(
        people=people_of(tally),
        admins="an admin" if tally.people == 1 else "admins",
        group=f"*{name}*" if bold else name,
        connection=safe_text(subject.connection, _MAX_NAME),
        settings=", ".join(SETTING_LABELS[action] for action in change.actions) if change else "settings",
        list=safe_text(source.name, _MAX_NAME) if source and source.name else "a list",
    )
