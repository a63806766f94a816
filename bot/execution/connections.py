"""A line: one connection with its adapter and its sender, and how a request's people are sent over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.domain.operations import ACTIONS, DESIRED_STATES
from bot.domain.requests import Request, RequestItem
from bot.execution.throttle import Throttle
from providers.base import Action, MembershipStatus, Operation, Provider, ProviderError

_ONE_BY_ONE = frozenset({Operation.SEND, Operation.INVITE})
"""What the provider is asked for each person in a call of its own, so that a crash leaves one of them open."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connection needs to carry out requests.

    Attributes:
        provider: the adapter.
        sender: gives the turns.
        verify_after: the seconds to wait before each time that unknown people are looked for in the group.
    """

    provider: Provider
    throttle: Throttle
    verify_after: Sequence[float]

    def max_batch(self, operation: Operation) -> int:
        """Give how many people go into one chunk: as many as both the pace and the provider allow."""
        if operation in _ONE_BY_ONE:
            return 1
        ability = self.provider.abilities.get(ACTIONS.get(operation, Action.ADD))
        return min(self.throttle.limits.batch, (ability.max_batch if ability else 0) or self.throttle.limits.batch)

    def plan_batches(self, people: Sequence[RequestItem]) -> dict[int, int]:
        """Put people into chunks, each of one operation; the chunk's number by position. All settings are one."""
        chunks: dict[int, int] = {}
        number = -1
        for operation, group in groupby(people, lambda p: p.operation):
            size = len(people) if operation is Operation.SETTINGS else self.max_batch(operation)
            for place, p in enumerate(group):
                number += place % size == 0
                chunks[p.position] = number
        return chunks

    async def membership(self, request: Request, people: Sequence[RequestItem]) -> dict[int, MembershipStatus]:
        """Read by position how those stand in the group whom the operation is to make stand differently.

        Raises `ProviderError`.
        """
        looked = [p for p in people if p.operation in DESIRED_STATES]
        if not looked or not request.group_id:
            return {}
        standing = await self.provider.membership(request.group_id, [p.person for p in looked])
        return {p.position: standing.get(p.person.key, MembershipStatus.UNKNOWN) for p in looked}

    async def check_numbers(self, people: Sequence[RequestItem], chunks: Mapping[int, int]) -> None:
        """Let an adapter check all numbers together where it checks more in one call than a chunk holds.

        It remembers what it learns, so adding needs no check of its own for each chunk. Raises `ProviderError`.
        """
        joining = [p.person for p in people if p.operation in {Operation.ADD, Operation.CREATE}]
        check = self.provider.abilities.get(Action.CHECK_NUMBERS)
        if (
            not joining
            or check is None
            or check.max_batch <= self.max_batch(Operation.ADD)
            or len(set(chunks.values())) == 1
        ):
            return
        await self.provider.check_numbers(joining)

    async def cool_down(self, error: ProviderError) -> None:
        """Let the sender rest where an error demands it, as long as that says."""
        if error.cooldown:
            await self.throttle.cool_down(error.cooldown, error.message)
