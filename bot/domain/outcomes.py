"""What an outcome means to people: its icon, its words, whether it is done, and what to do next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from providers.base import Evidence, Outcome, Presence, Verdict


@dataclass(frozen=True, slots=True)
class Meaning:
    """How an outcome is shown. `done` is True where the person now is as the request wanted."""

    icon: str
    words: str
    done: bool = False
    advice: str = ""


MEANINGS: dict[Outcome, Meaning] = {
    Outcome.ADDED: Meaning("✅", "added", done=True),
    Outcome.REMOVED: Meaning("✅", "removed", done=True),
    Outcome.PROMOTED: Meaning("✅", "promoted", done=True),
    Outcome.DEMOTED: Meaning("✅", "demoted", done=True),
    Outcome.ALREADY_DONE: Meaning("☑️", "already in the group", done=True),
    Outcome.INVITED: Meaning("✉️", "invited", advice="waits for the person to accept the private invite"),
    Outcome.PENDING: Meaning("⏳", "pending", advice="waits for an admin of the group"),
    Outcome.REFUSED: Meaning("🚫", "refused by privacy settings", advice="send an invite"),
    Outcome.NOT_ON_WHATSAPP: Meaning("❓", "not on WhatsApp", advice="check the number"),
    Outcome.INVALID: Meaning("❓", "not a valid number", advice="fix the number"),
    Outcome.RECENTLY_LEFT: Meaning("🚫", "left recently", advice="invite, with their consent"),
    Outcome.BLOCKED: Meaning("🚫", "blocked", advice="invite, with their consent"),
    Outcome.GROUP_FULL: Meaning("📦", "group is full", advice="use another group"),
    Outcome.RATE_LIMITED: Meaning("⚠️", "rate limited", advice="try again later"),
    Outcome.FAILED: Meaning("⚠️", "failed", advice="try again"),
    Outcome.NOT_ATTEMPTED: Meaning("⏸️", "not attempted", advice="try again"),
    Outcome.UNKNOWN: Meaning("❔", "unknown", advice="look in the group before trying again"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries of a request have which outcome. `open` have none yet; `rejected` name nobody."""

    counts: tuple[tuple[Outcome, int], ...]
    total: int
    rejected: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None], *, rejected: int = 0) -> "Tally":
        """Count `outcomes`, None for a person who has none yet; `rejected` of them are entries that name nobody."""
        counter = Counter(outcomes)
        return cls(tuple((o, counter[o]) for o in Outcome if counter[o]), sum(counter.values()), rejected)

    @property
    def people(self) -> int:
        """How many entries name a person, whom the request is about."""
        return self.total - self.rejected

    @property
    def answered(self) -> int:
        """How many have an outcome."""
        return sum(count for _, count in self.counts)

    @property
    def open(self) -> int:
        """How many still wait for theirs."""
        return self.total - self.answered

    def count(self, outcome: Outcome) -> int:
        """How many have this outcome."""
        return dict(self.counts).get(outcome, 0)


def read_back(key: str, before: Presence, now: Presence) -> Verdict | None:
    """Judge a person who was submitted and about whom the provider said nothing, from the group before and now.

    Someone who is in the group now, and of whom nobody knows whether they were before, counts as already done: to
    call them added would be better than the evidence. None where reading back cannot tell.
    """
    if now is not Presence.PRESENT:
        return None
    if before is Presence.ABSENT:
        return Verdict(key, Outcome.ADDED, Evidence.OBSERVED)
    return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)


_OF_THE_CALL = frozenset({Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.GROUP_FULL, Outcome.NOT_ATTEMPTED})
"""Outcomes that a failed call gives to everybody in it."""


def settle(verdict: Verdict, *, before: Presence, submissions: int, call_failed: bool) -> Verdict:
    """Correct a verdict by what is known from before it was asked for.

    A repeated submission that finds the person already in, though they were not before the first, confirms that
    the first one added them. A repeated submission that fails as a whole says nothing about what the first one did.
    """
    if submissions <= 1:
        return verdict
    if verdict.outcome is Outcome.ALREADY_DONE and before is Presence.ABSENT:
        return replace(verdict, outcome=Outcome.ADDED)
    if call_failed and verdict.outcome in _OF_THE_CALL:
        return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE)
    return verdict


def left_over(key: str, submissions: int, words: str, code: str = "") -> Verdict:
    """Judge a person whom no call has answered: not attempted, or unknown where they were sent all the same."""
    outcome = Outcome.UNKNOWN if submissions else Outcome.NOT_ATTEMPTED
    return Verdict(key, outcome, provider_code=code, provider_message=words)
