"""The calls of the WA.cr APP API v2: its JSON, its pages and its rate limit (`contracts/wacr.openapi.yaml`)."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import stamina
from pydantic import BaseModel

from providers.base import OutcomeUnknown, ProviderFault, RateLimited
from providers.http import HttpClient, Query, Reply
from providers.responses import outcome_unknown
from providers.wacr.errors import LIMIT_WINDOW_SECONDS, code_and_text_of, error_for
from providers.wacr.models import is_success, message_of, reports_failure, unwrap

MAX_PAGES = 10_000
"""The pages after which a list counts as endless: a million entries."""

PAGE_SIZE = 100
"""The maximum number of items on one page of a list (`components.parameters.PerPage`)."""

MAX_ATTEMPTS = 3
"""The attempts at a page, or at a repeatable write, while the rate limit of the minute is reached."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Page(Generic[Model]):
    """One page of a list, and whether another follows."""

    items: list[Model]
    has_more: bool


class Api:
    """The WA.cr API, used with one token.

    The parameter `needs` of every method is the scope that the call requires, named in the error of a missing scope.

    Args:
        http: the client, with the token in its headers.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def read(self, path: str, needs: str, params: Query | None = None) -> Reply:
        """Read `path`. Raises `ProviderError` for a response that isn't 2xx or whose body reports a failure."""
        reply = await self._http.read("GET", path, params=params)
        if not reply.ok:
            raise error_for(reply, path, needs, wrote=False)
        if reports_failure(reply):
            code, text = code_and_text_of(reply)
            raise ProviderFault("WA.cr reports a failure.", code=code, provider_text=text)
        return reply

    async def pages(
        self, path: str, needs: str, model: type[Model], params: Query | None = None, *, max_pages: int = MAX_PAGES
    ) -> AsyncGenerator[Page[Model], None]:
        """Yield the pages of a list, at most `max_pages`, with each item parsed as `model`.

        A long list takes more calls than the rate limit allows in a minute: the next page waits until calls are
        accepted again. Raises `ProviderError`.
        """
        for number in range(1, max_pages + 1):
            page = await self._page(path, needs, model, {**(params or {}), "page": number, "per_page": PAGE_SIZE})
            yield page
            if not page.has_more:
                return
        if max_pages == MAX_PAGES:
            raise ProviderFault("WA.cr's list doesn't end.")

    async def write(
        self, method: str, path: str, needs: str, body: Any, model: type[Model], *, repeatable: bool = False
    ) -> tuple[Model, Reply]:
        """Send `body` once and return the response, parsed as `model`, and the response itself.

        With `repeatable` it is sent again after a 429, which proves that nothing was done. Only for writes that do no
        harm twice.

        Raises:
            OutcomeUnknown: there is no response, it is a 5xx or has another format, or a 2xx reports a failure.
            ProviderError: any other failure; nothing was done.
        """
        async for attempt in stamina.retry_context(
            on=_wait_before_retry, attempts=MAX_ATTEMPTS if repeatable else 1, timeout=None
        ):
            with attempt:
                reply = await self._http.write(method, path, body=body)
                if not reply.ok:
                    raise error_for(reply, path, needs, wrote=True)
        if reports_failure(reply):
            code, text = code_and_text_of(reply)
            message = "WA.cr reports a success and a failure in one, so the result isn't known."
            raise OutcomeUnknown(message, code=code, provider_text=text)
        return unwrap(reply).parse_result(model, message_of(reply)), reply

    async def delete(self, path: str, needs: str) -> None:
        """Delete what is at `path`. Raises `ProviderError`; `OutcomeUnknown` if the response reports no success."""
        reply = await self._http.write("DELETE", path)
        if not reply.ok:
            raise error_for(reply, path, needs, wrote=True)
        if not is_success(reply):
            raise outcome_unknown(reply, "WA.cr's answer reports no success", message_of(reply) or reply.text)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _page(self, path: str, needs: str, model: type[Model], params: Query) -> Page[Model]:
        async for attempt in stamina.retry_context(on=_wait_before_retry, attempts=MAX_ATTEMPTS, timeout=None):
            with attempt:
                reply = await self.read(path, needs, params)
        items = unwrap(reply)
        has_more = _has_more(reply.body)
        if not isinstance(items.body, list) or (has_more and not items.body):
            raise ProviderFault("WA.cr's list has an undocumented format.", code=str(reply.status))
        parsed = [replace(items, body=item).parse(model) for item in items.body]
        return Page(parsed, len(parsed) >= PAGE_SIZE if has_more is None else has_more)


def _wait_before_retry(error: Exception) -> bool | float:
    """Return for stamina the seconds to wait after a 429; False if the call shouldn't be sent again."""
    if isinstance(error, RateLimited) and error.retry_after is not None and error.retry_after <= LIMIT_WINDOW_SECONDS:
        return error.retry_after
    return False


def _has_more(body: Any) -> bool | None:
    """Return meta.pagination.has_more; None if it isn't a boolean, because only the published client knows it."""
    try:
        has_more = body["meta"]["pagination"]["has_more"]
    except (KeyError, TypeError):
        return None
    return has_more if isinstance(has_more, bool) else None
