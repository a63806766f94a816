import pytest

from providers.base import Action, NotSupported, Operation, Person
from tests.providers.conformance.action_cases import ACTION_CASES, NEW_SETTINGS, ActionCase, change_of, false_changes
from tests.providers.conformance.world_state import WorldSnapshot, false_statuses, false_verdicts
from tests.providers.harness import ADMIN, MEMBER, OPEN, ProviderCase, open_with_people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES

POSSIBLE = [
    (provider, case)
    for provider in PROVIDER_CASES.values()
    for case in ACTION_CASES
    if case.action in provider.abilities
]
NOT_POSSIBLE = [
    (provider, case)
    for provider in PROVIDER_CASES.values()
    for case in ACTION_CASES
    if case.action not in provider.abilities
]
IN_VARIANTS = [(provider, variant) for provider in PROVIDER_CASES.values() for variant in provider.variants]


def ids_of(cases: list[tuple[ProviderCase, ActionCase]]) -> list[str]:
    return [f"{provider.name}-{case}" for provider, case in cases]


@pytest.mark.parametrize(("provider", "case"), POSSIBLE, ids=ids_of(POSSIBLE))
async def test_what_an_adapter_can_do_it_does_and_tells_truly(provider: ProviderCase, case: ActionCase) -> None:
    async with open_with_people(provider, variant=provider.needs_variant.get(case.action, "")) as harness:
        start = WorldSnapshot.of(harness.world)
        answer = await case.do(harness)
        assert case.mistakes_in(harness, start, answer) == []
        assert case.took_effect is None or case.took_effect(harness, start)
        assert case.action not in NEW_SETTINGS or answer.done == (case.action,)
        assert harness.breaches() == []
        assert harness.operations() <= set(provider.abilities[case.action].operations)


@pytest.mark.parametrize(
    ("provider", "variant"), IN_VARIANTS, ids=[f"{provider.name}-{variant}" for provider, variant in IN_VARIANTS]
)
async def test_every_variant_of_a_contract_is_told_truly(provider: ProviderCase, variant: str) -> None:
    for case in ACTION_CASES:
        if case.action not in provider.abilities:
            continue
        async with open_with_people(provider, variant=variant) as harness:
            assert (str(case), await case.run_and_find_mistakes(harness, WorldSnapshot.of(harness.world))) == (
                str(case),
                [],
            )
            assert harness.breaches() == []


@pytest.mark.parametrize(("provider", "case"), NOT_POSSIBLE, ids=ids_of(NOT_POSSIBLE))
async def test_what_an_adapter_cannot_do_it_refuses_without_a_call(provider: ProviderCase, case: ActionCase) -> None:
    async with open_with_people(provider, checked=False) as harness:
        if case.action in NEW_SETTINGS and any(action in provider.abilities for action in NEW_SETTINGS):
            answer = await case.do(harness)
            assert isinstance(answer.failed[case.action], NotSupported)
        else:
            with pytest.raises(NotSupported):
                await case.do(harness)
        assert harness.server.calls == []


@pytest.mark.parametrize(
    "provider",
    [provider for provider in PROVIDER_CASES.values() if NEW_SETTINGS.keys() & provider.abilities.keys()],
    ids=str,
)
async def test_many_changes_at_once_are_each_done_or_failed_by_themselves(provider: ProviderCase) -> None:
    async with open_with_people(provider) as harness:
        answer = await harness.adapter.change(provider.group, change_of(harness, *NEW_SETTINGS))
        assert sorted([*answer.done, *answer.failed]) == sorted(NEW_SETTINGS)
        assert false_changes(harness, WorldSnapshot.of(harness.world), answer) == []
        for action, error in answer.failed.items():
            assert isinstance(error, NotSupported) == (action not in provider.abilities)
            assert action not in provider.abilities or action in provider.needs_variant
        assert harness.breaches() == []


BY_LID = [
    (provider, operation, phone)
    for provider in PROVIDER_CASES.values()
    for operation, phone in (
        (Operation.ADD, OPEN),
        (Operation.ADD, MEMBER),
        (Operation.REMOVE, MEMBER),
        (Operation.PROMOTE, MEMBER),
        (Operation.DEMOTE, ADMIN),
    )
    if Action(operation) in provider.abilities
]


@pytest.mark.parametrize(
    ("provider", "operation", "phone"),
    BY_LID,
    ids=[f"{provider.name}-{operation}-{phone}" for provider, operation, phone in BY_LID],
)
async def test_somebody_known_by_a_lid_alone_is_told_of_truly(
    provider: ProviderCase, operation: Operation, phone: str
) -> None:
    async with open_with_people(provider) as harness:
        lid = f"{harness.world.person(phone).lid}@lid"
        start, person = WorldSnapshot.of(harness.world), Person(lid, lid=lid)
        assert (
            false_statuses(harness.world, provider.group, await harness.adapter.membership(provider.group, [person]))
            == []
        )
        verdicts = await run_operation(harness.adapter, provider.group, operation, [person])
        assert false_verdicts(operation, provider.group, verdicts, harness.world, start) == []
        assert harness.breaches() == []
