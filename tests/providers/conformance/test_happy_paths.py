import pytest

from providers.base import Action, NotSupported, Operation, Person
from tests.providers.conformance.kits import ADMIN, KITS, MEMBER, OPEN, Kit, desk
from tests.providers.conformance.rounds import carry_out
from tests.providers.conformance.tasks import TASKS, WANTED, Task, change_of, false_changes
from tests.providers.conformance.truth import Start, lies, misread

CAN = [(kit, task) for kit in KITS.values() for task in TASKS if task.action in kit.abilities]
CANNOT = [(kit, task) for kit in KITS.values() for task in TASKS if task.action not in kit.abilities]
IN_VARIANTS = [(kit, variant) for kit in KITS.values() for variant in kit.variants]


def named(cases: list[tuple[Kit, Task]]) -> list[str]:
    return [f"{kit.name}-{task}" for kit, task in cases]


@pytest.mark.parametrize(("kit", "task"), CAN, ids=named(CAN))
async def test_what_an_adapter_can_do_it_does_and_tells_truly(kit: Kit, task: Task) -> None:
    async with desk(kit, variant=kit.offered_in.get(task.action, "")) as at:
        start = Start.of(at.world)
        answer = await task.do(at)
        assert task.untrue(at, start, answer) == []
        assert task.took_effect is None or task.took_effect(at, start)
        assert task.action not in WANTED or answer.done == (task.action,)
        assert at.breaches() == []
        assert at.operations() <= set(kit.abilities[task.action].operations)


@pytest.mark.parametrize(("kit", "variant"), IN_VARIANTS, ids=[f"{kit.name}-{variant}" for kit, variant in IN_VARIANTS])
async def test_every_variant_of_a_contract_is_told_truly(kit: Kit, variant: str) -> None:
    for task in TASKS:
        if task.action not in kit.abilities:
            continue
        async with desk(kit, variant=variant) as at:
            assert (str(task), await task.lies(at, Start.of(at.world))) == (str(task), [])
            assert at.breaches() == []


@pytest.mark.parametrize(("kit", "task"), CANNOT, ids=named(CANNOT))
async def test_what_an_adapter_cannot_do_it_refuses_without_a_call(kit: Kit, task: Task) -> None:
    async with desk(kit, checked=False) as at:
        if task.action in WANTED and any(action in kit.abilities for action in WANTED):
            answer = await task.do(at)
            assert isinstance(answer.failed[task.action], NotSupported)
        else:
            with pytest.raises(NotSupported):
                await task.do(at)
        assert at.calls() == []


@pytest.mark.parametrize("kit", [kit for kit in KITS.values() if WANTED.keys() & kit.abilities.keys()], ids=str)
async def test_many_changes_at_once_are_each_done_or_failed_by_themselves(kit: Kit) -> None:
    async with desk(kit) as at:
        answer = await at.adapter.change(kit.group, change_of(at, *WANTED))
        assert sorted([*answer.done, *answer.failed]) == sorted(WANTED)
        assert false_changes(at, Start.of(at.world), answer) == []
        for action, error in answer.failed.items():
            assert isinstance(error, NotSupported) == (action not in kit.abilities)
            assert action not in kit.abilities or action in kit.offered_in
        assert at.breaches() == []


BY_LID = [
    (kit, operation, phone)
    for kit in KITS.values()
    for operation, phone in (
        (Operation.ADD, OPEN),
        (Operation.ADD, MEMBER),
        (Operation.REMOVE, MEMBER),
        (Operation.PROMOTE, MEMBER),
        (Operation.DEMOTE, ADMIN),
    )
    if Action(operation) in kit.abilities
]


@pytest.mark.parametrize(
    ("kit", "operation", "phone"), BY_LID, ids=[f"{kit.name}-{operation}-{phone}" for kit, operation, phone in BY_LID]
)
async def test_somebody_known_by_a_lid_alone_is_told_of_truly(kit: Kit, operation: Operation, phone: str) -> None:
    async with desk(kit) as at:
        lid = f"{at.world.human(phone).lid}@lid"
        start, somebody = Start.of(at.world), Person(lid, lid=lid)
        assert misread(at.world, kit.group, await at.adapter.membership(kit.group, [somebody])) == []
        verdicts = await carry_out(at.adapter, kit.group, operation, [somebody])
        assert lies(operation, kit.group, verdicts, at.world, start) == []
        assert at.breaches() == []
