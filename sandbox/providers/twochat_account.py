"""The simulated 2Chat's account: its key, its credits, its connected numbers, and the numbers that it checks."""

import json
import re
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.world import Disposition, World

CHANNEL = "WPN95841312-b54d-46e3-b0bc-6414f4a5296b"
E164 = re.compile(r"\+[1-9][0-9]{1,14}")

_SHORTEST_NUMBER = 8
_BUSY = 486

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


class Refusal(Exception):
    """An answer that ends a call.

    Args:
        status: its HTTP status.
        words: what it says; empty: the usual words of the status.
    """

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class TwoChatAccount(ProviderServer):
    """An account with one connected number.

    Args:
        world: the people and groups behind it.
        token: the API key it accepts.
        latency: seconds that every call takes.
        number: the connected number, digits without plus.

    Attributes:
        account_state: besides the shared states, `booting` (409) and `busy` (486) for the number's actions;
            `restricted` answers every call with 402.
        credits: how many more calls the account can make; None for any number.
        spent: how many calls it made.
        checked: how many numbers it checked.
        error_shape: which of the three published error bodies it answers with.
        numbers: the connected numbers, digits without plus.
        page_size: connected numbers on a page where the call does not say.
        blocked: whether getAccountInfo says that 2Chat has blocked the account.
        info_at: where getAccountInfo is: the billing page's path or that of the vendor's n8n node.
    """

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        number: str = "595981048477",
    ) -> None:
        super().__init__(world, token=token, latency=latency)
        self.number = number
        self.numbers = [number]
        self.credits: int | None = None
        self.spent = 0
        self.checked = 0
        self.error_shape: Literal["error_message", "message", "detail"] = "error_message"
        self.page_size = 50
        self.blocked = False
        self.info_at: Literal["/info", "/open/info"] = "/info"

    def account_routes(self) -> list[web.RouteDef]:
        """Give the routes of listNumbers, checkNumber and getAccountInfo."""
        return [
            web.get("/open/whatsapp/get-numbers", self.charged(self._list_numbers)),
            web.get("/open/whatsapp/check-number/{own}/{number}", self.charged(self._check)),
            web.get("/info", self.charged(self._info)),
            web.get("/open/info", self.charged(self._info)),
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

    def charged(self, handler: Handler) -> Handler:
        """Take one credit for each call; refuse it when the account has none, or is restricted."""

        async def charged(request: web.Request) -> web.StreamResponse:
            if self.account_state == "restricted" or self.credits == 0:
                return self.error(402)
            if self.credits is not None:
                self.credits -= 1
            self.spent += 1
            try:
                return await handler(request)
            except Refusal as refusal:
                return self.error(refusal.status, message=refusal.words)

        return charged

    def check_sender(self, number: Any, *, unknown: int) -> None:
        """Refuse a number that cannot act: no E.164, not connected to the account, or not connected to WhatsApp.

        Args:
            number: `from_number`, or the like.
            unknown: the status where the account does not have the number.
        """
        if not isinstance(number, str) or not E164.fullmatch(number):
            raise Refusal(422, "from_number is not E.164")
        if number.removeprefix("+") not in self.numbers:
            raise Refusal(unknown, "The number is not connected to this account")
        if state := _NUMBER_STATES.get(self.account_state):
            raise Refusal(*state)

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
        if not E164.fullmatch(number) or len(number) < _SHORTEST_NUMBER:
            return web.json_response({"is_valid": False})
        asked = number.removeprefix("+")
        there = self.world.person(asked).disposition is not Disposition.NO_ACCOUNT
        # The page's own example was cut off: what else it tells is left out, for no adapter reads it.
        return web.json_response({"is_valid": True, "on_whatsapp": there})

    async def _info(self, request: web.Request) -> web.Response:
        if request.path != self.info_at:
            return self.error(404)
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


async def body_of(request: web.Request) -> dict[str, Any]:
    """Read a JSON object. Raises the refusal of everything else."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refusal(400) from None
    if not isinstance(body, dict):
        raise Refusal(400)
    return body
