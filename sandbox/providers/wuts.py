"""A simulated WUTS (contract `contracts/wuts.openapi.yaml`): one device, its groups, contacts and messages."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from aiohttp import web

from sandbox.providers.server import ErrorResponse, Handler, ProviderServer, json_object, utc, with_own
from sandbox.providers.world import Disposition, Membership, SimGroup
from sandbox.providers.wuts_groups import GroupCalls

NUMBER = "5511900000001"
"""The device's own."""
OWN_JID = f"{NUMBER}@s.whatsapp.net"
DEVICE = "00000000-0000-4000-8000-000000000001"
USER = "00000000-0000-4000-8000-0000000000a1"
MAX_RESOLVED = 160
MAX_TEXT_CHARACTERS = 4096

_NUMBER = re.compile(r"\d{10,15}")
_GROUP_JID = re.compile(r"\d+@g\.us")
_USER = re.compile(r"(\d{10,15})(@s\.whatsapp\.net)?|(\d+)@lid")

# The contract knows DEVICE_NOT_READY and VALIDATION_ERROR alone; the other codes and all messages are invented.
_ERRORS = {
    400: ("BAD_REQUEST", "invalid request"),
    401: ("UNAUTHORIZED", "Invalid token"),
    403: ("FORBIDDEN", "not permitted"),
    404: ("NOT_FOUND", "group not found"),
    429: ("TOO_MANY_REQUESTS", "too many requests"),
}


