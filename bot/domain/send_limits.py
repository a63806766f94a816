"""How fast a connection may send, and when it pauses."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The send limits of a connection.

    Attributes:
        batch: the maximum number of people in one call; the provider's own limit may be lower.
        gap: seconds between calls.
        jitter: the fraction of the gap by which it varies at random, from 0 to 1.
        per_day: the maximum number of people in a UTC day; None for no limit.
    """

    batch: int = 10
    gap: float = 5.0
    jitter: float = 0.3
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Cooldown:
    """A pause during which the account sends nothing: its end (aware) and its reason."""

    until: datetime
    reason: str
