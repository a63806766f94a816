"""What all calls of the simulated WUTS share: its device, its four shapes of an error, its records of groups."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.world import Membership, SimGroup, World

NUMBER = "5511900000001"
"""The device's own."""
OWN_JID = f"{NUMBER}@s.whatsapp.net"

_GROUP_JID = re.compile(r"\d+@g\.us")
_USER = re.compile(r"(\d{10,15})(@s\.whatsapp\.net)?|(\d+)@lid")

# The contract knows DEVICE_NOT_READY and VALIDATION_ERROR alone; the other codes and all these words are ours.
_ERRORS = {
    400: ("BAD_REQUEST", "invalid request"),
    401: ("UNAUTHORIZED", "Invalid token"),
    403: ("FORBIDDEN", "not permitted"),
    404: ("NOT_FOUND", "group not found"),
    429: ("TOO_MANY_REQUESTS", "too many requests"),
}


class Refused(Exception):
    """A call that the simulator answers with an error."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class WutsDevice(ProviderServer):
    """One user and one device.

    Args:
        world: the people and groups behind it.
        token: the token it accepts, with the scheme or bare.
        latency: seconds that every call takes.

    Attributes:
        account_state: anything but `connected` is a device that is not ready.
        not_ready_status: the HTTP status of DEVICE_NOT_READY; the contract leaves it open.
        non_admin_status: how a change by an account that is no admin ends; 200: it answers as if it had been done. The
            contract leaves it open.
        error_shape: one of the four shapes for every error; None: as the pages print them (401 and session short,
            the rest standard).
        members_by: whether participants carry a phone or only a LID; every sample has phones.
        counts_members: whether groups carry `members_count`.
        lids_pose_as_phones: whether the digits of a LID stand as a phone number beside it; every sample has real ones.
    """

    def __init__(self, world: World, *, token: str = "sandbox-token", latency: float = 0.0) -> None:  # noqa: S107
        super().__init__(world, token=token, latency=latency)
        self.not_ready_status = 503
        self.non_admin_status = 403
        self.error_shape: Literal["standard", "short", "bare", "nested"] | None = None
        self.members_by: Literal["phone", "lid"] = "phone"
        self.counts_members = True
        self.lids_pose_as_phones = False

    def authorized(self, request: web.Request) -> bool:
        """Accept the token after the scheme in any case, or bare (x-conventions.authentication)."""
        scheme, _, token = request.headers.get("Authorization", "").rpartition(" ")
        return token == self.token and scheme.lower() in {"", "bearer"}

    def error(
        self, status: int, code: str = "", message: str = "", validation: list[dict[str, Any]] | None = None
    ) -> web.Response:
        """Answer an error in the shape of `error_shape`."""
        usual_code, usual_message = _ERRORS.get(status, ("INTERNAL_ERROR", "internal error"))
        code, message = code or usual_code, message or usual_message
        shape = self.error_shape or ("short" if status == web.HTTPUnauthorized.status_code else "standard")
        body: dict[str, Any] = {"success": False, "error": message}
        if shape == "standard":
            body |= {"error_code": code, "timestamp": self.timestamp()}
            body |= {"validation": validation} if validation else {}
        elif shape == "bare":
            body = {"error": message}
        elif shape == "nested":
            body["error"] = {"code": code.lower(), "message": message}
        return web.json_response(body, status=status)

    def invalid(self, field: str, message: str, value: Any) -> Refused:
        """Make the refusal of a call that fails validation at one field."""
        entry = {"field": field, "message": message, "value": value}
        return Refused(self.error(400, "VALIDATION_ERROR", "validation failed", [entry]))

    def when_ready(self, handler: Handler) -> Handler:
        """Let a call through to a device that is ready and a group that the device is in."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.account_state != "connected":
                return self.error(self.not_ready_status, "DEVICE_NOT_READY", "WhatsApp session is not connected")
            jid = request.match_info.get("jid")
            try:
                if jid is not None and not _GROUP_JID.fullmatch(jid):
                    raise self.invalid("jid", "jid must be a group JID", jid)
                if jid is not None and (jid not in self.world.groups or self.world.groups[jid].left_by_account):
                    return self.error(404)
                return await handler(request)
            except Refused as refused:
                return refused.answer

        return guarded

    def group_of(self, request: web.Request) -> SimGroup:
        """Give the group of a call's path."""
        return self.world.groups[request.match_info["jid"]]

    def may_change(self, group: SimGroup) -> bool:
        """Tell whether a change takes effect; it does not where it only looks so (`non_admin_status` 200)."""
        if not group.account_is_admin and self.non_admin_status != web.HTTPOk.status_code:
            raise Refused(self.error(self.non_admin_status, message="the device is not an admin of the group"))
        return group.account_is_admin

    def group_row(self, group: SimGroup) -> dict[str, Any]:
        """Give a group as lists and updates show it."""
        count = {"members_count": len(self.members(group))} if self.counts_members else {}
        return {
            "jid": group.id,
            "name": group.subject,
            "topic": group.description,
            "owner": OWN_JID,
            "created_at": "2026-01-10T14:22:00Z",
            "is_announce": group.announce_only,
            "is_locked": group.locked,
            "join_approval": group.joins_need_approval,
            **count,
        }

    def members(self, group: SimGroup) -> list[Membership]:
        """Give the members that reads show, among whom the device itself always is."""
        members = self.world.visible_members(group.id)
        own = Membership(NUMBER, "admin" if group.account_is_admin else "member")
        return members if any(member.phone == NUMBER for member in members) else [own, *members]

    def record(self, phone: str, *, is_admin: bool = False) -> dict[str, Any]:
        """Give a participant as members and changed people are shown."""
        flags = {"is_admin": is_admin, "is_super_admin": is_admin and phone == NUMBER}
        if self.members_by == "lid":
            lid = self.world.person(phone).lid
            return {"jid": f"{lid}@lid", **flags, **({"phone_number": lid} if self.lids_pose_as_phones else {})}
        return {"jid": f"{phone}@s.whatsapp.net", "phone_number": f"{phone}@s.whatsapp.net", **flags}

    def phone_of(self, participant: str) -> str | None:
        """Give the phone of a number, a JID or a LID, in the form that WhatsApp knows; None for nobody's LID."""
        match = _USER.fullmatch(participant)
        if match is None:
            return None
        return self.world.canonical(match[1]) if match[1] else self.world.phone_of_lid(match[3])

    def participants_of(self, body: dict[str, Any], *, may_be_empty: bool = False) -> list[str]:
        """Give the participants of a body.

        Whether the 10 to 15 digits of a `number` bind participants too is left open, as is whether one bad participant
        fails the whole call: here both hold.
        """
        participants = body.get("participants", [] if may_be_empty else None)
        if not isinstance(participants, list) or not (participants or may_be_empty):
            raise self.invalid("participants", "participants must not be empty", participants)
        for place, participant in enumerate(participants):
            if not isinstance(participant, str) or not _USER.fullmatch(participant):
                raise self.invalid(f"participants[{place}]", "participant is not a number or JID", participant)
        return participants

    def timestamp(self) -> str:
        """Give the world's time as the pages print times."""
        return datetime.fromtimestamp(self.world.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def body_of(request: web.Request) -> dict[str, Any]:
    """Read a JSON object; empty for anything else."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
