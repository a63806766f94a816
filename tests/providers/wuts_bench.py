"""A simulated WUTS on a port, and the adapter that talks to it through its contract."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from providers.base import Action, Evidence, MembershipStatus, Outcome, Person, Verdict
from providers.wuts import Wuts, make
from sandbox.http import serve
from sandbox.providers.world import World
from sandbox.providers.wuts import WutsServer
from tests.contracts import ContractTransport

GROUP = "120363041234567890@g.us"
TOKEN = "sandbox-token"
ADD = f"POST /groups/{GROUP}/participants"
READ = f"GET /groups/{GROUP}"
CHECK = "POST /contact/check"
RESOLVE = "POST /contacts/resolve"
SEND = "POST /send/text"


@dataclass
class Bench:
    world: World
    server: WutsServer
    url: str
    transport: ContractTransport
    adapter: Wuts
    time: list[float]

    def bodies(self, line: str) -> list[Any]:
        """Give the bodies of the calls that were answered as `METHOD path`."""
        return [call.body for call in self.server.calls if f"{call.method} {call.path}" == line]


@asynccontextmanager
async def wuts(token: str = TOKEN) -> AsyncIterator[Bench]:
    """Serve a group of one member, at a time that stands still until it is set."""
    time = [1_000.0]
    world = World(clock=lambda: time[0])
    world.put_group(GROUP, "Launch team", ["14155559999"])
    server = WutsServer(world, token=TOKEN)
    transport = ContractTransport("wuts")
    async with serve(server.app()) as url:
        timeout = httpx.Timeout(0.5, connect=10.0)
        adapter = make(base_url=url, token=token, account="", transport=transport, timeout=timeout)
        try:
            yield Bench(world, server, url, transport, adapter, time)
        finally:
            await adapter.aclose()


def people(*phones: str) -> list[Person]:
    return [Person(f"+{phone}", f"+{phone}") for phone in phones]


async def carry_out(adapter: Wuts, asked: Sequence[Person]) -> dict[str, Verdict]:
    """Add as the workflow does: look who is there, add the rest, look again for those nothing was told about."""
    before = await adapter.membership(GROUP, asked)
    verdicts = {
        person.key: Verdict(person.key, Outcome.ALREADY_DONE, Evidence.OBSERVED)
        for person in asked
        if before[person.key].is_member
    }
    rest = [person for person in asked if person.key not in verdicts]
    for start in range(0, len(rest), adapter.abilities[Action.ADD].max_batch):
        added = (await adapter.add(GROUP, rest[start : start + adapter.abilities[Action.ADD].max_batch])).verdicts
        assert verdicts.keys().isdisjoint(verdict.key for verdict in added)
        verdicts |= {verdict.key: verdict for verdict in added}
    silent = [person for person in rest if verdicts[person.key].outcome is Outcome.UNKNOWN]
    after = await adapter.membership(GROUP, silent)
    verdicts |= {
        person.key: Verdict(person.key, Outcome.ADDED, Evidence.OBSERVED)
        for person in silent
        if before[person.key] is MembershipStatus.ABSENT and after[person.key].is_member
    }
    return verdicts
