import asyncio

import pytest

from sandbox.providers.server import Fault
from tests.providers.conformance.kits import EVERYBODY, KITS, desk, people

PAIRS = list(zip(KITS, [*list(KITS)[1:], *list(KITS)[:1]], strict=True))


@pytest.mark.parametrize(("hung", "other"), PAIRS, ids=[f"{hung}-and-{other}" for hung, other in PAIRS])
async def test_a_provider_that_hangs_holds_up_no_other(hung: str, other: str) -> None:
    async with desk(KITS[hung], checked=False) as slow, desk(KITS[other], checked=False) as quick:
        slow.server.faults = [Fault(status=0, times=-1)]
        waiting = asyncio.create_task(slow.adapter.add(slow.kit.group, people(*EVERYBODY)))
        answer = await quick.adapter.membership(quick.kit.group, people(*EVERYBODY))
        assert len(answer) == len(EVERYBODY)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
