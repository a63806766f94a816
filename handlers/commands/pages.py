"""Pages of a long list of which a person may see only a part."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
READ_SIZE = 100
"""Maximum entries of one read."""
MAX_READS = 50
"""Maximum reads for one page. If the person may see almost nothing, the page ends early."""


async def page_of(
    read: Callable[[T | None], Awaitable[Sequence[T]]],
    may_see: Callable[[T], bool],
    size: int,
    max_reads: int = MAX_READS,
) -> tuple[list[T], bool]:
    """Return the next entries that the person may see, and whether there may be more after them.

    Args:
        read: returns at most `READ_SIZE` entries after this one, or the first ones.
        may_see: whether the person may see an entry.
        size: the maximum entries of a page.
        max_reads: the maximum number of reads.
    """
    found: list[T] = []
    last: T | None = None
    for _ in range(max_reads):
        batch = await read(last)
        found += [entry for entry in batch if may_see(entry)]
        if len(found) > size or len(batch) < READ_SIZE:
            return found[:size], len(found) > size
        last = batch[-1]
    return found, False
