import asyncio

import pytest

from sandbox.providers.server import InjectedFault
from tests.providers.harness import ALL_PEOPLE, open_with_people, people
from tests.providers.provider_cases import PROVIDER_CASES

PAIRS = list(zip(PROVIDER_CASES, [*list(PROVIDER_CASES)[1:], *list(PROVIDER_CASES)[:1]], strict=True))


@pytest.mark.parametrize(("hung", "other"), PAIRS, ids=[f"{hung}-and-{other}" for hung, other in PAIRS])
async def test_a_provider_that_hangs_holds_up_no_other(hung: str, other: str) -> None:
    async with (
        open_with_people(PROVIDER_CASES[hung], checked=False) as slow,
        open_with_people(PROVIDER_CASES[other], checked=False) as quick,
    ):
        slow.server.faults = [InjectedFault(status=0, times=-1)]
        waiting = asyncio.create_task(slow.adapter.add(slow.provider.group, people(*ALL_PEOPLE)))
        answer = await quick.adapter.membership(quick.provider.group, people(*ALL_PEOPLE))
        assert len(answer) == len(ALL_PEOPLE)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
