"""The words of the field: what can be asked, what may become of a person, and what a provider tells of its groups."""

from dataclasses import dataclass, field
from enum import StrEnum


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
    """What an adapter may be able to do: finer than `Operation`, which people ask for."""

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
    """How a group's picture is given to a provider."""

    ADDRESS = "address"
    JPEG = "JPEG"


@dataclass(frozen=True, slots=True)
class Ability:
    """How an adapter does one action.

    Attributes:
        capability: what a role of Rollcall needs for it.
        native: the scopes or permissions that the credential needs, in the provider's words; empty: it names none.
        operations: the contract's operation ids that do it.
        most: the most people that one call takes; 0 where nobody documents a limit.
        note: what is special about it here, for `docs/providers.md`.
        picture: for a picture, the one form in which it is taken.
        hint: what somebody who fills it in has to know, in a sentence for people.
    """

    capability: Capability
    native: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    max_batch: int = 0
    note: str = ""
    picture: PictureForm | None = None
    hint: str = ""


class Outcome(StrEnum):
    """What became of one person; the words of the results table and of the CSV."""

    ADDED = "added"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    CHANGED = "changed"
    SENT = "sent"
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


class MembershipStatus(StrEnum):
    """A person's place in a group when it was read. `PRESENT` is a member of whom the read tells no role."""

    ABSENT = "absent"
    PRESENT = "present"
    MEMBER = "member"
    ADMIN = "admin"
    UNKNOWN = "unknown"

    @property
    def is_member(self) -> bool | None:
        """Whether the person is in the group; None where the read cannot tell."""
        return None if self is MembershipStatus.UNKNOWN else self is not MembershipStatus.ABSENT

    @property
    def is_admin(self) -> bool | None:
        """Whether the person is one of its admins; None where the read cannot tell."""
        return None if self in {MembershipStatus.UNKNOWN, MembershipStatus.PRESENT} else self is MembershipStatus.ADMIN


class AccountState(StrEnum):
    """What the provider says of the account that would act."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RESTRICTED = "restricted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a roster: an E.164 phone (`+14155550100`), or a LID (`123@lid`) where no phone is known."""

    raw: str
    phone: str = ""
    lid: str = ""

    @property
    def key(self) -> str:
        """What tells two people of one roster apart: the phone, else the LID; what was typed where it is neither."""
        return self.phone or self.lid or self.raw

    @property
    def is_person(self) -> bool:
        """False for an entry that names nobody: one that was rejected, or a thing such as a group's subject."""
        return bool(self.phone or self.lid)

    @property
    def digits(self) -> str:
        """The phone without its plus sign, as providers write it in JIDs; empty for a LID."""
        return self.phone.removeprefix("+")


class Cause(StrEnum):
    """Why it was not done, as far as that tells what helps; `UNTOLD` where only the provider's words tell."""

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
    """What became of the person with this `key`, how it is known, the provider's own code and words, and the cause."""

    key: str
    outcome: Outcome
    evidence: Evidence = Evidence.NONE
    provider_code: str = ""
    provider_message: str = ""
    cause: Cause = Cause.UNKNOWN


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its provider tells of it; None where the answer does not say.

    Attributes:
        size: how many members it has.
        ephemeral: seconds after which messages disappear; 0: they stay.
    """

    id: str
    subject: str
    size: int | None = None
    description: str | None = None
    announce_only: bool | None = None
    locked: bool | None = None
    ephemeral: int | None = None

    def matches(self, search: str) -> bool:
        """Tell whether the subject holds `search`, however either is capitalised; nothing to search for is in all."""
        return search.casefold() in self.subject.casefold()


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group: an E.164 phone or a LID, either empty where it is not told; `standing` says the role."""

    phone: str = ""
    lid: str = ""
    name: str = ""
    status: MembershipStatus = MembershipStatus.PRESENT


@dataclass(frozen=True, slots=True)
class Picture:
    """A group's picture: an https address, or the JPEG itself. Providers take the one or the other."""

    url: str = ""
    jpeg: bytes = field(default=b"", repr=False)

    @property
    def form(self) -> PictureForm:
        """In which form it is given."""
        return PictureForm.JPEG if self.jpeg else PictureForm.ADDRESS


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What is to be different about a group; None leaves a thing as it is. `ephemeral` in seconds, 0 turns it off."""

    subject: str | None = None
    description: str | None = None
    picture: Picture | None = None
    announce_only: bool | None = None
    locked: bool | None = None
    ephemeral: int | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that this change takes, in a fixed order."""
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
    """What a provider says of a number: `on_whatsapp` None where it cannot tell; canonical phone (E.164) and LID."""

    on_whatsapp: bool | None
    phone: str = ""
    lid: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The state of the account behind a connection, with the provider's words for it."""

    state: AccountState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """One allowance of an account: how much of it is used, and how much there is; None where it is not told."""

    name: str
    used: float | None = None
    limit: float | None = None
