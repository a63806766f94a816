import pytest

from providers.base import Ability, Action, Capability
from tests.providers.conformance.kits import KITS
from tests.providers.conformance.papers import paper
from tests.providers.conformance.tasks import TASKS

ABILITIES = [(kit.name, action, ability) for kit in KITS.values() for action, ability in kit.abilities.items()]
IDS = [f"{name}-{action}" for name, action, _ in ABILITIES]

READS = frozenset(
    {
        Action.LIST_GROUPS,
        Action.READ_GROUP,
        Action.LIST_MEMBERS,
        Action.READ_INVITE,
        Action.CHECK_NUMBERS,
        Action.ACCOUNT,
        Action.LIMITS,
    }
)
SENDS = frozenset({Action.SEND_TO_GROUP, Action.SEND_TO_PERSON})
OWN_WORDS = {"groups:read", "groups:write", "send"}


@pytest.mark.parametrize(("name", "action", "ability"), ABILITIES, ids=IDS)
def test_an_ability_names_operations_of_the_contract_and_what_they_need(
    name: str, action: Action, ability: Ability
) -> None:
    assert action in {task.action for task in TASKS}
    assert ability.operations
    assert set(ability.operations) <= set(paper(name).operations())
    needed = [word for operation in ability.operations for word in paper(name).native(operation)]
    assert set(ability.native) == set(needed)
    assert len(set(ability.native)) == len(ability.native)


@pytest.mark.parametrize(("name", "action", "ability"), ABILITIES, ids=IDS)
def test_a_role_needs_what_the_provider_itself_asks_for(name: str, action: Action, ability: Ability) -> None:
    first = paper(name).native(ability.operations[0])
    usual = Capability.GROUPS_READ if action in READS else Capability.GROUPS_WRITE
    usual = Capability.SEND if action in SENDS else usual
    words = {"read": "groups:read", "messages:send": "send"}
    own = next((words.get(word, word) for word in first if words.get(word, word) in OWN_WORDS), usual.value)
    assert ability.capability == own


@pytest.mark.parametrize("name", KITS)
def test_the_notes_are_one_sentence(name: str) -> None:
    for ability in KITS[name].abilities.values():
        assert not ability.note or (ability.note.endswith(".") and "\n" not in ability.note)
        assert ability.max_batch >= 0


@pytest.mark.parametrize("name", KITS)
def test_a_picture_is_taken_in_one_form_that_is_told(name: str) -> None:
    told = {action for action, ability in KITS[name].abilities.items() if ability.picture}
    assert told == {Action.PICTURE} & KITS[name].abilities.keys()
