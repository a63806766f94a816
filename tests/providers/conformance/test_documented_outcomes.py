"""What a contract documents is told: an adapter that knows nothing does not keep to it."""

import pytest

from providers.base import Action, Evidence, MembershipStatus, Outcome, ProviderError, verdicts_for_error
from tests.contracts import quotes
from tests.providers.conformance.action_cases import ACTION_CASES, WEEK
from tests.providers.conformance.documented_outcomes import DOCUMENTED_OUTCOMES
from tests.providers.conformance.person_cases import ACCOUNT_STATES, PERSON_CASES
from tests.providers.harness import (
    ADMIN,
    ALL_PEOPLE,
    BLOCKED,
    LEFT,
    MEMBER,
    NO_ACCOUNT,
    OPEN,
    PRIVATE,
    ProviderCase,
    open_with_people,
    outcomes,
    people,
)
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES

DOCUMENTED = [
    (provider, name)
    for provider in PROVIDER_CASES.values()
    for name, person_case in PERSON_CASES.items()
    if person_case.is_for(provider)
]
READ_BACK = [(provider, name) for provider, name in DOCUMENTED if PERSON_CASES[name].read_back]
ALL = pytest.mark.parametrize("provider", PROVIDER_CASES.values(), ids=str)


def providers_with(action: Action) -> list[ProviderCase]:
    return [provider for provider in PROVIDER_CASES.values() if action in provider.abilities]


def ids_of(cases: list[tuple[ProviderCase, str]]) -> list[str]:
    return [f"{provider.name}-{person_case}" for provider, person_case in cases]


@ALL
def test_what_is_promised_stands_in_the_contract(provider: ProviderCase) -> None:
    documented = DOCUMENTED_OUTCOMES[provider.name]
    assert documented.account_problems.keys() == ACCOUNT_STATES.keys()
    assert [
        outcome_case.quote
        for outcome_case in documented.outcomes.values()
        if not quotes(provider.name, outcome_case.quote)
    ] == []
    assert [
        problem.quote for problem in documented.account_problems.values() if not quotes(provider.name, problem.quote)
    ] == []


@pytest.mark.parametrize(("provider", "name"), DOCUMENTED, ids=ids_of(DOCUMENTED))
async def test_what_an_answer_says_of_a_person_is_told_with_its_evidence(provider: ProviderCase, name: str) -> None:
    person_case, outcome_case = PERSON_CASES[name], DOCUMENTED_OUTCOMES[provider.name].outcomes[name]
    async with open_with_people(provider, variant=person_case.variant, checked=False) as harness:
        person_case.prepare(harness)
        try:
            (verdict,) = (await person_case.run(harness)).verdicts
        except ProviderError as error:
            (verdict,) = verdicts_for_error(error, people(person_case.phone))
    assert (verdict.outcome, verdict.evidence) == (outcome_case.outcome, outcome_case.evidence)


@ALL
async def test_people_added_in_one_call_have_the_outcomes_that_they_have_alone(provider: ProviderCase) -> None:
    documented = DOCUMENTED_OUTCOMES[provider.name].outcomes
    alone = {
        phone: documented[name].outcome
        for name, phone in {
            "adding a person": OPEN,
            "adding a person without an account": NO_ACCOUNT,
            "adding a member": MEMBER,
            "adding a person who declines": PRIVATE,
            "adding a person who left lately": LEFT,
            "adding a person who blocked the account": BLOCKED,
        }.items()
    }
    async with open_with_people(provider, checked=False) as harness:
        result = await harness.adapter.add(provider.group, people(*alone))
    assert (outcomes(result), result.error) == (alone, None)


