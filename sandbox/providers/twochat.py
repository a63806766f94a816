"""A simulated 2Chat (contract `contracts/twochat.openapi.yaml`): numbers, groups, and adding to a group."""

import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.world import Effect, Membership, SimGroup, World

CHANNEL = "WPN95841312-b54d-46e3-b0bc-6414f4a5296b"
MOST_PARTICIPANTS = 10

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_BUSY = 486

# The contract shows 200 only. These codes and words are those of whatsapp-web.js (the contract's x-unverified) and, for
# 401 and 421, of WhatsApp's other libraries.
_CODES: dict[Effect, tuple[int, str]] = {
    Effect.ADDED: (200, "The participant was added successfully"),
    Effect.ALREADY_MEMBER: (409, "The participant is already a group member"),
    Effect.PRIVATE: (403, "The participant can be added by sending private invitation only"),
    Effect.NO_ACCOUNT: (404, "The phone number is not registered on WhatsApp"),
    Effect.RECENTLY_LEFT: (408, "You cannot add this participant because they recently left the group"),
    Effect.BLOCKED: (401, "An unknown error occupied while adding a participant"),
    Effect.GROUP_FULL: (419, "The participant can't be added because the group is full"),
    Effect.AWAITS_ADMIN: (421, "An unknown error occupied while adding a participant"),
}

# The contract leaves open how an action by a number that is not connected ends; 410 is the nearest of its statuses.
_NUMBER_STATES = {
    "disconnected": (410, "The number is disconnected"),
    "booting": (409, "The number is booting"),
    "busy": (_BUSY, "The number is busy"),
}

_MESSAGES = {
    400: "The JSON structure is not valid",
    401: "Invalid API Key",
    402: "Your trial has ended or your credits are spent",
    403: "The action is not allowed",
    404: "The resource was not found",
    409: "The number is booting",
    410: "The number is connecting or disconnecting",
    422: "The request is not valid",
    429: "Too many requests",
    486: "The number is busy",
    503: "The service is down for now",
    504: "The API may be down for a moment",
}


