"""The contacts of the simulated WA.cr: how they are listed, searched and created, alone and in batches."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import json_object, utc
from sandbox.providers.world import SimGroup

if TYPE_CHECKING:
    from sandbox.providers.wacr import WacrServer

Problems = dict[str, list[str]]

_MAX_PHONE_CHARACTERS = 20
_SEARCHED = ("firstname", "lastname", "email", "phone", "company")
_REQUIRED = {
    "firstname": "First name is required",
    "lastname": "Last name is required",
    "phone": "Phone number is required",
    "type": "Type must be either lead, customer, or guest",
    "source_id": "The selected source does not exist or does not belong to your account",
    "status_id": "The selected status does not exist or does not belong to your account",
}
_TAKEN = "This phone number already exists"

_PER_PAGE = 15
_MAX_PER_PAGE = 100


@dataclass(slots=True)
class SimContact:
    """A CRM contact; `phone` is stored in any form, or None."""

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
        """The contact's phone in the world; without one, a text that no phone has."""
        return re.sub(r"\D", "", self.phone or "") or f"contact {self.id}"


class ContactCalls:
    """The calls about contacts.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WacrServer") -> None:
        self._server = server

    async def list(self, request: web.Request) -> web.Response:
        """Answer listContacts."""
        contacts: Iterable[SimContact] = sorted(self._server.contacts.values(), key=lambda contact: contact.id)
        if search := request.query.get("search", request.query.get("q", "")):
            contacts = [contact for contact in contacts if self._matches(contact, search.lower())]
        groups = {
            group_id: {m.phone for m in self._server.world.visible_members(group_id)}
            for group_id in self._server.world.groups
        }
        groups |= self._server.deleted
        if group_id := request.query.get("filter[group_id]"):
            contacts = [contact for contact in contacts if contact.digits in groups.get(group_id, ())]
        return page(request, [contact_record(contact, groups) for contact in contacts])

    async def create(self, request: web.Request) -> web.Response:
        """Answer createContact."""
        body = await json_object(request)
        if problems := self._problems(body):
            raise self._server.invalid(problems)
        self._server.check_plan()
        contact = self._create(body)
        # The contract leaves open whether an unknown group is rejected; here it is ignored.
        joined = [
            self._server.world.groups[str(number)]
            for number in body.get("groups", [])
            if str(number) in self._server.world.groups
        ]
        for group in joined:
            self._server.enrol(group, contact)
        data = contact_record(contact, {group.id: {contact.digits} for group in joined})
        data["groups"] = [group_record(group) for group in joined]
        return web.json_response({"message": "Contact created successfully", "data": data}, status=201)

    async def create_batch(self, request: web.Request) -> web.Response:
        """Answer batchCreateContacts. The contract leaves open how failed entries look."""
        body = await json_object(request)
        entries, options = body.get("contacts"), body.get("options", {})
        if not isinstance(entries, list) or not entries or len(entries) > (self._server.most_in_batch or len(entries)):
            raise self._server.invalid({"contacts": ["The contacts are missing or too many"]})
        room = (
            len(entries)
            if self._server.contact_limit is None
            else self._server.contact_limit - len(self._server.contacts)
        )
        if self._server.limit_refuses_batch and len(entries) > room:
            raise self._server.limit_reached()
        created, skipped, failed = [], [], []
        for index, entry in enumerate(entries):
            problems = self._problems(entry)
            if options.get("skip_duplicates") and problems == {"phone": [_TAKEN]}:
                skipped.append({"index": index, "reason": "duplicate phone", "data": {"phone": entry["phone"]}})
            elif problems or not self._server.has_room():
                failed.append({"index": index, "errors": problems or {"phone": ["Contact limit reached"]}})
                if not options.get("continue_on_error", True):
                    break
            else:
                created.append(contact_record(self._create(entry), {}))
        counts = {"total": len(entries), "created": len(created), "skipped": len(skipped), "failed": len(failed)}
        data = {"success": True, "summary": counts, "created": created, "skipped": skipped, "errors": failed}
        return web.json_response({"data": data} if self._server.batch_in_data else data, status=201)

    def _create(self, fields: dict[str, Any]) -> SimContact:
        return self._server.put_contact(**{field: fields[field] for field in _REQUIRED})

    def _matches(self, contact: SimContact, search: str) -> bool:
        texts = [str(getattr(contact, field) or "").lower() for field in _SEARCHED]
        if self._server.searches_digits:
            texts.append(contact.digits)
        return any(search in text for text in texts)

    def _problems(self, body: dict[str, Any]) -> Problems:
        problems = {field: [message] for field, message in _REQUIRED.items() if not body.get(field)}
        if body.get("type") not in {"lead", "customer", "guest"}:
            problems["type"] = [_REQUIRED["type"]]
        if body.get("source_id") not in self._server.sources:
            problems["source_id"] = [_REQUIRED["source_id"]]
        if body.get("status_id") not in self._server.statuses:
            problems["status_id"] = [_REQUIRED["status_id"]]
        phone = str(body.get("phone", ""))
        if len(phone) > _MAX_PHONE_CHARACTERS:
            problems["phone"] = ["The phone may not be greater than 20 characters"]
        if self._server.contact_of(phone):
            problems["phone"] = [_TAKEN]
        return problems


def page(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    """Return the requested page. The contract leaves a per_page above 100 open; here it is 100."""
    number = int(request.query.get("page", 1))
    size = min(int(request.query.get("per_page", _PER_PAGE)), _MAX_PER_PAGE)
    shown = items[(number - 1) * size : number * size]
    return web.json_response({"data": shown, "meta": {"pagination": {"has_more": number * size < len(items)}}})


def group_record(group: SimGroup) -> dict[str, Any]:
    """Return a group as responses show it."""
    return {"id": int(group.id), "name": group.subject, "created_at": timestamp(0), "updated_at": timestamp(0)}


def contact_record(contact: SimContact, groups: dict[str, set[str]]) -> dict[str, Any]:
    """Return a contact as responses show it, with the ids of the groups that have its phone."""
    return {
        **asdict(contact),
        "group_id": [int(group_id) for group_id, members in groups.items() if contact.digits in members],
        "created_at": timestamp(contact.id),
        "updated_at": timestamp(contact.id),
    }


def timestamp(seconds: float) -> str:
    """Return the time so many seconds after the tenant began."""
    return utc(1_772_000_000 + seconds)
