"""What the adapter for WA.cr can do, and which scopes each of it takes (`x-required-scope`)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, Capability

MOST_AT_ONCE = 100
"""People in one call of the adapter. The contract names no limit; 100 is its page, the most of anything it names."""

_READ = Capability.GROUPS_READ
_WRITE = Capability.GROUPS_WRITE
_ADDING = ("addContactsToGroup", "listContacts", "createContact", "batchCreateContacts")
_ADDING_SCOPES = ("groups:write", "contacts:read", "contacts:write")

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ,
            ("groups:read",),
            ("listGroups",),
            note="Groups are contact lists of the CRM; their size is not told.",
        ),
        Action.READ_GROUP: Ability(_READ, (), ("getGroup",), note="The contract names no scope for it."),
        Action.LIST_MEMBERS: Ability(
            _READ, ("contacts:read",), ("listContacts", "getGroup"), note="Members are contacts, and have no role."
        ),
        Action.ADD: Ability(
            _WRITE,
            _ADDING_SCOPES,
            (*_ADDING, "getGroup"),
            max_batch=MOST_AT_ONCE,
            note="Whoever has no contact gets one; WhatsApp is not asked, so any number is taken.",
        ),
        Action.REMOVE: Ability(
            _WRITE,
            ("groups:write", "contacts:read"),
            ("removeContactsFromGroup", "listContacts", "getGroup"),
            max_batch=MOST_AT_ONCE,
            note="The contacts stay in the CRM.",
        ),
        Action.CREATE: Ability(
            _WRITE,
            _ADDING_SCOPES,
            ("createGroup", *_ADDING),
            max_batch=MOST_AT_ONCE,
            note="The name must be unused; people are added by further calls.",
        ),
        Action.RENAME: Ability(_WRITE, ("groups:write",), ("updateGroup",), note="The name must be unused."),
        Action.DELETE: Ability(
            _WRITE, (), ("deleteGroup",), note="The contract names no scope for it, nor what becomes of the contacts."
        ),
        Action.SEND_TO_PERSON: Ability(
            Capability.SEND,
            ("messages:send",),
            ("sendTextMessage",),
            note="Makes a contact for an unknown number; @{contact_first_name} and its like are filled in.",
        ),
        Action.ACCOUNT: Ability(_READ, ("account:read",), ("getAccount",)),
        Action.LIMITS: Ability(_READ, ("account:read",), ("getAccountUsage", "getAccountLimits")),
    }
)
