"""What the simulated WA.cr stores and shows: contacts, and the JSON of its records, pages and errors."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.providers.world import SimGroup

_PER_PAGE = 15
_MOST_PER_PAGE = 100

ERRORS = {
    400: ("BAD_REQUEST", "The request could not be read"),
    401: ("UNAUTHORIZED", "API token is missing or invalid"),
    403: ("INSUFFICIENT_SCOPE", "This token lacks the required scope"),
    404: ("NOT_FOUND", "Resource not found"),
    422: ("VALIDATION_ERROR", "The given data was invalid"),
    429: ("RATE_LIMIT_EXCEEDED", "Too many requests"),
    500: ("INTERNAL_ERROR", "An internal error occurred"),
}
"""The usual code and message of each status."""


@dataclass(slots=True)
class SimContact:
    """A CRM contact; `phone` is as it was stored, in any form or None."""

    id: int
    phone: str | None
    firstname: str = "Ada"
    lastname: str = "Byron"
    type: str = "lead"
    source_id: int = 1
    status_id: int = 1
    email: str | None = None
    company: str | None = None
    is_opted_out: bool = False

    @property
    def digits(self) -> str:
        """The phone by which the world knows the contact; without one, a name that no phone has."""
        return re.sub(r"\D", "", self.phone or "") or f"contact {self.id}"


def error(status: int, code: str, message: str, details: dict[str, Any]) -> web.Response:
    """Give an error; the contract leaves open where code, message and field messages sit."""
    usual_code, usual_message = ERRORS.get(status, ("INTERNAL_ERROR", "Something went wrong"))
    inner = {"code": code or usual_code, "message": message or usual_message, "details": details}
    return web.json_response({"success": False, "error": inner}, status=status)


async def body_of(request: web.Request) -> dict[str, Any]:
    """Read a JSON body; anything else is as good as an empty one."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def page(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    """Cut out the page asked for. What per_page above 100 does is left open by the contract; here it is 100."""
    number = int(request.query.get("page", 1))
    size = min(int(request.query.get("per_page", _PER_PAGE)), _MOST_PER_PAGE)
    shown = items[(number - 1) * size : number * size]
    return web.json_response({"data": shown, "meta": {"pagination": {"has_more": number * size < len(items)}}})


def group_record(group: SimGroup) -> dict[str, Any]:
    """Show a group."""
    return {"id": int(group.id), "name": group.subject, "created_at": timestamp(0), "updated_at": timestamp(0)}


def contact_record(contact: SimContact, groups: dict[str, set[str]]) -> dict[str, Any]:
    """Show a contact, with the ids of those groups whose phones hold its own."""
    return {
        **asdict(contact),
        "group_id": [int(group_id) for group_id, members in groups.items() if contact.digits in members],
        "created_at": timestamp(contact.id),
        "updated_at": timestamp(contact.id),
    }


def timestamp(seconds: float) -> str:
    """Write a moment so many seconds after the tenant began."""
    return datetime.fromtimestamp(1_772_000_000 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