class TwoChatServer(ProviderServer):
    """2Chat with one connected number.

    Args:
        world: the people and groups behind it.
        token: the API key it accepts.
        latency: seconds that every call takes.
        number: the connected number, digits without plus.

    Attributes:
        account_state: besides the shared states, `booting` (409) and `busy` (486) for the number's actions;
            `restricted` answers every call with 402.
        credits: how many more calls the account can make; None for any number.
        error_shape: which of the three published error bodies it answers with.
        unaccepted_at: where `unaccepted_numbers` sits in the add reply.
        unaccepted_as: whether its items are numbers or objects that hold one.
        unaccepted_have_entries: whether an unaccepted number is in the participants map too.
        sends_invites: whether a private invitation goes out to whoever refuses direct adds (`isInviteV4Sent`).
        canonical: the digits under which WhatsApp knows a number that is asked for in another form.
        answers_canonical: whether the reply's keys are those canonical numbers instead of the numbers as sent.
        lid_only: phones of members whom the member list shows by their LID alone.
        numbers: the connected numbers, digits without plus.
        page_size: connected numbers on a page where the call does not say.
    """

    name = "twochat"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        number: str = "595981048477",
    ) -> None:
        super().__init__(world, token=token, latency=latency)
        self.numbers = [number]
        self.credits: int | None = None
        self.error_shape: Literal["error_message", "message", "detail"] = "error_message"
        self.unaccepted_at: Literal["top", "participants", "group", "data"] = "top"
        self.unaccepted_as: Literal["strings", "objects"] = "strings"
        self.unaccepted_have_entries = False
        self.sends_invites = False
        self.canonical: dict[str, str] = {}
        self.answers_canonical = False
        self.lid_only: set[str] = set()
        self.page_size = 50

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of listGroups, getGroup, addParticipants and listNumbers."""
        return [
            web.get("/open/whatsapp/groups/{number}", self._charged(self._list_groups)),
            web.get("/open/whatsapp/group/{group}", self._charged(self._get_group)),
            web.post("/open/whatsapp/group/{group}/add-participant", self._charged(self._add_participants)),
            web.get("/open/whatsapp/get-numbers", self._charged(self._list_numbers)),
        ]

    def authorized(self, request: web.Request) -> bool:
        """Tell whether the request carries the API key in 2Chat's own header."""
        return request.headers.get("X-User-API-Key") == self.token

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give an error in one of the three published shapes; a bad key has the gateway's. 2Chat has no codes."""
        words = message or code or _MESSAGES.get(status, "Something went wrong")
        if status == web.HTTPUnauthorized.status_code or self.error_shape == "detail":
            return web.json_response({"detail": words}, status=status)
        if self.error_shape == "message":
            return web.json_response({"success": False, "message": words}, status=status)
        return web.json_response({"success": False, "error": True, "error_message": words}, status=status)

    def _charged(self, handler: Handler) -> Handler:
        """Take one credit for each call; refuse it when the account has none, or is restricted."""

        async def charged(request: web.Request) -> web.StreamResponse:
            if self.account_state == "restricted" or self.credits == 0:
                return self.error(402)
            if self.credits is not None:
                self.credits -= 1
            return await handler(request)

        return charged

    async def _list_groups(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not _E164.fullmatch(number):
            return self.error(422, message="The number is not E.164")
        if number.removeprefix("+") not in self.numbers:
            return self.error(404)
        return web.json_response({"success": True, "data": [self._summary(g) for g in self.world.groups.values()]})

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self.world.groups.get(request.match_info["group"])
        if group is None:
            return self.error(404)
        members = [self._member(m) for m in self.world.visible_members(group.id)]
        data = {**self._summary(group), "channel_uuid": CHANNEL, "wa_subject": group.description}
        return web.json_response({"success": True, "data": {**data, "participants": members}})

    async def _list_numbers(self, request: web.Request) -> web.Response:
        connected = self.account_state != "disconnected"
        wanted = request.query.get("status", "all")
        shown = self.numbers if wanted in {"all", "connected" if connected else "disconnected"} else []
        size = int(request.query.get("results_per_page", self.page_size))
        start = int(request.query.get("page_number", 0)) * size
        numbers = [
            {
                "uuid": CHANNEL,
                "friendly_name": "sandbox",
                "phone_number": f"+{number}",
                "connection_status": "C" if connected else "D",
                "enabled": True,
                "channel_type": "WW",
            }
            for number in shown[start : start + size]
        ]
        return web.json_response({"success": True, "numbers": numbers})

    async def _add_participants(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            sender, numbers = body["from_number"], body["participants"]
        except (ValueError, TypeError, KeyError):
            return self.error(400)
        if problem := _problem([sender], numbers):
            return self.error(422, message=problem)
        group = self.world.groups.get(request.match_info["group"])
        if group is None or sender.removeprefix("+") not in self.numbers:
            return self.error(404)
        if state := _NUMBER_STATES.get(self.account_state):
            return self.error(state[0], message=state[1])
        if not group.account_is_admin:
            # The contract leaves the answer to a number that is no admin open; the words are whatsapp-web.js's.
            return self.error(403, message="You have no admin rights to add a participant to a group")
        return web.json_response(self._add(group, dict.fromkeys(n.removeprefix("+") for n in numbers)))

    def _add(self, group: SimGroup, phones: Iterable[str]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        unaccepted: list[Any] = []
        for asked in phones:
            known = self.canonical.get(asked, asked)
            effect = self.world.add(group.id, known)
            if effect is Effect.NO_ACCOUNT:
                unaccepted.append(f"+{asked}" if self.unaccepted_as == "strings" else {"phone_number": f"+{asked}"})
                if not self.unaccepted_have_entries:
                    continue
            code, words = _CODES[effect]
            entries[f"+{known if self.answers_canonical else asked}"] = {
                "statusCode": code,
                "message": words,
                "isInviteV4Sent": self.sends_invites and effect is Effect.PRIVATE,
            }
        # The contract leaves the value of `success` open where numbers fail; its remove example keeps it true.
        reply: dict[str, Any] = {"success": True, "participants": entries}
        holder = reply if self.unaccepted_at == "top" else reply.setdefault(self.unaccepted_at, {})
        holder["unaccepted_numbers"] = unaccepted
        return reply

    def _summary(self, group: SimGroup) -> dict[str, Any]:
        return {
            "uuid": group.id,
            "wa_group_name": group.subject,
            "size": len(self.world.visible_members(group.id)),
            "is_muted": False,
            "is_read_only": False,
            "channel_is_owner": False,
        }

    def _member(self, member: Membership) -> dict[str, Any]:
        admin = {"wa_is_admin": member.role != "member", "wa_is_super_admin": member.role == "superadmin"}
        if member.phone in self.lid_only:
            return {"wa_participant_id": f"{self.world.human(member.phone).lid}@lid", **admin}
        return {"wa_participant_id": f"{member.phone}@c.us", "phone_number": f"+{member.phone}", **admin}


def _problem(sender: list[Any], numbers: Any) -> str:
    """Tell what is wrong with the numbers of a request; the contract leaves the answers to all but E.164 open."""
    if not isinstance(numbers, list) or not numbers:
        return "participants must be a list of numbers"
    if len(numbers) > MOST_PARTICIPANTS:
        return f"At most {MOST_PARTICIPANTS} participants are allowed"
    if not all(isinstance(n, str) and _E164.fullmatch(n) for n in sender + numbers):
        return "A number is not E.164"
    return ""
