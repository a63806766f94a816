"""The contacts of a simulated WA.cr tenant: listed, searched, created alone and in batches."""

import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from sandbox.providers.server import ProviderServer
from sandbox.providers.wacr_records import (
    SimContact,
    body_of,
    contact_record,
    error,
    group_record,
    page,
)
from sandbox.providers.world import Effect, GroupEvent, Membership, SimGroup, World

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
_TAKEN = "This phone number already exists"

Details = dict[str, list[str]]


class ContactsServer(ProviderServer):
    """The contacts of one tenant.

    Attributes:
        contact_limit: how many contacts the plan allows; None for any number.
        compares_digits: whether phones must differ in their digits, not only as written (contract leaves it open).
        searches_digits: whether search also looks at the digits of a phone alone (contract leaves it open).
        most_in_batch: how many contacts one batch takes; None for any number (contract leaves it open).
        limit_refuses_batch: whether the plan's limit refuses a batch, or the entries beyond it (contract: open).
        batch_in_data: whether the answer to a batch sits under `data` (contract leaves it open).
        strips_deleted: whether contacts lose the id of a group that is deleted (contract leaves it open).
        deleted: the phones of contacts that hold the id of a deleted group, by that id.
        sources: the tenant's contact sources, by id.
        statuses: the tenant's contact statuses, by id.
        contacts: the tenant's contacts, by id.
    """

    def __init__(self, world: World, *, token: str, latency: float) -> None:
        super().__init__(world, token=token, latency=latency)
        self.contact_limit: int | None = None
        self.compares_digits = False
        self.searches_digits = False
        self.most_in_batch: int | None = None
        self.limit_refuses_batch = False
        self.batch_in_data = False
        self.strips_deleted = True
        self.deleted: dict[str, set[str]] = {}
        self.sources = {3: "Website", 4: "Referral"}
        self.statuses = {5: "New", 6: "Customer"}
        self.contacts: dict[int, SimContact] = {}

    def put_contact(self, phone: str | None, **fields: Any) -> SimContact:
        """Put a contact into the CRM, with its phone in any form."""
        contact = SimContact(max(self.contacts, default=100) + 1, phone, **fields)
        self.contacts[contact.id] = contact
        return contact

    def contact_of(self, phone: str) -> SimContact | None:
        """Give the contact with this phone, compared as the tenant does."""
        wanted = self._stored(phone)
        return next((contact for contact in self.contacts.values() if self._stored(contact.phone) == wanted), None)

    def enrol(self, group: SimGroup, contact: SimContact) -> bool:
        """Put a contact into the group, keep what truly happened, and tell whether it was not a member before."""
        is_new = contact.digits not in group.members
        if is_new:
            group.members[contact.digits] = Membership(contact.digits, since=self.world.now())
        effect = Effect.ADDED if is_new else Effect.ALREADY_MEMBER
        self.world.events.append(GroupEvent(self.world.now(), group.id, contact.digits, effect))
        return is_new

    def plan_is_full(self) -> web.Response | None:
        """Give the refusal of one more contact, None where there is room."""
        if self.contact_limit is None or len(self.contacts) < self.contact_limit:
            return None
        return self._limit_reached()

    async def list_contacts(self, request: web.Request) -> web.Response:
        """Answer listContacts."""
        contacts: Iterable[SimContact] = sorted(self.contacts.values(), key=lambda contact: contact.id)
        if search := request.query.get("search", request.query.get("q", "")):
            contacts = [contact for contact in contacts if self._matches(contact, search.lower())]
        groups = {group_id: {m.phone for m in self.world.visible_members(group_id)} for group_id in self.world.groups}
        groups |= self.deleted
        if group_id := request.query.get("filter[group_id]"):
            contacts = [contact for contact in contacts if contact.digits in groups.get(group_id, ())]
        return page(request, [contact_record(contact, groups) for contact in contacts])

    async def create_contact(self, request: web.Request) -> web.Response:
        """Answer createContact."""
        body = await body_of(request)
        if problems := self._problems(body):
            return error(422, "", "", problems)
        if refusal := self.plan_is_full():
            return refusal
        contact = self._create(body)
        # Whether an unknown group is rejected is left open by the contract; here it is passed over.
        joined = [
            self.world.groups[str(number)] for number in body.get("groups", []) if str(number) in self.world.groups
        ]
        for group in joined:
            self.enrol(group, contact)
        data = contact_record(contact, {group.id: {contact.digits} for group in joined})
        data["groups"] = [group_record(group) for group in joined]
        return web.json_response({"message": "Contact created successfully", "data": data}, status=201)

    async def create_batch(self, request: web.Request) -> web.Response:
        """Answer batchCreateContacts. How failed entries look is left open by the contract."""
        body = await body_of(request)
        entries, options = body.get("contacts"), body.get("options", {})
        if not isinstance(entries, list) or not entries or len(entries) > (self.most_in_batch or len(entries)):
            return error(422, "", "", {"contacts": ["The contacts are missing or too many"]})
        room = len(entries) if self.contact_limit is None else self.contact_limit - len(self.contacts)
        if self.limit_refuses_batch and len(entries) > room:
            return self._limit_reached()
        created, skipped, failed = [], [], []
        for index, entry in enumerate(entries):
            problems = self._problems(entry)
            if options.get("skip_duplicates") and problems == {"phone": [_TAKEN]}:
                skipped.append({"index": index, "reason": "duplicate phone", "data": {"phone": entry["phone"]}})
            elif problems or self.plan_is_full():
                failed.append({"index": index, "errors": problems or {"phone": ["Contact limit reached"]}})
                if not options.get("continue_on_error", True):
                    break
            else:
                created.append(contact_record(self._create(entry), {}))
        counts = {"total": len(entries), "created": len(created), "skipped": len(skipped), "failed": len(failed)}
        data = {"success": True, "summary": counts, "created": created, "skipped": skipped, "errors": failed}
        return web.json_response({"data": data} if self.batch_in_data else data, status=201)

    def _limit_reached(self) -> web.Response:
        details = {"feature": "contacts", "current": len(self.contacts), "maximum": self.contact_limit}
        return error(403, "FEATURE_LIMIT_EXCEEDED", "Contact limit reached", details)

    def _create(self, fields: dict[str, Any]) -> SimContact:
        return self.put_contact(**{field: fields[field] for field in _REQUIRED})

    def _matches(self, contact: SimContact, search: str) -> bool:
        texts = [str(getattr(contact, field) or "").lower() for field in _SEARCHED]
        if self.searches_digits:
            texts.append(contact.digits)
        return any(search in text for text in texts)

    def _problems(self, body: dict[str, Any]) -> Details:
        problems = {field: [message] for field, message in _REQUIRED.items() if not body.get(field)}
        if body.get("type") not in {"lead", "customer", "guest"}:
            problems["type"] = [_REQUIRED["type"]]
        if body.get("source_id") not in self.sources:
            problems["source_id"] = [_REQUIRED["source_id"]]
        if body.get("status_id") not in self.statuses:
            problems["status_id"] = [_REQUIRED["status_id"]]
        phone = str(body.get("phone", ""))
        if len(phone) > _PHONE_LENGTH:
            problems["phone"] = ["The phone may not be greater than 20 characters"]
        if self.contact_of(phone):
            problems["phone"] = [_TAKEN]
        return problems

    def _stored(self, phone: str | None) -> str | None:
        return re.sub(r"\D", "", phone) if phone and self.compares_digits else phone
