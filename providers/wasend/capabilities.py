"""What the adapter can do, and by which operations of the contract. Wasend names no scopes (x-undocumented)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, Capability, PictureForm

MOST = 10
"""People in one call: ours, for the contract leaves it open. Ten is the only limit that any comparable provider
documents, and no more than ten people are in doubt when one answer is lost."""

_EXPLAINS = "getSession"
"""Called after a failure without a clear meaning, to tell whether the session is connected."""
_TELLS_APART = "listGroupParticipants"
"""Called after a 404 of a call that only one source has, to tell whether it is about the group, and after leaving."""


def _reading(*operations: str, most: int = 0, note: str = "") -> Ability:
    return Ability(Capability.GROUPS_READ, (), (*operations, _EXPLAINS), most, note)


def _changing(
    *operations: str, most: int = 0, note: str = "", picture: PictureForm | None = None, hint: str = ""
) -> Ability:
    return Ability(Capability.GROUPS_WRITE, (), (*operations, _EXPLAINS), most, note, picture, hint)


def _either(name: str, note: str) -> Ability:
    return _changing(f"{name}Docs", f"{name}Sdk", _TELLS_APART, most=MOST, note=note)


_READS_BACK = ("getGroupInfo", "getGroup")
"""Called after a change that was answered with nothing, which is how the SDK types it."""


_SHORT = "At most 25 characters."
_BARE = "The SDK's way answers without names; the members are read back then."

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: _reading("listGroups", note="Fifty a page, without member lists; searched here."),
        Action.READ_GROUP: _reading("getGroupInfo", "getGroup", note="The path that the server has is remembered."),
        Action.LIST_MEMBERS: _reading("listGroupParticipants", note="The list has no pages."),
        Action.ADD: _changing(
            "addGroupParticipants",
            "checkContactExists",
            most=MOST,
            note="No reason is documented for privacy; those end as failed.",
        ),
        Action.REMOVE: _either("removeGroupParticipants", _BARE),
        Action.PROMOTE: _either("promoteGroupParticipants", _BARE),
        Action.DEMOTE: _either("demoteGroupParticipants", _BARE),
        Action.CREATE: _changing(
            "createGroup", most=MOST, note="The answer does not say who got in; the members are read back."
        ),
        Action.RENAME: _changing("setGroupSubject", *_READS_BACK, note=_SHORT, hint=_SHORT),
        Action.DESCRIBE: _changing("setGroupDescription", _TELLS_APART, *_READS_BACK, note="In the SDK only."),
        Action.PICTURE: _changing(
            "setGroupPicture", note="By a public address; Wasend fetches it.", picture=PictureForm.ADDRESS
        ),
        Action.ANNOUNCE_ONLY: _changing("setMessagesAdminOnly", "setGroupSettings", *_READS_BACK),
        Action.LOCK: _changing("setInfoAdminOnly", "setGroupSettings", *_READS_BACK),
        Action.READ_INVITE: _reading("getInviteCode"),
        Action.RESET_INVITE: _changing("revokeInviteCode"),
        Action.JOIN: _changing("joinGroup", note="The name of the field that the server asks for is remembered."),
        Action.LEAVE: _changing("leaveGroup", _TELLS_APART),
        Action.CHECK_NUMBERS: _reading("checkContactExists", most=1, note="One number a call; in the SDK only."),
        Action.SEND_TO_GROUP: Ability(Capability.SEND, (), ("sendText", _EXPLAINS)),
        Action.SEND_TO_PERSON: Ability(
            Capability.SEND, (), ("sendText", _EXPLAINS), 1, "To phone numbers; not to a person known by a LID alone."
        ),
        Action.ACCOUNT: Ability(
            Capability.GROUPS_READ, (), ("getSession",), note="No state means restricted; ERROR is disconnected."
        ),
    }
)
