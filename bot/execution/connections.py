"""A connection: its adapter and its throttle, and how a request's people are divided into batches for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.domain.operations import OPERATIONS
from bot.domain.requests import RequestItem
from bot.execution.throttle import Throttle
from providers.base import Action, Operation, Provider, ProviderError

EXPECTED_CALL_SECONDS = 1.0
"""The assumed duration of a call."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An account at a provider.

    Attributes:
        provider: the adapter.
        throttle: paces the calls.
        verify_after: the seconds to wait before each time that unknown people are looked up in the group.
    """

    provider: Provider
    throttle: Throttle
    verify_after: Sequence[float]

    def max_batch(self, operation: Operation) -> int:
        """Return the maximum batch size: the lower of the configured one and the provider's."""
        spec = OPERATIONS[operation]
        if spec.one_by_one:
            return 1
        ability = self.provider.abilities.get(spec.action)
        return min(self.throttle.limits.batch, (ability.max_batch if ability else 0) or self.throttle.limits.batch)

    def seconds_for(self, calls: int, *, wait: bool = False) -> float:
        """Return the estimated duration of a number of calls; `wait` if another one has just been made."""
        gaps = calls if wait else max(0, calls - 1)
        return gaps * self.throttle.limits.gap + calls * EXPECTED_CALL_SECONDS

    def plan_batches(self, people: Sequence[RequestItem]) -> dict[int, int]:
        """Return the batch number of each person, by position.

        A batch has one operation.
        """
        batches: dict[int, int] = {}
        number = -1
        for operation, group in groupby(people, lambda p: p.operation):
            size = len(people) if OPERATIONS[operation].one_batch else self.max_batch(operation)
            for index, p in enumerate(group):
                number += index % size == 0
                batches[p.position] = number
        return batches

    async def check_numbers(self, people: Sequence[RequestItem], batches: Mapping[int, int]) -> None:
        """Check all numbers in one call, if the adapter checks more in one call than a batch has.

        The adapter remembers the answers, so adding needs no check for each batch. Raises `ProviderError`.
        """
        joining = [p.person for p in people if OPERATIONS[p.operation].joins]
        check = self.provider.abilities.get(Action.CHECK_NUMBERS)
        if (
            not joining
            or check is None
            or check.max_batch <= self.max_batch(Operation.ADD)
            or len(set(batches.values())) == 1
        ):
            return
        await self.provider.check_numbers(joining)

    async def cool_down(self, error: ProviderError) -> None:
        """Pause the account for as long as an error demands."""
        if error.cooldown:
            await self.throttle.cool_down(error.cooldown, error.message)
