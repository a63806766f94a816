import pytest

from providers.base import Action, GroupChange, Operation, Outcome, ProviderError, verdicts_for_error
from tests.providers.conformance.world_state import WorldSnapshot, false_verdicts
from tests.providers.harness import ADMIN, MEMBER, NO_ACCOUNT, OPEN, ProviderCase, open_with_people, people
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES

NOOPS = {
    "adding a member": (Operation.ADD, MEMBER),
    "adding an admin": (Operation.ADD, ADMIN),
    "removing a person who is not a member": (Operation.REMOVE, OPEN),
    "removing a person without an account": (Operation.REMOVE, NO_ACCOUNT),
    "promoting an admin": (Operation.PROMOTE, ADMIN),
    "promoting a person who is not a member": (Operation.PROMOTE, OPEN),
    "demoting a member": (Operation.DEMOTE, MEMBER),
    "demoting a person who is not a member": (Operation.DEMOTE, OPEN),
}
CASES = [
    (provider, name)
    for provider in PROVIDER_CASES.values()
    for name, (operation, _) in NOOPS.items()
    if Action(operation) in provider.abilities
]
IDS = [f"{provider.name}-{name}" for provider, name in CASES]
CAN_RENAME = [provider for provider in PROVIDER_CASES.values() if Action.RENAME in provider.abilities]


@pytest.mark.parametrize(("provider", "name"), CASES, ids=IDS)
async def test_what_changes_nothing_is_not_called_a_change(provider: ProviderCase, name: str) -> None:
    operation, phone = NOOPS[name]
    async with open_with_people(provider) as harness:
        start, roles = WorldSnapshot.of(harness.world), harness.roles()
        try:
            verdicts = (await getattr(harness.adapter, operation)(provider.group, people(phone))).verdicts
        except ProviderError as error:
            verdicts = verdicts_for_error(error, people(phone))
        assert [v.key for v in verdicts] == [f"+{phone}"]
        assert false_verdicts(operation, provider.group, verdicts, harness.world, start) == []
        assert harness.roles() == roles
        assert harness.breaches() == []


@pytest.mark.parametrize(("provider", "name"), CASES, ids=IDS)
async def test_who_is_seen_to_be_as_wanted_is_not_sent(provider: ProviderCase, name: str) -> None:
    operation, phone = NOOPS[name]
    async with open_with_people(provider, checked=False) as harness:
        start, roles = WorldSnapshot.of(harness.world), harness.roles()
        verdicts = await run_operation(harness.adapter, provider.group, operation, people(phone))
        assert false_verdicts(operation, provider.group, verdicts, harness.world, start) == []
        possible = {Outcome.ALREADY_DONE, Outcome.FAILED, Outcome.UNKNOWN, Outcome.INVALID}
        if harness.adapter.late_lists:
            possible |= {Outcome.CONFIRMED, Outcome.NOT_ON_WHATSAPP}  # the list may be wrong, so they are sent
        assert verdicts[0].outcome in possible
        assert harness.roles() == roles


@pytest.mark.parametrize("provider", CAN_RENAME, ids=str)
async def test_renaming_to_the_same_subject_changes_nothing(provider: ProviderCase) -> None:
    async with open_with_people(provider) as harness:
        answer = await harness.adapter.change(provider.group, GroupChange(subject=harness.group.subject))
        assert {*answer.done, *answer.failed} == {Action.RENAME}
        assert harness.group.subject == "Launch team"
        assert harness.breaches() == []
