"""The abilities of the WUTS adapter (operations of `contracts/wuts.openapi.yaml`). WUTS names no scopes."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, PictureForm, ProviderCapability
from providers.wuts.membership import MAX_IDENTIFIERS

_READ, _WRITE, _SEND = ProviderCapability.GROUPS_READ, ProviderCapability.GROUPS_WRITE, ProviderCapability.SEND

_MAX_BATCH = 10
"""The maximum number of people in one call: our value. No limit is documented, nor whether one bad person fails the
whole call. Ten limits the damage of a bad number or a lost response."""

_CHECK = "checkContactsOnWhatsApp"
_RESOLVE = "resolveContacts"

_NO_VERDICTS = "The answer doesn't say who was changed, so the group is read afterwards."
_NO_COMMUNITY_VERDICTS = "The answer's entries aren't documented. The community is read afterwards, as a group."
_TOGETHER = "Name, description and announce-only are set in one call."


def _people_change(operation: str, note: str = _NO_VERDICTS) -> Ability:
    return Ability(_WRITE, operations=(operation, _CHECK), max_batch=_MAX_BATCH, note=note)


ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ, operations=("listGroups",), note="The list has no pages and no search. Rollcall searches it."
        ),
        Action.READ_GROUP: Ability(_READ, operations=("getGroup",), note="Without the timer of disappearing messages."),
        Action.LIST_MEMBERS: Ability(
            _READ,
            operations=("getGroup", _RESOLVE),
            note="All members come in one answer. The phones of LIDs are looked up, 160 in a call.",
        ),
        Action.ADD: Ability(
            _WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MAX_BATCH, note=_NO_VERDICTS
        ),
        Action.REMOVE: Ability(
            _WRITE, operations=("removeGroupParticipants", _CHECK), max_batch=_MAX_BATCH, note=_NO_VERDICTS
        ),
        Action.PROMOTE: Ability(
            _WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MAX_BATCH, note=_NO_VERDICTS
        ),
        Action.DEMOTE: Ability(
            _WRITE, operations=("addGroupParticipants", _CHECK), max_batch=_MAX_BATCH, note=_NO_VERDICTS
        ),
        Action.CREATE: _people_change("createGroup"),
        Action.RENAME: Ability(_WRITE, operations=("updateGroup",), note=_TOGETHER),
        Action.DESCRIBE: Ability(_WRITE, operations=("updateGroup",), note=f"WUTS calls it the topic. {_TOGETHER}"),
        Action.ANNOUNCE_ONLY: Ability(_WRITE, operations=("updateGroup",), note=_TOGETHER),
        Action.PICTURE: Ability(
            _WRITE,
            operations=("setGroupPicture",),
            note="Takes a JPEG, not an address.",
            picture=PictureForm.JPEG,
        ),
        Action.EPHEMERAL: Ability(_WRITE, operations=("setGroupEphemeral",), note="Off, or after 1, 7 or 90 days."),
        Action.READ_INVITE: Ability(_READ, operations=("getGroupInviteLink",)),
        Action.RESET_INVITE: Ability(_WRITE, operations=("resetGroupInviteLink",)),
        Action.JOIN: Ability(
            _WRITE, operations=("joinGroup",), note="If an admin has to approve first, the answer names no group."
        ),
        Action.LEAVE: Ability(_WRITE, operations=("leaveGroup",)),
        Action.CHECK_NUMBERS: Ability(
            _READ,
            operations=(_CHECK, _RESOLVE),
            max_batch=MAX_IDENTIFIERS,
            note="No limit is documented. Rollcall sends at most 160 forms of numbers in a call.",
        ),
        Action.SEND_TO_GROUP: Ability(_SEND, operations=("sendText",), note="At most 4,096 characters."),
        Action.SEND_TO_PERSON: Ability(
            _SEND,
            operations=("sendText", _CHECK, _RESOLVE),
            note="The number is checked first: the result of a text to a number without an account isn't documented.",
        ),
        Action.ACCOUNT: Ability(_READ, operations=("checkSessionStatus",)),
        Action.CREATE_COMMUNITY: _people_change("createCommunity", "The answer may not name the new community."),
        Action.ADD_TO_COMMUNITY: _people_change("addCommunityParticipants", _NO_COMMUNITY_VERDICTS),
        Action.REMOVE_FROM_COMMUNITY: Ability(
            _WRITE,
            operations=("removeCommunityParticipants", _CHECK),
            max_batch=_MAX_BATCH,
            note=_NO_COMMUNITY_VERDICTS,
        ),
    }
)
