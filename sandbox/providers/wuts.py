"""A simulated WUTS (contract `contracts/wuts.openapi.yaml`): one device, its groups, contacts and messages."""

import re
from typing import Any

from aiohttp import web

from sandbox.providers.world import Disposition, World
from sandbox.providers.wuts_device import NUMBER, OWN_JID, body_of
from sandbox.providers.wuts_groups import WutsGroups

DEVICE = "00000000-0000-4000-8000-000000000001"
USER = "00000000-0000-4000-8000-0000000000a1"
RESOLVE_LIMIT = 160
LONGEST_TEXT = 4096

_NUMBER = re.compile(r"\d{10,15}")


class WutsServer(WutsGroups):
    """WUTS.

    Attributes:
        resolves_lids: whether `resolveContacts` finds the phones behind LIDs.
    """

    name = "wuts"

    def __init__(self, world: World, *, token: str = "sandbox-token", latency: float = 0.0) -> None:  # noqa: S107
        super().__init__(world, token=token, latency=latency)
        self.resolves_lids = True

    def routes(self) -> list[web.RouteDef]:
        """Give the contract's routes for groups, communities, contacts, texts and the session."""
        return [
            *self.group_routes(),
            web.post("/contact/check", self.when_ready(self._check_numbers)),
            web.post("/contacts/resolve", self.when_ready(self._resolve)),
            web.post("/send/text", self.when_ready(self._send_text)),
            web.get("/status", self._status),
            web.get("/devices", self._devices),
        ]

    async def _check_numbers(self, request: web.Request) -> web.Response:
        numbers = (await body_of(request)).get("numbers")
        if not isinstance(numbers, list) or not numbers:
            raise self.invalid("numbers", "numbers must not be empty", numbers)
        cleaned = [_cleaned(number) for number in numbers]
        bad = next((number for number in cleaned if not _NUMBER.fullmatch(number)), None)
        if bad is not None:
            raise self.invalid("numbers", "number must have 10 to 15 digits", bad)
        return web.json_response({"success": True, "data": {number: self._on_whatsapp(number) for number in cleaned}})

    async def _resolve(self, request: web.Request) -> web.Response:
        jids = (await body_of(request)).get("jids")
        if not isinstance(jids, list) or not 0 < len(jids) <= RESOLVE_LIMIT:
            raise self.invalid("jids", "between 1 and 160 jids are needed", None)
        find = _user_of if self.lids_pose_as_phones else self.phone_of
        found = {jid: find(jid) for jid in jids if self.resolves_lids or not jid.endswith("@lid")}
        # The page's sample leaves out an identifier without saying why: here those that nobody is behind.
        items = [_contact(jid, phone) for jid, phone in found.items() if phone]
        return web.json_response({"success": True, "count": len(items), "items": items})

    async def _send_text(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        to, text = str(body.get("number")), body.get("text")
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
            raise self.invalid("text", "text must be 1 to 4096 characters", text)
        if to.endswith("@g.us"):
            if to not in self.world.groups or self.world.groups[to].left_by_account:
                return self.error(404)
            self.world.send(to, text)
        else:
            number = _cleaned(to)
            if not _NUMBER.fullmatch(number):
                raise self.invalid("number", "number must have 10 to 15 digits", to)
            # What a text to a number without an account comes to is left open: here it is sent and nobody gets it.
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
        # Whether the check knows a number in a form that is not canonical is left open: here it does not.
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
