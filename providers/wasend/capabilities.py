"""The abilities of the Wasend adapter, with the contract's operations. Wasend names no scopes (x-undocumented)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.base import Ability, Action, PictureForm, ProviderCapability

MAX_BATCH = 10
"""The maximum number of people in one call: our value, because the contract has none. Ten is the only limit that a
comparable provider documents, and one lost response leaves at most ten people unknown."""

_SESSION_STATE = "getSession"
"""Called after an ambiguous failure, to check whether the session is connected."""
_GROUP_EXISTS = "listGroupParticipants"
"""Called after a 404 of a call that only one source has, to check whether the group exists, and after leaving."""


def _read(*operations: str, max_batch: int = 0, note: str = "") -> Ability:
    return Ability(ProviderCapability.GROUPS_READ, (), (*operations, _SESSION_STATE), max_batch, note)


def _write(
    *operations: str, max_batch: int = 0, note: str = "", picture: PictureForm | None = None, hint: str = ""
) -> Ability:
    return Ability(ProviderCapability.GROUPS_WRITE, (), (*operations, _SESSION_STATE), max_batch, note, picture, hint)


def _write_in_either_variant(name: str, note: str) -> Ability:
    return _write(f"{name}Docs", f"{name}Sdk", _GROUP_EXISTS, max_batch=MAX_BATCH, note=note)


_READS_BACK = ("getGroupInfo", "getGroup")
"""Called after a change with an empty response, as in the SDK's types."""

_SUBJECT_LENGTH = "At most 25 characters."
_NO_NAMES = "In the SDK's variant the answer has no names, so the members are read afterwards."

ABILITIES: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.LIST_GROUPS: _read("listGroups", note="Fifty a page, without member lists. Rollcall searches them."),
        Action.READ_GROUP: _read("getGroupInfo", "getGroup", note="Rollcall remembers which path the server has."),
        Action.LIST_MEMBERS: _read("listGroupParticipants", note="The list has no pages."),
        Action.ADD: _write(
            "addGroupParticipants",
            "checkContactExists",
            max_batch=MAX_BATCH,
            note="No reason is documented for privacy settings. Such people count as failed.",
        ),
        Action.REMOVE: _write_in_either_variant("removeGroupParticipants", _NO_NAMES),
        Action.PROMOTE: _write_in_either_variant("promoteGroupParticipants", _NO_NAMES),
        Action.DEMOTE: _write_in_either_variant("demoteGroupParticipants", _NO_NAMES),
        Action.CREATE: _write(
            "createGroup",
            max_batch=MAX_BATCH,
            note="The answer doesn't say who was added: the members are read.",
        ),
        Action.RENAME: _write("setGroupSubject", *_READS_BACK, note=_SUBJECT_LENGTH, hint=_SUBJECT_LENGTH),
        Action.DESCRIBE: _write("setGroupDescription", _GROUP_EXISTS, *_READS_BACK, note="In the SDK only."),
        Action.PICTURE: _write(
            "setGroupPicture", note="Takes a public address that Wasend fetches.", picture=PictureForm.ADDRESS
        ),
        Action.ANNOUNCE_ONLY: _write("setMessagesAdminOnly", "setGroupSettings", *_READS_BACK),
        Action.LOCK: _write("setInfoAdminOnly", "setGroupSettings", *_READS_BACK),
        Action.READ_INVITE: _read("getInviteCode"),
        Action.RESET_INVITE: _write("revokeInviteCode"),
        Action.JOIN: _write("joinGroup", note="Rollcall remembers which of two field names the server takes."),
        Action.LEAVE: _write("leaveGroup", _GROUP_EXISTS),
        Action.CHECK_NUMBERS: _read("checkContactExists", max_batch=1, note="One number a call. In the SDK only."),
        Action.SEND_TO_GROUP: Ability(ProviderCapability.SEND, (), ("sendText", _SESSION_STATE)),
        Action.SEND_TO_PERSON: Ability(
            ProviderCapability.SEND, (), ("sendText", _SESSION_STATE), 1, "To phone numbers only, not to a LID."
        ),
        Action.ACCOUNT: Ability(
            ProviderCapability.GROUPS_READ,
            (),
            ("getSession",),
            note="No state means restricted. ERROR counts as disconnected.",
        ),
    }
)
