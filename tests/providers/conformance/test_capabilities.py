import pytest

from providers.base import Ability, Action, ProviderCapability
from tests.contracts import contract_document
from tests.providers.conformance.action_cases import ACTION_CASES
from tests.providers.provider_cases import PROVIDER_CASES

ABILITIES = [
    (provider.name, action, ability)
    for provider in PROVIDER_CASES.values()
    for action, ability in provider.abilities.items()
]
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
    assert action in {case.action for case in ACTION_CASES}
    assert ability.operations
    assert set(ability.operations) <= set(contract_document(name).operations())
    needed = [word for operation in ability.operations for word in contract_document(name).native(operation)]
    assert set(ability.native) == set(needed)
    assert len(set(ability.native)) == len(ability.native)


@pytest.mark.parametrize(("name", "action", "ability"), ABILITIES, ids=IDS)
def test_a_role_needs_what_the_provider_itself_asks_for(name: str, action: Action, ability: Ability) -> None:
    first = contract_document(name).native(ability.operations[0])
    usual = ProviderCapability.GROUPS_READ if action in READS else ProviderCapability.GROUPS_WRITE
    usual = ProviderCapability.SEND if action in SENDS else usual
    text = {"read": "groups:read", "messages:send": "send"}
    own = next((text.get(word, word) for word in first if text.get(word, word) in OWN_WORDS), usual.value)
    assert ability.capability == own


@pytest.mark.parametrize("name", PROVIDER_CASES)
def test_the_notes_are_one_sentence(name: str) -> None:
    for ability in PROVIDER_CASES[name].abilities.values():
        assert not ability.note or (ability.note.endswith(".") and "\n" not in ability.note)
        assert ability.max_batch >= 0


@pytest.mark.parametrize("name", PROVIDER_CASES)
def test_a_picture_is_taken_in_one_form_that_is_told(name: str) -> None:
    told = {action for action, ability in PROVIDER_CASES[name].abilities.items() if ability.picture}
    assert told == {Action.PICTURE} & PROVIDER_CASES[name].abilities.keys()
