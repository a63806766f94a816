"""What the adapter for 2Chat can do (operations of `contracts/twochat.openapi.yaml`); 2Chat names no scopes."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, Capability, PictureForm

MOST = 10
"""People in one call (x-conventions, participants.max_per_call)."""

_READ, _WRITE, _SEND = Capability.GROUPS_READ, Capability.GROUPS_WRITE, Capability.SEND

_STORED = "From 2Chat's stored list, which is minutes late; what was changed here since is not judged by it."
_ROLE = "The answer is known to say no more than that it was accepted: the group is read back."
_QUEUED = "A success says that the text is queued, not that it arrived."

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ, operations=("listGroups",), note="The list has no pages and no search: it is searched here."
        ),
        Action.READ_GROUP: Ability(
            _READ, operations=("getGroup",), note="Name and size, minutes late; nothing else is told for certain."
        ),
        Action.LIST_MEMBERS: Ability(_READ, operations=("getGroup",), note=_STORED),
        Action.ADD: Ability(
            _WRITE,
            operations=("addParticipants", "checkNumber"),
            max_batch=MOST,
            note="Whoever refuses a direct add is invited where 2Chat says that a private invitation went out.",
        ),
        Action.REMOVE: Ability(
            _WRITE,
            operations=("removeParticipants",),
            max_batch=MOST,
            note="Why a number was not accepted is not told: the group is read back.",
        ),
        Action.PROMOTE: Ability(_WRITE, operations=("promoteParticipants",), max_batch=MOST, note=_ROLE),
        Action.DEMOTE: Ability(_WRITE, operations=("demoteParticipants",), max_batch=MOST, note=_ROLE),
        Action.CREATE: Ability(
            _WRITE,
            operations=("createGroup",),
            max_batch=MOST,
            note="Never sent again: a repeat is likely to make a second group.",
        ),
        Action.DESCRIBE: Ability(
            _WRITE,
            operations=("setGroupDescription",),
            note="Whether an empty text clears the description is not documented.",
        ),
        Action.PICTURE: Ability(
            _WRITE,
            operations=("setGroupPicture",),
            note="By a public address that 2Chat fetches; a JPEG itself cannot be set.",
            picture=PictureForm.ADDRESS,
        ),
        Action.CHECK_NUMBERS: Ability(
            _READ,
            operations=("checkNumber",),
            max_batch=1,
            note="One number a call, each costs a credit, so answers are kept for a day.",
        ),
        Action.SEND_TO_GROUP: Ability(_SEND, operations=("sendMessage",), note=_QUEUED),
        Action.SEND_TO_PERSON: Ability(_SEND, operations=("sendMessage",), max_batch=1, note=_QUEUED),
        Action.ACCOUNT: Ability(
            _READ,
            operations=("listNumbers", "getAccountInfo"),
            note="The state of the number, found in the list of all, and whether 2Chat has blocked the account.",
        ),
        Action.LIMITS: Ability(_READ, operations=("getAccountInfo",), note="Number checks are counted apart."),
    }
)
