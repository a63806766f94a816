"""The calls of the WA.cr APP API v2: its JSON, its pages and its limit of calls (`contracts/wacr.openapi.yaml`)."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import httpx
import stamina
from pydantic import BaseModel

from providers.base import OutcomeUnknown, ProviderFault, RateLimited
from providers.http import HttpClient, Query, Reply
from providers.wacr.errors import LIMIT_WINDOW_SECONDS, code_and_text_of, error_for
from providers.wacr.models import is_success, message_of, reports_failure, unwrapped

MOST_PAGES = 10_000
"""Pages after which a list counts as endless: a million entries."""

PER_PAGE = 100
"""The most items that one page of a list holds (`components.parameters.PerPage`)."""

MOST_TRIES = 3
"""How often a page, or a write that may be repeated, is sent when each time the calls of a minute are used up."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Page(Generic[Model]):
    """One page of a list, and whether another follows."""

    items: list[Model]
    more: bool


class WacrApi:
    """Sends calls and raises refusals by the project's taxonomy.

    Every method's `needs` is the scope that the call requires, named to the person who is refused.
    """

    def __init__(
        self, base_url: str, token: str, timeout: httpx.Timeout, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        root = base_url.rstrip("/").removesuffix("/api/v2")
        headers = {"Authorization": f"Bearer {token}"}
        self._http = HttpClient(
            f"{root}/api/v2", headers=headers, limit_window=LIMIT_WINDOW_SECONDS, timeout=timeout, transport=transport
        )

    async def read(self, path: str, needs: str, params: Query | None = None) -> Reply:
        """Read `path`. Raises `ProviderError` for every answer that is not 2xx, or reports a failure inside."""
        reply = await self._http.read("GET", path, params=params)
        if not reply.ok:
            raise error_for(reply, path, needs, wrote=False)
        if reports_failure(reply):
            code, words = code_and_text_of(reply)
            raise ProviderFault("WA.cr reports a failure.", code=code, provider_text=words)
        return reply

    async def pages(
        self, path: str, needs: str, model: type[Model], params: Query | None = None, *, most: int = MOST_PAGES
    ) -> AsyncGenerator[Page[Model], None]:
        """Read a list page after page, each item as `model`, and no more than `most` pages.

        A long list takes more calls than a minute has: the next page waits until they are accepted again.
        Raises `ProviderError`.
        """
        for number in range(1, most + 1):
            page = await self._page(path, needs, model, {**(params or {}), "page": number, "per_page": PER_PAGE})
            yield page
            if not page.more:
                return
        if most == MOST_PAGES:
            raise ProviderFault("WA.cr's list does not end.")

    async def write(
        self, method: str, path: str, needs: str, body: Any, model: type[Model], *, repeatable: bool = False
    ) -> tuple[Model, Reply]:
        """Send `body` once and read the answer as `model`.

        With `repeatable` it is sent again when it was refused because of too many calls, which says that nothing was
        done: for writes that do the same twice as once.

        Raises:
            OutcomeUnknown: nobody can tell what it did: no answer, a 5xx, a 2xx in another shape, or a failure inside.
            ProviderError: it did nothing, for any other refusal.
        """
        async for attempt in stamina.retry_context(
            on=_seconds_to_wait, attempts=MOST_TRIES if repeatable else 1, timeout=None
        ):
            with attempt:
                reply = await self._http.write(method, path, body=body)
                if not reply.ok:
                    raise error_for(reply, path, needs, wrote=True)
        if reports_failure(reply):
            code, words = code_and_text_of(reply)
            raise OutcomeUnknown("WA.cr reports a failure in an answer of success.", code=code, provider_text=words)
        try:
            return unwrapped(reply).parse(model), reply
        except ProviderFault as error:
            raise OutcomeUnknown(error.message, code=error.code, provider_text=message_of(reply)) from None

    async def delete(self, path: str, needs: str) -> None:
        """Delete what is at `path`. Raises `ProviderError`; `OutcomeUnknown` where the answer does not tell."""
        reply = await self._http.write("DELETE", path)
        if not reply.ok:
            raise error_for(reply, path, needs, wrote=True)
        if not is_success(reply):
            words = message_of(reply) or reply.text
            raise OutcomeUnknown("WA.cr does not say what it deleted.", code=str(reply.status), provider_text=words)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _page(self, path: str, needs: str, model: type[Model], params: Query) -> Page[Model]:
        async for attempt in stamina.retry_context(on=_seconds_to_wait, attempts=MOST_TRIES, timeout=None):
            with attempt:
                reply = await self.read(path, needs, params)
        items = unwrapped(reply)
        more = _has_more(reply.body)
        if not isinstance(items.body, list) or (more and not items.body):
            raise ProviderFault("WA.cr answered a list in a shape it does not document.", code=str(reply.status))
        read = [replace(items, body=item).parse(model) for item in items.body]
        return Page(read, len(read) >= PER_PAGE if more is None else more)


def _seconds_to_wait(error: Exception) -> bool | float:
    """Tell stamina after how many seconds to send again what the limit of calls refused; False: not at all."""
    if isinstance(error, RateLimited) and error.retry_after is not None and error.retry_after <= LIMIT_WINDOW_SECONDS:
        return error.retry_after
    return False


def _has_more(body: Any) -> bool | None:
    """Read meta.pagination.has_more; None where it is no truth value, since the published client alone knows it."""
    try:
        told = body["meta"]["pagination"]["has_more"]
    except (KeyError, TypeError):
        return None
    return told if isinstance(told, bool) else None
