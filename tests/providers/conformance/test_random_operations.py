from dataclasses import dataclass
from functools import partial
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from providers.base import Action, Operation
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.contracts import HTML
from tests.providers.conformance.world_state import WorldSnapshot, false_verdicts
from tests.providers.harness import ADMIN, MEMBER, open_with_people, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES

CANDIDATES = tuple(f"141555503{n:02}" for n in range(14))
"""People of every disposition, most of them open."""

TWO_FORMS = {
    "5511987654321": "551187654321",
    "551176543210": "5511976543210",
    "525512345678": "5215512345678",
    "5215587654321": "525587654321",
    "541123456789": "5491123456789",
}
"""Numbers of Brazil, Mexico and Argentina, each with the form in which WhatsApp knows it, longer or shorter."""

LAG = 300.0
"""Seconds until a list shows a change, where lists lag."""


@dataclass(frozen=True, slots=True)
class RandomStep:
    """One operation of a series.

    Attributes:
        fault: the status, whether it comes after the effect, and how many calls go well before it.
        waits: whether the look back comes when the list has caught up.
    """

    operation: Operation
    phones: list[str]
    fault: tuple[int, bool, int] | None
    waits: bool


def known_as(phone: str) -> str:
    return TWO_FORMS.get(phone, phone)


RANDOM_STEPS = st.lists(
    st.builds(
        RandomStep,
        st.sampled_from([Operation.ADD, Operation.REMOVE, Operation.PROMOTE, Operation.DEMOTE]),
        st.lists(
            st.sampled_from([MEMBER, ADMIN, *CANDIDATES, *TWO_FORMS, *TWO_FORMS.values()]),
            min_size=1,
            max_size=12,
            unique_by=known_as,
        ),
        st.none() | st.tuples(st.sampled_from([500, 502, 429, -1]), st.booleans(), st.integers(0, 4)),
        st.booleans(),
    ),
    min_size=2,
    max_size=5,
)


@pytest.mark.parametrize("name", PROVIDER_CASES)
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    steps=RANDOM_STEPS,
    capacity=st.sampled_from([1024, 8]),
    asks_admins=st.booleans(),
    variant=st.integers(0, 9),
    lag=st.sampled_from([0.0, LAG]),
)
async def test_no_verdict_of_a_series_is_wrong(
    name: str, steps: list[RandomStep], capacity: int, asks_admins: bool, variant: int, lag: float
) -> None:
    provider = PROVIDER_CASES[name]
    variants = ["", *provider.variants]
    async with open_with_people(
        provider, variant=variants[variant % len(variants)], read_lag=lag, checked=False
    ) as harness:
        harness.group.capacity, harness.group.joins_need_approval = capacity, asks_admins
        for number, phone in enumerate(CANDIDATES):
            harness.world.put_person(phone, [*Disposition, *[Disposition.OPEN] * 5][number % 10])
        for form, phone in TWO_FORMS.items():
            harness.world.put_person(phone, Disposition.OPEN, also=form)
        for step in steps:
            if Action(step.operation) not in provider.abilities:
                continue
            harness.clock.advance(2 * LAG)  # a list that does not show the last turn yet would mislead the first look
            harness.server.faults = _faults(step)
            start = WorldSnapshot.of(harness.world)
            verdicts = await run_operation(
                harness.adapter,
                provider.group,
                step.operation,
                people(*step.phones),
                before_reading_back=partial(harness.clock.advance, 2 * LAG if step.waits else 0.0),
            )
            assert {v.key for v in verdicts} == {f"+{phone}" for phone in step.phones}
            assert false_verdicts(step.operation, provider.group, verdicts, harness.world, start) == []


def _faults(step: RandomStep) -> list[InjectedFault]:
    if step.fault is None:
        return []
    status, after, skip = step.fault
    when: Literal["before", "after"] = "after" if after and status != 429 else "before"
    return [InjectedFault(when=when, status=status, skip=skip, raw=HTML if status == 502 else None)]
