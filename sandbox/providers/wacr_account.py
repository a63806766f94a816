"""The account of the simulated WA.cr, and the texts that it sends through WhatsApp's Cloud API."""

import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import json_object
from sandbox.providers.wacr_contacts import SimContact, timestamp
from sandbox.providers.world import Disposition

if TYPE_CHECKING:
    from sandbox.providers.wacr import WacrServer

_PHONE = re.compile(r"[0-9+\-\s()]{10,20}")
_MAX_CHARACTERS = 4096
_STAFF = 2


class AccountCalls:
    """The calls about the account, and the one that sends a text.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WacrServer") -> None:
        self._server = server

    async def get(self, _: web.Request) -> web.Response:
        """Answer getAccount."""
        status = "suspended" if self._server.account_state == "restricted" else "active"
        plan = {
            "plan_name": "Business",
            "plan_id": 2,
            "status": self._server.subscription_status,
            "expires_at": timestamp(0),
        }
        data = {"id": 7, "name": "Example Ltd", "subdomain": "example", "status": status, "created_at": timestamp(0)}
        data[self._server.subscription_key] = plan
        return web.json_response({"message": "Account information retrieved successfully", "data": data})

    async def get_usage(self, _: web.Request) -> web.Response:
        """Answer getAccountUsage."""
        data = {
            "contacts": _usage(
                len(self._server.contacts), -1 if self._server.contact_limit is None else self._server.contact_limit
            ),
            "conversations": _usage(len(self._server.world.sent), -1),
            "campaigns": _usage(0, 5),
            "staff": _usage(_STAFF, None),
        }
        return web.json_response({"message": "Usage statistics retrieved successfully", "data": data})

    async def get_limits(self, _: web.Request) -> web.Response:
        """Answer getAccountLimits."""
        limits = {
            "contacts": ("Total Contacts", -1 if self._server.contact_limit is None else self._server.contact_limit),
            "conversations": ("Conversations per Month", -1),
            "campaigns": ("Active Campaigns", 5),
            "staff": ("Team Members", 3),
            "api_calls_per_minute": ("API Calls per Minute", self._server.calls_per_minute),
        }
        shown = {
            key: {"limit": limit, "feature_name": name, "is_unlimited": limit == -1}
            for key, (name, limit) in limits.items()
        }
        data = {"limits": shown, "features": {"bulk_messaging": True, "api_access": True}}
        return web.json_response({"message": "Plan limits retrieved successfully", "data": data})

    async def send_text(self, request: web.Request) -> web.Response:
        """Answer sendTextMessage."""
        body = await json_object(request)
        phone, text = body.get("phone"), body.get("message")
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            raise self._server.invalid({"phone": ["The phone format is invalid"]})
        if not isinstance(text, str) or not 0 < len(text) <= _MAX_CHARACTERS:
            raise self._server.invalid({"message": ["The message is missing or too long"]})
        if self._server.account_state == "disconnected":
            raise self._server.fail(422, "WHATSAPP_NOT_CONFIGURED", "WhatsApp is not configured for this account")
        contact = self._recipient(body, phone)
        digits = re.sub(r"\D", "", phone)
        if self._server.world.person(digits).disposition is Disposition.NO_ACCOUNT:
            raise self._server.fail(500, "MESSAGE_SEND_FAILED", "WhatsApp did not accept the message")
        sent = self._server.world.send(digits, _filled(text, contact)).text
        number = len(self._server.world.sent)
        data = {
            "message_id": f"wamid.{number}",
            "contact_id": contact.id,
            "phone": digits,
            "message": sent,
            "status": "sent",
            "sent_at": timestamp(number),
            "chat_id": 9,
            "chat_message_id": 500 + number,
        }
        return web.json_response({"data": data})

    def _recipient(self, body: dict[str, Any], phone: str) -> SimContact:
        server = self._server
        known = server.contacts.get(body["contact_id"]) if "contact_id" in body else server.contact_of(phone)
        if known is not None:
            if known.is_opted_out:
                raise server.fail(403, "CONTACT_OPTED_OUT", "This contact has opted out")
            return known
        if "contact_id" in body:
            raise server.fail(404)
        if not server.makes_contacts:
            raise server.fail(422, message="Default lead settings are not configured")
        server.check_plan()
        return server.put_contact(phone)


def _filled(text: str, contact: SimContact) -> str:
    """Fill in the merge fields that the contract names."""
    fields = {"first_name": contact.firstname, "last_name": contact.lastname, "email": contact.email}
    for name, value in {**fields, "phone": contact.phone}.items():
        text = text.replace(f"@{{contact_{name}}}", value or "")
    return text


def _usage(current: int, limit: int | None) -> dict[str, Any]:
    counted = limit is not None and limit >= 0
    return {
        "current": current,
        "limit": limit,
        "remaining": limit - current if limit is not None and limit >= 0 else None,
        "percentage_used": round(100 * min(current, limit) / limit, 2) if limit and counted else 0,
        "is_unlimited": limit == -1,
    }
