"""What every provider adapter speaks: the vocabulary of the field, the protocol, and one taxonomy of errors."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol


class Capability(StrEnum):
    """What a role may do. The first three are also what the providers ask of a credential."""

    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    SEND = "send"
    APPROVE = "approve"
    AUDIT_READ = "audit:read"
    ADMIN = "admin"


class Operation(StrEnum):
    """What a person can ask for."""

    LIST = "list"
    ADD = "add"
    REMOVE = "remove"
    PROMOTE = "promote"
    DEMOTE = "demote"
    CREATE = "create"
    SETTINGS = "settings"
    INVITE = "invite"
    SEND = "send"
    SYNC = "sync"


class Outcome(StrEnum):
    """What became of one person; the words of the results table and of the CSV."""

    ADDED = "added"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    ALREADY_DONE = "already_done"
    INVITED = "invited"
    PENDING = "pending"
    REFUSED = "refused"
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    INVALID = "invalid"
    RECENTLY_LEFT = "recently_left"
    BLOCKED = "blocked"
    GROUP_FULL = "group_full"
    RATE_LIMITED = "rate_limited"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How a verdict is known. `NONE` where nobody outside told anything: invalid, not attempted, unknown."""

    REPORTED = "reported"
    OBSERVED = "observed"
    INFERRED = "inferred"
    NONE = ""


class Presence(StrEnum):
    """Whether a person stood in a group when it was read. `UNKNOWN` where the read cannot tell."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class AccountState(StrEnum):
    """What the provider says of the account that would act."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RESTRICTED = "restricted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a roster: an E.164 phone (`+14155550100`), or a LID (`123@lid`) where no phone is known."""

    typed: str
    phone: str = ""
    lid: str = ""

    @property
    def key(self) -> str:
        """What tells two people of one roster apart: the phone, else the LID."""
        return self.phone or self.lid

    @property
    def digits(self) -> str:
        """The phone without its plus sign, as providers write it in JIDs; empty for a LID."""
        return self.phone.removeprefix("+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the person with this `key`, how it is known, and the provider's own code and words."""

    key: str
    outcome: Outcome
    evidence: Evidence = Evidence.NONE
    provider_code: str = ""
    provider_message: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its provider lists it; `size` is None where the list does not tell."""

    id: str
    subject: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The state of the account behind a connection, with the provider's words for it."""

    state: AccountState
    detail: str = ""


class ProviderError(Exception):
    """A call that did not do what was asked.

    Args:
        message: what happened, in words fit for the person who asked; never a secret, never a whole number.
        code: the provider's own code, or the HTTP status when it gave none.
        words: the provider's own words, as it sent them, shortened.
    """

    outcome: ClassVar[Outcome] = Outcome.FAILED
    stops_sender: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str = "", words: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.words = words[:300]


class CredentialsRejected(ProviderError):
    """The provider does not accept the connection's token."""

    stops_sender = True


class PermissionMissing(ProviderError):
    """The token is good but lacks the scope or role for this call."""

    stops_sender = True


class NotGroupAdmin(ProviderError):
    """The account is not an admin of the group."""

    stops_sender = True


class AccountDisconnected(ProviderError):
    """The WhatsApp session behind the connection is not connected."""

    stops_sender = True


class AccountRestricted(ProviderError):
    """WhatsApp or the provider has restricted, suspended or run out the account."""

    stops_sender = True


class GroupNotFound(ProviderError):
    """The provider does not know the group, or the account is not in it."""

    stops_sender = True


class GroupFull(ProviderError):
    """The group has no place left."""

    outcome = Outcome.GROUP_FULL


class RateLimited(ProviderError):
    """The provider refused because of too many calls; `retry_after` in seconds where it said so."""

    outcome = Outcome.RATE_LIMITED
    stops_sender = True

    def __init__(self, message: str, *, code: str = "", words: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, code=code, words=words)
        self.retry_after = retry_after


class InvalidRequest(ProviderError):
    """The provider found the request itself wrong; nothing was done."""


class ProviderFault(ProviderError):
    """The provider failed, or answered with something that is not in its contract; nothing was done."""


class Unreachable(ProviderError):
    """No connection could be made: the request did not leave, so nothing was done."""


class OutcomeUnknown(ProviderError):
    """The request left and no usable answer came back: only reading back can tell what it did."""

    outcome = Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class AddResult:
    """The answer to one add: one verdict for each person, and what stopped the call, if anything did."""

    verdicts: tuple[Verdict, ...]
    error: ProviderError | None = None


def judge(error: ProviderError, people: Iterable[Person]) -> tuple[Verdict, ...]:
    """Give the verdict of a failed call to each of `people`.

    An error that left the outcome open carries no evidence; every other is the provider's report.
    """
    evidence = Evidence.NONE if error.outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return tuple(
        Verdict(person.key, error.outcome, evidence, error.code, error.words or error.message) for person in people
    )


class Provider(Protocol):
    """One account at one provider. Made by the registry, shared by all requests of its connection, closed once.

    Attributes:
        add_limit: the most people that one `add` takes.
        capabilities: what a role needs for each operation this adapter has, in the provider's own word.
    """

    add_limit: ClassVar[int]
    capabilities: ClassVar[Mapping[Operation, Capability]]

    def groups(self) -> AsyncIterator[Group]:
        """Give every group that the account can see, page after page. Raises `ProviderError`."""
        ...

    async def group(self, group_id: str) -> Group:
        """Read one group. Raises `GroupNotFound` and other `ProviderError`."""
        ...

    async def presence(self, group_id: str, people: Sequence[Person]) -> Mapping[str, Presence]:
        """Tell by `Person.key`, for each of `people`, whether the group's member list holds them now.

        `ABSENT` only where the list could be read whole and every member could be compared; otherwise `UNKNOWN`.
        Raises `ProviderError` when the list cannot be read.
        """
        ...

    async def add(self, group_id: str, people: Sequence[Person]) -> AddResult:
        """Add at most `add_limit` people, and judge each of them from what the provider itself says.

        A person about whom the provider says nothing is `UNKNOWN`: the caller reads back. Verdicts that were known
        before a failure are kept beside it in `AddResult.error`. Never sends the same write twice by itself.
        Raises `ProviderError` when nothing is known about anybody; `judge` turns it into verdicts.
        """
        ...

    async def account(self) -> Account:
        """Read the state of the account with the cheapest call that checks the token. Raises `ProviderError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections to the provider."""
        ...
