"""The records of a simulated Wasend, as the documentation shows them and as the SDK types them."""

from collections.abc import Sequence
from typing import Any, Literal

from sandbox.providers.world import Membership, SimGroup

Record = dict[str, Any]
Shape = Literal["docs", "sdk"]

OWN_PHONE = "15550100001"
"""The session's own number, which owns every group."""

_LONG_AGO = "2024-01-01T00:00:00Z"


def session_record(session: str, status: str, shape: Shape) -> Record:
    """Return a session (getSession)."""
    record = {
        "uniqueSessionId": session,
        "sessionName": session,
        "phoneNumber": f"+{OWN_PHONE}",
        "status": status,
        "createdAt": _LONG_AGO,
        "updatedAt": _LONG_AGO,
    }
    if shape == "docs":
        return record
    connected = status == "CONNECTED"
    return record | {
        "id": "db-1",
        "userId": "u-1",
        "enableAccountProtection": False,
        "enableMessageLogging": False,
        "enableWebhook": False,
        "name": session,
        "config": {
            "metadata": {"userId": "u-1", "userEmail": "ana@example.com"},
            "proxy": None,
            "debug": False,
            "noweb": {"markOnline": True, "store": {"enabled": True, "fullSync": False}},
            "webhooks": [],
        },
        "engine": {"grpc": {"client": "", "stream": ""}, "gows": {"found": connected, "connected": connected}},
    }


def member_record(member: Membership, lid: str, shape: Shape, *, hidden: bool = False) -> Record:
    """Return a member; of a hidden one only the LID is shown, in either shape."""
    record: Record = {
        "jid": f"{lid}@lid" if hidden else f"{member.phone}@c.us",
        "phoneNumber": "" if hidden else f"+{member.phone}",
        "isAdmin": member.role == "admin",
        "isSuperAdmin": member.role == "admin" and member.phone == OWN_PHONE,
    }
    return record | ({"lid": f"{lid}@lid"} if shape == "sdk" else {"joinedAt": _LONG_AGO})


def group_record(group: SimGroup, members: Sequence[Record], shape: Shape) -> Record:
    """Return a group as lists and the SDK's bare path return it."""
    record: Record = {
        "jid": group.id,
        "name": group.subject,
        "ownerJid": f"{OWN_PHONE}@c.us",
        "ownerPn": f"+{OWN_PHONE}",
        "participants": list(members),
        "isAnnounce": group.announce_only,
        "isLocked": group.locked,
    }
    if shape == "docs":
        return record | {"description": group.description, "createdAt": _LONG_AGO, "settings": flags(group)}
    return record | {
        "nameSetAt": _LONG_AGO,
        "nameSetBy": f"{OWN_PHONE}@c.us",
        "nameSetByPn": f"+{OWN_PHONE}",
        "topic": group.description,
        "topicId": "t-1",
        "topicSetAt": _LONG_AGO,
        "topicSetBy": f"{OWN_PHONE}@c.us",
        "topicSetByPn": f"+{OWN_PHONE}",
        "topicDeleted": False,
        "announceVersionId": "a-1",
        "isEphemeral": group.ephemeral > 0,
        "disappearingTimer": group.ephemeral,
        "isIncognito": False,
        "isParent": False,
        "defaultMembershipApprovalMode": "",
        "linkedParentJid": "",
        "isDefaultSubGroup": False,
        "isJoinApprovalRequired": group.joins_need_approval,
        "addressingMode": "",
        "groupCreated": _LONG_AGO,
        "creatorCountryCode": "",
        "participantVersionId": "p-1",
        "memberAddMode": "",
    }


def group_info(group: SimGroup, members: Sequence[Record]) -> Record:
    """Return a group as the documentation's `/info` returns it under `info`."""
    return {
        "id": group.id,
        "name": group.subject,
        "subject": group.subject,
        "description": group.description,
        "creation": _LONG_AGO,
        "owner": {"jid": f"{OWN_PHONE}@c.us", "phoneNumber": f"+{OWN_PHONE}"},
        "participants": list(members),
        "settings": {
            "announce": group.announce_only,
            "restrict": group.locked,
            "ephemeral": group.ephemeral,
            "noFrequentlyForwarded": False,
        },
    }


def joined_record(group: SimGroup, members: Sequence[Membership], shape: Shape) -> Record:
    """Return the group of a joinGroup, whose members have `id` instead of `jid`; the docs have it under `group`."""
    record: Record = {
        "id": group.id,
        "name": group.subject,
        "description": group.description,
        "participantsCount": len(members),
    }
    if shape == "sdk":
        return record
    rows = [{"id": f"{m.phone}@s.whatsapp.net", "isAdmin": m.role == "admin", "isSuperAdmin": False} for m in members]
    more = {"ownerJid": f"{OWN_PHONE}@s.whatsapp.net", "createdAt": _LONG_AGO, "settings": flags(group)}
    return {"success": True, "group": record | more | {"participants": rows}}


def flags(group: SimGroup) -> Record:
    """Return the two admin-only flags, as the settings pages call them."""
    return {"infoAdminOnly": group.locked, "messagesAdminOnly": group.announce_only}


def message_record(number: int, to: str, text: str) -> Record:
    """Return a message (sendText)."""
    return {
        "id": f"m-{number}",
        "to": to,
        "content": text,
        "type": "text",
        "timestamp": _LONG_AGO,
        "status": "sent",
        "fromMe": True,
        "sender": f"+{OWN_PHONE}",
        "recipient": to,
    }
