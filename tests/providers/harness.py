"""The harness of all provider tests: a simulated provider on a port, and the adapter that calls it.

`open_provider` starts the simulator of one provider over real HTTP and opens the adapter with a transport that checks
every request and every answer against the provider's contract. `open_with_people` does the same with a group that has a
member and an admin, and with a person of every disposition outside it; the conformance suite uses it. What differs
between providers is declared in `provider_cases.py`.

Each provider has a fixture of its name (`twochat`, `wacr`, `wagateway`, `wasend`, `wuts`): its harness, opened for the
test, with the contract checked when the test ends. A file that needs other people or groups overrides the fixture.
`variant` runs a test twice: as Wasend's documentation and as its SDK describe the API. Time stops at the start
of a test and moves only by `harness.clock`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic
from urllib.parse import unquote

import httpx
import pytest
from typing_extensions import TypeVar

from providers.base import (
    Ability,
    Action,
    Created,
    Evidence,
    MembershipStatus,
    Outcome,
    PeopleResult,
    Person,
    Picture,
    Provider,
    ProviderError,
    Verdict,
)
from providers.capability_docs import PROVIDERS
from sandbox.http import serve
from sandbox.providers.server import ProviderServer
from sandbox.providers.world import Disposition, Effect, SimGroup, World
from tests.contracts import NO_CERTIFICATES, ContractTransport, contract_document

ServerT_co = TypeVar("ServerT_co", bound=ProviderServer, default=ProviderServer, covariant=True)
AdapterT_co = TypeVar("AdapterT_co", bound=Provider, default=Provider, covariant=True)
Item = TypeVar("Item")

TOKEN = "sandbox-token"
ANA, BEN, CAT, DAN = (f"1415555010{n}" for n in range(1, 5))
"""Phones of people about whom a provider knows nothing in advance."""

MEMBER, ADMIN = ANA, BEN
OPEN, PRIVATE, NO_ACCOUNT, LEFT, BLOCKED = (f"1415555020{n}" for n in range(5))
DISPOSITIONS = dict(zip((OPEN, PRIVATE, NO_ACCOUNT, LEFT, BLOCKED), Disposition, strict=True))
ALL_PEOPLE = (MEMBER, ADMIN, *DISPOSITIONS)

LONG_TIMEOUT = httpx.Timeout(10.0)
SHORT_TIMEOUT = httpx.Timeout(5.0, read=0.03)


@dataclass(frozen=True, slots=True)
class ProviderCase(Generic[ServerT_co, AdapterT_co]):
    """A provider, and how its simulator differs from the others'.

    Attributes:
        make_adapter: builds the adapter, as the registry does.
        make_server: builds the simulator.
        group: the id of a group, in the provider's form.
        other: the id of another.
        account: the account in the configuration.
        own: the account's own phone in digits, which is in every group; empty if the account has none.
        members: who is in the group that `open_provider` makes.
        prefix: what the simulator's paths have before the contract's.
        undescribed: ends of paths that the contract names without describing them.
        is_undocumented: whether the contract leaves out an error on purpose, by path and status.
        variants: attributes of the simulator by the name of a variant; every variant is within the contract.
        prepare: adds what a group and people of the world don't have to the simulator of `open_with_people`.
        picture: one that the provider accepts.
        errors_in_success: bodies that come with 200 and report an error.
        silent_writes: the contract allows any write to be answered by nothing.
        needs_variant: the variant for an action that the simulator doesn't offer without one.
        open_outcomes: operations and statuses for which the contract leaves open what was done.
    """

    name: str
    make_adapter: Callable[..., AdapterT_co]
    make_server: Callable[[World], ServerT_co]
    group: str
    other: str
    account: str = ""
    own: str = ""
    members: tuple[str, ...] = ()
    prefix: str = ""
    undescribed: tuple[str, ...] = ()
    is_undocumented: Callable[[str, int], bool] = lambda _path, _status: False
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prepare: Callable[[Any], None] = lambda _: None
    picture: Picture = field(default_factory=lambda: Picture(url="https://example.com/team.jpg"))
    errors_in_success: tuple[str, ...] = ()
    silent_writes: bool = False
    needs_variant: Mapping[Action, str] = field(default_factory=dict)
    open_outcomes: frozenset[tuple[str, int]] = frozenset()

    def __str__(self) -> str:
        return self.name

    @property
    def abilities(self) -> Mapping[Action, Ability]:
        return PROVIDERS[self.name][1].abilities


@dataclass(slots=True)
class Clock:
    """The time of a test, in seconds."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(slots=True)
