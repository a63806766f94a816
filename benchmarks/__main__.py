"""Measures everything and prints the tables of `benchmarks/README.md`: `python -m benchmarks [NAME …]`."""

import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable

from benchmarks import acknowledgement, address_book, burst, people, roster


async def _roster() -> list[str]:
    return roster.measure()


BENCHMARKS: dict[str, tuple[str, Callable[[], Awaitable[list[str]]]]] = {
    "roster": ("Reading 10,000 entries", _roster),
    "address_book": ("Memory by the length of an address book", address_book.measure),
    "acknowledgement": ("Acknowledging /wa-add over signed HTTP", acknowledgement.measure),
    "burst": ("A burst of requests for one person each", burst.measure),
    "calls": ("1,000 people against a bare loop of the same calls", people.against_a_loop),
    "size": ("CPU and memory by the size of a request", people.by_size),
}


async def main(names: list[str]) -> None:
    """Run the benchmarks of these names, all when there are none."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform()}", flush=True)
    for name in names or BENCHMARKS:
        title, measure = BENCHMARKS[name]
        print(f"\n## {title}\n", flush=True)
        print("\n".join(await measure()), flush=True)


asyncio.run(main(sys.argv[1:]))
