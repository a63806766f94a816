"""What each operation wants of a person, so that all of them are carried out and judged the same way."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.requests import RequestOptions
from providers.base import Action, MembershipStatus, Operation, Outcome

ACTIONS: Mapping[Operation, Action] = MappingProxyType(
    {
        Operation.ADD: Action.ADD,
        Operation.REMOVE: Action.REMOVE,
        Operation.PROMOTE: Action.PROMOTE,
        Operation.DEMOTE: Action.DEMOTE,
        Operation.CREATE: Action.CREATE,
        Operation.SETTINGS: Action.RENAME,
        Operation.INVITE: Action.SEND_TO_PERSON,
        Operation.SEND: Action.SEND_TO_GROUP,
    }
)
"""The action that stands for an operation where its details do not say more: see `actions_of`."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What an operation wants: `done` is the outcome of a person for whom it was brought about."""

    operation: Operation
    outcome: Outcome

    def is_met_by(self, standing: MembershipStatus) -> bool | None:
        """Tell whether somebody who stands so in the group is as wanted; None where that cannot be told."""
        match self.operation:
            case Operation.REMOVE:
                return None if standing.is_member is None else not standing.is_member
            case Operation.PROMOTE:
                return standing.is_admin
            case Operation.DEMOTE:
                return None if standing.is_admin is None else not standing.is_admin
            case _:
                return standing.is_member


def required_actions(operation: Operation, options: RequestOptions, *, people: bool) -> tuple[Action, ...]:
    """Give every action that a provider must be able to do for a request.

    Args:
        operation: what is asked for.
        options: what the request says besides.
        people: whether it is about people; a text without any goes to the group, an invite without any is reset.
    """
    match operation:
        case _ if options.look_only:
            return (Action.LIST_GROUPS,)
        case Operation.ADD if options.invite_refused:
            return (Action.ADD, Action.READ_INVITE, Action.SEND_TO_PERSON)
        case Operation.SETTINGS if options.change is not None:
            return options.change.actions
        case Operation.INVITE:
            return (Action.READ_INVITE, Action.SEND_TO_PERSON) if people else (Action.RESET_INVITE,)
        case Operation.SEND:
            return (Action.SEND_TO_PERSON if people else Action.SEND_TO_GROUP,)
        case Operation.SYNC:
            return (Action.ADD, Action.REMOVE)
        case _:
            return (ACTIONS[operation],)


DESIRED_STATES: Mapping[Operation, DesiredState] = MappingProxyType(
    {
        operation: DesiredState(operation, done)
        for operation, done in {
            Operation.ADD: Outcome.ADDED,
            Operation.CREATE: Outcome.ADDED,
            Operation.REMOVE: Outcome.REMOVED,
            Operation.PROMOTE: Outcome.PROMOTED,
            Operation.DEMOTE: Outcome.DEMOTED,
        }.items()
    }
)
"""The operations that want people to stand differently in a group."""

SETTING_LABELS = {
    Action.RENAME: "name",
    Action.DESCRIBE: "description",
    Action.PICTURE: "picture",
    Action.ANNOUNCE_ONLY: "only admins may write",
    Action.LOCK: "only admins may edit the group's info",
    Action.EPHEMERAL: "disappearing messages",
}
"""The name of each setting as a request item and in the audit journal."""
GROUP_LABEL = "the group"
LINK_LABEL = "the invite link"
"""The request items that are about the group itself or its link."""


def invitation(subject: str, link: str) -> str:
    """Return the text of an invite; the request's own text goes before it.

    >>> invitation("", "https://chat.whatsapp.com/CODE")
    'You are invited to a WhatsApp group: https://chat.whatsapp.com/CODE'
    """
    return f"You are invited to {f'the WhatsApp group “{subject}”' if subject else 'a WhatsApp group'}: {link}"
