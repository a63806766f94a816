"""What the suite needs of each provider. A sixth provider is one more entry of `KITS`, and of `PROMISES`."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from providers import twochat, wacr, wagateway, wasend, wuts
from providers.base import Ability, Action, Person, Picture, Provider
from providers.capability_docs import PROVIDERS
from sandbox.http import serve
from sandbox.providers.server import ProviderServer, RecordedCall
from sandbox.providers.twochat import TwoChatServer
from sandbox.providers.wacr import WacrServer
from sandbox.providers.wagateway import WaGatewayServer
from sandbox.providers.wasend import WasendServer
from sandbox.providers.world import Disposition, SimGroup, World
from sandbox.providers.wuts import WutsServer
from tests.contracts import NO_CERTIFICATES, ContractTransport
from tests.providers.conformance.contract_documents import contract_document

MEMBER, ADMIN = "14155550101", "14155550102"
OPEN, PRIVATE, NO_ACCOUNT, LEFT, BLOCKED = (f"1415555020{n}" for n in range(5))
DISPOSITIONS = dict(zip((OPEN, PRIVATE, NO_ACCOUNT, LEFT, BLOCKED), Disposition, strict=True))
ALL_PEOPLE = (MEMBER, ADMIN, *DISPOSITIONS)

LONG_TIMEOUT = httpx.Timeout(10.0)
SHORT_TIMEOUT = httpx.Timeout(5.0, read=0.03)


@dataclass(frozen=True, slots=True)
class ProviderCase:
    """A provider, and where its simulator differs from the others'.

    Attributes:
        adapter: makes the adapter, as the registry does.
        server: makes the simulator.
        group: the id of a group, in the provider's form.
        other: the id of another.
        account: what the configuration gives.
        own: the account's own phone in digits, which is in every group; empty where an account is nobody.
        prefix: what the simulator's paths have before the contract's.
        unwritten: what the contract says that it leaves out: names of openapi-core's errors in an answer.
        variants: attributes of the simulator by the name of a variant; every variant is within the contract.
        prepare: puts into the simulator what a group and people of the world do not hold.
        picture: one that the provider takes.
        error_inside: bodies that come with 200 and say that it went wrong.
        silent_writes: the contract has it that any write may be answered by nothing.
        offered_in: the variant for an action that the simulator does not offer without one.
        left_open: operations and statuses of which the contract leaves open what was done.
    """

    name: str
    adapter: Callable[..., Provider]
    server: Callable[[World], ProviderServer]
    group: str
    other: str
    account: str = ""
    own: str = ""
    prefix: str = ""
    undocumented: tuple[str, ...] = ()
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
class Harness:
    """A provider under test: its world, its simulator over real HTTP, and the adapter that talks to it."""

    provider: ProviderCase
    world: World
    server: ProviderServer
    adapter: Provider
    transport: httpx.AsyncHTTPTransport
    time: list[float]

    @property
    def group(self) -> SimGroup:
        return self.world.groups[self.provider.group]

    def roles(self, group_id: str = "") -> dict[str, str]:
        """Give the roles in a group by phone, the account left out."""
        members = self.world.groups[group_id or self.provider.group].members
        return {phone: m.role for phone, m in members.items() if phone != self.provider.own}

    def pass_time(self, seconds: float) -> None:
        self.time[0] += seconds

    def calls(self) -> list[RecordedCall]:
        return self.server.calls

    def operations(self) -> set[str]:
        """Give the contract's operations that were called; what no contract describes is left out."""
        calls = ((call.method, call.path.removeprefix(self.provider.prefix)) for call in self.calls())
        return {contract_document(self.provider.name).operation_of(*call) for call in calls} - {""}

    def breaches(self) -> list[str]:
        """Give what broke the contract, without what the contract leaves out on purpose."""
        assert isinstance(self.transport, ContractTransport)
        return [line for line in self.transport.broken if not self._is_undocumented(line)]

    def _is_undocumented(self, line: str) -> bool:
        return line.startswith("answer") and any(name in line for name in self.provider.undocumented)


class _LenientTransport(ContractTransport):
    """Passes over calls that the contract names without describing them (x-related-operations of WA.cr)."""

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        if not request.url.path.endswith(("/sources", "/statuses")):
            super()._check(request, response)


def person(phone: str) -> Person:
    return Person(f"+{phone}", f"+{phone}")


def people(*phones: str) -> list[Person]:
    return [person(phone) for phone in phones]


@asynccontextmanager
async def open_provider(
    provider: ProviderCase,
    *,
    variant: str = "",
    read_lag: float = 0.0,
    checked: bool = True,
    http_timeout: httpx.Timeout = LONG_TIMEOUT,
) -> AsyncIterator[Harness]:
    """Serve a group of one member and one admin, and people of every disposition outside it; time stands still.

    Args:
        variant: one of `provider.variants`.
        read_lag: seconds until a change shows in reads.
        checked: whether every exchange is held to the contract.
        patience: the adapter's time-outs.
    """
    time = [1_000.0]
    world = World(clock=lambda: time[0], read_lag=read_lag)
    for phone, disposition in DISPOSITIONS.items():
        world.put_person(phone, disposition)
    inside = [phone for phone in (provider.own, MEMBER, ADMIN) if phone]
    group = world.put_group(provider.group, "Launch team", inside, description="Rota")
    for phone in {provider.own, ADMIN} - {""}:
        group.members[phone].role = "admin"
    server = provider.server(world)
    for attribute, value in provider.variants.get(variant, {}).items():
        setattr(server, attribute, value)
    provider.prepare(server)
    held, free = _LenientTransport, httpx.AsyncHTTPTransport
    transport = held(provider.name, provider.prefix) if checked else free(verify=NO_CERTIFICATES)
    async with serve(server.app()) as url:
        adapter = provider.adapter(
            base_url=url, token=server.token, account=provider.account, transport=transport, timeout=http_timeout
        )
        try:
            yield Harness(provider, world, server, adapter, transport, time)
        finally:
            await adapter.aclose()


