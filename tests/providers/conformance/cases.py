"""What is tried at every provider: people in every state that a contract may document, and accounts that cannot act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.operations import ACTIONS
from providers.base import Created, Operation, Outcome, PeopleResult
from tests.providers.conformance.kits import (
    ADMIN,
    BLOCKED,
    LEFT,
    MEMBER,
    NO_ACCOUNT,
    OPEN,
    PRIVATE,
    Desk,
    Kit,
    people,
)


def _nothing(_: Desk) -> None:
    pass


def _full(at: Desk) -> None:
    at.group.capacity = len(at.group.members)


def _asks_its_admins(at: Desk) -> None:
    at.group.joins_need_approval = True


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is done to one person.

    Attributes:
        read_back: what everybody is told, whichever the provider, once the member list was read too; None where the
            list cannot tell.
        prepare: what is different about the group.
        variant: the simulator's, without which nothing of the kind happens; not every provider has it.
    """

    operation: Operation
    phone: str
    read_back: Outcome | None = None
    prepare: Callable[[Desk], None] = _nothing
    variant: str = ""

    def is_for(self, kit: Kit) -> bool:
        """Tell whether it can happen at a provider."""
        return ACTIONS[self.operation] in kit.abilities and self.variant in {"", *kit.variants}

    async def ask(self, at: Desk) -> PeopleResult | Created:
        """Do it."""
        if self.operation is Operation.CREATE:
            return await at.adapter.create("New team", people(self.phone))
        result: PeopleResult = await getattr(at.adapter, self.operation)(at.kit.group, people(self.phone))
        return result


CASES: Mapping[str, Case] = {
    "adding somebody": Case(Operation.ADD, OPEN, Outcome.ADDED),
    "adding somebody without an account": Case(Operation.ADD, NO_ACCOUNT),
    "adding a member": Case(Operation.ADD, MEMBER, Outcome.ALREADY_DONE),
    "adding somebody who declines": Case(Operation.ADD, PRIVATE),
    "adding somebody who is invited": Case(Operation.ADD, PRIVATE, variant="invitations go out"),
    "adding somebody who left lately": Case(Operation.ADD, LEFT),
    "adding somebody who blocked the account": Case(Operation.ADD, BLOCKED),
    "adding to a full group": Case(Operation.ADD, OPEN, prepare=_full),
    "adding to a group that asks its admins": Case(Operation.ADD, OPEN, prepare=_asks_its_admins),
    "creating with somebody": Case(Operation.CREATE, OPEN),
    "creating with somebody without an account": Case(Operation.CREATE, NO_ACCOUNT),
    "removing a member": Case(Operation.REMOVE, MEMBER, Outcome.REMOVED),
    "removing somebody who is not a member": Case(Operation.REMOVE, OPEN, Outcome.ALREADY_DONE),
    "promoting a member": Case(Operation.PROMOTE, MEMBER, Outcome.PROMOTED),
    "promoting an admin": Case(Operation.PROMOTE, ADMIN, Outcome.ALREADY_DONE),
    "promoting somebody who is not a member": Case(Operation.PROMOTE, OPEN, Outcome.FAILED),
    "demoting an admin": Case(Operation.DEMOTE, ADMIN, Outcome.DEMOTED),
    "demoting a member": Case(Operation.DEMOTE, MEMBER, Outcome.ALREADY_DONE),
    "demoting somebody who is not a member": Case(Operation.DEMOTE, OPEN, Outcome.ALREADY_DONE),
}


def wrong_token(at: Desk) -> None:
    at.server.token = "another"


def no_admin(at: Desk) -> None:
    at.group.account_is_admin = False


def disconnected(at: Desk) -> None:
    at.server.account_state = "disconnected"


def restricted(at: Desk) -> None:
    at.server.account_state = "restricted"


STATES: Mapping[str, Callable[[Desk], None]] = {
    "wrong token": wrong_token,
    "no admin": no_admin,
    "disconnected": disconnected,
    "restricted": restricted,
}
"""How an account may be unable to act."""
