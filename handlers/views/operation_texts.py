"""What a request asks for, as a phrase that begins with a verb: `add 5 people to *launch-team*`."""

from bot.domain.followups import Followup
from bot.domain.operations import SETTING_LABELS
from bot.domain.outcomes import Tally
from bot.domain.requests import Request
from handlers.views.text import count, safe_text
from providers.base import Operation

_MOST_NAME = 100


def people_of(tally: Tally) -> str:
    """Say how many people a request is about, and how many entries name nobody.

    >>> people_of(Tally((), 6, rejected=1))
    '5 people (1 entry not usable)'
    """
    people = count(tally.people, "person", "people")
    return f"{people} ({count(tally.rejected, 'entry', 'entries')} not usable)" if tally.rejected else people


def phrase(request: Request, tally: Tally, *, bold: bool = True) -> str:
    """Say what a request asks for; `bold` sets the group's name in bold, for blocks."""
    name = safe_text(request.group_name, _MOST_NAME)
    group = f"*{name}*" if bold else name
    people = people_of(tally)
    if request.options.look_only:
        return (
            f"report how {group} differs from a list"
            if request.reports_only
            else f"look what became of {people} in {group}"
        )
    to_people = bool(tally.people)
    match request.operation:
        case Operation.REMOVE:
            return f"remove {people} from {group}"
        case Operation.PROMOTE:
            return f"make {people} {'an admin' if tally.people == 1 else 'admins'} of {group}"
        case Operation.DEMOTE:
            return f"take admin rights from {people} in {group}"
        case Operation.CREATE:
            return f"create the group {group} with {people}"
        case Operation.SETTINGS:
            return f"change {group}: {_settings(request)}"
        case Operation.INVITE:
            return f"invite {people} to {group}" if to_people else f"reset the invite link of {group}"
        case Operation.SEND:
            return f"send a text to {people} from {group}" if to_people else f"send a text to {group}"
        case Operation.SYNC:
            undoes = request.options.follow == Followup.UNDO
            return (
                f"undo a sync of {group}, changing {people} back"
                if undoes
                else f"bring {group} in line with a list, changing {people}"
            )
        case _:
            return f"add {people} to {group}"


def _settings(request: Request) -> str:
    change = request.options.change
    return ", ".join(SETTING_LABELS[action] for action in change.actions) if change else "settings"


def title(request: Request, tally: Tally, *, bold: bool = True) -> str:
    """Say the same as the title of a message, with a capital."""
    text = phrase(request, tally, bold=bold)
    return text[0].upper() + text[1:]
