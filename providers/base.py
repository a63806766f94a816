"""The interface of every adapter. The types of `providers.vocabulary` and `providers.errors` are exported here too."""

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
    NotOnWhatsApp,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    SessionLost,
    Unreachable,
    verdicts_for_error,
)
from providers.vocabulary import (
    Ability,
    Account,
    AccountState,
    Action,
    Cause,
    Evidence,
    Group,
    GroupChange,
    Member,
    MembershipReading,
    MembershipStatus,
    NumberCheck,
    Operation,
    Outcome,
    Person,
    Picture,
    PictureForm,
    ProviderCapability,
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
    "MembershipReading",
    "MembershipStatus",
    "NotGroupAdmin",
    "NotOnWhatsApp",
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
    "ProviderCapability",
    "ProviderError",
    "ProviderFault",
    "RateLimited",
    "SessionLost",
    "Unreachable",
    "Usage",
    "Verdict",
    "verdicts_for_error",
]


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """The result of one call about people: one verdict for each, and the error that stopped the call, if any."""

    verdicts: tuple[Verdict, ...]
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A new group and a verdict for each person; `group` is None if the answer doesn't identify it."""

    group: Group | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The result of a group change: the actions that took effect, and the error of each of the others."""

    done: tuple[Action, ...]
    failed: Mapping[Action, ProviderError]


class Provider(ABC):
    """One account at one provider. The registry builds it; all requests of a connection share it; it is closed once.

    Actions that an adapter doesn't support are missing from its `abilities`. Their methods aren't overridden and raise
    `NotSupported` without a call. Every other failure raises a `ProviderError`.

    A call about people (`add`, `remove`, `promote`, `demote`, and the same for communities) takes at most
    `abilities[…].max_batch` people. Each verdict rests on what the provider says about that person. If it says nothing,
    the verdict is `UNKNOWN` and the caller reads the group. If it says only how the person's status is now, the verdict
    is `CONFIRMED`, and the caller adds what the status before proves. After a failure, `PeopleResult` has the error and
    the verdicts known before it. If no verdict is known, the error is raised; `verdicts_for_error` turns it into
    verdicts. A write is sent again only if the first one is known to have done nothing.

    Attributes:
        abilities: the supported actions and what each one needs.
        capacity: the maximum number of members in a group: WhatsApp's, unless the provider documents another. None
            means no limit.
        late_lists: whether the contract says that member lists show changes late, or doesn't read them live.
    """

    abilities: ClassVar[Mapping[Action, Ability]]
    capacity: ClassVar[int | None] = 1024
    late_lists: ClassVar[bool] = False

    @abstractmethod
    def groups(self, search: str = "") -> AsyncIterator[Group]:
        """Yield every group that the account can see. With `search`, only those whose subject contains it."""

    @abstractmethod
    async def group(self, group_id: str) -> Group:
        """Read one group. Raises `GroupNotFound` and other `ProviderError`."""

    @abstractmethod
    async def membership(self, group_id: str, people: Sequence[Person]) -> MembershipReading:
        """Return the current membership status of each of `people`, by `Person.key`.

        A person is `ABSENT` only if the list is complete and every member could be compared, `HIDDEN` if only members
        without a known phone couldn't, and otherwise `UNKNOWN`.
        Raises `ProviderError` if the list can't be read.
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
        """Yield a group's members with their roles as they arrive: a long list is never in memory as a whole."""
        raise self._unsupported(Action.LIST_MEMBERS, group_id)

    async def remove(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a group."""
        raise self._unsupported(Action.REMOVE, group_id, people)

    async def promote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make members of a group admins."""
        raise self._unsupported(Action.PROMOTE, group_id, people)

    async def demote(self, group_id: str, people: Sequence[Person]) -> PeopleResult:
        """Make admins of a group ordinary members."""
        raise self._unsupported(Action.DEMOTE, group_id, people)

    async def create(self, subject: str, people: Sequence[Person]) -> Created:
        """Create a group with these people. It is never sent twice, because that would create two groups."""
        raise self._unsupported(Action.CREATE, subject, people)

    async def change(self, group_id: str, change: GroupChange) -> ChangeResult:
        """Change a group in as few calls as the contract allows. Changes that the provider can't make fail."""
        raise self._unsupported(Action.RENAME, group_id, change)

    async def invite_link(self, group_id: str) -> str:
        """Read the invite link of a group: `https://chat.whatsapp.com/…`."""
        raise self._unsupported(Action.READ_INVITE, group_id)

    async def reset_invite_link(self, group_id: str) -> str:
        """Revoke the invite link and return the new one."""
        raise self._unsupported(Action.RESET_INVITE, group_id)

    async def join(self, invite: str) -> Group | None:
        """Join a group by its link or code. Return None if the answer names no group, or an admin has to approve."""
        raise self._unsupported(Action.JOIN, invite)

    async def leave(self, group_id: str) -> None:
        """Remove the account itself from a group."""
        raise self._unsupported(Action.LEAVE, group_id)

    async def delete(self, group_id: str) -> None:
        """Delete a group for all its members."""
        raise self._unsupported(Action.DELETE, group_id)

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check by `Person.key` who is on WhatsApp, and under which number. Answers are cached for a day."""
        raise self._unsupported(Action.CHECK_NUMBERS, people)

    async def send_to_group(self, group_id: str, text: str) -> str:
        """Send a text to a group. Return the provider's message id, empty if there is none."""
        raise self._unsupported(Action.SEND_TO_GROUP, group_id, text)

    async def send_to_person(self, person: Person, text: str) -> str:
        """Send a text to a person. Return the provider's message id, empty if there is none."""
        raise self._unsupported(Action.SEND_TO_PERSON, person, text)

    async def limits(self) -> Sequence[Usage]:
        """Read the account's limits and usage."""
        raise self._unsupported(Action.LIMITS)

    async def create_community(self, name: str, people: Sequence[Person]) -> Created:
        """Create a community with these people. Like `create`, it is never sent twice."""
        raise self._unsupported(Action.CREATE_COMMUNITY, name, people)

    async def add_to_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Add people to a community."""
        raise self._unsupported(Action.ADD_TO_COMMUNITY, community_id, people)

    async def remove_from_community(self, community_id: str, people: Sequence[Person]) -> PeopleResult:
        """Remove people from a community."""
        raise self._unsupported(Action.REMOVE_FROM_COMMUNITY, community_id, people)

    def _unsupported(self, action: Action, *_: object) -> NotSupported:
        return NotSupported(f"{type(self).__name__} doesn't support this action: {action}.", code="not_supported")
