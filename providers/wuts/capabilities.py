"""What the adapter for WUTS can do (operations of `contracts/wuts.openapi.yaml`); WUTS names no scopes."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, Capability, PictureForm
from providers.wuts.membership import MOST_AT_ONCE

_READ, _WRITE, _SEND = Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND

_MOST = 10
"""No page tells how many people one call takes, nor whether one bad person fails the whole call: ten keeps small what
one bad number or one lost answer can spoil."""

_CHECK = "checkContactsOnWhatsApp"
_RESOLVE = "resolveContacts"

_SILENT = "The answer says nothing certain about a person: the group is read back."
_SILENT_COMMUNITY = "The answer's entries are not documented: the community is read back as a group."
_TOGETHER = "Name, description and announce-only go in one call."

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ, operations=("listGroups",), note="The list has no pages and no search: it is searched here."
        ),
        Action.READ_GROUP: Ability(
            _READ, operations=("getGroup",), note="The timer of disappearing messages is not told."
        ),
        Action.LIST_MEMBERS: Ability(
            _READ,
            operations=("getGroup", _RESOLVE),
            note="All members come in one answer; phones behind LIDs are looked up, 160 in a call.",
        ),
        Action.ADD: Ability(_WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MOST, note=_SILENT),
        Action.REMOVE: Ability(_WRITE, operations=("removeGroupParticipants", _CHECK), max_batch=_MOST, note=_SILENT),
        Action.PROMOTE: Ability(_WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MOST, note=_SILENT),
        Action.DEMOTE: Ability(_WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MOST, note=_SILENT),
        Action.CREATE: Ability(_WRITE, operations=("createGroup", _CHECK), max_batch=_MOST, note=_SILENT),
        Action.RENAME: Ability(_WRITE, operations=("updateGroup",), note=_TOGETHER),
        Action.DESCRIBE: Ability(_WRITE, operations=("updateGroup",), note=f"WUTS calls it the topic. {_TOGETHER}"),
        Action.ANNOUNCE_ONLY: Ability(_WRITE, operations=("updateGroup",), note=_TOGETHER),
        Action.PICTURE: Ability(
            _WRITE,
            operations=("setGroupPicture",),
            note="Takes the JPEG itself, not an address of one.",
            picture=PictureForm.JPEG,
        ),
        Action.EPHEMERAL: Ability(
            _WRITE, operations=("setGroupEphemeral",), note="Off, or after 1, 7 or 90 days, and nothing between."
        ),
        Action.READ_INVITE: Ability(_READ, operations=("getGroupInviteLink",)),
        Action.RESET_INVITE: Ability(_WRITE, operations=("resetGroupInviteLink",)),
        Action.JOIN: Ability(
            _WRITE, operations=("joinGroup",), note="Where an admin has to agree first, no group is told."
        ),
        Action.LEAVE: Ability(_WRITE, operations=("leaveGroup",)),
        Action.CHECK_NUMBERS: Ability(
            _READ,
            operations=(_CHECK, _RESOLVE),
            max_batch=MOST_AT_ONCE,
            note="No limit is documented for the check; it is asked about at most 160 forms of numbers in a call.",
        ),
        Action.SEND_TO_GROUP: Ability(_SEND, operations=("sendText",), note="At most 4,096 characters."),
        Action.SEND_TO_PERSON: Ability(
            _SEND,
            operations=("sendText", _CHECK, _RESOLVE),
            note="The number is checked first: what a text to a number without an account comes to is not documented.",
        ),
        Action.ACCOUNT: Ability(_READ, operations=("checkSessionStatus",)),
        Action.CREATE_COMMUNITY: Ability(
            _WRITE,
            operations=("createCommunity", _CHECK),
            max_batch=_MOST,
            note="The answer need not say which one was made.",
        ),
        Action.ADD_TO_COMMUNITY: Ability(
            _WRITE, operations=("addCommunityParticipants", _CHECK), max_batch=_MOST, note=_SILENT_COMMUNITY
        ),
        Action.REMOVE_FROM_COMMUNITY: Ability(
            _WRITE, operations=("removeCommunityParticipants", _CHECK), max_batch=_MOST, note=_SILENT_COMMUNITY
        ),
    }
)
