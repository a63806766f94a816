"""The abilities of the WhatsApp Gateway adapter, and the permissions of the token that each needs (`x-capability`)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, ProviderCapability

MAX_BATCH = 20
"""The maximum number of people in one call. The contract has no limit.

20 is the `ratePerMin` of its examples: even if the gateway counted every person as a message, one call stays within the
limit of a minute.
"""

_STORED = "From stored data, also when the session is offline."
_NO_VERDICTS = "The answer doesn't report about each person, so the group is read afterwards."
_ONE_BY_ONE = "One call for each person. Its answer reports their status now; the one before shows whether it changed."
_QUEUED = "A text that is only queued counts as unknown, not as sent."

_JID = ("checkContact", "getContact", "listContacts")
"""The operations that find the JID of a person."""
_ADMIN = "getGroupInvite"
"""The operation that explains a 403."""


def _read(*operations: str, native: tuple[str, ...] = ("read",), note: str = "") -> Ability:
    return Ability(ProviderCapability.GROUPS_READ, native, operations, note=note)


def _send(*operations: str, native: tuple[str, ...] = ("send", "read"), max_batch: int = 0, note: str = "") -> Ability:
    return Ability(ProviderCapability.SEND, native, operations, max_batch, note)


ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: _read("listGroups", note=_STORED),
        Action.READ_GROUP: _read("getGroup", note=_STORED),
        Action.LIST_MEMBERS: _read(
            "listGroupMembers",
            "listContacts",
            "getContact",
            "getGroup",
            note="From stored data that may be late. Members have LIDs; their phones come from stored contacts.",
        ),
        Action.ADD: _send("addGroupMembers", *_JID, _ADMIN, max_batch=MAX_BATCH, note=_NO_VERDICTS),
        Action.REMOVE: _send("removeGroupMember", *_JID, _ADMIN, max_batch=MAX_BATCH, note=_ONE_BY_ONE),
        Action.PROMOTE: _send("promoteGroupMember", *_JID, _ADMIN, "getGroup", max_batch=MAX_BATCH, note=_ONE_BY_ONE),
        Action.DEMOTE: _send("demoteGroupMember", *_JID, _ADMIN, "getGroup", max_batch=MAX_BATCH, note=_ONE_BY_ONE),
        Action.CREATE: _send(
            "createGroup",
            *_JID,
            "listGroups",
            max_batch=MAX_BATCH,
            note="Needs at least one person who is on WhatsApp. The answer doesn't say who was left out.",
        ),
        Action.RENAME: _send("updateGroup", _ADMIN),
        Action.DESCRIBE: _send(
            "updateGroup",
            _ADMIN,
            "getGroup",
            note="Whether an empty text clears the description is not documented, so the group is read afterwards.",
        ),
        Action.ANNOUNCE_ONLY: _send("updateGroup", _ADMIN),
        Action.LOCK: _send("updateGroup", _ADMIN),
        Action.READ_INVITE: _read(_ADMIN, "getGroup", note="From WhatsApp itself, and only for an admin of the group."),
        Action.RESET_INVITE: _send("revokeGroupInvite", _ADMIN),
        Action.JOIN: _send(
            "joinGroup",
            native=("send",),
            note="The answer isn't documented if the group's admins have to approve.",
        ),
        Action.LEAVE: _send("leaveGroup", native=("send",), note="The group stays in the gateway's stored data."),
        Action.CHECK_NUMBERS: _read(*_JID, note="One call for each number. Answers are cached for a day."),
        Action.SEND_TO_GROUP: _send("sendMessage", native=("send",), note=_QUEUED),
        Action.SEND_TO_PERSON: _send("sendMessage", *_JID, note=_QUEUED),
        Action.ACCOUNT: _read(
            "getSession",
            "listContacts",
            native=("manage", "read"),
            note="Without `manage` only the token is checked, and the state isn't known.",
        ),
        Action.LIMITS: _read(
            "getSession", native=("manage",), note="What the session may send. What it has sent isn't reported."
        ),
    }
)