class Harness(Generic[ServerT_co, AdapterT_co]):
    """A provider under test: its world, its simulator over real HTTP, and the adapter that calls it.

    Attributes:
        expected_breaches: parts of the breaches of the contract that a test causes on purpose.
    """

    provider: ProviderCase[ServerT_co, AdapterT_co]
    world: World
    server: ServerT_co
    adapter: AdapterT_co
    transport: httpx.AsyncHTTPTransport
    url: str
    clock: Clock
    expected_breaches: tuple[str, ...] = ()

    @property
    def group(self) -> SimGroup:
        return self.world.groups[self.provider.group]

    def roles(self, group_id: str = "") -> dict[str, str]:
        """Return the roles in a group by phone, without the account."""
        members = self.world.groups[group_id or self.provider.group].members
        return {phone: m.role for phone, m in members.items() if phone != self.provider.own}

    def effects(self) -> dict[str, Effect]:
        """Return what happened to people in any group, by phone."""
        return {event.phone: event.effect for event in self.world.events}

    def lid(self, phone: str) -> str:
        """Return the LID of a person."""
        return f"{self.world.person(phone).lid}@lid"

    async def membership(self, *phones: str) -> dict[str, MembershipStatus]:
        """Read the members of the group with the adapter."""
        found = await self.adapter.membership(self.provider.group, people(*phones))
        return {key.removeprefix("+"): status for key, status in found.items()}

    async def failed_add(self, *phones: str) -> ProviderError:
        """Add people and return the error; it must show neither the token nor a phone."""
        with pytest.raises(ProviderError) as caught:
            await self.adapter.add(self.provider.group, people(*(phones or (ANA, BEN))))
        assert not any(secret in str(caught.value) for secret in (TOKEN, *phones, ANA))
        return caught.value

    async def failed_read(self, *phones: str) -> ProviderError:
        """Read the membership of people and return the error."""
        with pytest.raises(ProviderError) as caught:
            await self.membership(*phones)
        return caught.value

    def requests(self, *, with_status: bool = False) -> list[str]:
        """Return the calls so far as `METHOD path`, without the prefix, followed by the status if wanted."""
        return [
            f"{call.method} {call.path.removeprefix(self.provider.prefix)}{f' {call.status}' * with_status}"
            for call in self.server.calls
        ]

    def bodies(self, request: str) -> list[Any]:
        """Return the bodies of the calls `METHOD path`."""
        return [call.body for call in self.server.calls if f"{call.method} {call.path}" == request]

    def write_statuses(self) -> list[int]:
        """Return the statuses of the calls that change something."""
        return [call.status for call in self.server.calls if call.method != "GET"]

    def operations(self) -> set[str]:
        """Return the contract's operations that were called."""
        calls = ((call.method, call.path.removeprefix(self.provider.prefix)) for call in self.server.calls)
        return {contract_document(self.provider.name).operation_of(*call) for call in calls} - {""}

    def breaches(self) -> list[str]:
        """Return what broke the contract; the answers of the test's own faults may, and no other answer."""
        assert isinstance(self.transport, ContractTransport)
        return [line for line in self.transport.breaches if not self._is_expected(line)]

    def _is_expected(self, breach: str) -> bool:
        if any(part in breach for part in self.expected_breaches):
            return True
        return breach.startswith("answer to") and any(
            fault.match in unquote(breach)
            and f": {fault.status} " in breach
            and (bool(fault.body) or fault.raw is not None or "ResponseNotFound" in breach)
            for fault in self.server.faults
        )


