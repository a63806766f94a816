"""Reading a roster, against bare `phonenumbers.parse` over the same numbers already clean, in the same run."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

from bot.domain import roster

ENTRIES = 10_000
_REPEATS = 3
_FORMS = (
    "+1 212 555 {:04d}",
    "<tel:+1212555{0:04d}|+1 212 555 {0:04d}>",
    "001 (212) 555-{:04d}",
    "1212555{:04d}@s.whatsapp.net",
    "Ann <+1-212-555-{:04d}>",
)


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement: the best of its runs in seconds, and how many times as long as the peer it took."""

    name: str
    seconds: float
    ratio: float


def measure() -> list[str]:
    """Measure, and return one line for each result."""
    clean = [f"+1212555{number:04d}" for number in range(ENTRIES)]
    typed = "\n".join(_FORMS[number % len(_FORMS)].format(number) for number in range(ENTRIES))
    read = roster.parse(typed)
    assert [person.phone for person in read.people] == clean
    peer = _best(lambda: [phonenumbers.parse(number) for number in clean])
    own = _best(lambda: roster.parse(typed))
    results = [
        Result(f"phonenumbers.parse, {ENTRIES:,} clean numbers", peer, 1.0),
        Result(f"roster.parse, {ENTRIES:,} entries in five forms", own, own / peer),
    ]
    return [f"{r.name:<48} {r.seconds:6.3f} s  {r.ratio:5.2f}×" for r in results]


def main() -> None:
    print("\n".join(measure()))


def _best(work: Callable[[], object]) -> float:
    """Return the shortest of a few runs: other work on the machine only makes a run longer."""
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
