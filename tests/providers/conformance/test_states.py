import pytest

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    Action,
    GroupNotFound,
    ProviderError,
)
from tests.providers.conformance.cases import STATES
from tests.providers.conformance.kits import KITS, Kit, desk
from tests.providers.conformance.promises import PROMISES
from tests.providers.conformance.tasks import TASKS
from tests.providers.conformance.test_errors import told_by

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


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
async def test_an_account_that_cannot_act_is_told_by_its_class(kit: Kit, state: str) -> None:
    stop, wrong = PROMISES[kit.name].stops[state], {}
    for task in (task for task in TASKS if task.action in kit.abilities):
        async with desk(kit, variant=kit.offered_in.get(task.action, "")) as at:
            STATES[state](at)
            told = await told_by(task, at)
            untrue = told.untrue + at.breaches()
        kinds = [] if task.action in stop.goes_on else [stop.kind]
        if told.account is not None:
            right = told.account is (OF_ACCOUNTS[kinds[0]] if kinds else AccountState.CONNECTED)
        else:
            right = [type(error) for error in told.errors] == kinds
        if untrue or not right:
            wrong[str(task)] = [*untrue, told]
    assert wrong == {}


@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
async def test_a_group_that_nobody_knows_is_not_found(kit: Kit) -> None:
    wrong = {}
    for task in (task for task in TASKS if task.action in kit.abilities and task.action not in OF_NO_GROUP):
        async with desk(kit, variant=kit.offered_in.get(task.action, "")) as at:
            del at.world.groups[kit.group]
            try:
                answer = await task.do(at)
            except GroupNotFound:
                continue
            except ProviderError as error:
                answer = error
            failed = [*getattr(answer, "failed", {}).values(), getattr(answer, "error", None)]
            if not any(isinstance(error, GroupNotFound) for error in failed):
                wrong[str(task)] = repr(answer)
    assert wrong == {}
