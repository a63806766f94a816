"""What each contract promises to tell: what an adapter has to say, and where it may not know. One entry a provider.

The quotes are the contracts' own words. Where they speak of what is left open, the person is unknown; the class of a
stop is then that of the simulator's answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    Action,
    CredentialsRejected,
    Evidence,
    NotGroupAdmin,
    Outcome,
    PermissionMissing,
    ProviderError,
)
from tests.providers.conformance.person_cases import PERSON_CASES


@dataclass(frozen=True, slots=True)
class DocumentedOutcome:
    """What an answer has to be read as."""

    quote: str
    outcome: Outcome = Outcome.UNKNOWN
    evidence: Evidence = Evidence.NONE


@dataclass(frozen=True, slots=True)
class AccountProblem:
    """How an account that cannot act is told of: the class of every error, and what does its work all the same."""

    kind: type[ProviderError]
    quote: str
    still_works: frozenset[Action] = frozenset()


@dataclass(frozen=True, slots=True)
class ProviderOutcomes:
    """What one provider promises.

    Attributes:
        outcomes: by the name of a case.
        stops: by the name of a state.
        facts: what reading a group tells, besides its subject.
        roles: whether a member list tells who is an admin.
    """

    outcomes: Mapping[str, DocumentedOutcome]
    account_problems: Mapping[str, AccountProblem]
    group_fields: frozenset[str] = frozenset()
    lists_roles: bool = True


def _reported(outcome: Outcome, quote: str) -> DocumentedOutcome:
    return DocumentedOutcome(quote, outcome, Evidence.REPORTED)


_STORED = frozenset({Action.LIST_GROUPS, Action.READ_GROUP, Action.LIST_MEMBERS, Action.LIMITS})
_OF_ANY_MEMBER = _STORED | {
    Action.CREATE,
    Action.CREATE_COMMUNITY,
    Action.JOIN,
    Action.LEAVE,
    Action.CHECK_NUMBERS,
    Action.SEND_TO_GROUP,
    Action.SEND_TO_PERSON,
    Action.ACCOUNT,
}

_COUNTED = "Reports one count and no per-contact outcome."
_WITH_ITS_GROUPS = _reported(Outcome.ADDED, "The answer is the contact with its groups already included.")
_WACR = ProviderOutcomes(
    outcomes={
        # Whom nobody has a contact of, a contact is made of; the CRM does not ask WhatsApp.
        **dict.fromkeys((name for name in PERSON_CASES if name.startswith(("adding", "creating"))), _WITH_ITS_GROUPS),
        "adding a member": DocumentedOutcome(
            "Skipped without notice: contacts that are already members.", Outcome.ALREADY_DONE, Evidence.OBSERVED
        ),
        "adding a person who declines": DocumentedOutcome(_COUNTED, Outcome.ADDED, Evidence.INFERRED),
        "adding a person who left lately": DocumentedOutcome(_COUNTED, Outcome.ADDED, Evidence.INFERRED),
        "removing a member": DocumentedOutcome(_COUNTED, Outcome.REMOVED, Evidence.INFERRED),
        "removing a person who is not a member": DocumentedOutcome(
            "Contacts that are not members are left out of `contacts_removed`.",
            Outcome.ALREADY_DONE,
            Evidence.OBSERVED,
        ),
    },
    account_problems={
        "wrong token": AccountProblem(CredentialsRejected, "UNAUTHORIZED: {status: 401"),
        "no admin": AccountProblem(NotGroupAdmin, "Puts existing contacts into the group", frozenset(Action)),
        "disconnected": AccountProblem(
            AccountDisconnected, "WHATSAPP_NOT_CONFIGURED: {status: 422", frozenset(Action) - {Action.SEND_TO_PERSON}
        ),
        # A tenant that is not active; what else that stops is not documented.
        "restricted": AccountProblem(
            AccountRestricted, "status: {type: string, default: active}", frozenset(Action) - {Action.ACCOUNT}
        ),
    },
    lists_roles=False,
)

_GATEWAY_OFF = AccountProblem(AccountDisconnected, "the session is not connected, so a live action cannot run", _STORED)
_NO_MEMBER = _reported(Outcome.FAILED, "an unknown member is 404.")
_CHECKED_FIRST = _reported(
    Outcome.NOT_ON_WHATSAPP, "`checkContact` for each number (one per call, live, no side effects) separates"
)
_WAGATEWAY = ProviderOutcomes(
    outcomes={
        **dict.fromkeys(PERSON_CASES, DocumentedOutcome("The docs offer no per-person outcome.")),
        "adding a person without an account": _CHECKED_FIRST,
        "creating with a person without an account": _CHECKED_FIRST,
        **dict.fromkeys(
            ("removing a member", "removing a person who is not a member"),
            _reported(Outcome.CONFIRMED, "The person is not in the group. Empty body."),
        ),
        **dict.fromkeys(
            ("promoting a member", "promoting an admin"),
            _reported(Outcome.CONFIRMED, "The member is an admin. Empty body."),
        ),
        **dict.fromkeys(
            ("demoting an admin", "demoting a member"),
            _reported(Outcome.CONFIRMED, "The member is an ordinary member. Empty body."),
        ),
        "promoting a person who is not a member": _NO_MEMBER,
        "demoting a person who is not a member": _NO_MEMBER,
    },
    account_problems={
        "wrong token": AccountProblem(CredentialsRejected, "`unauthorized` - credential missing or invalid."),
        "no admin": AccountProblem(
            NotGroupAdmin, "or the session's account is not an admin of the group", _OF_ANY_MEMBER
        ),
        "disconnected": _GATEWAY_OFF,
        "restricted": _GATEWAY_OFF,
    },
    group_fields=frozenset({"size", "description", "announce_only", "locked"}),
)

_OTHERS = DocumentedOutcome("no failed list, no reason")
_NO_REASON = _reported(Outcome.FAILED, "none is documented for a privacy refusal, a block, a full group or throttling.")
_BARE_GROUP = DocumentedOutcome("The answer is the group itself without a success flag.")
_WASEND_OFF = AccountProblem(
    AccountDisconnected, "Values per the SDK README are CREATED, STARTING, CONNECTED, STOPPED, ERROR."
)
_WASEND = ProviderOutcomes(
    outcomes={
        **dict.fromkeys((name for name in PERSON_CASES if name.startswith("adding")), _NO_REASON),
        "adding a person": _reported(Outcome.ADDED, "SUCCESS: in data.added (add)"),
        "adding a person without an account": _reported(
            Outcome.NOT_ON_WHATSAPP, "NOT_FOUND: in data.failed (add, demote)"
        ),
        "adding a member": _reported(Outcome.ALREADY_DONE, "ALREADY_IN_GROUP: in data.failed (add)"),
        "creating with a person": _BARE_GROUP,
        "creating with a person without an account": _BARE_GROUP,
        "removing a member": _reported(Outcome.REMOVED, "The sample reports only whom it removed"),
        "removing a person who is not a member": _OTHERS,
        "promoting a member": _reported(Outcome.PROMOTED, "Reports the promoted people with their new flags"),
        "promoting an admin": _OTHERS,
        "promoting a person who is not a member": _OTHERS,
        "demoting an admin": _reported(Outcome.DEMOTED, "and data.demoted (demote)"),
        "demoting a member": DocumentedOutcome("NOT_ADMIN: in data.failed (demote)"),
        "demoting a person who is not a member": _reported(Outcome.FAILED, "NOT_FOUND: in data.failed (add, demote)"),
    },
    account_problems={
        "wrong token": AccountProblem(CredentialsRejected, "API key missing or invalid."),
        "no admin": AccountProblem(
            NotGroupAdmin, "Not allowed to add participants (only group admins may).", _OF_ANY_MEMBER
        ),
        "disconnected": _WASEND_OFF,
        "restricted": _WASEND_OFF,
    },
    group_fields=frozenset({"size", "description", "announce_only", "locked", "ephemeral"}),
)

_WUTS_OFF = AccountProblem(AccountDisconnected, "error_code: DEVICE_NOT_READY")
_MAPPED = _reported(Outcome.NOT_ON_WHATSAPP, "answers with a map from the cleaned number to true or false.")
_WUTS = ProviderOutcomes(
    outcomes={
        **dict.fromkeys(
            PERSON_CASES, DocumentedOutcome("treat `success` true as being about the call and not about each person.")
        ),
        "adding a person without an account": _MAPPED,
        "creating with a person without an account": _MAPPED,
    },
    account_problems={
        "wrong token": AccountProblem(CredentialsRejected, "no usable token in the Authorization header"),
        "no admin": AccountProblem(
            PermissionMissing,
            "Whether the device must be a group admin, and what a non-admin call returns, is not shown.",
            _OF_ANY_MEMBER | {Action.RENAME, Action.DESCRIBE, Action.READ_INVITE},
        ),
        "disconnected": _WUTS_OFF,
        "restricted": _WUTS_OFF,
    },
    group_fields=frozenset({"size", "description", "announce_only", "locked"}),
)

_MAP = _reported(Outcome.ADDED, "The reply maps each number to its own statusCode and message")
_UNACCEPTED = _reported(
    Outcome.INVALID, "unaccepted_numbers, when present, holds numbers that are invalid or have no WhatsApp"
)
_CUT_OFF = DocumentedOutcome("The part of the page with the reply was cut off in the copies read")
_NO_REPLY = DocumentedOutcome(
    "Replies of promote-participant, demote-participant and set-description: the copies stop before"
)
_NOT_LISTED = "Per-participant statusCode values other than 200 are not listed."
_TWOCHAT = ProviderOutcomes(
    outcomes={
        "adding a person": _MAP,
        "adding a person without an account": _UNACCEPTED,
        "creating with a person": _MAP,
        "creating with a person without an account": _UNACCEPTED,
        # Not documented, and read as the libraries have it from which 2Chat's fields come.
        "adding a member": _reported(Outcome.ALREADY_DONE, "for additions, 409 means already a member"),
        "adding a person who declines": _reported(
            Outcome.REFUSED, "403 means the number can be added only through a private invitation"
        ),
        "adding a person who is invited": _reported(Outcome.INVITED, "(isInviteV4Sent true when one was sent)"),
        "adding to a full group": _reported(Outcome.GROUP_FULL, "public code reads 419 as group full"),
        "adding a person who left lately": _reported(Outcome.RECENTLY_LEFT, "408 occurs as well."),
        "adding a person who blocked the account": _reported(Outcome.FAILED, _NOT_LISTED),
        "adding to a group that asks its admins": _reported(Outcome.PENDING, _NOT_LISTED),
        "removing a member": _reported(Outcome.REMOVED, "it holds a timestamp and two lists."),
        "removing a person who is not a member": DocumentedOutcome(
            "numbers that do not fit the context, such as non-members"
        ),
        "promoting a member": _CUT_OFF,
        "promoting an admin": _CUT_OFF,
        "promoting a person who is not a member": _CUT_OFF,
        "demoting an admin": _NO_REPLY,
        "demoting a member": _NO_REPLY,
        "demoting a person who is not a member": _NO_REPLY,
    },
    account_problems={
        "wrong token": AccountProblem(CredentialsRejected, "a wrong key gives 401"),
        "no admin": AccountProblem(
            NotGroupAdmin, "Whether from_number must be a group admin, and the error", _OF_ANY_MEMBER
        ),
        "disconnected": AccountProblem(AccountDisconnected, "'410': number connecting or disconnecting", _STORED),
        "restricted": AccountProblem(AccountRestricted, "'402': trial over or credits spent"),
    },
    group_fields=frozenset({"size"}),
)

DOCUMENTED_OUTCOMES: Mapping[str, ProviderOutcomes] = {
    "wacr": _WACR,
    "wagateway": _WAGATEWAY,
    "wasend": _WASEND,
    "wuts": _WUTS,
    "twochat": _TWOCHAT,
}