def person(phone: str) -> Person:
    return Person(f"+{phone}", f"+{phone}")


def people(*phones: str) -> list[Person]:
    return [person(phone) for phone in phones]


def outcomes(*results: PeopleResult | Created | Iterable[Verdict]) -> dict[str, Outcome]:
    """Return the outcomes by key without `+`; fails if a person has two verdicts."""
    return {key: outcome for key, (outcome, _) in outcomes_with_evidence(*results).items()}


def outcomes_with_evidence(
    *results: PeopleResult | Created | Iterable[Verdict],
) -> dict[str, tuple[Outcome, Evidence]]:
    """Return outcomes and evidence by key without `+`; fails if a person has two verdicts."""
    lists = [result.verdicts if isinstance(result, PeopleResult | Created) else result for result in results]
    verdicts = [verdict for verdicts in lists for verdict in verdicts]
    found = {verdict.key.removeprefix("+"): (verdict.outcome, verdict.evidence) for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found


async def items(pages: AsyncIterator[Item]) -> list[Item]:
    """Read a list to its end."""
    return [item async for item in pages]


@asynccontextmanager
async def open_provider(
    provider: ProviderCase[ServerT_co, AdapterT_co],
    *,
    token: str = TOKEN,
    account: str = "",
    variant: str = "",
    read_lag: float = 0.0,
    checked: bool = True,
    http_timeout: httpx.Timeout = LONG_TIMEOUT,
) -> AsyncIterator[Harness[ServerT_co, AdapterT_co]]:
    """Serve a group that has only `provider.members`, and open the adapter.

    Args:
        token: the adapter's token, which may be wrong.
        account: the adapter's account; empty for the right one.
        variant: one of `provider.variants`.
        read_lag: seconds until a change shows in reads.
        checked: whether every exchange is checked against the contract.
        http_timeout: the adapter's time-outs.
    """
    clock = Clock()
    world = World(clock=clock, read_lag=read_lag)
    world.put_group(provider.group, "Launch team", provider.members)
    server = provider.make_server(world)
    for attribute, value in (provider.variants[variant] if variant else {}).items():
        setattr(server, attribute, value)
    transport = (
        ContractTransport(provider.name, provider.prefix, provider.undescribed, provider.is_undocumented)
        if checked
        else httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES)
    )
    settings: dict[str, Any] = {"transport": transport, "timeout": http_timeout, "clock": clock}
    async with serve(server.app()) as url:
        adapter = provider.make_adapter(base_url=url, token=token, account=account or provider.account, **settings)
        try:
            yield Harness(provider, world, server, adapter, transport, url, clock)
        finally:
            await adapter.aclose()


@asynccontextmanager
async def open_with_people(
    provider: ProviderCase[ServerT_co, AdapterT_co],
    *,
    variant: str = "",
    read_lag: float = 0.0,
    checked: bool = True,
    http_timeout: httpx.Timeout = LONG_TIMEOUT,
) -> AsyncIterator[Harness[ServerT_co, AdapterT_co]]:
    """Open a provider whose group has the account, a member and an admin; people of every disposition are outside."""
    opened = open_provider(provider, variant=variant, read_lag=read_lag, checked=checked, http_timeout=http_timeout)
    async with opened as harness:
        for phone, disposition in DISPOSITIONS.items():
            harness.world.put_person(phone, disposition)
        inside = [phone for phone in (provider.own, MEMBER, ADMIN) if phone]
        group = harness.world.put_group(provider.group, "Launch team", inside, description="Rota")
        for phone in {provider.own, ADMIN} - {""}:
            group.members[phone].role = "admin"
        provider.prepare(harness.server)
        yield harness
