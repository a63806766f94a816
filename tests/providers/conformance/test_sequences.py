from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from providers.base import Action, Operation
from sandbox.providers.server import Fault
from sandbox.providers.world import Disposition
from tests.providers.conformance.kits import ADMIN, KITS, MEMBER, desk, people
from tests.providers.conformance.papers import HTML
from tests.providers.conformance.rounds import carry_out
from tests.providers.conformance.truth import Start, lies

CROWD = tuple(f"141555503{n:02}" for n in range(14))
"""People of every disposition, most of them open."""

Turn = tuple[Operation, list[str], tuple[int, bool, int] | None]
TURNS: st.SearchStrategy[list[Turn]] = st.lists(
    st.tuples(
        st.sampled_from([Operation.ADD, Operation.REMOVE, Operation.PROMOTE, Operation.DEMOTE]),
        st.lists(st.sampled_from([MEMBER, ADMIN, *CROWD]), min_size=1, max_size=12, unique=True),
        st.none() | st.tuples(st.sampled_from([500, 502, 429, -1]), st.booleans(), st.integers(0, 4)),
    ),
    min_size=2,
    max_size=5,
)


@pytest.mark.parametrize("name", KITS)
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(turns=TURNS, capacity=st.sampled_from([1024, 8]), asks_admins=st.booleans(), variant=st.integers(0, 9))
async def test_no_verdict_of_a_series_is_wrong(
    name: str, turns: list[Turn], capacity: int, asks_admins: bool, variant: int
) -> None:
    kit = KITS[name]
    variants = ["", *kit.variants]
    async with desk(kit, variant=variants[variant % len(variants)], checked=False) as at:
        at.group.capacity, at.group.joins_need_approval = capacity, asks_admins
        for number, phone in enumerate(CROWD):
            at.world.put_human(phone, [*Disposition, *[Disposition.OPEN] * 5][number % 10])
        for operation, phones, fault in turns:
            if Action(operation) not in kit.abilities:
                continue
            if fault is not None:
                status, after, skip = fault
                when: Literal["before", "after"] = "after" if after and status != 429 else "before"
                raw = HTML if status == 502 else None
                at.server.faults = [Fault(when=when, status=status, skip=skip, raw=raw)]
            start = Start.of(at.world)
            verdicts = await carry_out(at.adapter, kit.group, operation, people(*phones))
            at.server.faults = []
            assert {v.key for v in verdicts} == {f"+{phone}" for phone in phones}
            assert lies(operation, kit.group, verdicts, at.world, start) == []
