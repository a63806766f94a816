"""The abilities of the 2Chat adapter (operations of `contracts/twochat.openapi.yaml`). 2Chat names no scopes."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, PictureForm, ProviderCapability

MAX_BATCH = 10
"""The maximum number of people in one call (x-conventions, participants.max_per_call)."""

_READ, _WRITE, _SEND = ProviderCapability.GROUPS_READ, ProviderCapability.GROUPS_WRITE, ProviderCapability.SEND

_STORED = "From 2Chat's stored list, which is minutes late. It isn't used for people whom Rollcall changed since then."
_ROLE = "The answer only says that the change was accepted, so the group is read afterwards."
_QUEUED = "A success means that the text is queued, not that it arrived."

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: Ability(
            _READ, operations=("listGroups",), note="The list has no pages and no search. Rollcall searches it."
        ),
        Action.READ_GROUP: Ability(
            _READ, operations=("getGroup",), note="Name and size, minutes late. Other fields aren't documented."
        ),
        Action.LIST_MEMBERS: Ability(_READ, operations=("getGroup",), note=_STORED),
        Action.ADD: Ability(
            _WRITE,
            operations=("addParticipants", "checkNumber"),
            max_batch=MAX_BATCH,
            note="People who block direct adds count as invited if 2Chat says that it sent a private invitation.",
        ),
        Action.REMOVE: Ability(
            _WRITE,
            operations=("removeParticipants",),
            max_batch=MAX_BATCH,
            note="The answer doesn't say why a number wasn't accepted, so the group is read afterwards.",
        ),
        Action.PROMOTE: Ability(_WRITE, operations=("promoteParticipants",), max_batch=MAX_BATCH, note=_ROLE),
        Action.DEMOTE: Ability(_WRITE, operations=("demoteParticipants",), max_batch=MAX_BATCH, note=_ROLE),
        Action.CREATE: Ability(
            _WRITE,
            operations=("createGroup",),
            max_batch=MAX_BATCH,
            note="Never sent again, because that may create a second group.",
        ),
        Action.DESCRIBE: Ability(
            _WRITE,
            operations=("setGroupDescription",),
            note="Whether an empty text clears the description is not documented.",
        ),
        Action.PICTURE: Ability(
            _WRITE,
            operations=("setGroupPicture",),
            note="Takes a public address that 2Chat fetches, not a JPEG.",
            picture=PictureForm.ADDRESS,
        ),
        Action.CHECK_NUMBERS: Ability(
            _READ,
            operations=("checkNumber",),
            max_batch=1,
            note="One number a call. Each check costs a credit, so answers are cached for a day.",
        ),
        Action.SEND_TO_GROUP: Ability(_SEND, operations=("sendMessage",), note=_QUEUED),
        Action.SEND_TO_PERSON: Ability(_SEND, operations=("sendMessage",), max_batch=1, note=_QUEUED),
        Action.ACCOUNT: Ability(
            _READ,
            operations=("listNumbers", "getAccountInfo"),
            note="The state of the number, from the list of all numbers, and whether 2Chat has blocked the account.",
        ),
        Action.LIMITS: Ability(_READ, operations=("getAccountInfo",), note="Number checks are counted separately."),
    }
)
