"""What the WhatsApp Gateway can do, and which permission of the credential each of it takes (`x-capability`)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, Capability

MOST_AT_ONCE = 20
"""People in one call of the adapter; the contract names no limit.

20 is the `ratePerMin` of its examples: even if the gateway counted every person as a send, one call stays within a
minute's allowance.
"""

_READ = Capability.GROUPS_READ
_SEND = Capability.SEND
_SILENT = "The gateway does not say what became of each person; the group is read back."
_ONE_BY_ONE = "One call for each person; its answer says how they stand now, the look before whether that is a change."

# How a member is addressed by phone, and how a 403 is explained.
_ADDRESSING = ("checkContact", "getContact", "listContacts", "getGroupInvite")
_ADMIN = ("getGroupInvite",)

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(_READ, ("read",), ("listGroups",), note="From stored data, also when offline."),
        Action.READ_GROUP: Ability(_READ, ("read",), ("getGroup",), note="From stored data, also when offline."),
        Action.LIST_MEMBERS: Ability(
            _READ,
            ("read",),
            ("listGroupMembers", "listContacts", "getContact", "getGroup"),
            note="From stored data that may lag; members come by LID, their phones from the stored contacts.",
        ),
        Action.ADD: Ability(
            _SEND, ("send", "read"), ("addGroupMembers", *_ADDRESSING), max_batch=MOST_AT_ONCE, note=_SILENT
        ),
        Action.REMOVE: Ability(
            _SEND, ("send", "read"), ("removeGroupMember", *_ADDRESSING), max_batch=MOST_AT_ONCE, note=_ONE_BY_ONE
        ),
        Action.PROMOTE: Ability(
            _SEND,
            ("send", "read"),
            ("promoteGroupMember", *_ADDRESSING, "getGroup"),
            max_batch=MOST_AT_ONCE,
            note=_ONE_BY_ONE,
        ),
        Action.DEMOTE: Ability(
            _SEND,
            ("send", "read"),
            ("demoteGroupMember", *_ADDRESSING, "getGroup"),
            max_batch=MOST_AT_ONCE,
            note=_ONE_BY_ONE,
        ),
        Action.CREATE: Ability(
            _SEND,
            ("send", "read"),
            ("createGroup", "checkContact", "getContact", "listContacts", "listGroups"),
            max_batch=MOST_AT_ONCE,
            note="Takes at least one person who is on WhatsApp; who was left out is not said.",
        ),
        Action.RENAME: Ability(_SEND, ("send", "read"), ("updateGroup", *_ADMIN)),
        Action.DESCRIBE: Ability(
            _SEND,
            ("send", "read"),
            ("updateGroup", *_ADMIN, "getGroup"),
            note="Whether an empty text clears the description is not documented: the group is read back.",
        ),
        Action.ANNOUNCE_ONLY: Ability(_SEND, ("send", "read"), ("updateGroup", *_ADMIN)),
        Action.LOCK: Ability(_SEND, ("send", "read"), ("updateGroup", *_ADMIN)),
        Action.READ_INVITE: Ability(
            _READ, ("read",), ("getGroupInvite", "getGroup"), note="Live, and only for an admin of the group."
        ),
        Action.RESET_INVITE: Ability(_SEND, ("send", "read"), ("revokeGroupInvite", *_ADMIN)),
        Action.JOIN: Ability(
            _SEND,
            ("send",),
            ("joinGroup",),
            note="What is answered where the group's admins have to agree is not documented.",
        ),
        Action.LEAVE: Ability(_SEND, ("send",), ("leaveGroup",), note="The group stays in the gateway's stored data."),
        Action.CHECK_NUMBERS: Ability(
            _READ,
            ("read",),
            ("checkContact", "getContact", "listContacts"),
            note="One call for each number, kept for a day.",
        ),
        Action.SEND_TO_GROUP: Ability(
            _SEND, ("send",), ("sendMessage",), note="A text that is only queued counts as unknown, not as sent."
        ),
        Action.SEND_TO_PERSON: Ability(
            _SEND,
            ("send", "read"),
            ("sendMessage", "checkContact", "getContact", "listContacts"),
            note="A text that is only queued counts as unknown, not as sent.",
        ),
        Action.ACCOUNT: Ability(
            _READ,
            ("manage", "read"),
            ("getSession", "listContacts"),
            note="Without `manage` only the token is checked, and the state stays unknown.",
        ),
        Action.LIMITS: Ability(
            _READ, ("manage",), ("getSession",), note="What may be sent; what was sent is not told."
        ),
    }
)
