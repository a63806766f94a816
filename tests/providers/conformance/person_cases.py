"""What is tried at every provider: people in every state that a contract may document, and accounts that cannot act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.operations import OPERATIONS
from providers.base import Created, Operation, Outcome, PeopleResult
from tests.providers.harness import (
    ADMIN,
    BLOCKED,
    LEFT,
    MEMBER,
    NO_ACCOUNT,
    OPEN,
    PRIVATE,
    Harness,
    ProviderCase,
    people,
)


def _nothing(_: Harness) -> None:
    pass


def _full(harness: Harness) -> None:
    harness.group.capacity = len(harness.group.members)


def _asks_its_admins(harness: Harness) -> None:
    harness.group.joins_need_approval = True


@dataclass(frozen=True, slots=True)
class PersonCase:
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
    prepare: Callable[[Harness], None] = _nothing
    variant: str = ""

    def is_for(self, provider: ProviderCase) -> bool:
        """Return whether it can happen at a provider."""
        return OPERATIONS[self.operation].action in provider.abilities and self.variant in {"", *provider.variants}

    async def run(self, harness: Harness) -> PeopleResult | Created:
        """Do it."""
        if self.operation is Operation.CREATE:
            return await harness.adapter.create("New team", people(self.phone))
        result: PeopleResult = await getattr(harness.adapter, self.operation)(
            harness.provider.group, people(self.phone)
        )
        return result


PERSON_CASES: Mapping[str, PersonCase] = {
    "adding a person": PersonCase(Operation.ADD, OPEN, Outcome.ADDED),
    "adding a person without an account": PersonCase(Operation.ADD, NO_ACCOUNT),
    "adding a member": PersonCase(Operation.ADD, MEMBER, Outcome.ALREADY_DONE),
    "adding a person who declines": PersonCase(Operation.ADD, PRIVATE),
    "adding a person who is invited": PersonCase(Operation.ADD, PRIVATE, variant="invitations go out"),
    "adding a person who left lately": PersonCase(Operation.ADD, LEFT),
    "adding a person who blocked the account": PersonCase(Operation.ADD, BLOCKED),
    "adding to a full group": PersonCase(Operation.ADD, OPEN, prepare=_full),
    "adding to a group that asks its admins": PersonCase(Operation.ADD, OPEN, prepare=_asks_its_admins),
    "creating with a person": PersonCase(Operation.CREATE, OPEN),
    "creating with a person without an account": PersonCase(Operation.CREATE, NO_ACCOUNT),
    "removing a member": PersonCase(Operation.REMOVE, MEMBER, Outcome.REMOVED),
    "removing a person who is not a member": PersonCase(Operation.REMOVE, OPEN, Outcome.ALREADY_DONE),
    "promoting a member": PersonCase(Operation.PROMOTE, MEMBER, Outcome.PROMOTED),
    "promoting an admin": PersonCase(Operation.PROMOTE, ADMIN, Outcome.ALREADY_DONE),
    "promoting a person who is not a member": PersonCase(Operation.PROMOTE, OPEN, Outcome.FAILED),
    "demoting an admin": PersonCase(Operation.DEMOTE, ADMIN, Outcome.DEMOTED),
    "demoting a member": PersonCase(Operation.DEMOTE, MEMBER, Outcome.ALREADY_DONE),
    "demoting a person who is not a member": PersonCase(Operation.DEMOTE, OPEN, Outcome.ALREADY_DONE),
}


def wrong_token(harness: Harness) -> None:
    harness.server.token = "another"


def no_admin(harness: Harness) -> None:
    harness.group.account_is_admin = False


def disconnected(harness: Harness) -> None:
    harness.server.account_state = "disconnected"


def restricted(harness: Harness) -> None:
    harness.server.account_state = "restricted"


ACCOUNT_STATES: Mapping[str, Callable[[Harness], None]] = {
    "wrong token": wrong_token,
    "no admin": no_admin,
    "disconnected": disconnected,
    "restricted": restricted,
}
"""How an account may be unable to act."""