@pytest.mark.parametrize(("provider", "name"), READ_BACK, ids=ids_of(READ_BACK))
async def test_what_an_answer_leaves_open_the_member_list_tells(provider: ProviderCase, name: str) -> None:
    person_case = PERSON_CASES[name]
    async with open_with_people(provider, checked=False) as harness:
        (verdict,) = await run_operation(
            harness.adapter, provider.group, person_case.operation, people(person_case.phone)
        )
    if harness.adapter.late_lists and person_case.phone == OPEN and "not a member" in name:
        # The list may be wrong, so the person is sent, and the provider's answer counts.
        assert verdict.outcome in {Outcome.CONFIRMED, Outcome.FAILED, Outcome.UNKNOWN}
    elif harness.adapter.late_lists and person_case.read_back is Outcome.ALREADY_DONE:
        assert verdict.outcome in {Outcome.CONFIRMED, Outcome.ALREADY_DONE}
        assert verdict.outcome is Outcome.CONFIRMED or verdict.evidence is Evidence.REPORTED
    else:
        assert verdict.outcome is person_case.read_back


@ALL
async def test_a_member_list_tells_how_everybody_stands(provider: ProviderCase) -> None:
    inside = {MEMBER: MembershipStatus.MEMBER, ADMIN: MembershipStatus.ADMIN}
    if not DOCUMENTED_OUTCOMES[provider.name].lists_roles:
        inside = dict.fromkeys(inside, MembershipStatus.PRESENT)
    async with open_with_people(provider, checked=False) as harness:
        statuses = await harness.adapter.membership(provider.group, people(*ALL_PEOPLE))
        listed = {member.phone: member.status async for member in harness.adapter.members(provider.group)}
    assert statuses == {f"+{phone}": inside.get(phone, MembershipStatus.ABSENT) for phone in ALL_PEOPLE}
    own = {provider.own: MembershipStatus.ADMIN} if provider.own else {}
    assert listed == {f"+{phone}": status for phone, status in (own | inside).items()}


@ALL
async def test_a_group_is_told_of_with_all_that_its_provider_says(provider: ProviderCase) -> None:
    async with open_with_people(provider, checked=False) as harness:
        harness.group.announce_only, harness.group.locked, harness.group.ephemeral = True, True, WEEK
        found = await harness.adapter.group(provider.group)
    truth = {"description": "Rota", "announce_only": True, "locked": True, "ephemeral": WEEK}
    truth["size"] = len(harness.group.members)
    known = {name: getattr(found, name) for name in truth if getattr(found, name) is not None}
    assert (found.subject, known) == (
        "Launch team",
        {name: truth[name] for name in DOCUMENTED_OUTCOMES[provider.name].group_fields},
    )


@pytest.mark.parametrize("provider", providers_with(Action.CHECK_NUMBERS), ids=str)
async def test_a_check_tells_of_every_number_whether_it_is_on_whatsapp(provider: ProviderCase) -> None:
    async with open_with_people(provider, checked=False) as harness:
        checks = await harness.adapter.check_numbers(people(*ALL_PEOPLE))
    assert {key: (check.on_whatsapp, check.phone) for key, check in checks.items()} == {
        f"+{phone}": (False, "") if phone == NO_ACCOUNT else (True, f"+{phone}") for phone in ALL_PEOPLE
    }


@pytest.mark.parametrize("provider", providers_with(Action.LIMITS), ids=str)
async def test_limits_say_how_much_there_is(provider: ProviderCase) -> None:
    async with open_with_people(provider, checked=False) as harness:
        assert [usage for usage in await harness.adapter.limits() if usage.limit] != []


@pytest.mark.parametrize("provider", providers_with(Action.CREATE), ids=str)
async def test_a_new_group_is_named_by_its_id(provider: ProviderCase) -> None:
    async with open_with_people(provider, checked=False) as harness:
        created = await harness.adapter.create("New team", people(OPEN))
    assert created.group is not None
    assert created.group.id in harness.world.groups.keys() - {provider.group}


@pytest.mark.parametrize("provider", providers_with(Action.JOIN), ids=str)
async def test_a_group_that_is_joined_is_named_by_its_id(provider: ProviderCase) -> None:
    (join,) = (case for case in ACTION_CASES if case.action is Action.JOIN)
    async with open_with_people(provider, checked=False) as harness:
        joined = await join.do(harness)
    assert joined.id == provider.other
