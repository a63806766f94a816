"""What a long address book costs: memory while WA.cr's contacts are searched and a group's members are listed."""

import tracemalloc
from typing import Any

from aiohttp import web

from providers.base import Person, Provider
from providers.registry import make_provider
from sandbox.http import serve

SIZES = (1_000, 100_000)
PER_PAGE = 100
GROUP = 7
PEOPLE = [Person(phone, phone) for phone in (f"+1415555{n}0000" for n in range(10))]


def _app(size: int) -> web.Application:
    """Serve `size` contacts in pages, each made when it is asked for; all are members, and all match every search."""

    async def contacts(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        data = [_contact(number) for number in range((page - 1) * PER_PAGE, min(page * PER_PAGE, size))]
        return web.json_response({"data": data, "meta": {"pagination": {"has_more": page * PER_PAGE < size}}})

    async def group(_: web.Request) -> web.Response:
        return web.json_response({"data": {"id": GROUP, "name": "Everybody"}})

    app = web.Application()
    app.router.add_get("/api/v2/contacts", contacts)
    app.router.add_get(f"/api/v2/groups/{GROUP}", group)
    return app


def _contact(number: int) -> dict[str, Any]:
    return {"id": number + 1, "firstname": "A", "phone": f"44{number:06}0000", "group_id": [GROUP]}


async def measure() -> list[str]:
    """Search ten people and list all members at each size; return the lines of a table."""
    lines = ["| contacts | searching 10 people, peak MiB | listing members, peak MiB | members |", "|---|---|---|---|"]
    peaks: list[tuple[float, float]] = []
    for size in SIZES:
        async with serve(_app(size)) as url:
            provider = make_provider("wacr", base_url=url, token="token", account="")
            try:
                await provider.membership(str(GROUP), PEOPLE[:1])  # what is made once is not counted
                searched = await _peak_of_search(provider)
                tracemalloc.start()
                members = 0
                async for _ in provider.members(str(GROUP)):
                    members += 1
                listed = _peak()
            finally:
                await provider.aclose()
        peaks.append((searched, listed))
        lines.append(f"| {size:,} | {searched:.2f} | {listed:.2f} | {members:,} |")
    (few, few_listed), (many, many_listed) = peaks
    return [*lines, f"| ratio | {many / few:.2f} | {many_listed / few_listed:.2f} | |"]


async def _peak_of_search(provider: Provider) -> float:
    tracemalloc.start()
    await provider.membership(str(GROUP), PEOPLE)
    return _peak()


def _peak() -> float:
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return peak
