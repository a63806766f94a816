"""A simulated WA.cr APP (contract `contracts/wacr.openapi.yaml`): a CRM whose groups are lists of contacts."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from sandbox.providers.server import ErrorResponse, Handler, ProviderServer, json_object
from sandbox.providers.wacr_account import AccountCalls
from sandbox.providers.wacr_contacts import ContactCalls, Problems, SimContact, group_record, page
from sandbox.providers.world import Effect, GroupEvent, Membership, SimGroup

PREFIX = "/api/v2"
SCOPES = frozenset({"account:read", "contacts:read", "contacts:write", "groups:read", "groups:write", "messages:send"})

_MINUTE = 60.0
_MAX_NAME_CHARACTERS = 255

_ERRORS = {
    400: ("BAD_REQUEST", "The request could not be read"),
    401: ("UNAUTHORIZED", "API token is missing or invalid"),
    403: ("INSUFFICIENT_SCOPE", "This token lacks the required scope"),
    404: ("NOT_FOUND", "Resource not found"),
    422: ("VALIDATION_ERROR", "The given data was invalid"),
    429: ("RATE_LIMIT_EXCEEDED", "Too many requests"),
    500: ("INTERNAL_ERROR", "An internal error occurred"),
}


@dataclass(kw_only=True, eq=False)
class WacrServer(ProviderServer):
    """One tenant of WA.cr, whose groups have decimal ids.

    The CRM takes any phone and never asks WhatsApp, so dispositions, admin rights and a disconnected account mean
    nothing to its groups. Members of the world's groups get a contact, with a plus sign before the phone. The contract
    leaves open what every attribute from `deletes_silently` decides.

    Attributes:
        account_state: `restricted` shows as a suspended tenant, and the contract leaves open what else it stops;
            `disconnected` is a tenant without a WhatsApp number, which sends no texts.
        calls_per_minute: how many calls the token may make.
        scopes: what the token may do.
        contacts: the tenant's contacts, by id.
        contact_limit: how many contacts the plan allows; None for any number.
        sources: the tenant's contact sources, by id.
        statuses: the tenant's contact statuses, by id.
        deleted: the phones of contacts that have the id of a deleted group, by that id.
        makes_contacts: whether the tenant has the settings by which a text to an unknown number creates a contact.
        subscription_status: the subscription's status: active, expired, cancelled or None.
        deletes_silently: whether the response to a deleted group is empty.
        removes_only_known: whether removing an unknown contact id is refused.
        stops_at_unknown: the status of a removal that ends at an unknown contact id, after the ones before it were
            removed; None: it continues.
        passes_over_opted_out: whether contacts who opted out are neither added nor removed.
        compares_digits: whether phones must differ in their digits, not only as written.
        searches_digits: whether a search also looks at the digits of a phone alone.
        most_in_batch: how many contacts one batch takes; None for any number.
        limit_refuses_batch: whether the plan's limit refuses a batch, or the entries beyond it.
        batch_in_data: whether the response to a batch is under `data`.
        strips_deleted: whether contacts lose the id of a group that is deleted.
        subscription_key: the key under which the account shows its subscription.
    """

    name: ClassVar[str] = "wacr"
    calls_per_minute: int = 60
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    contacts: dict[int, SimContact] = field(default_factory=dict)
    contact_limit: int | None = None
    sources: dict[int, str] = field(default_factory=lambda: {3: "Website", 4: "Referral"})
    statuses: dict[int, str] = field(default_factory=lambda: {5: "New", 6: "Customer"})
    deleted: dict[str, set[str]] = field(default_factory=dict)
    makes_contacts: bool = True
    subscription_status: str | None = "active"
    deletes_silently: bool = False
    removes_only_known: bool = False
    stops_at_unknown: int | None = None
    passes_over_opted_out: bool = False
    compares_digits: bool = False
    searches_digits: bool = False
    most_in_batch: int | None = None
    limit_refuses_batch: bool = False
    batch_in_data: bool = False
    strips_deleted: bool = True
    subscription_key: str = "subscription"
    _accepted: deque[float] = field(default_factory=deque)

    def routes(self) -> list[web.RouteDef]:
        """Return the operations of groups, contacts, account and texts, and the lists of sources and statuses."""
        contacts, account = ContactCalls(self), AccountCalls(self)
        handlers: dict[tuple[str, str], tuple[str, Handler]] = {
            ("GET", "/groups"): ("groups:read", self._list_groups),
            ("POST", "/groups"): ("groups:write", self._create_group),
            # The scopes of these two are not documented; reading and changing groups are the nearest.
            ("GET", "/groups/{id}"): ("groups:read", self._on_group(self._get_group)),
            ("DELETE", "/groups/{id}"): ("groups:write", self._on_group(self._delete_group)),
            ("PATCH", "/groups/{id}"): ("groups:write", self._on_group(self._rename_group)),
            ("POST", "/groups/{id}/contacts"): ("groups:write", self._on_group(self._add_contacts)),
            ("DELETE", "/groups/{id}/contacts"): ("groups:write", self._on_group(self._remove_contacts)),
            ("GET", "/contacts"): ("contacts:read", contacts.list),
            ("POST", "/contacts"): ("contacts:write", contacts.create),
            ("POST", "/contacts/batch"): ("contacts:write", contacts.create_batch),
            ("GET", "/account"): ("account:read", account.get),
            ("GET", "/account/usage"): ("account:read", account.get_usage),
            ("GET", "/account/limits"): ("account:read", account.get_limits),
            ("POST", "/messages/text"): ("messages:send", account.send_text),
            # The scope of these two is not documented; reading contacts is the nearest.
            ("GET", "/sources"): ("contacts:read", _list_of(lambda: self.sources)),
            ("GET", "/statuses"): ("contacts:read", _list_of(lambda: self.statuses)),
        }
        return [
            web.route(method, PREFIX + path, self._guarded(scope, handler))
            for (method, path), (scope, handler) in handlers.items()
        ]

    def error(
        self, status: int, code: str = "", message: str = "", details: dict[str, Any] | None = None
    ) -> web.Response:
        """Return an error. The contract leaves open where code, message and field messages are."""
        usual_code, usual_message = _ERRORS.get(status, ("INTERNAL_ERROR", "Something went wrong"))
        inner = {"code": code or usual_code, "message": message or usual_message, "details": details or {}}
        return web.json_response({"success": False, "error": inner}, status=status)

    def invalid(self, problems: Problems) -> ErrorResponse:
        """Return the error of a call whose fields have problems."""
        return ErrorResponse(self.error(422, details=problems))

    def put_contact(self, phone: str | None, **fields: Any) -> SimContact:
        """Put a contact into the CRM, with its phone in any form."""
        contact = SimContact(max(self.contacts, default=100) + 1, phone, **fields)
        self.contacts[contact.id] = contact
        return contact

    def contact_of(self, phone: str) -> SimContact | None:
        """Return the contact with this phone, compared as the tenant does."""
        wanted = self._stored(phone)
        return next((contact for contact in self.contacts.values() if self._stored(contact.phone) == wanted), None)

    def enrol(self, group: SimGroup, contact: SimContact) -> bool:
        """Put a contact into the group, record it, and return whether it is a new member."""
        is_new = contact.digits not in group.members
        if is_new:
            group.members[contact.digits] = Membership(contact.digits, since=self.world.now())
        effect = Effect.ADDED if is_new else Effect.ALREADY_MEMBER
        self.world.events.append(GroupEvent(self.world.now(), group.id, contact.digits, effect))
        return is_new

    def has_room(self) -> bool:
        """Return whether the plan allows one more contact."""
        return self.contact_limit is None or len(self.contacts) < self.contact_limit

    def check_plan(self) -> None:
        """Check that the plan allows one more contact."""
        if not self.has_room():
            raise self.limit_reached()

    def limit_reached(self) -> ErrorResponse:
        """Return the error of a call that needs more contacts than the plan allows."""
        details = {"feature": "contacts", "current": len(self.contacts), "maximum": self.contact_limit}
        return ErrorResponse(self.error(403, "FEATURE_LIMIT_EXCEEDED", "Contact limit reached", details))

    def _stored(self, phone: str | None) -> str | None:
        return re.sub(r"\D", "", phone) if phone and self.compares_digits else phone

    def _guarded(self, scope: str, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._too_many():
                raise self.fail(429)
            if scope not in self.scopes:
                raise self.fail(403)
            self._give_members_contacts()
            return await handler(request)

        return answer

    def _too_many(self) -> bool:
        """Count this call. The contract leaves open whether the window slides; here it does."""
        now = self.world.now()
        while self._accepted and self._accepted[0] <= now - _MINUTE:
            self._accepted.popleft()
        if len(self._accepted) >= self.calls_per_minute:
            return True
        self._accepted.append(now)
        return False

    def _give_members_contacts(self) -> None:
        known = {contact.digits for contact in self.contacts.values()}
        for phone in (phone for group in self.world.groups.values() for phone in group.members):
            if phone not in known:
                self.put_contact(f"+{phone}")
                known.add(phone)

    def _on_group(self, handler: Callable[[SimGroup, dict[str, Any]], web.Response]) -> Handler:
        """Find the group and read the body for a handler."""

        async def answer(request: web.Request) -> web.StreamResponse:
            group = self.world.groups.get(request.match_info["id"])
            if group is None:
                raise self.fail(404)
            return handler(group, await json_object(request))

        return answer

    async def _list_groups(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "").lower()
        found = [group for group in self.world.groups.values() if search in group.subject.lower()]
        return page(request, [group_record(group) for group in sorted(found, key=lambda group: group.subject)])

    async def _create_group(self, request: web.Request) -> web.Response:
        name = (await json_object(request)).get("name")
        if problems := self._problems_of_name(name):
            raise self.invalid(problems)
        group_id = str(max(map(int, self.world.groups), default=0) + 1)
        self.world.create_group(group_id, str(name), ())
        record = group_record(self.world.groups[group_id])
        return web.json_response({"message": "Group created successfully", "data": record}, status=201)

    def _get_group(self, group: SimGroup, _: dict[str, Any]) -> web.Response:
        return web.json_response({"data": group_record(group)})

    def _rename_group(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        if problems := self._problems_of_name(body.get("name"), group):
            raise self.invalid(problems)
        group.subject = body["name"]
        return web.json_response({"message": "Group updated successfully", "data": group_record(group)})

    def _delete_group(self, group: SimGroup, _: dict[str, Any]) -> web.Response:
        del self.world.groups[group.id]
        if not self.strips_deleted:
            self.deleted[group.id] = set(group.members)
        if self.deletes_silently:
            return web.Response(status=204)
        return web.json_response({"message": "Group deleted successfully"})

    def _problems_of_name(self, name: Any, itself: SimGroup | None = None) -> Problems:
        if not isinstance(name, str) or not name:
            return {"name": ["Group name is required"]}
        if len(name) > _MAX_NAME_CHARACTERS:
            return {"name": ["The name may not be greater than 255 characters"]}
        if any(group.subject == name for group in self.world.groups.values() if group is not itself):
            return {"name": ["A group with this name already exists"]}
        return {}

    def _add_contacts(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        ids = body.get("contact_ids")
        if problems := self._problems_of_ids(ids, only_known=True):
            raise self.invalid(problems)
        # The contract leaves open what the same id twice does; here it counts once.
        added = sum(self.enrol(group, contact) for contact in self._affected(ids))
        return web.json_response({"data": {"group_id": int(group.id), "contacts_added": added}})

    def _remove_contacts(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        ids = body.get("contact_ids")
        if problems := self._problems_of_ids(ids, only_known=self.removes_only_known):
            raise self.invalid(problems)
        ids = list(ids or ())
        unknown = [place for place, number in enumerate(ids) if number not in self.contacts]
        if unknown and self.stops_at_unknown:
            ids = ids[: unknown[0]]
        people = {contact.digits for contact in self._affected(ids)}
        removed = sum(self.world.remove(group.id, phone) is Effect.REMOVED for phone in sorted(people))
        if unknown and self.stops_at_unknown:
            raise self.fail(self.stops_at_unknown)
        return web.json_response({"data": {"group_id": int(group.id), "contacts_removed": removed}})

    def _affected(self, ids: Any) -> list[SimContact]:
        """Return the contacts with these ids, each once, without the opted-out ones if they are not affected."""
        found = [self.contacts[number] for number in sorted(set(ids)) if number in self.contacts]
        return [contact for contact in found if not (self.passes_over_opted_out and contact.is_opted_out)]

    def _problems_of_ids(self, ids: Any, *, only_known: bool) -> Problems:
        if not ids:
            return {"contact_ids": ["Contact IDs are required"]}
        if not isinstance(ids, list):
            return {"contact_ids": ["Contact IDs must be an array"]}
        return {
            f"contact_ids.{index}": ["One or more contact IDs do not exist"]
            for index, number in enumerate(ids)
            if type(number) is not int or (only_known and number not in self.contacts)
        }


def _list_of(records: Callable[[], dict[int, str]]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return page(request, [{"id": number, "name": name} for number, name in records().items()])

    return answer
