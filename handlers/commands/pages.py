"""Pages of a long list of which a person may see only a part."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
READ_SIZE = 100
"""How many are read at once."""
MAX_READS = 50
"""How often is read for one page at most: where nearly nothing may be seen, a page ends early."""


async def page_of(
    read: Callable[[T | None], Awaitable[Sequence[T]]],
    may_see: Callable[[T], bool],
    size: int,
    rounds: int = MAX_READS,
) -> tuple[list[T], bool]:
    """Give the next things that may be seen, and whether there may be more behind them.

    Args:
        read: gives at most `READ` things behind this one, or from the beginning.
        may_see: whether the person may see this one.
        size: how many make a page.
        rounds: how often is read at most.
    """
    found: list[T] = []
    last: T | None = None
    for _ in range(rounds):
        batch = await read(last)
        found += [thing for thing in batch if may_see(thing)]
        if len(found) > size or len(batch) < READ_SIZE:
            return found[:size], len(found) > size
        last = batch[-1]
    return found, False
