import pytest

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    Action,
    GroupNotFound,
    ProviderError,
)
from tests.providers.conformance.action_cases import ACTION_CASES
from tests.providers.conformance.documented_outcomes import DOCUMENTED_OUTCOMES
from tests.providers.conformance.person_cases import ACCOUNT_STATES
from tests.providers.conformance.test_errors import report_of
from tests.providers.harness import ProviderCase, open_with_people
from tests.providers.provider_cases import PROVIDER_CASES

OF_NO_GROUP = frozenset(
    {
        Action.LIST_GROUPS,
        Action.CREATE,
        Action.JOIN,
        Action.CHECK_NUMBERS,
        Action.SEND_TO_PERSON,
        Action.ACCOUNT,
        Action.LIMITS,
        Action.CREATE_COMMUNITY,
    }
)


OF_ACCOUNTS = {AccountDisconnected: AccountState.DISCONNECTED, AccountRestricted: AccountState.RESTRICTED}
"""How an account that is asked after says what others are told by an error."""


@pytest.mark.parametrize("state", ACCOUNT_STATES)
@pytest.mark.parametrize("provider", PROVIDER_CASES.values(), ids=PROVIDER_CASES)
async def test_an_account_that_cannot_act_is_told_by_its_class(provider: ProviderCase, state: str) -> None:
    problem, wrong = DOCUMENTED_OUTCOMES[provider.name].account_problems[state], {}
    for case in (case for case in ACTION_CASES if case.action in provider.abilities):
        async with open_with_people(provider, variant=provider.needs_variant.get(case.action, "")) as harness:
            ACCOUNT_STATES[state](harness)
            report = await report_of(case, harness)
            mistakes = report.mistakes + harness.breaches()
        kinds = [] if case.action in problem.still_works else [problem.kind]
        if report.account is not None:
            right = report.account is (OF_ACCOUNTS[kinds[0]] if kinds else AccountState.CONNECTED)
        else:
            right = [type(error) for error in report.errors] == kinds
        if mistakes or not right:
            wrong[str(case)] = [*mistakes, report]
    assert wrong == {}


@pytest.mark.parametrize("provider", PROVIDER_CASES.values(), ids=PROVIDER_CASES)
async def test_a_group_that_nobody_knows_is_not_found(provider: ProviderCase) -> None:
    wrong = {}
    for case in (case for case in ACTION_CASES if case.action in provider.abilities and case.action not in OF_NO_GROUP):
        async with open_with_people(provider, variant=provider.needs_variant.get(case.action, "")) as harness:
            del harness.world.groups[provider.group]
            try:
                answer = await case.do(harness)
            except GroupNotFound:
                continue
            except ProviderError as error:
                answer = error
            failed = [*getattr(answer, "failed", {}).values(), getattr(answer, "error", None)]
            if not any(isinstance(error, GroupNotFound) for error in failed):
                wrong[str(case)] = repr(answer)
    assert wrong == {}
