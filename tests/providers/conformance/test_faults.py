import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.providers.server import InjectedFault
from tests.contracts import HTML, contract_document
from tests.providers.conformance.action_cases import PROVIDER_ACTION_IDS, PROVIDER_ACTIONS, ActionCase
from tests.providers.conformance.call_steps import CallStep, call_steps
from tests.providers.conformance.world_state import WorldSnapshot
from tests.providers.harness import SHORT_TIMEOUT, ProviderCase, open_with_people

JSON = {"Content-Type": "application/json"}
FAULTS: dict[str, dict[str, InjectedFault]] = {
    "failing": {
        "500": InjectedFault(status=500),
        "502 with HTML": InjectedFault(status=502, raw=HTML),
        "503": InjectedFault(status=503, raw=b'{"message": "Service unavailable"}'),
    },
    "refusing": {
        "429 with Retry-After": InjectedFault(status=429, headers={"Retry-After": "7"}),
        "302": InjectedFault(status=302, raw=b"", headers={"Location": "https://example.com/login"}),
    },
    "saying nothing": {
        "204": InjectedFault(status=204, raw=b""),
        "200 without a body": InjectedFault(status=200, raw=b"", headers=JSON),
        "200 with null": InjectedFault(status=200, raw=b"null", headers=JSON),
        "200 with an empty object": InjectedFault(status=200, raw=b"{}"),
    },
    "babbling": {
        "200 with half a body": InjectedFault(status=200, raw=b'{"success": true, "data": [{"id', headers=JSON),
        "200 with HTML": InjectedFault(status=200, raw=HTML),
        "bytes that are no UTF-8": InjectedFault(status=200, raw=b'\xff\xfe{"\xe9": 1}', headers=JSON),
    },
    "gone": {
        "dropped": InjectedFault(status=-1),
        "hangs": InjectedFault(status=0),
    },
}
ONCE = frozenset({"hangs"})
"""Faults that strike once, for the time that each of them takes; a read is tried again."""

WITHOUT_EFFECT = frozenset({"429 with Retry-After"})
"""Faults that say so, and are believed: they are tried before the call takes effect, and not after."""

IN_HELPER_READS = frozenset({"500", "200 with HTML", "dropped"})
"""Faults that are tried in the reads that help a write; in a read that is asked for, all are."""


def faults_for(
    provider: ProviderCase, case: ActionCase, step: CallStep, name: str, fault: InjectedFault
) -> Iterator[InjectedFault]:
    """Return a fault for one call, before and after its effect.

    Before the effect of a write, an answer that the contract knows as its success would be a lie of the provider's.
    """
    if case.took_effect is not None and not step.writes and name not in IN_HELPER_READS:
        return
    fault = replace(fault, match=step.line, times=1 if name in ONCE else -1)
    success = fault.raw is not None and contract_document(provider.name).calls_success(
        step.operation, fault.status, fault.raw
    )
    success |= provider.silent_writes and fault.raw in {b"", b"{}", b"null"}
    if not (step.writes and success):
        yield fault
    if step.writes and name not in WITHOUT_EFFECT:
        yield replace(fault, when="after")


async def mistakes_under(provider: ProviderCase, case: ActionCase, fault: InjectedFault) -> list[str]:
    async with open_with_people(
        provider, variant=provider.needs_variant.get(case.action, ""), checked=False, http_timeout=SHORT_TIMEOUT
    ) as harness:
        harness.server.faults = [fault]
        return await case.run_and_find_mistakes(harness, WorldSnapshot.of(harness.world))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("provider", "case"), PROVIDER_ACTIONS, ids=PROVIDER_ACTION_IDS)
async def test_no_answer_contradicts_the_truth(provider: ProviderCase, case: ActionCase, kind: str) -> None:
    faults = {
        f"{step.operation}, {name}, {fault.when}": fault
        for step in await call_steps(provider, case)
        for name, prototype in FAULTS[kind].items()
        for fault in faults_for(provider, case, step, name, prototype)
    }
    found = await asyncio.gather(*(mistakes_under(provider, case, fault) for fault in faults.values()))
    assert {line: mistakes for line, mistakes in zip(faults, found, strict=True) if mistakes} == {}


ERRORS_INSIDE = [(provider, case, body) for provider, case in PROVIDER_ACTIONS for body in provider.errors_in_success]


@pytest.mark.parametrize(
    ("provider", "case", "body"),
    ERRORS_INSIDE,
    ids=[f"{provider.name}-{case}-{body[:24]}" for provider, case, body in ERRORS_INSIDE],
)
async def test_an_error_that_comes_with_200_is_no_success(provider: ProviderCase, case: ActionCase, body: str) -> None:
    for step in await call_steps(provider, case):
        mistakes = await mistakes_under(provider, case, InjectedFault(step.line, status=200, body=body, times=-1))
        assert (step.operation, mistakes) == (step.operation, [])
