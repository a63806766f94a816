import pytest

from providers.base import Action, GroupChange, Operation, Outcome, ProviderError, verdicts_for_error
from tests.providers.conformance.kits import ADMIN, KITS, MEMBER, NO_ACCOUNT, OPEN, Kit, desk, people
from tests.providers.conformance.rounds import carry_out
from tests.providers.conformance.truth import Start, lies

NOOPS = {
    "adding a member": (Operation.ADD, MEMBER),
    "adding an admin": (Operation.ADD, ADMIN),
    "removing somebody who is not a member": (Operation.REMOVE, OPEN),
    "removing somebody without an account": (Operation.REMOVE, NO_ACCOUNT),
    "promoting an admin": (Operation.PROMOTE, ADMIN),
    "promoting somebody who is not a member": (Operation.PROMOTE, OPEN),
    "demoting a member": (Operation.DEMOTE, MEMBER),
    "demoting somebody who is not a member": (Operation.DEMOTE, OPEN),
}
CASES = [
    (kit, name) for kit in KITS.values() for name, (operation, _) in NOOPS.items() if Action(operation) in kit.abilities
]
IDS = [f"{kit.name}-{name}" for kit, name in CASES]
CAN_RENAME = [kit for kit in KITS.values() if Action.RENAME in kit.abilities]


@pytest.mark.parametrize(("kit", "name"), CASES, ids=IDS)
async def test_what_changes_nothing_is_not_called_a_change(kit: Kit, name: str) -> None:
    operation, phone = NOOPS[name]
    async with desk(kit) as at:
        start, roles = Start.of(at.world), at.roles()
        try:
            verdicts = (await getattr(at.adapter, operation)(kit.group, people(phone))).verdicts
        except ProviderError as error:
            verdicts = verdicts_for_error(error, people(phone))
        assert [v.key for v in verdicts] == [f"+{phone}"]
        assert lies(operation, kit.group, verdicts, at.world, start) == []
        assert at.roles() == roles
        assert at.breaches() == []


@pytest.mark.parametrize(("kit", "name"), CASES, ids=IDS)
async def test_who_is_seen_to_be_as_wanted_is_not_sent(kit: Kit, name: str) -> None:
    operation, phone = NOOPS[name]
    async with desk(kit, checked=False) as at:
        start, roles = Start.of(at.world), at.roles()
        verdicts = await carry_out(at.adapter, kit.group, operation, people(phone))
        assert lies(operation, kit.group, verdicts, at.world, start) == []
        assert verdicts[0].outcome in {Outcome.ALREADY_DONE, Outcome.FAILED, Outcome.UNKNOWN, Outcome.INVALID}
        assert at.roles() == roles


@pytest.mark.parametrize("kit", CAN_RENAME, ids=str)
async def test_renaming_to_the_same_subject_changes_nothing(kit: Kit) -> None:
    async with desk(kit) as at:
        answer = await at.adapter.change(kit.group, GroupChange(subject=at.group.subject))
        assert {*answer.done, *answer.failed} == {Action.RENAME}
        assert at.group.subject == "Launch team"
        assert at.breaches() == []
