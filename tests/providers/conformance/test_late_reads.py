from functools import partial

import pytest

from providers.base import Action, Operation
from tests.providers.conformance.world_state import WorldSnapshot, false_verdicts
from tests.providers.harness import ALL_PEOPLE, ProviderCase, open_with_people, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES

LAG = 300.0
OPERATIONS = (Operation.ADD, Operation.REMOVE, Operation.PROMOTE, Operation.DEMOTE)
CASES = [
    (provider, operation)
    for provider in PROVIDER_CASES.values()
    for operation in OPERATIONS
    if Action(operation) in provider.abilities
]


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "when the list has caught up"])
@pytest.mark.parametrize(
    ("provider", "operation"), CASES, ids=[f"{provider.name}-{operation}" for provider, operation in CASES]
)
async def test_a_list_that_lags_makes_a_verdict_unknown_and_never_wrong(
    provider: ProviderCase, operation: Operation, waits: bool
) -> None:
    async with open_with_people(provider, read_lag=LAG, checked=False) as harness:
        start = WorldSnapshot.of(harness.world)
        wait = partial(harness.clock.advance, 2 * LAG if waits else 0.0)
        verdicts = await run_operation(
            harness.adapter, provider.group, operation, people(*ALL_PEOPLE), before_reading_back=wait
        )
        assert len(verdicts) == len(ALL_PEOPLE)
        assert false_verdicts(operation, provider.group, verdicts, harness.world, start) == []
