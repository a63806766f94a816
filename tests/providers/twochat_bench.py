"""A simulated 2Chat on a port, and the adapter that talks to it through its contract."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from providers.base import Outcome, PeopleResult, Person
from providers.twochat import TwoChat, make
from sandbox.http import serve
from sandbox.providers.twochat import TwoChatServer
from sandbox.providers.world import World
from tests.contracts import ContractTransport

GROUP = "WAG45b0f301-9203-4660-8b57-b51a6c2742a5"
NUMBER = "595981048477"
ADD = "add-participant"
TOKEN = "sandbox-token"


@dataclass
class Bench:
    world: World
    server: TwoChatServer
    url: str
    transport: ContractTransport
    adapter: TwoChat
    time: list[float]

    def writes(self) -> list[int]:
        return [call.status for call in self.server.calls if call.method == "POST"]


@asynccontextmanager
async def twochat(token: str = TOKEN) -> AsyncIterator[Bench]:
    """Serve a group that holds only the connected number, at a time that stands still until it is set."""
    time = [1_000.0]
    world = World(clock=lambda: time[0])
    world.put_group(GROUP, "Launch team", [NUMBER])
    server = TwoChatServer(world, token=TOKEN, number=NUMBER)
    transport = ContractTransport("twochat")
    async with serve(server.app()) as url:
        adapter = make(
            base_url=url,
            token=token,
            account=NUMBER,
            transport=transport,
            timeout=httpx.Timeout(0.5, connect=10.0),
            clock=lambda: time[0],
        )
        try:
            yield Bench(world, server, url, transport, adapter, time)
        finally:
            await adapter.aclose()


def people(*phones: str) -> list[Person]:
    return [Person(f"+{phone}", f"+{phone}") for phone in phones]


def outcomes(results: PeopleResult | Iterable[PeopleResult]) -> dict[str, Outcome]:
    """Give the outcome by phone digits; fails where a person has two verdicts."""
    verdicts = [v for r in ([results] if isinstance(results, PeopleResult) else results) for v in r.verdicts]
    found = {verdict.key.removeprefix("+"): verdict.outcome for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found
