"""A simulated WhatsApp Gateway on a port, and the adapter that talks to it through its contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from providers.base import Action, Evidence, MembershipStatus, Outcome, Person, Verdict
from providers.wagateway import WaGateway, make
from sandbox.http import serve
from sandbox.providers.wagateway import WaGatewayServer
from sandbox.providers.world import World
from tests.contracts import ContractTransport

GROUP = "120363000000000001@g.us"
SESSION = "sess_1"
TOKEN = "sandbox-token"
ROOT = f"/api/v1/sessions/{SESSION}"
ADD = f"POST {ROOT}/groups/{GROUP}/members"
MEMBERS = f"GET {ROOT}/groups/{GROUP}/members"
INVITE = f"GET {ROOT}/groups/{GROUP}/invite"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"


@dataclass
class Bench:
    world: World
    server: WaGatewayServer
    url: str
    transport: ContractTransport
    adapter: WaGateway
    time: list[float]

    def lines(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.server.calls]

    def lid(self, phone: str) -> str:
        return f"{self.world.person(phone).lid}@lid"


@asynccontextmanager
async def wagateway(*, token: str = TOKEN, session: str = SESSION, read_lag: float = 0.0) -> AsyncIterator[Bench]:
    """Serve an empty group, at a time that stands still until it is set."""
    time = [1_000.0]
    world = World(clock=lambda: time[0], read_lag=read_lag)
    world.put_group(GROUP, "Launch team")
    server = WaGatewayServer(world, token=TOKEN, session=SESSION)
    transport = ContractTransport("wagateway")
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


async def present(bench: Bench, *phones: str) -> dict[str, MembershipStatus]:
    found = await bench.adapter.membership(GROUP, people(*phones))
    return {key.removeprefix("+"): presence for key, presence in found.items()}


async def as_the_workflow_would(bench: Bench, phones: list[str]) -> list[Verdict]:
    """Read, add those who are not there, read again: members are `observed`, the others keep their verdict."""
    before = await present(bench, *phones)
    verdicts = [
        Verdict(f"+{phone}", Outcome.ALREADY_DONE, Evidence.OBSERVED)
        for phone in phones
        if before[phone] is MembershipStatus.MEMBER
    ]
    rest = [phone for phone in phones if before[phone] is not MembershipStatus.MEMBER]
    limit = bench.adapter.abilities[Action.ADD].max_batch
    for start in range(0, len(rest), limit):
        verdicts += (await bench.adapter.add(GROUP, people(*rest[start : start + limit]))).verdicts
    after = await present(bench, *rest)
    return [
        Verdict(verdict.key, Outcome.ADDED, Evidence.OBSERVED)
        if verdict.outcome is Outcome.UNKNOWN and after[verdict.key.removeprefix("+")] is MembershipStatus.MEMBER
        else verdict
        for verdict in verdicts
    ]