@dataclass(kw_only=True, eq=False)
class WutsServer(ProviderServer):
    """WUTS with one user and one device. A device is ready if the account is `connected`.

    Attributes:
        not_ready_status: the HTTP status of DEVICE_NOT_READY; the contract leaves it open.
        non_admin_status: the status of a change by an account that isn't an admin; 200: it answers as if the change
            had been made. The contract leaves it open.
        error_shape: one of the four shapes for every error; None: as the pages print them (401 and session short,
            the rest standard).
        members_by: whether participants carry a phone or only a LID; every sample has phones.
        counts_members: whether groups carry `members_count`.
        lids_pose_as_phones: whether the digits of a LID are shown as its phone number; every sample has real ones.
        resolves_lids: whether `resolveContacts` finds the phones of LIDs.
        lists_refused: whether a response lists the people who weren't changed; the contract leaves it open.
        codes_in_records: whether records carry WhatsApp's code under `error`; no page shows it.
        names_communities: whether a response has a new community's JID; the page prints an empty object.
        updates_in_turn: whether a refused update keeps the changes before the refused property; left open.
    """

    name: ClassVar[str] = "wuts"
    number: ClassVar[str] = NUMBER
    not_ready_status: int = 503
    non_admin_status: int = 403
    error_shape: Literal["standard", "short", "bare", "nested"] | None = None
    members_by: Literal["phone", "lid"] = "phone"
    counts_members: bool = True
    lids_pose_as_phones: bool = False
    resolves_lids: bool = True
    lists_refused: bool = True
    codes_in_records: bool = False
    names_communities: bool = False
    updates_in_turn: bool = False

    def routes(self) -> list[web.RouteDef]:
        """Return the contract's routes for groups, communities, contacts, texts and the session."""
        return [
            *GroupCalls(self).routes(),
            web.post("/contact/check", self.when_ready(self._check_numbers)),
            web.post("/contacts/resolve", self.when_ready(self._resolve)),
            web.post("/send/text", self.when_ready(self._send_text)),
            web.get("/status", self._status),
            web.get("/devices", self._devices),
        ]

    def authorized(self, request: web.Request) -> bool:
        """Return whether the token comes after a scheme in any case, or bare (x-conventions.authentication)."""
        scheme, _, token = request.headers.get("Authorization", "").rpartition(" ")
        return token == self.token and scheme.lower() in {"", "bearer"}

    def error(
        self, status: int, code: str = "", message: str = "", validation: list[dict[str, Any]] | None = None
    ) -> web.Response:
        """Return an error in the shape of `error_shape`."""
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

    def invalid(self, field: str, message: str, value: Any) -> ErrorResponse:
        """Return the error of a call with an invalid field."""
        entry = {"field": field, "message": message, "value": value}
        return ErrorResponse(self.error(400, "VALIDATION_ERROR", "validation failed", [entry]))

    def when_ready(self, handler: Handler) -> Handler:
        """Call the handler if the device is ready and in the group of the path."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.account_state != "connected":
                raise self.fail(self.not_ready_status, "DEVICE_NOT_READY", "WhatsApp session is not connected")
            jid = request.match_info.get("jid")
            if jid is not None and not _GROUP_JID.fullmatch(jid):
                raise self.invalid("jid", "jid must be a group JID", jid)
            if jid is not None and (jid not in self.world.groups or self.world.groups[jid].left_by_account):
                raise self.fail(404)
            return await handler(request)

        return guarded

    def group_of(self, request: web.Request) -> SimGroup:
        """Return the group of a call's path."""
        return self.world.groups[request.match_info["jid"]]

    def may_change(self, group: SimGroup) -> bool:
        """Return whether a change takes effect; if `non_admin_status` is 200, it may only seem to."""
        if not group.account_is_admin and self.non_admin_status != web.HTTPOk.status_code:
            raise self.fail(self.non_admin_status, message="the device is not an admin of the group")
        return group.account_is_admin

    def group_row(self, group: SimGroup) -> dict[str, Any]:
        """Return a group as lists and updates show it."""
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
        """Return the members that reads show, always with the device itself."""
        own = Membership(NUMBER, "admin" if group.account_is_admin else "member")
        return with_own(self.world.visible_members(group.id), own)

    def record(self, phone: str, *, is_admin: bool = False) -> dict[str, Any]:
        """Return a participant, as in member lists and results."""
        flags = {"is_admin": is_admin, "is_super_admin": is_admin and phone == NUMBER}
        if self.members_by == "lid":
            lid = self.world.person(phone).lid
            return {"jid": f"{lid}@lid", **flags, **({"phone_number": lid} if self.lids_pose_as_phones else {})}
        return {"jid": f"{phone}@s.whatsapp.net", "phone_number": f"{phone}@s.whatsapp.net", **flags}

    def phone_of(self, participant: str) -> str | None:
        """Return the canonical phone of a number, a JID or a LID; None for an unknown LID."""
        match = _USER.fullmatch(participant)
        if match is None:
            return None
        return self.world.canonical(match[1]) if match[1] else self.world.phone_of_lid(match[3])

    def participants_of(self, body: dict[str, Any], *, may_be_empty: bool = False) -> list[str]:
        """Return the participants of a body.

        The contract leaves open whether participants need the 10 to 15 digits of a `number`, and whether one bad
        participant fails the whole call: here they do, and it does.

        Raises:
            ErrorResponse: the list or a participant is invalid.
        """
        participants = body.get("participants", [] if may_be_empty else None)
        if not isinstance(participants, list) or not (participants or may_be_empty):
            raise self.invalid("participants", "participants must not be empty", participants)
        for place, participant in enumerate(participants):
            if not isinstance(participant, str) or not _USER.fullmatch(participant):
                raise self.invalid(f"participants[{place}]", "participant is not a number or JID", participant)
        return participants

    def timestamp(self) -> str:
        """Return the world's time as the pages print times."""
        return utc(self.world.now())

    async def _check_numbers(self, request: web.Request) -> web.Response:
        numbers = (await json_object(request)).get("numbers")
        if not isinstance(numbers, list) or not numbers:
            raise self.invalid("numbers", "numbers must not be empty", numbers)
        cleaned = [_cleaned(number) for number in numbers]
        bad = next((number for number in cleaned if not _NUMBER.fullmatch(number)), None)
        if bad is not None:
            raise self.invalid("numbers", "number must have 10 to 15 digits", bad)
        return web.json_response({"success": True, "data": {number: self._on_whatsapp(number) for number in cleaned}})

    async def _resolve(self, request: web.Request) -> web.Response:
        jids = (await json_object(request)).get("jids")
        if not isinstance(jids, list) or not 0 < len(jids) <= MAX_RESOLVED:
            raise self.invalid("jids", "between 1 and 160 jids are needed", None)
        find = _user_of if self.lids_pose_as_phones else self.phone_of
        found = {jid: find(jid) for jid in jids if self.resolves_lids or not jid.endswith("@lid")}
        # The page's sample leaves out an identifier without saying why: here the unknown ones.
        items = [_contact(jid, phone) for jid, phone in found.items() if phone]
        return web.json_response({"success": True, "count": len(items), "items": items})

    async def _send_text(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        to, text = str(body.get("number")), body.get("text")
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT_CHARACTERS:
            raise self.invalid("text", "text must be 1 to 4096 characters", text)
        if to.endswith("@g.us"):
            if to not in self.world.groups or self.world.groups[to].left_by_account:
                raise self.fail(404)
            self.world.send(to, text)
        else:
            number = _cleaned(to)
            if not _NUMBER.fullmatch(number):
                raise self.invalid("number", "number must have 10 to 15 digits", to)
            # The contract leaves a text to a number without an account open: here it is accepted and not delivered.
            if self._on_whatsapp(number):
                self.world.send(number, text)
        sent = {"message_id": f"3EB{len(self.world.sent):017}", "timestamp": self.timestamp(), "status": "sent"}
        return web.json_response({"success": True, **sent, "chat_jid": to})

    async def _status(self, _: web.Request) -> web.Response:
        connected = self.account_state == "connected"
        data = {
            "connected": connected,
            "status": self.account_state,  # only `connected` is documented
            "device_id": DEVICE,
            "jid": OWN_JID,
            "phone_number": NUMBER,
            "is_logged_in": connected,
            "last_seen": self.timestamp(),
        }
        return web.json_response({"success": True, "data": data})

    async def _devices(self, _: web.Request) -> web.Response:
        device = {
            "id": DEVICE,
            "user_id": USER,
            "name": "Sandbox",
            "whatsapp_jid": OWN_JID,
            "connected": self.account_state == "connected",
            "last_seen": self.timestamp(),
        }
        return web.json_response({"success": True, "devices": [device]})

    def _on_whatsapp(self, number: str) -> bool:
        # The contract leaves open whether the check knows a number that is not canonical: here it does not.
        human = self.world.person(number)
        return human.phone == number and human.disposition is not Disposition.NO_ACCOUNT


def _user_of(jid: str) -> str:
    return jid.partition("@")[0]


def _cleaned(number: Any) -> str:
    return re.sub(r"[ ()+-]", "", str(number))


def _contact(asked: str, phone: str) -> dict[str, Any]:
    jid = f"{phone}@s.whatsapp.net"
    lid = {"input_jid": asked, "lid_jid": asked} if asked.endswith("@lid") else {"input_jid": jid}
    return {"input": asked, "resolved_jid": jid, "jid": jid, "phone_number": phone, **lid}
