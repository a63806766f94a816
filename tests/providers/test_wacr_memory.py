import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from providers.base import MembershipStatus
from providers.wacr import Wacr, make
from providers.wacr.models import Contact
from sandbox.http import serve
from sandbox.providers.wacr import PREFIX
from tests.contracts import NO_CERTIFICATES
from tests.providers.harness import ANA, TOKEN, people

PAGES = 24
"""Pages of a hundred contacts: as many as show whether what was read is kept."""


@asynccontextmanager
async def long_book(each_page: Callable[[int], None]) -> AsyncIterator[Wacr]:
    """Serve a tenant whose every list is long and holds nobody who is looked for."""

    async def contacts(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        each_page(number)
        first = number * 100
        data = [{"id": i, "phone": f"+3361{i:07}", "group_id": [7]} for i in range(first, first + 100)]
        return web.json_response({"data": data, "meta": {"pagination": {"has_more": number < PAGES}}})

    async def group(_: web.Request) -> web.Response:
        return web.json_response({"data": {"id": 7, "name": "Launch team"}})

    app = web.Application()
    app.router.add_get(f"{PREFIX}/contacts", contacts)
    app.router.add_get(f"{PREFIX}/groups/7", group)
    async with serve(app) as url:
        transport = httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES)
        adapter = make(base_url=url, token=TOKEN, account="", transport=transport)
        yield adapter
        await adapter.aclose()


@pytest.mark.parametrize("what", ["a search", "a member list"])
async def test_the_pages_of_a_long_list_are_dropped_when_they_were_read(what: str) -> None:
    kept: list[int] = []

    def count(number: int) -> None:
        if number % 8 == 0:
            kept.append(sum(isinstance(thing, Contact) for thing in gc.get_objects()))

    gc.disable()  # so that only what is truly let go of is gone
    try:
        async with long_book(count) as adapter:
            if what == "a search":
                assert await adapter.membership("7", people(ANA)) == {f"+{ANA}": MembershipStatus.UNKNOWN}
            else:
                assert sum([1 async for _ in adapter.members("7")]) == PAGES * 100
    finally:
        gc.enable()
    assert len(kept) == PAGES // 8
    assert max(kept) <= 200
