"""What every adapter speaks: the protocol, the errors of `providers.errors`, the words of `providers.vocabulary`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from providers.errors import (
    MAX_COOLDOWN,
    AccountDisconnected,
    AccountRestricted,
    CredentialsRejected,
    GroupFull,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    Unreachable,
    verdicts_for_error,
)
from providers.vocabulary import (
    Ability,
    Account,
    AccountState,
    Action,
    Capability,
    Cause,
    Evidence,
    Group,
    GroupChange,
    Member,
    MembershipStatus,
    NumberCheck,
    Operation,
    Outcome,
    Person,
    Picture,
    PictureForm,
    Usage,
    Verdict,
)

__all__ = [
    "MAX_COOLDOWN",
    "Ability",
    "Account",
    "AccountDisconnected",
    "AccountRestricted",
    "AccountState",
    "Action",
    "Capability",
    "Cause",
    "ChangeResult",
    "Created",
    "CredentialsRejected",
    "Evidence",
    "Group",
    "GroupChange",
    "GroupFull",
    "GroupNotFound",
    "InvalidRequest",
    "Member",
    "MembershipStatus",
    "NotGroupAdmin",
    "NotSupported",
    "NumberCheck",
    "Operation",
    "Outcome",
    "OutcomeUnknown",
    "PeopleResult",
    "PermissionMissing",
    "Person",
    "Picture",
    "PictureForm",
    "Provider",
    "ProviderError",
    "ProviderFault",
    "RateLimited",
    "Unreachable",
    "Usage",
    "Verdict",
    "verdicts_for_error",
]


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """The answer to one call about people: one verdict for each, and what stopped the call, if anything did."""

    verdicts: tuple[Verdict, ...]
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A group that was made, and what became of each person; `group` is None where the answer does not say which."""

    group: Group | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of each wanted change of a group: those in `done` took effect, each other one has its error."""

    done: tuple[Action, ...]
    failed: Mapping[Action, ProviderError]


class Provider(ABC):
    """One account at one provider. Made by the registry, shared by all requests of its connection, closed once.

    What an adapter cannot do is missing in its `abilities`, and the method, not overridden, raises `NotSupported`
    without a call. Everything else raises `ProviderError` for what goes wrong.

    A call about people (`add`, `remove`, `promote`, `demote`, and their like for communities) takes at most
    `abilities[…].most` of them and judges each from what the provider itself says. A person about whom it says nothing
    is `UNKNOWN`: the caller reads back. Verdicts that were known before a failure are kept beside it in
    `PeopleResult.error`; where nothing is known about anybody the error is raised, and `judge` turns it into verdicts.
    No write is sent twice, unless the first is known not to have happened.

    Attributes:
        abilities: what this adapter can do, and what each of it needs.
        capacity: the most members of a group, WhatsApp's where the provider names no other; None where there is no end.
    """

    abilities: ClassVar[Mapping[Action, Ability]]
    capacity: ClassVar[int | None] = 1024

    @abstractmethod
    def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Give every group that the account can see, page after page; with `search`, those whose subject holds it."""

    @abstractmethod
    async def group(self, group_id: str) -> Group:
        """Read one group. Raises `GroupNotFound` and other `ProviderError`."""

    @abstractmethod
    async def membership(self, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
        """Tell by `Person.key`, for each of `people`, how they stand in the group's member list now.

        `ABSENT` only where the list could be read whole and every member could be compared; otherwise `UNKNOWN`.
        Raises `ProviderError` when the list cannot be read.
        """

    @abstractmethod
    async def add(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add people to a group."""

    @abstractmethod
    async def account(self) -> Account:
        """Read the state of the account with the cheapest call that checks the token."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections to the provider."""

    def members(self, group_id: str) -> AsyncIterator[Member]:
        """Give a group's members with their roles, as they arrive: a long list never stands in memory as a whole."""
        raise self._cannot(Action.LIST_MEMBERS, group_id)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a group."""
        raise self._cannot(Action.REMOVE, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members admins of a group."""
        raise self._cannot(Action.PROMOTE, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins members again."""
        raise self._cannot(Action.DEMOTE, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Make a group with these people in it. Sent twice it makes two groups, so it is never repeated."""
        raise self._cannot(Action.CREATE, subject, people)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group, in as few calls as the contract allows; a change that the provider cannot do is failed."""
        raise self._cannot(Action.RENAME, group_id, change)

    async def invite_link(self, group_id: str) -> str:
        """Read the link with which anybody joins the group: `https://chat.whatsapp.com/…`."""
        raise self._cannot(Action.READ_INVITE, group_id)

    async def reset_invite_link(self, group_id: str) -> str:
        """Make the invite link invalid, and give the new one."""
        raise self._cannot(Action.RESET_INVITE, group_id)

    async def join(self, invite: str) -> Group | None:
        """Join a group by its link or code; None where the answer does not say which, or an admin has to agree."""
        raise self._cannot(Action.JOIN, invite)

    async def leave(self, group_id: str) -> None:
        """Leave a group with the account."""
        raise self._cannot(Action.LEAVE, group_id)

    async def delete(self, group_id: str) -> None:
        """Delete a group for everybody."""
        raise self._cannot(Action.DELETE, group_id)

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Tell by `Person.key` who is on WhatsApp, and under what names; answers are kept for a day."""
        raise self._cannot(Action.CHECK_NUMBERS, people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group. Gives the provider's id of the message, empty where it names none."""
        raise self._cannot(Action.SEND_TO_GROUP, group_id, text)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text to a person. Gives the provider's id of the message, empty where it names none."""
        raise self._cannot(Action.SEND_TO_PERSON, person, text)

    async def limits(self) -> Sequence[Usage]:
        """Read what the account may use and has used."""
        raise self._cannot(Action.LIMITS)

    async def create_community(self, name: str, people: Sequence[Person]) -> Created:
        """Make a community with these people in it; like `create`, never repeated."""
        raise self._cannot(Action.CREATE_COMMUNITY, name, people)

    async def add_to_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add people to a community."""
        raise self._cannot(Action.ADD_TO_COMMUNITY, community_id, people)

    async def remove_from_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a community."""
        raise self._cannot(Action.REMOVE_FROM_COMMUNITY, community_id, people)

    def _cannot(self, action: Action, *_: object) -> NotSupported:
        return NotSupported(f"{type(self).__name__} cannot do this: {action}.", code="not_supported")
