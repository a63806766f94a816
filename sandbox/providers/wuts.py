"""A simulated WUTS (contract `contracts/wuts.openapi.yaml`): one device, its groups, number checks and identities."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.world import Disposition, Effect, SimGroup, World

DEVICE = "00000000-0000-4000-8000-000000000001"
USER = "00000000-0000-4000-8000-0000000000a1"
NUMBER = "5511900000001"
RESOLVE_LIMIT = 160

_GROUP_JID = re.compile(r"\d+@g\.us")
_NUMBER = re.compile(r"\d{10,15}")
_SEVERAL_FORMS = {"55", "52", "54"}
_USER = re.compile(r"(\d{10,15})(@s\.whatsapp\.net)?|(\d+)@lid")

# The contract knows DEVICE_NOT_READY and VALIDATION_ERROR alone; the other codes and all these words are ours.
_ERRORS = {
    400: ("BAD_REQUEST", "invalid request"),
    401: ("UNAUTHORIZED", "Invalid token"),
    403: ("FORBIDDEN", "not permitted"),
    404: ("NOT_FOUND", "group not found"),
    429: ("TOO_MANY_REQUESTS", "too many requests"),
}

# WhatsApp's own codes. The contract's records hold none; they appear only where `codes_in_records` is set.
_CODES = {
    Effect.ADDED: 200,
    Effect.ALREADY_MEMBER: 409,
    Effect.PRIVATE: 403,
    Effect.NO_ACCOUNT: 404,
    Effect.RECENTLY_LEFT: 408,
    Effect.BLOCKED: 401,
    Effect.GROUP_FULL: 419,
    Effect.AWAITS_ADMIN: 421,
}


class WutsServer(ProviderServer):
    """WUTS with one user and one device.

    Args:
        world: the people and groups behind it.
        token: the token it accepts, with the scheme or bare.
        latency: seconds that every call takes.

    Attributes:
        account_state: anything but `connected` is a device that is not ready.
        not_ready_status: the HTTP status of DEVICE_NOT_READY; the contract leaves it open.
        non_admin_status: how an add by an account that is no admin ends; 200: it answers as if it had added. The
            contract leaves it open.
        error_shape: one of the four shapes for every error; None: as the pages print them (401 and session short,
            the rest standard).
        members_by: whether participants carry a phone or only a LID; every sample has phones.
        counts_members: whether groups carry `members_count`.
        resolves_lids: whether `resolveContacts` finds the phones behind LIDs.
        lists_refused: whether an add's answer lists the people that were not added; the contract leaves it open.
        codes_in_records: whether an add's records carry WhatsApp's code under `error`; on no page.
    """

    name = "wuts"

    def __init__(self, world: World, *, token: str = "sandbox-token", latency: float = 0.0) -> None:  # noqa: S107
        super().__init__(world, token=token, latency=latency)
        self.not_ready_status = 503
        self.non_admin_status = 403
        self.error_shape: Literal["standard", "short", "bare", "nested"] | None = None
        self.members_by: Literal["phone", "lid"] = "phone"
        self.counts_members = True
        self.resolves_lids = True
        self.lists_refused = True
        self.codes_in_records = False

    def routes(self) -> list[web.RouteDef]:
        """Give the contract's routes for groups, the add, contacts and the session."""
        return [
            web.get("/groups", self._when_ready(self._list_groups)),
            web.get("/groups/{jid}", self._when_ready(self._get_group)),
            web.post("/groups/{jid}/participants", self._when_ready(self._change_participants)),
            web.post("/contact/check", self._when_ready(self._check_numbers)),
            web.post("/contacts/resolve", self._when_ready(self._resolve)),
            web.get("/status", self._status),
            web.get("/devices", self._devices),
        ]

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
            body |= {"error_code": code, "timestamp": self._now()}
            body |= {"validation": validation} if validation else {}
        elif shape == "bare":
            body = {"error": message}
        elif shape == "nested":
            body["error"] = {"code": code.lower(), "message": message}
        return web.json_response(body, status=status)

    def _when_ready(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.account_state != "connected":
                return self.error(self.not_ready_status, "DEVICE_NOT_READY", "WhatsApp session is not connected")
            jid = request.match_info.get("jid")
            if jid is not None and not _GROUP_JID.fullmatch(jid):
                return self._invalid("jid", "jid must be a group JID", jid)
            if jid is not None and jid not in self.world.groups:
                return self.error(404)
            return await handler(request)

        return guarded

    async def _list_groups(self, _: web.Request) -> web.Response:
        return web.json_response({"success": True, "groups": [self._group(g) for g in self.world.groups.values()]})

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self.world.groups[request.match_info["jid"]]
        members = self.world.visible_members(group.id)
        participants = [self._record(member.phone, is_admin=member.role == "admin") for member in members]
        return web.json_response({"success": True, "group": {**self._group(group), "participants": participants}})

    async def _change_participants(self, request: web.Request) -> web.Response:
        body = await _body(request)
        participants = body.get("participants")
        if not isinstance(participants, list) or not participants:
            return self._invalid("participants", "participants must not be empty", participants)
        if body.get("action", "add") != "add":
            return self.error(501, "NOT_SIMULATED", "this simulator only adds")
        # Whether the 10 to 15 digits of a `number` bind participants too is left open, as is whether one bad
        # participant fails the whole call: here both hold.
        for place, participant in enumerate(participants):
            if not isinstance(participant, str) or not _USER.fullmatch(participant):
                return self._invalid(f"participants[{place}]", "participant is not a number or JID", participant)
        group = self.world.groups[request.match_info["jid"]]
        if not group.account_is_admin and self.non_admin_status != web.HTTPOk.status_code:
            return self.error(self.non_admin_status, message="the device is not an admin of the group")
        records = [self._add(group, participant) for participant in participants]
        return web.json_response({"success": True, "participants": [record for record in records if record]})

    def _add(self, group: SimGroup, participant: str) -> dict[str, Any] | None:
        phone = self._phone(participant)
        if phone is None or not group.account_is_admin:
            return {"jid": participant, "is_admin": False, "is_super_admin": False}
        effect = self.world.add(group.id, phone)
        if effect not in {Effect.ADDED, Effect.ALREADY_MEMBER} and not self.lists_refused:
            return None
        return self._record(phone) | ({"error": _CODES[effect]} if self.codes_in_records else {})

    async def _check_numbers(self, request: web.Request) -> web.Response:
        numbers = (await _body(request)).get("numbers")
        if not isinstance(numbers, list) or not numbers:
            return self._invalid("numbers", "numbers must not be empty", numbers)
        cleaned = [re.sub(r"[ ()+-]", "", str(number)) for number in numbers]
        bad = next((number for number in cleaned if not _NUMBER.fullmatch(number)), None)
        if bad is not None:
            return self._invalid("numbers", "number must have 10 to 15 digits", bad)
        return web.json_response({"success": True, "data": {number: self._on_whatsapp(number) for number in cleaned}})

    async def _resolve(self, request: web.Request) -> web.Response:
        jids = (await _body(request)).get("jids")
        if not isinstance(jids, list) or not 0 < len(jids) <= RESOLVE_LIMIT:
            return self._invalid("jids", "between 1 and 160 jids are needed", None)
        found = {jid: self._phone(jid) for jid in jids if self.resolves_lids or not jid.endswith("@lid")}
        # The page's sample leaves out an identifier without saying why: here those that nobody is behind.
        items = [_contact(jid, phone) for jid, phone in found.items() if phone]
        return web.json_response({"success": True, "count": len(items), "items": items})

    async def _status(self, _: web.Request) -> web.Response:
        connected = self.account_state == "connected"
        data = {
            "connected": connected,
            "status": self.account_state,  # only `connected` is documented
            "device_id": DEVICE,
            "jid": f"{NUMBER}@s.whatsapp.net",
            "phone_number": NUMBER,
            "is_logged_in": connected,
            "last_seen": self._now(),
        }
        return web.json_response({"success": True, "data": data})

    async def _devices(self, _: web.Request) -> web.Response:
        device = {
            "id": DEVICE,
            "user_id": USER,
            "name": "Sandbox",
            "whatsapp_jid": f"{NUMBER}@s.whatsapp.net",
            "connected": self.account_state == "connected",
            "last_seen": self._now(),
        }
        return web.json_response({"success": True, "devices": [device]})

    def _group(self, group: SimGroup) -> dict[str, Any]:
        count = {"members_count": len(self.world.visible_members(group.id))} if self.counts_members else {}
        return {
            "jid": group.id,
            "name": group.subject,
            "topic": group.description,
            "owner": f"{NUMBER}@s.whatsapp.net",
            "created_at": "2026-01-10T14:22:00Z",
            "is_announce": False,
            "is_locked": False,
            "join_approval": group.joins_need_approval,
            **count,
        }

    def _record(self, phone: str, *, is_admin: bool = False) -> dict[str, Any]:
        flags = {"is_admin": is_admin, "is_super_admin": False}
        if self.members_by == "lid":
            return {"jid": f"{self.world.human(phone).lid}@lid", **flags}
        return {"jid": f"{phone}@s.whatsapp.net", "phone_number": f"{phone}@s.whatsapp.net", **flags}

    def _phone(self, participant: str) -> str | None:
        match = _USER.fullmatch(participant)
        if match is None:
            return None
        return self._canonical(match[1]) if match[1] else self.world.phone_of_lid(match[3])

    def _canonical(self, number: str) -> str:
        """Give the form in which WhatsApp knows a Brazilian, Mexican or Argentinian number."""
        if number in self.world.people or number[:2] not in _SEVERAL_FORMS:
            return number
        return next((p for p in self.world.people if (p[:2], p[-8:]) == (number[:2], number[-8:])), number)

    def _on_whatsapp(self, number: str) -> bool:
        # Whether the check knows a number in a form that is not canonical is left open: here it does not.
        human = self.world.people.get(number)
        if human is None:
            return self._canonical(number) == number
        return human.disposition is not Disposition.NO_ACCOUNT

    def _invalid(self, field: str, message: str, value: Any) -> web.Response:
        entry = {"field": field, "message": message, "value": value}
        return self.error(400, "VALIDATION_ERROR", "validation failed", [entry])

    def _now(self) -> str:
        return datetime.fromtimestamp(self.world.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _contact(asked: str, phone: str) -> dict[str, Any]:
    jid = f"{phone}@s.whatsapp.net"
    lid = {"input_jid": asked, "lid_jid": asked} if asked.endswith("@lid") else {"input_jid": jid}
    return {"input": asked, "resolved_jid": jid, "jid": jid, "phone_number": phone, **lid}
