"""A simulated WA.cr on a port, and the adapter that talks to it through its contract."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from providers.base import Evidence, MembershipStatus, Outcome, PeopleResult, Person, ProviderError
from providers.wacr import Wacr, make
from sandbox.http import serve
from sandbox.providers.wacr import PREFIX, WacrServer
from sandbox.providers.world import Effect, World
from tests.contracts import ContractTransport

GROUP = "7"
TOKEN = "sandbox-token"
ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
PATH = PREFIX
JOIN = f"POST {PREFIX}/groups/{GROUP}/contacts"
LEAVE = f"DELETE {PREFIX}/groups/{GROUP}/contacts"
CREATE = f"POST {PREFIX}/contacts"
BATCH = f"{CREATE}/batch"
SEARCH = f"GET {PREFIX}/contacts"
NOT_ATTEMPTED = (Outcome.NOT_ATTEMPTED, Evidence.NONE)
UNKNOWN = (Outcome.UNKNOWN, Evidence.NONE)
ADDED = (Outcome.ADDED, Evidence.REPORTED)
SHORT = httpx.Timeout(0.4, connect=10.0)


class Transport(ContractTransport):
    """Holds to what the contract tells of each operation, and passes over what it tells elsewhere.

    That is: two lists of which it gives the paths alone (x-related-operations), the statuses that hold for all
    operations (x-conventions) though the pages of groups and contacts do not print them, and the errors of a batch,
    whose table could not be read.
    """

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path in (f"{PREFIX}/sources", f"{PREFIX}/statuses"):
            return
        before = len(self.broken)
        super()._check(request, response)
        if response.status_code in (401, 403, 404, 429) or request.url.path == f"{PREFIX}/contacts/batch":
            self.broken[before:] = [line for line in self.broken[before:] if "ResponseNotFound" not in line]


@dataclass
class Bench:
    world: World
    server: WacrServer
    url: str
    transport: Transport
    adapter: Wacr
    time: list[float]

    def asked(self) -> list[str]:
        """Give the calls so far, without the prefix and the query."""
        return [f"{call.method} {call.path.removeprefix(PREFIX)}" for call in self.server.calls]

    def members(self) -> set[str]:
        return set(self.world.groups[GROUP].members)

    def truth(self) -> dict[str, Effect]:
        return {event.phone: event.effect for event in self.world.events}

    async def membership(self, *phones: str) -> dict[str, MembershipStatus]:
        found = await self.adapter.membership(GROUP, people(*phones))
        return {key.removeprefix("+"): presence for key, presence in found.items()}


@asynccontextmanager
async def wacr(token: str = TOKEN) -> AsyncIterator[Bench]:
    """Serve a tenant with one empty group, at a time that stands still until it is set."""
    time = [1_000.0]
    world = World(clock=lambda: time[0])
    world.put_group(GROUP, "Launch team")
    server = WacrServer(world, token=TOKEN)
    transport = Transport("wacr", PREFIX)
    async with serve(server.app()) as url:
        adapter = make(base_url=url, token=token, account="", transport=transport, timeout=SHORT, clock=lambda: time[0])
        try:
            yield Bench(world, server, url, transport, adapter, time)
        finally:
            await adapter.aclose()


def people(*phones: str) -> list[Person]:
    return [Person(f"+{phone}", f"+{phone}") for phone in phones]


def outcomes(results: PeopleResult | Iterable[PeopleResult]) -> dict[str, tuple[Outcome, Evidence]]:
    """Give outcome and evidence by phone digits; fails where a person has two verdicts."""
    verdicts = [v for r in ([results] if isinstance(results, PeopleResult) else results) for v in r.verdicts]
    found = {verdict.key.removeprefix("+"): (verdict.outcome, verdict.evidence) for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found


async def failed_add(bench: Bench, *phones: str) -> ProviderError:
    """Add people, and give the error that is raised, which holds no secret and no whole number."""
    with pytest.raises(ProviderError) as caught:
        await bench.adapter.add(GROUP, people(*phones))
    assert TOKEN not in str(caught.value)
    assert not any(phone in str(caught.value) for phone in phones)
    return caught.value
