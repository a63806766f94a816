"""Makes contacts for people who have none, one by one or many at once (`contracts/wacr.openapi.yaml`)."""

from collections.abc import Mapping, Sequence

from providers.base import InvalidRequest, Person
from providers.http import Reply
from providers.wacr.api import WacrApi
from providers.wacr.contacts import Wanted, best_first
from providers.wacr.models import Batch, Contact, Record


class ContactMaker:
    """Creates contacts. Each must name a source and a status of the tenant: the first of each, read once."""

    def __init__(self, api: WacrApi) -> None:
        self._api = api
        self._origin: dict[str, int] = {}

    async def origin(self) -> Mapping[str, int]:
        """Give the source and the status that a new contact names (x-related-operations). Raises `ProviderError`."""
        for field, path in (("source_id", "/sources"), ("status_id", "/statuses")):
            if field not in self._origin:
                pages = self._api.pages(path, "to read contact sources and statuses", Record, most=1)
                records = [record async for page in pages for record in page.items]
                if not records:
                    raise InvalidRequest(f"WA.cr needs at least one entry under {path} to create a contact.")
                self._origin[field] = records[0].id
        return self._origin

    async def inside(self, group: int, person: Person) -> tuple[Contact, Reply]:
        """Create a contact inside a group (createContact). Raises `ProviderError`, `OutcomeUnknown` among them."""
        body = {**await self._fields(person), "groups": [group]}
        try:
            return await self._api.write("POST", "/contacts", "contacts:write", body, Contact)
        except InvalidRequest:
            self._origin.clear()  # the source or the status may be gone
            raise

    async def many(self, people: Sequence[Person]) -> dict[Person, Contact]:
        """Create contacts outside of all groups (batchCreateContacts), and give those that the answer shows.

        A phone that is in the book already is skipped. Who is missing in the answer may have a contact all the same:
        how skipped and failed entries name their people is not documented. Raises `ProviderError`.
        """
        contacts = [await self._fields(person) for person in people]
        body = {"contacts": contacts, "options": {"continue_on_error": True, "skip_duplicates": True}}
        try:
            batch, reply = await self._api.write("POST", "/contacts/batch", "contacts:write", body, Batch)
        except InvalidRequest:
            self._origin.clear()
            raise
        if not batch.success:
            raise InvalidRequest(
                "WA.cr created none of the contacts.", code=str(reply.status), provider_text=reply.text
            )
        wanted = Wanted(people)
        wanted.take(batch.created or ())
        return {person: best_first(person, found)[0] for person, found in wanted.found.items() if found}

    async def _fields(self, person: Person) -> dict[str, object]:
        name = {"firstname": person.phone, "lastname": "Rollcall"}
        return {**name, "phone": person.phone, "type": "lead", **await self.origin()}