def _wacr_contacts(server: WacrServer) -> None:
    """Give half of the people outside a contact, so that the others have to be made one."""
    for phone in (PRIVATE, LEFT):
        server.put_contact(f"+{phone}")


PROVIDER_CASES: Mapping[str, ProviderCase] = {
    provider.name: provider
    for provider in (
        ProviderCase(
            "wacr",
            wacr.make,
            lambda world: WacrServer(world, calls_per_minute=1_000_000),
            group="7",
            other="8",
            prefix="/api/v2",
            undocumented=("ResponseNotFound",),  # x-undocumented: the statuses that hold for all operations
            variants={
                "phones compared by digits": {"compares_digits": True},
                "searched by digits": {"searches_digits": True},
            },
            prepare=_wacr_contacts,
            errors_in_success=(
                '{"success": false, "message": "Something went wrong"}',
                '{"error": {"code": "INTERNAL_ERROR", "message": "An internal error occurred"}}',
                '{"success": false, "message": "Something went wrong", "data": []}',
                '{"error": "it failed", "data": {"id": 7, "group_id": [7], "contacts_added": 1}}',
            ),
            # x-undocumented: what a removal does with an id that is nobody's, and whether it is one transaction
            open_outcomes=frozenset({("removeContactsFromGroup", 404), ("removeContactsFromGroup", 422)}),
        ),
        ProviderCase(
            "wagateway",
            wagateway.make,
            WaGatewayServer,
            group="120363000000000001@g.us",
            other="120363000000000002@g.us",
            account="sess_1",
            own="6281234567890",
            variants={
                "two rows a page": {"rows_per_page": 2},
                "contacts nested": {"contact_shape": "nested"},
                "contacts without phone": {"contact_shape": "bare"},
                "members without phone": {"phoneless": {MEMBER}},
                "members without contact": {"unstored": {ADMIN}},
                "leavers listed": {"keeps_leavers": True},
            },
            errors_in_success=('{"error": {"code": "not_implemented", "message": "session is not connected"}}',),
            open_outcomes=frozenset({("addGroupMembers", 400)}),  # x-undocumented: the good ones beside a malformed one
        ),
        ProviderCase(
            "wasend",
            wasend.make,
            WasendServer,
            group="120363000000000001@g.us",
            other="120363000000000002@g.us",
            account="session-1",
            own="15550100001",
            undocumented=("ResponseNotFound", "MissingData"),  # x-errors: not-seen; the SDK's types say void
            variants={
                "sdk": {"variant": "sdk"},
                "ids with lid": {"result_ids": "lid"},
                "ids as asked": {"result_ids": "echo"},
                "member by lid": {"lid_only": {MEMBER}},
            },
            errors_in_success=('{"success": false, "error": "Session is not connected"}',),
            silent_writes=True,  # x-conflicts: the SDK's types say void for every write
            needs_variant={Action.DESCRIBE: "sdk"},
            # Read back after an answer that says nothing.
            open_outcomes=frozenset(
                (read, status) for read in ("getGroupInfo", "getGroup") for status in (401, 403, 429)
            ),
        ),
        ProviderCase(
            "wuts",
            wuts.make,
            WutsServer,
            group="120363041234567890@g.us",
            other="120363041234567891@g.us",
            own="5511900000001",
            variants={
                "members by lid": {"members_by": "lid"},
                "lids unresolved": {"members_by": "lid", "resolves_lids": False},
                "refused left out": {"lists_refused": False},
                "no count": {"counts_members": False},
                "codes in records": {"codes_in_records": True},
                "nested errors": {"error_shape": "nested"},
            },
            picture=Picture(jpeg=b"\xff\xd8\xff\xe0 a picture"),
            # Who could not be checked before.
            open_outcomes=frozenset({("checkContactsOnWhatsApp", 400), ("checkContactsOnWhatsApp", 403)}),
            errors_in_success=(
                '{"success": false, "error": "it failed", "error_code": "X", "timestamp": "2026-06-15T12:00:00Z"}',
                '{"success": false, "error": {"code": "device_error", "message": "it failed"}}',
                '{"error": "it failed"}',
            ),
        ),
        ProviderCase(
            "twochat",
            twochat.make,
            TwoChatServer,
            group="WAG45b0f301-9203-4660-8b57-b51a6c2742a5",
            other="WGP768beeef-2b96-4bc7-9b7f-045078568723",
            account="+595981048477",
            own="595981048477",
            variants={
                "unaccepted with entries": {"unaccepted_have_entries": True},
                "unaccepted in data": {"unaccepted_at": "data", "unaccepted_as": "objects"},
                "invitations go out": {"sends_invites": True},
                "member by lid": {"lid_only": {MEMBER}},
                "errors as detail": {"error_shape": "detail"},
                "roles as map": {"roles_answer": "map"},
                "roles as lists": {"roles_answer": "lists", "accepts_the_same_role": True},
            },
            errors_in_success=(
                '{"success": false, "error": true, "error_message": "The number is busy"}',
                '{"success": false, "message": "The number is busy"}',
            ),
            # x-undocumented: the status where some of several people fail
            open_outcomes=frozenset((name, 422) for name in ("addParticipants", "removeParticipants", "createGroup")),
        ),
    )
}
