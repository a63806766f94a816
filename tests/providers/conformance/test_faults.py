import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.providers.server import Fault
from tests.providers.conformance.footprints import Step, footprint
from tests.providers.conformance.kits import HASTY, Kit, desk
from tests.providers.conformance.papers import HTML, paper
from tests.providers.conformance.tasks import CASES, IDS, Task
from tests.providers.conformance.truth import Start

JSON = {"Content-Type": "application/json"}
FAULTS: dict[str, dict[str, Fault]] = {
    "failing": {
        "500": Fault(status=500),
        "502 with HTML": Fault(status=502, raw=HTML),
        "503": Fault(status=503, raw=b'{"message": "Service unavailable"}'),
    },
    "refusing": {
        "429 with Retry-After": Fault(status=429, headers={"Retry-After": "7"}),
        "302": Fault(status=302, raw=b"", headers={"Location": "https://example.com/login"}),
    },
    "saying nothing": {
        "204": Fault(status=204, raw=b""),
        "200 without a body": Fault(status=200, raw=b"", headers=JSON),
        "200 with null": Fault(status=200, raw=b"null", headers=JSON),
        "200 with an empty object": Fault(status=200, raw=b"{}"),
    },
    "babbling": {
        "200 with half a body": Fault(status=200, raw=b'{"success": true, "data": [{"id', headers=JSON),
        "200 with HTML": Fault(status=200, raw=HTML),
        "bytes that are no UTF-8": Fault(status=200, raw=b'\xff\xfe{"\xe9": 1}', headers=JSON),
    },
    "gone": {
        "dropped": Fault(status=-1),
        "hangs": Fault(status=0),
    },
}
ONCE = frozenset({"hangs"})
"""Faults that strike once, for the time that each of them takes; a read is tried again."""

NOTHING_WAS_DONE = frozenset({"429 with Retry-After"})
"""Faults that say so, and are believed: they are tried before the call takes effect, and not after."""

OF_HELPERS = frozenset({"500", "200 with HTML", "dropped"})
"""Faults that are tried in the reads that help a write; in a read that is asked for, all are."""


def strikes(kit: Kit, task: Task, step: Step, name: str, fault: Fault) -> Iterator[Fault]:
    """Give a fault for one call, before and after its effect.

    Before the effect of a write, an answer that the contract knows as its success would be a lie of the provider's.
    """
    if task.took_effect is not None and not step.writes and name not in OF_HELPERS:
        return
    fault = replace(fault, match=step.line, times=1 if name in ONCE else -1)
    success = fault.raw is not None and paper(kit.name).calls_success(step.operation, fault.status, fault.raw)
    success |= kit.silent_writes and fault.raw in {b"", b"{}", b"null"}
    if not (step.writes and success):
        yield fault
    if step.writes and name not in NOTHING_WAS_DONE:
        yield replace(fault, when="after")


async def lies_under(kit: Kit, task: Task, fault: Fault) -> list[str]:
    async with desk(kit, variant=kit.offered_in.get(task.action, ""), checked=False, patience=HASTY) as at:
        at.server.faults = [fault]
        return await task.lies(at, Start.of(at.world))


@pytest.mark.parametrize("family", FAULTS)
@pytest.mark.parametrize(("kit", "task"), CASES, ids=IDS)
async def test_no_answer_contradicts_the_truth(kit: Kit, task: Task, family: str) -> None:
    struck = {
        f"{step.operation}, {name}, {fault.when}": fault
        for step in await footprint(kit, task)
        for name, prototype in FAULTS[family].items()
        for fault in strikes(kit, task, step, name, prototype)
    }
    told = await asyncio.gather(*(lies_under(kit, task, fault) for fault in struck.values()))
    assert {line: lies for line, lies in zip(struck, told, strict=True) if lies} == {}


ERRORS_INSIDE = [(kit, task, body) for kit, task in CASES for body in kit.error_inside]


@pytest.mark.parametrize(
    ("kit", "task", "body"), ERRORS_INSIDE, ids=[f"{kit.name}-{task}-{body[:24]}" for kit, task, body in ERRORS_INSIDE]
)
async def test_an_error_that_comes_with_200_is_no_success(kit: Kit, task: Task, body: str) -> None:
    for step in await footprint(kit, task):
        lies = await lies_under(kit, task, Fault(step.line, status=200, body=body, times=-1))
        assert (step.operation, lies) == (step.operation, [])
