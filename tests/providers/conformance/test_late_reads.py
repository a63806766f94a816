from functools import partial

import pytest

from providers.base import Action, Operation
from tests.providers.conformance.kits import EVERYBODY, KITS, Kit, desk, people
from tests.providers.conformance.rounds import carry_out
from tests.providers.conformance.truth import Start, lies

LAG = 300.0
OPERATIONS = (Operation.ADD, Operation.REMOVE, Operation.PROMOTE, Operation.DEMOTE)
CASES = [(kit, operation) for kit in KITS.values() for operation in OPERATIONS if Action(operation) in kit.abilities]


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "when the list has caught up"])
@pytest.mark.parametrize(("kit", "operation"), CASES, ids=[f"{kit.name}-{operation}" for kit, operation in CASES])
async def test_a_list_that_lags_makes_a_verdict_unknown_and_never_wrong(
    kit: Kit, operation: Operation, waits: bool
) -> None:
    async with desk(kit, read_lag=LAG, checked=False) as at:
        start = Start.of(at.world)
        wait = partial(at.pass_time, 2 * LAG if waits else 0.0)
        verdicts = await carry_out(at.adapter, kit.group, operation, people(*EVERYBODY), before_reading_back=wait)
        assert len(verdicts) == len(EVERYBODY)
        assert lies(operation, kit.group, verdicts, at.world, start) == []
