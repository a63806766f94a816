"""A simulated WA.cr APP (contract `contracts/wacr.openapi.yaml`): a CRM whose groups are lists of contacts."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.world import Effect, Event, Membership, SimGroup, World

PREFIX = "/api/v2"
SCOPES = frozenset({"account:read", "contacts:read", "contacts:write", "groups:read", "groups:write"})

_PER_PAGE = 15
_MOST_PER_PAGE = 100
_MINUTE = 60.0
_PHONE_LENGTH = 20
_SEARCHED = ("firstname", "lastname", "email", "phone", "company")
_REQUIRED = {
    "firstname": "First name is required",
    "lastname": "Last name is required",
    "phone": "Phone number is required",
    "type": "Type must be either lead, customer, or guest",
    "source_id": "The selected source does not exist or does not belong to your account",
    "status_id": "The selected status does not exist or does not belong to your account",
}

_ERRORS = {
    400: ("BAD_REQUEST", "The request could not be read"),
    401: ("UNAUTHORIZED", "API token is missing or invalid"),
    403: ("INSUFFICIENT_SCOPE", "This token lacks the required scope"),
    404: ("NOT_FOUND", "Resource not found"),
    422: ("VALIDATION_ERROR", "The given data was invalid"),
    429: ("RATE_LIMIT_EXCEEDED", "Too many requests"),
    500: ("INTERNAL_ERROR", "An internal error occurred"),
}

Details = dict[str, list[str]]


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

    @property
    def digits(self) -> str:
        """The phone by which the world knows the contact; without one, a name that no phone has."""
        return re.sub(r"\D", "", self.phone or "") or f"contact {self.id}"


class WacrServer(ProviderServer):
    """One tenant of WA.cr.

    The CRM takes any phone and asks WhatsApp nothing, so dispositions, admin rights and a disconnected account mean
    nothing here. Members of the world's groups get a contact, with a plus sign before the phone.

    Args:
        world: the groups behind it, their ids in decimal.
        token: the API token it accepts.
        latency: seconds that every call takes.
        calls_per_minute: how many calls the token may make (contract default 60).

    Attributes:
        account_state: `restricted` shows as a suspended tenant; the contract leaves open what else that would stop.
        scopes: what the token may do.
        contact_limit: how many contacts the plan allows; None for any number.
        compares_digits: whether phones must differ in their digits, not only as written (contract leaves it open).
        searches_digits: whether search also looks at the digits of a phone alone (contract leaves it open).
        sources: the tenant's contact sources, by id.
        statuses: the tenant's contact statuses, by id.
        contacts: the tenant's contacts, by id.
    """

    name = "wacr"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        calls_per_minute: int = 60,
    ) -> None:
        super().__init__(world, token=token, latency=latency)
        self.calls_per_minute = calls_per_minute
        self.scopes = set(SCOPES)
        self.contact_limit: int | None = None
        self.compares_digits = False
        self.searches_digits = False
        self.sources = {3: "Website", 4: "Referral"}
        self.statuses = {5: "New", 6: "Customer"}
        self.contacts: dict[int, SimContact] = {}
        self._accepted: deque[float] = deque()

    def routes(self) -> list[web.RouteDef]:
        """Give listGroups, getGroup, addContactsToGroup, listContacts, createContact, getAccount, sources, statuses."""
        return [
            web.get(f"{PREFIX}/groups", self._guarded("groups:read", self._list_groups)),
            web.get(f"{PREFIX}/groups/{{id}}", self._guarded("groups:read", self._get_group)),
            web.post(f"{PREFIX}/groups/{{id}}/contacts", self._guarded("groups:write", self._add_contacts)),
            web.get(f"{PREFIX}/contacts", self._guarded("contacts:read", self._list_contacts)),
            web.post(f"{PREFIX}/contacts", self._guarded("contacts:write", self._create_contact)),
            web.get(f"{PREFIX}/account", self._guarded("account:read", self._get_account)),
            # The scope of these two is not documented; reading contacts is the nearest.
            web.get(f"{PREFIX}/sources", self._guarded("contacts:read", self._list_named(lambda: self.sources))),
            web.get(f"{PREFIX}/statuses", self._guarded("contacts:read", self._list_named(lambda: self.statuses))),
        ]

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give an error; the contract leaves open where code, message and field messages sit."""
        return self._error(status, code, message, {})

    def put_contact(self, phone: str | None, **fields: Any) -> SimContact:
        """Put a contact into the CRM, with its phone in any form."""
        contact = SimContact(max(self.contacts, default=100) + 1, phone, **fields)
        self.contacts[contact.id] = contact
        return contact

    def _error(self, status: int, code: str, message: str, details: dict[str, Any]) -> web.Response:
        usual_code, usual_message = _ERRORS.get(status, ("INTERNAL_ERROR", "Something went wrong"))
        error = {"code": code or usual_code, "message": message or usual_message, "details": details}
        return web.json_response({"success": False, "error": error}, status=status)

    def _guarded(self, scope: str, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._too_many():
                return self.error(429)
            if scope not in self.scopes:
                return self.error(403)
            self._give_members_contacts()
            return await handler(request)

        return answer

    def _too_many(self) -> bool:
        """Count this call; whether the window slides is left open by the contract, here it does."""
        now = self.world.now()
        while self._accepted and self._accepted[0] <= now - _MINUTE:
            self._accepted.popleft()
        if len(self._accepted) >= self.calls_per_minute:
            return True
        self._accepted.append(now)
        return False

    def _give_members_contacts(self) -> None:
        known = {contact.digits for contact in self.contacts.values()}
        for group in self.world.groups.values():
            for phone in group.members.keys() - known:
                self.put_contact(f"+{phone}")
                known.add(phone)

    async def _list_groups(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "").lower()
        found = [group for group in self.world.groups.values() if search in group.subject.lower()]
        return _page(request, [_group(group) for group in sorted(found, key=lambda group: group.subject)])

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self.world.groups.get(request.match_info["id"])
        return web.json_response({"data": _group(group)}) if group else self.error(404)

    async def _add_contacts(self, request: web.Request) -> web.Response:
        group = self.world.groups.get(request.match_info["id"])
        if group is None:
            return self.error(404)
        ids: Any = (await _body(request)).get("contact_ids")
        if problems := self._problems_of_ids(ids):
            return self._error(422, "", "", problems)
        # What the same id twice does is left open by the contract; here it counts once.
        added = sum(self._enrol(group, self.contacts[contact_id]) for contact_id in set(ids))
        return web.json_response({"data": {"group_id": int(group.id), "contacts_added": added}})

    def _problems_of_ids(self, ids: Any) -> Details:
        if not ids:
            return {"contact_ids": ["Contact IDs are required"]}
        if not isinstance(ids, list):
            return {"contact_ids": ["Contact IDs must be an array"]}
        bad = [
            index
            for index, contact_id in enumerate(ids)
            if type(contact_id) is not int or contact_id not in self.contacts
        ]
        return {f"contact_ids.{index}": ["One or more contact IDs do not exist"] for index in bad}

    def _enrol(self, group: SimGroup, contact: SimContact) -> bool:
        """Put a contact into the group, keep what truly happened, and tell whether it was not a member before."""
        is_new = contact.digits not in group.members
        if is_new:
            group.members[contact.digits] = Membership(contact.digits, since=self.world.now())
        effect = Effect.ADDED if is_new else Effect.ALREADY_MEMBER
        self.world.events.append(Event(self.world.now(), group.id, contact.digits, effect))
        return is_new

    async def _list_contacts(self, request: web.Request) -> web.Response:
        contacts: Iterable[SimContact] = sorted(self.contacts.values(), key=lambda contact: contact.id)
        if search := request.query.get("search", request.query.get("q", "")):
            contacts = [contact for contact in contacts if self._matches(contact, search.lower())]
        if group_id := request.query.get("filter[group_id]"):
            members = self._visible().get(group_id, set())
            contacts = [contact for contact in contacts if contact.digits in members]
        groups = self._visible()
        return _page(request, [_contact(contact, groups) for contact in contacts])

    def _visible(self) -> dict[str, set[str]]:
        return {group_id: {m.phone for m in self.world.visible_members(group_id)} for group_id in self.world.groups}

    def _matches(self, contact: SimContact, search: str) -> bool:
        texts = [str(getattr(contact, field) or "").lower() for field in _SEARCHED]
        if self.searches_digits:
            texts.append(contact.digits)
        return any(search in text for text in texts)

    async def _create_contact(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if problems := self._problems_of_contact(body):
            return self._error(422, "", "", problems)
        if self.contact_limit is not None and len(self.contacts) >= self.contact_limit:
            details = {"feature": "contacts", "current": len(self.contacts), "maximum": self.contact_limit}
            return self._error(403, "FEATURE_LIMIT_EXCEEDED", "Contact limit reached", details)
        contact = self.put_contact(**{field: body[field] for field in _REQUIRED})
        # Whether an unknown group is rejected is left open by the contract; here it is passed over.
        joined = [
            self.world.groups[str(number)] for number in body.get("groups", []) if str(number) in self.world.groups
        ]
        for group in joined:
            self._enrol(group, contact)
        data = _contact(contact, {group.id: {contact.digits} for group in joined})
        data["groups"] = [_group(group) for group in joined]
        return web.json_response({"message": "Contact created successfully", "data": data}, status=201)

    def _problems_of_contact(self, body: dict[str, Any]) -> Details:
        problems = {field: [message] for field, message in _REQUIRED.items() if not body.get(field)}
        if body.get("type") not in ("lead", "customer", "guest"):
            problems["type"] = [_REQUIRED["type"]]
        if body.get("source_id") not in self.sources:
            problems["source_id"] = [_REQUIRED["source_id"]]
        if body.get("status_id") not in self.statuses:
            problems["status_id"] = [_REQUIRED["status_id"]]
        phone = str(body.get("phone", ""))
        if len(phone) > _PHONE_LENGTH:
            problems["phone"] = ["The phone may not be greater than 20 characters"]
        if any(self._stored(contact.phone) == self._stored(phone) for contact in self.contacts.values()):
            problems["phone"] = ["This phone number already exists"]
        return problems

    def _stored(self, phone: str | None) -> str | None:
        return re.sub(r"\D", "", phone) if phone and self.compares_digits else phone

    async def _get_account(self, _: web.Request) -> web.Response:
        status = "suspended" if self.account_state == "restricted" else "active"
        data = {"id": 7, "name": "Example Ltd", "subdomain": "example", "status": status, "created_at": _time(0)}
        return web.json_response({"message": "Account information retrieved successfully", "data": data})

    def _list_named(self, records: Callable[[], dict[int, str]]) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return _page(request, [{"id": number, "name": name} for number, name in records().items()])

        return answer


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _page(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    """Cut out the page asked for. What per_page above 100 does is left open by the contract; here it is 100."""
    number = int(request.query.get("page", 1))
    size = min(int(request.query.get("per_page", _PER_PAGE)), _MOST_PER_PAGE)
    shown = items[(number - 1) * size : number * size]
    return web.json_response({"data": shown, "meta": {"pagination": {"has_more": number * size < len(items)}}})


def _group(group: SimGroup) -> dict[str, Any]:
    return {"id": int(group.id), "name": group.subject, "created_at": _time(0), "updated_at": _time(0)}


def _contact(contact: SimContact, groups: dict[str, set[str]]) -> dict[str, Any]:
    return {
        **asdict(contact),
        "group_id": [int(group_id) for group_id, members in groups.items() if contact.digits in members],
        "is_opted_out": False,
        "created_at": _time(contact.id),
        "updated_at": _time(contact.id),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(1_772_000_000 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
