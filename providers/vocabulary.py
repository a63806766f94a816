"""The types that all providers share: operations, outcomes, people, groups, accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ProviderCapability(StrEnum):
    """What an action of a provider needs. Rollcall's roles have these, and others that no provider knows."""

    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    SEND = "send"


class Operation(StrEnum):
    """An operation that people can request."""

    ADD = "add"
    REMOVE = "remove"
    PROMOTE = "promote"
    DEMOTE = "demote"
    CREATE = "create"
    SETTINGS = "settings"
    INVITE = "invite"
    SEND = "send"
    SYNC = "sync"


class Action(StrEnum):
    """An action of an adapter. Finer than `Operation`, which people request."""

    LIST_GROUPS = "list groups"
    READ_GROUP = "read a group"
    LIST_MEMBERS = "list members"
    ADD = "add"
    REMOVE = "remove"
    PROMOTE = "promote"
    DEMOTE = "demote"
    CREATE = "create a group"
    RENAME = "rename"
    DESCRIBE = "set description"
    PICTURE = "set picture"
    ANNOUNCE_ONLY = "announce-only"
    LOCK = "lock the info"
    EPHEMERAL = "disappearing messages"
    READ_INVITE = "read invite link"
    RESET_INVITE = "reset invite link"
    JOIN = "join"
    LEAVE = "leave"
    DELETE = "delete a group"
    CHECK_NUMBERS = "check numbers"
    SEND_TO_GROUP = "send a text to a group"
    SEND_TO_PERSON = "send a text to a person"
    ACCOUNT = "account status"
    LIMITS = "limits and usage"
    CREATE_COMMUNITY = "create a community"
    ADD_TO_COMMUNITY = "add to a community"
    REMOVE_FROM_COMMUNITY = "remove from a community"


class PictureForm(StrEnum):
    """The form in which a provider takes a group's picture."""

    ADDRESS = "address"
    JPEG = "JPEG"


@dataclass(frozen=True, slots=True)
class Ability:
    """An action that an adapter supports, and what it needs.

    Attributes:
        capability: what a role of Rollcall needs.
        native: the scopes or permissions that the credential needs, in the provider's words; empty if it names none.
        operations: the operation ids in the contract.
        max_batch: the maximum number of people in one call; 0 means no documented limit.
        note: what is special about it, for `docs/providers.md`.
        picture: the form in which the provider takes a picture.
        hint: a sentence for the person who fills in the field.
    """

    capability: ProviderCapability
    native: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    max_batch: int = 0
    note: str = ""
    picture: PictureForm | None = None
    hint: str = ""


class Outcome(StrEnum):
    """The outcome for one person, as the results table and the CSV show it."""

    ADDED = "added"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    CHANGED = "changed"
    SENT = "sent"
    ALREADY_DONE = "already_done"
    CONFIRMED = "confirmed"
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
    """How a verdict is known. `NONE` for verdicts without outside evidence: invalid, not attempted, unknown."""

    REPORTED = "reported"
    OBSERVED = "observed"
    INFERRED = "inferred"
    NONE = ""


class MembershipStatus(StrEnum):
    """A person's status in a group when it was read.

    `PRESENT` is a member whose role isn't known. `HIDDEN` is a person who isn't among the members with a known phone,
    but may be one of those who are known only by a LID.
    """

    ABSENT = "absent"
    PRESENT = "present"
    MEMBER = "member"
    ADMIN = "admin"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"

    @property
    def is_member(self) -> bool | None:
        """Whether the person is in the group; None if unknown."""
        if self in {MembershipStatus.UNKNOWN, MembershipStatus.HIDDEN}:
            return None
        return self is not MembershipStatus.ABSENT

    @property
    def is_admin(self) -> bool | None:
        """Whether the person is an admin of the group; None if unknown."""
        return None if self.is_member is None or self is MembershipStatus.PRESENT else self is MembershipStatus.ADMIN


