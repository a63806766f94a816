"""The calls of the WA.cr APP API v2: its JSON, its pages, what its refusals mean (`contracts/wacr.openapi.yaml`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from providers.base import (
    AccountRestricted,
    CredentialsRejected,
    GroupNotFound,
    InvalidRequest,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
)
from providers.http import HttpClient, Query, Reply, rate_limited
from providers.identity import same_person_keys

MOST_PAGES = 10_000
"""Pages after which a list counts as endless: a million entries."""
PER_PAGE = 100
"""The most items that one page of a list holds (`components.parameters.PerPage`)."""

MINUTE = 60.0
"""Seconds after which a call is accepted again: the limit counts calls per minute, and no header is documented."""

_CODE = re.compile(
    r"\b(UNAUTHORIZED|INSUFFICIENT_SCOPE|FEATURE_LIMIT_EXCEEDED|NOT_FOUND|VALIDATION_ERROR|RATE_LIMIT_EXCEEDED"
    r"|INTERNAL_ERROR)\b"
)

Model = TypeVar("Model", bound=BaseModel)


class Record(BaseModel):
    """Anything with an id and a name: a group, a contact source, a contact status."""

    id: int
    name: str = ""


class Contact(BaseModel):
    """A CRM contact. The documentation promises none of its fields but tells of all; the id is indispensable."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: int
    phone: str | None = None
    group_id: list[int] | None = None
    groups: list[Record] | None = None

    @property
    def can_be_compared(self) -> bool:
        """False where the answer left the phone out; a phone of null is nobody's."""
        return "phone" in self.model_fields_set

    def is_of(self, person: Person) -> bool:
        """Tell whether the phone is the person's. The stored form is not documented, so digits alone count."""
        digits = re.sub(r"\D", "", self.phone or "").lstrip("0")
        return digits in same_person_keys(person.digits)

    def is_in(self, group: int) -> bool | None:
        """Tell whether the contact holds the group's id; None where the answer lists no groups at all."""
        if self.group_id is None and self.groups is None:
            return None
        return group in {*(self.group_id or ()), *(record.id for record in self.groups or ())}


class Added(BaseModel):
    """The answer of addContactsToGroup: how many were not members before."""

    contacts_added: int


class Tenant(BaseModel):
    """The tenant behind the token (getAccount)."""

    name: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and whether another follows."""

    items: Reply
    more: bool

    def read(self, model: type[Model]) -> list[Model]:
        """Read each item as `model`. Raises `ProviderFault` for items of another shape."""
        return [replace(self.items, body=item).parse(model) for item in self.items.body]


class WacrApi:
    """Sends calls and raises refusals by the project's taxonomy.

    Every method's `needs` is the scope that the call requires, named to the person who is refused.
    """

    def __init__(
        self, base_url: str, token: str, timeout: httpx.Timeout, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        root = base_url.rstrip("/").removesuffix("/api/v2")
        headers = {"Authorization": f"Bearer {token}"}
        self._http = HttpClient(f"{root}/api/v2", headers=headers, timeout=timeout, transport=transport)

    async def read(self, path: str, needs: str, params: Query | None = None) -> Reply:
        """Read `path`. Raises `ProviderError` for every answer that is not 2xx."""
        try:
            reply = await self._http.read("GET", path, params=params)
        except RateLimited as error:
            error.retry_after = error.retry_after or MINUTE
            raise
        if not reply.ok:
            raise _refusal(reply, path, needs, was_write=False)
        return reply

    async def page(self, path: str, needs: str, number: int, params: Query | None = None) -> Page:
        """Read one page of a list, 1 being the first. Raises `ProviderError`."""
        if number > MOST_PAGES:
            raise ProviderFault("WA.cr's list does not end.")
        reply = await self.read(path, needs, {**(params or {}), "page": number, "per_page": PER_PAGE})
        items = unwrapped(reply)
        more = _has_more(reply.body)
        if not isinstance(items.body, list) or (more and not items.body):
            raise ProviderFault("WA.cr answered a list in a shape it does not document.", code=str(reply.status))
        return Page(items, len(items.body) >= PER_PAGE if more is None else more)

    async def write(self, path: str, needs: str, body: Any, model: type[Model]) -> tuple[Model, Reply]:
        """Post `body` once and read the answer as `model`.

        Raises:
            OutcomeUnknown: nobody can tell what it did: no answer, a 5xx, or a 2xx in another shape.
            ProviderError: it did nothing, for any other refusal.
        """
        reply = await self._http.write("POST", path, body=body)
        if not reply.ok:
            raise _refusal(reply, path, needs, was_write=True)
        try:
            return unwrapped(reply).parse(model), reply
        except ProviderFault as error:
            raise OutcomeUnknown(error.message, code=error.code, words=message_of(reply)) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def unwrapped(reply: Reply) -> Reply:
    """Give the answer's `data`, or the whole body where it has none, as the published client does."""
    if isinstance(reply.body, dict) and "data" in reply.body:
        return replace(reply, body=reply.body["data"])
    return reply


def message_of(reply: Reply) -> str:
    """Give the `message` of a success; empty where it has none."""
    message = reply.body.get("message") if isinstance(reply.body, dict) else None
    return message if isinstance(message, str) else ""


def words_of(reply: Reply) -> str:
    """Give all the provider's words in a refusal: where code, message and field messages sit is not documented."""
    return "; ".join(dict.fromkeys(_strings(reply.body))) or reply.text


def _strings(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _strings(part)


def _has_more(body: Any) -> bool | None:
    """Read meta.pagination.has_more; None where it is absent, since the published client alone knows it."""
    try:
        return bool(body["meta"]["pagination"]["has_more"])
    except (KeyError, TypeError):
        return None


def _refusal(reply: Reply, path: str, needs: str, *, was_write: bool) -> ProviderError:
    """Read a status that is not 2xx: status first, its code found by search, as the contract advises."""
    found = _CODE.search(reply.text)
    code, words = found[0] if found else str(reply.status), words_of(reply)
    error: ProviderError
    match reply.status:
        case 401:
            error = CredentialsRejected("WA.cr does not accept the token.", code=code, words=words)
        case 403 if code == "FEATURE_LIMIT_EXCEEDED":
            error = AccountRestricted("The WA.cr plan has no room for more contacts.", code=code, words=words)
        case 403:
            error = PermissionMissing(f"The WA.cr token may not do this: it needs {needs}.", code=code, words=words)
        case 404 if path.startswith("/groups/"):
            error = GroupNotFound("WA.cr knows no group with this id.", code=code, words=words)
        case 404:
            error = ProviderFault(f"WA.cr has nothing at {path}; check base_url.", code=code, words=words)
        case 429:
            error = rate_limited(reply, code=code, words=words)
            error.retry_after = error.retry_after or MINUTE
        case status if httpx.codes.is_client_error(status) and status != httpx.codes.REQUEST_TIMEOUT:
            error = InvalidRequest("WA.cr found the request invalid.", code=code, words=words)
        case _ if was_write:
            error = OutcomeUnknown("WA.cr failed, and does not say what it did.", code=code, words=words)
        case _:
            error = ProviderFault("WA.cr failed.", code=code, words=words)
    return error
