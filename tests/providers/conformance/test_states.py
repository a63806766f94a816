from collections.abc import Callable

import pytest

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    Action,
    CredentialsRejected,
    GroupNotFound,
    NotGroupAdmin,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
)
from tests.providers.conformance.kits import KITS, Desk, Kit, desk
from tests.providers.conformance.tasks import TASKS
from tests.providers.conformance.test_errors import told_by

Errors = tuple[type[ProviderError], ...]

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


def wrong_token(at: Desk) -> None:
    at.server.token = "another"


def no_admin(at: Desk) -> None:
    at.group.account_is_admin = False


def disconnected(at: Desk) -> None:
    at.server.account_state = "disconnected"


def restricted(at: Desk) -> None:
    at.server.account_state = "restricted"


STATES: dict[str, tuple[Callable[[Desk], None], Errors]] = {
    "wrong token": (wrong_token, (CredentialsRejected,)),
    "no admin": (no_admin, (NotGroupAdmin, PermissionMissing, OutcomeUnknown)),
    "disconnected": (disconnected, (AccountDisconnected, OutcomeUnknown)),
    "restricted": (restricted, (AccountRestricted, AccountDisconnected, OutcomeUnknown)),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
async def test_an_account_that_cannot_act_is_told_by_its_class(kit: Kit, state: str) -> None:
    bring_about, fitting = STATES[state]
    wrong = {}
    for task in (task for task in TASKS if task.action in kit.abilities):
        async with desk(kit, variant=kit.offered_in.get(task.action, "")) as at:
            bring_about(at)
            told = await told_by(task, at)
            untrue = told.untrue + [repr(error) for error in told.errors if not isinstance(error, fitting)]
            untrue += at.breaches()
            if state == "wrong token" and not told.errors and not told.enough:
                untrue.append("no error")
            if untrue:
                wrong[str(task)] = untrue
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


@pytest.mark.parametrize("kit", [kit for kit in KITS.values() if kit.own], ids=str)
async def test_an_account_that_is_not_connected_says_so(kit: Kit) -> None:
    async with desk(kit) as at:
        disconnected(at)
        assert (await at.adapter.account()).state is not AccountState.CONNECTED