class MembershipReading(dict[str, MembershipStatus]):
    """The status of people in a group when it was read, by `Person.key`.

    Two readings can prove more than one: a person who is listed now, beside the same hidden members, wasn't one of
    them.

    Attributes:
        hidden: the LIDs of the members without a known phone. None if a person may be missing for another reason, so
            that two readings can't be compared.
        lids: the LIDs of the people who are listed, as far as they are known.
    """

    def __init__(
        self,
        statuses: Mapping[str, MembershipStatus],
        hidden: frozenset[str] | None = None,
        lids: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(statuses)
        self.hidden = hidden
        self.lids = lids or {}

    @property
    def undecided(self) -> frozenset[str]:
        """The keys of the people who may or may not be in the group, as far as the list shows."""
        return frozenset(key for key, status in self.items() if status.is_member is None)


class AccountState(StrEnum):
    """The state of an account, by its provider."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RESTRICTED = "restricted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a roster: an E.164 phone (`+14155550100`), or a LID (`123@lid`) if no phone is known.

    `name` is the name that was given beside the number; empty if none was.
    """

    raw: str
    phone: str = ""
    lid: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """The identity of a person within a roster: the phone, else the LID, else the text as typed."""
        return self.phone or self.lid or self.raw

    @property
    def is_person(self) -> bool:
        """False for an entry that isn't a person: a rejected one, or something else such as a group's subject."""
        return bool(self.phone or self.lid)

    @property
    def digits(self) -> str:
        """The phone without its plus sign, as providers write it in JIDs; empty for a LID."""
        return self.phone.removeprefix("+")


class Cause(StrEnum):
    """The cause of a failure, as far as it says what helps. `UNKNOWN` if only the provider's words explain it."""

    UNKNOWN = ""
    TRANSIENT = "passing"
    CREDENTIALS = "credentials"
    PERMISSION = "permission"
    NO_ADMIN = "no_admin"
    DISCONNECTED = "disconnected"
    RESTRICTED = "restricted"
    NO_GROUP = "no_group"
    NO_MEMBER = "no_member"
    IMPOSSIBLE = "impossible"
    INVALID = "wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for the person with this `key`: how it is known, the provider's code and words, and the cause."""

    key: str
    outcome: Outcome
    evidence: Evidence = Evidence.NONE
    provider_code: str = ""
    provider_message: str = ""
    cause: Cause = Cause.UNKNOWN

    @classmethod
    def reported(
        cls, key: str, outcome: Outcome, code: str = "", message: str = "", cause: Cause = Cause.UNKNOWN
    ) -> "Verdict":
        """Build the verdict from a provider's report about this person. A report that leaves it open is no evidence."""
        evidence = Evidence.NONE if outcome is Outcome.UNKNOWN else Evidence.REPORTED
        return cls(key, outcome, evidence, code, message, cause)


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its provider shows it. None for what the answer doesn't say.

    Attributes:
        size: the number of members.
        ephemeral: seconds after which messages disappear; 0 means never.
    """

    id: str
    subject: str
    size: int | None = None
    description: str | None = None
    announce_only: bool | None = None
    locked: bool | None = None
    ephemeral: int | None = None

    def matches(self, search: str) -> bool:
        """Return whether the subject contains `search`, ignoring case. An empty search matches every group."""
        return search.casefold() in self.subject.casefold()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group, by E.164 phone or LID; either is empty if not known. `status` has the role."""

    phone: str = ""
    lid: str = ""
    name: str = ""
    status: MembershipStatus = MembershipStatus.PRESENT


@dataclass(frozen=True, slots=True)
class Picture:
    """A group's picture: an https address or a JPEG. Each provider takes one of the two."""

    url: str = ""
    jpeg: bytes = field(default=b"", repr=False)

    @property
    def form(self) -> PictureForm:
        """The form of this picture."""
        return PictureForm.JPEG if self.jpeg else PictureForm.ADDRESS


@dataclass(frozen=True, slots=True)
class GroupChange:
    """The changes to make to a group; None means no change. `ephemeral` is in seconds, 0 turns it off."""

    subject: str | None = None
    description: str | None = None
    picture: Picture | None = None
    announce_only: bool | None = None
    locked: bool | None = None
    ephemeral: int | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of this change, in a fixed order."""
        wanted = {
            Action.RENAME: self.subject,
            Action.DESCRIBE: self.description,
            Action.PICTURE: self.picture,
            Action.ANNOUNCE_ONLY: self.announce_only,
            Action.LOCK: self.locked,
            Action.EPHEMERAL: self.ephemeral,
        }
        return tuple(action for action, value in wanted.items() if value is not None)


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """A provider's answer about a number: on WhatsApp or not (None if unknown), canonical phone (E.164), LID."""

    on_whatsapp: bool | None
    phone: str = ""
    lid: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The state of the account behind a connection, with the provider's own words."""

    state: AccountState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """A limit of an account: how much is used and how much is allowed; None if not known."""

    name: str
    used: float | None = None
    limit: float | None = None
