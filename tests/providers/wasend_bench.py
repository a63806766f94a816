"""A simulated Wasend on a port, and the adapter that talks to it through its contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from providers.base import Outcome, PeopleResult, Person
from providers.wasend import Wasend, make
from sandbox.http import serve
from sandbox.providers.wasend import WasendServer
from sandbox.providers.wasend_records import OWN_PHONE, Shape
from sandbox.providers.world import World
from tests.contracts import ContractTransport

GROUP = "120363000000000001@g.us"
SESSION = "session-1"
TOKEN = "sandbox-token"
ADD = "POST /session-1/groups/120363000000000001@g.us/participants/add"
MEMBERS = "GET /session-1/groups/120363000000000001@g.us/participants"


@dataclass
class Bench:
    world: World
    server: WasendServer
    url: str
    transport: ContractTransport
    adapter: Wasend
    time: list[float]

    def lines(self) -> list[str]:
        return [f"{call.method} {call.path} {call.status}" for call in self.server.calls]

    def breaches(self) -> list[str]:
        """What broke the contract, without what it omits on purpose: error statuses (`not-seen`), and answers that the
        SDK throws away."""
        omitted = ["ResponseNotFound"] + (["MissingData"] if self.server.mute else [])
        return [line for line in self.transport.broken if not any(word in line for word in omitted)]


@asynccontextmanager
async def wasend(*, token: str = TOKEN, session: str = SESSION, variant: Shape = "docs") -> AsyncIterator[Bench]:
    """Serve a group that holds only the session's number, at a time that stands still until it is set."""
    time = [1_000.0]
    world = World(clock=lambda: time[0])
    world.put_group(GROUP, "Launch team", [OWN_PHONE])
    server = WasendServer(world, token=TOKEN, session=SESSION, variant=variant)
    transport = ContractTransport("wasend")
    async with serve(server.app()) as url:
        adapter = make(
            base_url=url, token=token, account=session, transport=transport, timeout=httpx.Timeout(0.5, connect=10.0)
        )
        try:
            yield Bench(world, server, url, transport, adapter, time)
        finally:
            await adapter.aclose()


def people(*phones: str) -> list[Person]:
    return [Person(f"+{phone}", f"+{phone}") for phone in phones]


def outcomes(*results: PeopleResult) -> dict[str, Outcome]:
    """Give the outcome by phone digits; fails where a person has two verdicts."""
    verdicts = [verdict for result in results for verdict in result.verdicts]
    found = {verdict.key.removeprefix("+"): verdict.outcome for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found
