"""A simulated 2Chat (contract `contracts/twochat.openapi.yaml`): the account, its credits and numbers, and texts."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.twochat_groups import CHANNEL, E164, GroupCalls
from sandbox.providers.world import Disposition

_MIN_NUMBER_CHARACTERS = 8
_BUSY = 486

# The contract leaves open how an action by a number that is not connected ends: here with its nearest status, 410.
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


@dataclass(kw_only=True, eq=False)
class TwoChatServer(ProviderServer):
    """2Chat with one account and one connected number.

    Attributes:
        account_state: besides the shared states, `booting` (409) and `busy` (486) for the number's actions;
            `restricted` answers every call with 402.
        number: the connected number, digits without plus.
        numbers: the connected numbers, digits without plus.
        credits: how many more calls the account can make; None for any number.
        spent: how many calls it made.
        checked: how many numbers it checked.
        error_shape: which of the three published error bodies it answers with.
        page_size: the numbers on a page, unless the call sets it.
        blocked: whether getAccountInfo says that 2Chat has blocked the account.
        info_at: the path of getAccountInfo: that of the billing page or of the vendor's n8n node.
        lid_only: phones of members whom the member list shows by their LID alone.
        unaccepted_at: where `unaccepted_numbers` is in the add reply.
        unaccepted_as: whether its items are numbers or objects with a number.
        unaccepted_have_entries: whether an unaccepted number is in the participants map too.
        sends_invites: whether people who refuse direct adds get a private invitation (`isInviteV4Sent`).
        answers_canonical: whether the reply's keys are WhatsApp's canonical numbers instead of the numbers as sent.
        roles_answer: what a promotion and a demotion answer besides `success`; the pages were cut off before it.
        accepts_the_same_role: whether they accept people who have the role already.
    """

    name: ClassVar[str] = "twochat"
    number: str = "595981048477"
    numbers: list[str] = field(default_factory=list)
    credits: int | None = None
    spent: int = 0
    checked: int = 0
    error_shape: Literal["error_message", "message", "detail"] = "error_message"
    page_size: int = 50
    blocked: bool = False
    info_at: Literal["/info", "/open/info"] = "/info"
    lid_only: set[str] = field(default_factory=set)
    unaccepted_at: Literal["top", "participants", "group", "data"] = "top"
    unaccepted_as: Literal["strings", "objects"] = "strings"
    unaccepted_have_entries: bool = False
    sends_invites: bool = False
    answers_canonical: bool = False
    roles_answer: Literal["success", "map", "lists"] = "success"
    accepts_the_same_role: bool = False

    def __post_init__(self) -> None:
        self.numbers = self.numbers or [self.number]

    def routes(self) -> list[web.RouteDef]:
        """Return the contract's routes for groups, their members, numbers, texts and the account."""
        return [
            *GroupCalls(self).routes(),
            web.post("/open/whatsapp/send-message", self.charged(self._send_message)),
            web.get("/open/whatsapp/get-numbers", self.charged(self._list_numbers)),
            web.get("/open/whatsapp/check-number/{own}/{number}", self.charged(self._check)),
            web.get("/info", self.charged(self._info)),
            web.get("/open/info", self.charged(self._info)),
        ]

    def authorized(self, request: web.Request) -> bool:
        """Return whether the request carries the API key in 2Chat's own header."""
        return request.headers.get("X-User-API-Key") == self.token

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Return an error in one of the three published shapes; a bad key has the gateway's. 2Chat has no codes."""
        text = message or code or _MESSAGES.get(status, "Something went wrong")
        if status == web.HTTPUnauthorized.status_code or self.error_shape == "detail":
            return web.json_response({"detail": text}, status=status)
        if self.error_shape == "message":
            return web.json_response({"success": False, "message": text}, status=status)
        return web.json_response({"success": False, "error": True, "error_message": text}, status=status)

    def charged(self, handler: Handler) -> Handler:
        """Take one credit for each call. Refuse it if the account has none left, or is restricted."""

        async def charged(request: web.Request) -> web.StreamResponse:
            if self.account_state == "restricted" or self.credits == 0:
                raise self.fail(402)
            if self.credits is not None:
                self.credits -= 1
            self.spent += 1
            return await handler(request)

        return charged

    def check_sender(self, number: Any, *, unknown: int) -> None:
        """Check that a number can act.

        Args:
            number: the value of `from_number` or of a path.
            unknown: the status if the account does not have the number.

        Raises:
            ErrorResponse: it is not E.164, or not connected to the account or to WhatsApp.
        """
        if not isinstance(number, str) or not E164.fullmatch(number):
            raise self.fail(422, message="from_number is not E.164")
        if number.removeprefix("+") not in self.numbers:
            raise self.fail(unknown, message="The number is not connected to this account")
        if state := _NUMBER_STATES.get(self.account_state):
            raise self.fail(state[0], message=state[1])

    async def body_of(self, request: web.Request) -> dict[str, Any]:
        """Return the JSON object in a request's body.

        Raises:
            ErrorResponse: there is none.
        """
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise self.fail(400) from None
        if not isinstance(body, dict):
            raise self.fail(400)
        return body

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

    async def _check(self, request: web.Request) -> web.Response:
        self.check_sender(request.match_info["own"], unknown=422)
        self.checked += 1
        number = request.match_info["number"]
        if not E164.fullmatch(number) or len(number) < _MIN_NUMBER_CHARACTERS:
            return web.json_response({"is_valid": False})
        asked = number.removeprefix("+")
        there = self.world.person(asked).disposition is not Disposition.NO_ACCOUNT
        # The page's own example was cut off. No adapter reads the other fields.
        return web.json_response({"is_valid": True, "on_whatsapp": there})

    async def _info(self, request: web.Request) -> web.Response:
        if request.path != self.info_at:
            raise self.fail(404)
        body = {
            "account": {"name": "Sandbox", "on_trial": False, "blocked": self.blocked},
            "limits": {"requests_per_minute": 80},
            "usage": {
                "api_request_count": self.spent,
                "max_api_request_count": self.spent + self.credits if self.credits is not None else 500_000,
                "number_check_count": self.checked,
                "max_number_check_count": 500_000,
            },
        }
        return web.json_response({"success": True, **body})

    async def _send_message(self, request: web.Request) -> web.Response:
        body = await self.body_of(request)
        if "from_number" not in body or not isinstance(body.get("text"), str):
            raise self.fail(400)
        if ("to_number" in body) == ("to_group_uuid" in body):
            raise self.fail(422, message="Give to_number or to_group_uuid")
        self.check_sender(body["from_number"], unknown=422)
        group = self.world.groups.get(str(body.get("to_group_uuid")))
        if "to_group_uuid" in body and (group is None or group.left_by_account):
            raise self.fail(404)
        to = group.id if group else str(body["to_number"])
        if not group and not E164.fullmatch(to):
            raise self.fail(422, message="to_number is not E.164")
        self.world.send(to.removeprefix("+"), body["text"])
        uuid = f"MSGcf20bbdb-0a8a-4eef-bca1-{len(self.world.sent):012}"
        return web.json_response({"success": True, "message_uuid": uuid, "batched": True})
