"""What each operation needs, changes and allows: one row for each, from which everything else follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.requests import RequestOptions
from providers.base import Action, MembershipStatus, Operation, Outcome


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The membership or role that an operation wants people to have.

    Attributes:
        outcome: the outcome of a person for whom the operation brought it about.
        is_member: whether they are to be members; None if the operation changes a role.
        is_admin: whether they are to be admins, for an operation that changes a role.
        members_only: whether only members can be brought into this state.
    """

    outcome: Outcome
    is_member: bool | None = None
    is_admin: bool | None = None
    members_only: bool = False

    def is_met_by(self, status: MembershipStatus) -> bool | None:
        """Return whether a person with this status is in the desired state; None if that is unknown."""
        wanted, actual = (
            (self.is_admin, status.is_admin) if self.is_member is None else (self.is_member, status.is_member)
        )
        return None if actual is None else actual is wanted


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """How an operation is carried out and followed up. Its words are in `handlers.views.operation_texts`.

    Attributes:
        actions: the actions that a provider must support; the first one carries the operation out.
        group_actions: the same for a request without people, if it differs.
        group_item: the item of a request without people.
        desired: the state that people are to be in; None if nothing about their membership changes.
        opposite: the operation that undoes it; None if nothing does.
        joins: whether people join the group, so that its capacity counts and their numbers are checked.
        invitable: whether people who refuse can be invited.
        one_by_one: whether the provider is called once for each person, so that a crash leaves one of them unanswered.
        one_batch: whether all items are one batch, in which each of them fails alone.
        repeatable: whether it may be repeated after an interruption without reading the group, because doing it twice
            changes nothing.
        changes_list: whether a name in the connection's list of groups is new.
        needs_approval: whether a request needs an approval unless a rule says otherwise.
    """

    actions: tuple[Action, ...]
    group_actions: tuple[Action, ...] = ()
    group_item: str = ""
    desired: DesiredState | None = None
    opposite: Operation | None = None
    joins: bool = False
    invitable: bool = False
    one_by_one: bool = False
    one_batch: bool = False
    repeatable: bool = False
    changes_list: bool = False
    needs_approval: bool = False

    @property
    def action(self) -> Action:
        """The action that carries the operation out."""
        return self.actions[0]


GROUP_LABEL = "the group"
LINK_LABEL = "the invite link"
"""The request items that are about the group itself or its link."""

OPERATIONS: Mapping[Operation, OperationSpec] = MappingProxyType(
    {
        Operation.ADD: OperationSpec(
            (Action.ADD,),
            desired=DesiredState(Outcome.ADDED, is_member=True),
            opposite=Operation.REMOVE,
            joins=True,
            invitable=True,
        ),
        Operation.REMOVE: OperationSpec(
            (Action.REMOVE,), desired=DesiredState(Outcome.REMOVED, is_member=False), opposite=Operation.ADD
        ),
        Operation.PROMOTE: OperationSpec(
            (Action.PROMOTE,),
            desired=DesiredState(Outcome.PROMOTED, is_admin=True, members_only=True),
            opposite=Operation.DEMOTE,
        ),
        Operation.DEMOTE: OperationSpec(
            (Action.DEMOTE,), desired=DesiredState(Outcome.DEMOTED, is_admin=False), opposite=Operation.PROMOTE
        ),
        Operation.CREATE: OperationSpec(
            (Action.CREATE,),
            desired=DesiredState(Outcome.ADDED, is_member=True),
            joins=True,
            invitable=True,
            changes_list=True,
        ),
        Operation.SETTINGS: OperationSpec((Action.RENAME,), one_batch=True, repeatable=True, changes_list=True),
        Operation.INVITE: OperationSpec(
            (Action.READ_INVITE, Action.SEND_TO_PERSON), (Action.RESET_INVITE,), LINK_LABEL, one_by_one=True
        ),
        Operation.SEND: OperationSpec((Action.SEND_TO_PERSON,), (Action.SEND_TO_GROUP,), GROUP_LABEL, one_by_one=True),
        Operation.SYNC: OperationSpec((Action.ADD, Action.REMOVE), invitable=True, needs_approval=True),
    }
)
"""What sets each operation apart."""


def required_actions(operation: Operation, options: RequestOptions, *, people: bool) -> tuple[Action, ...]:
    """Return every action that a provider must support for a request.

    Args:
        operation: the operation of the request.
        options: its options.
        people: whether the request is about people; a message without people goes to the group, an invite without
            people resets the link.
    """
    spec = OPERATIONS[operation]
    if options.look_only:
        return (Action.LIST_GROUPS,)
    if operation is Operation.ADD and options.invite_refused:
        return (Action.ADD, *OPERATIONS[Operation.INVITE].actions)
    if operation is Operation.SETTINGS and options.change is not None:
        return options.change.actions
    return spec.actions if people or not spec.group_actions else spec.group_actions


SETTING_LABELS = {
    Action.RENAME: "name",
    Action.DESCRIBE: "description",
    Action.PICTURE: "picture",
    Action.ANNOUNCE_ONLY: "only admins may write",
    Action.LOCK: "only admins may edit the group's info",
    Action.EPHEMERAL: "disappearing messages",
}
"""The name of each setting as a request item and in the audit journal."""


def invitation(subject: str, link: str) -> str:
    """Return the text of an invite; the request's own text goes before it.

    >>> invitation("", "https://chat.whatsapp.com/CODE")
    'You are invited to a WhatsApp group: https://chat.whatsapp.com/CODE'
    """
    return f"You are invited to {f'the WhatsApp group “{subject}”' if subject else 'a WhatsApp group'}: {link}"
