"""The account of a simulated WA.cr tenant, and the texts that it sends through WhatsApp's Cloud API."""

import re
from typing import Any

from aiohttp import web

from sandbox.providers.wacr_contacts import ContactsServer
from sandbox.providers.wacr_records import SimContact, body_of, error, timestamp
from sandbox.providers.world import Disposition, World

_PHONE = re.compile(r"[0-9+\-\s()]{10,20}")
_MOST_CHARACTERS = 4096
_STAFF = 2


class AccountServer(ContactsServer):
    """The account of one tenant, which may call so often in a minute.

    Attributes:
        calls_per_minute: how many calls the token may make.
        makes_contacts: whether the tenant has the settings with which a text makes a contact for an unknown number.
        subscription_status: how the subscription stands: active, expired, cancelled or None.
        subscription_key: under which key the account shows its subscription (contract leaves it open).
    """

    def __init__(self, world: World, *, token: str, latency: float, calls_per_minute: int) -> None:
        super().__init__(world, token=token, latency=latency)
        self.calls_per_minute = calls_per_minute
        self.makes_contacts = True
        self.subscription_status: str | None = "active"
        self.subscription_key = "subscription"

    async def get_account(self, _: web.Request) -> web.Response:
        """Answer getAccount."""
        status = "suspended" if self.account_state == "restricted" else "active"
        plan = {"plan_name": "Business", "plan_id": 2, "status": self.subscription_status, "expires_at": timestamp(0)}
        data = {"id": 7, "name": "Example Ltd", "subdomain": "example", "status": status, "created_at": timestamp(0)}
        data[self.subscription_key] = plan
        return web.json_response({"message": "Account information retrieved successfully", "data": data})

    async def get_usage(self, _: web.Request) -> web.Response:
        """Answer getAccountUsage."""
        data = {
            "contacts": _usage(len(self.contacts), -1 if self.contact_limit is None else self.contact_limit),
            "conversations": _usage(len(self.world.sent), -1),
            "campaigns": _usage(0, 5),
            "staff": _usage(_STAFF, None),
        }
        return web.json_response({"message": "Usage statistics retrieved successfully", "data": data})

    async def get_limits(self, _: web.Request) -> web.Response:
        """Answer getAccountLimits."""
        limits = {
            "contacts": ("Total Contacts", -1 if self.contact_limit is None else self.contact_limit),
            "conversations": ("Conversations per Month", -1),
            "campaigns": ("Active Campaigns", 5),
            "staff": ("Team Members", 3),
            "api_calls_per_minute": ("API Calls per Minute", self.calls_per_minute),
        }
        shown = {
            key: {"limit": limit, "feature_name": name, "is_unlimited": limit == -1}
            for key, (name, limit) in limits.items()
        }
        data = {"limits": shown, "features": {"bulk_messaging": True, "api_access": True}}
        return web.json_response({"message": "Plan limits retrieved successfully", "data": data})

    async def send_text(self, request: web.Request) -> web.Response:
        """Answer sendTextMessage."""
        body = await body_of(request)
        phone, text = body.get("phone"), body.get("message")
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            return error(422, "", "", {"phone": ["The phone format is invalid"]})
        if not isinstance(text, str) or not 0 < len(text) <= _MOST_CHARACTERS:
            return error(422, "", "", {"message": ["The message is missing or too long"]})
        if self.account_state == "disconnected":
            return error(422, "WHATSAPP_NOT_CONFIGURED", "WhatsApp is not configured for this account", {})
        found = self._recipient(body, phone)
        if isinstance(found, web.Response):
            return found
        digits = re.sub(r"\D", "", phone)
        if self.world.person(digits).disposition is Disposition.NO_ACCOUNT:
            return error(500, "MESSAGE_SEND_FAILED", "WhatsApp did not accept the message", {})
        said = self.world.send(digits, _filled(text, found)).text
        number = len(self.world.sent)
        data = {
            "message_id": f"wamid.{number}",
            "contact_id": found.id,
            "phone": digits,
            "message": said,
            "status": "sent",
            "sent_at": timestamp(number),
            "chat_id": 9,
            "chat_message_id": 500 + number,
        }
        return web.json_response({"data": data})

    def _recipient(self, body: dict[str, Any], phone: str) -> SimContact | web.Response:
        """Give the contact that the text goes to, or why it cannot."""
        known = self.contacts.get(body["contact_id"]) if "contact_id" in body else self.contact_of(phone)
        if known is None:
            return error(404, "", "", {}) if "contact_id" in body else self._newcomer(phone)
        return error(403, "CONTACT_OPTED_OUT", "This contact has opted out", {}) if known.is_opted_out else known

    def _newcomer(self, phone: str) -> SimContact | web.Response:
        if not self.makes_contacts:
            return error(422, "", "Default lead settings are not configured", {})
        return self.plan_is_full() or self.put_contact(phone)


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
