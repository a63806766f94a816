"""The published variant of the Wasend API that a server has, remembered for each endpoint."""

from collections.abc import Callable
from enum import StrEnum

from providers.cache import DAY_SECONDS, TTLCache


class ApiVariant(StrEnum):
    """The two sources of the contract, which disagree."""

    DOCS = "docs"
    SDK = "sdk"


class Endpoint(StrEnum):
    """An endpoint on which they disagree, so that no call suits both (x-conflicts)."""

    READ_GROUP = "read one group"
    REMOVE = "remove participants"
    PROMOTE = "promote"
    DEMOTE = "demote"
    JOIN = "join body"
    FLAGS = "both admin-only flags together"


class KnownVariants:
    """The variant of each endpoint that a server has. Remembered for a day, because servers are upgraded.

    An unknown endpoint is tried in the variant that was learned last, at first in the documentation's.

    Args:
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._known = TTLCache[ApiVariant](DAY_SECONDS, clock)
        self._latest = ApiVariant.DOCS

    def order(self, endpoint: Endpoint) -> tuple[ApiVariant, ...]:
        """Return the variants to try, the likelier first; only one if the endpoint is known."""
        known = self._known.get(endpoint)
        if known is not None:
            return (known,)
        return (
            (ApiVariant.DOCS, ApiVariant.SDK) if self._latest is ApiVariant.DOCS else (ApiVariant.SDK, ApiVariant.DOCS)
        )

    def is_known(self, endpoint: Endpoint) -> bool:
        """Return whether the variant of this endpoint is known."""
        return self._known.get(endpoint) is not None

    def learn(self, endpoint: Endpoint, variant: ApiVariant) -> None:
        """Record that the server accepted this variant."""
        self._known.set(endpoint, variant)
        self._latest = variant
