"""Which of its two published variants a server of Wasend speaks, remembered so that asking again costs nothing."""

from collections.abc import Callable
from enum import StrEnum

from providers.cache import DAY_SECONDS, TTLCache


class Variant(StrEnum):
    """The two sources of the contract, which disagree."""

    DOCS = "docs"
    SDK = "sdk"


class Point(StrEnum):
    """Where they disagree so that one call cannot suit both (x-conflicts)."""

    READ_GROUP = "read one group"
    REMOVE = "remove participants"
    PROMOTE = "promote"
    DEMOTE = "demote"
    JOIN = "join body"
    FLAGS = "both admin-only flags at once"


class Dialect:
    """What a server was found to speak, point by point, for a day: servers are upgraded.

    A point that is not known yet is tried as the last one that was learned, the documentation's way at the very first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._known = TTLCache[Variant](DAY_SECONDS, clock)
        self._latest = Variant.DOCS

    def order(self, point: Point) -> tuple[Variant, ...]:
        """Give the variants to try, the likelier first; only one where it is known."""
        known = self._known.get(point)
        if known is not None:
            return (known,)
        return (Variant.DOCS, Variant.SDK) if self._latest is Variant.DOCS else (Variant.SDK, Variant.DOCS)

    def knows(self, point: Point) -> bool:
        """Tell whether this point is known."""
        return self._known.get(point) is not None

    def learn(self, point: Point, variant: Variant) -> None:
        """Remember that the server took this variant."""
        self._known.set(point, variant)
        self._latest = variant
