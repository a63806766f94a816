"""The abilities of the WA.cr adapter, and the scopes that each needs (`x-required-scope`)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, ProviderCapability

MAX_BATCH = 100
"""The maximum number of people in one call. The contract has no limit; 100 is its page size, the largest number in
it."""

_READ, _WRITE = ProviderCapability.GROUPS_READ, ProviderCapability.GROUPS_WRITE
_ADD_OPERATIONS = ("addContactsToGroup", "listContacts", "createContact", "batchCreateContacts")
_ADD_SCOPES = ("groups:write", "contacts:read", "contacts:write")

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ,
            ("groups:read",),
            ("listGroups",),
            note="Groups are contact lists of the CRM. Their size isn't reported.",
        ),
        Action.READ_GROUP: Ability(_READ, (), ("getGroup",), note="The contract names no scope for it."),
        Action.LIST_MEMBERS: Ability(
            _READ, ("contacts:read",), ("listContacts", "getGroup"), note="Members are contacts and have no role."
        ),
        Action.ADD: Ability(
            _WRITE,
            _ADD_SCOPES,
            (*_ADD_OPERATIONS, "getGroup"),
            max_batch=MAX_BATCH,
            note="People without a contact get one. WhatsApp isn't asked, so any number is accepted.",
        ),
        Action.REMOVE: Ability(
            _WRITE,
            ("groups:write", "contacts:read"),
            ("removeContactsFromGroup", "listContacts", "getGroup"),
            max_batch=MAX_BATCH,
            note="The contacts stay in the CRM.",
        ),
        Action.CREATE: Ability(
            _WRITE,
            _ADD_SCOPES,
            ("createGroup", *_ADD_OPERATIONS),
            max_batch=MAX_BATCH,
            note="The name must be unused. People are added by further calls.",
        ),
        Action.RENAME: Ability(_WRITE, ("groups:write",), ("updateGroup",), note="The name must be unused."),
        Action.DELETE: Ability(
            _WRITE,
            (),
            ("deleteGroup",),
            note="The contract names no scope for it. What happens to the contacts is open.",
        ),
        Action.SEND_TO_PERSON: Ability(
            ProviderCapability.SEND,
            ("messages:send",),
            ("sendTextMessage",),
            note="Creates a contact for an unknown number. Placeholders such as @{contact_first_name} are filled in.",
        ),
        Action.ACCOUNT: Ability(_READ, ("account:read",), ("getAccount",)),
        Action.LIMITS: Ability(_READ, ("account:read",), ("getAccountUsage", "getAccountLimits")),
    }
)
