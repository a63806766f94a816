"""What an outcome means to people: its icon, its label, whether it is done, and what to do next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.requests import Request
from providers.base import Cause, Outcome


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """How an outcome is shown. `done` is True if the person is now in the desired state."""

    icon: str
    label: str
    done: bool = False
    advice: str = ""


OUTCOME_TEXTS: dict[Outcome, OutcomeText] = {
    Outcome.ADDED: OutcomeText("✅", "added", done=True),
    Outcome.REMOVED: OutcomeText("✅", "removed", done=True),
    Outcome.PROMOTED: OutcomeText("✅", "promoted", done=True),
    Outcome.DEMOTED: OutcomeText("✅", "demoted", done=True),
    Outcome.CHANGED: OutcomeText("✅", "changed", done=True),
    Outcome.SENT: OutcomeText("✅", "sent", done=True),
    Outcome.ALREADY_DONE: OutcomeText("☑️", "already so", done=True),
    Outcome.CONFIRMED: OutcomeText("✅", "as requested", done=True),
    Outcome.INVITED: OutcomeText("✉️", "invited", advice="waiting for them to accept"),
    Outcome.PENDING: OutcomeText("⏳", "pending", advice="waiting for a group admin"),
    Outcome.REFUSED: OutcomeText("🚫", "refused by privacy settings", advice="send an invite"),
    Outcome.NOT_ON_WHATSAPP: OutcomeText("❓", "not on WhatsApp", advice="check the number"),
    Outcome.INVALID: OutcomeText("❓", "not a valid number", advice="fix the number"),
    Outcome.RECENTLY_LEFT: OutcomeText("🚫", "left recently", advice="invite, with their consent"),
    Outcome.BLOCKED: OutcomeText("🚫", "blocked", advice="invite, with their consent"),
    Outcome.GROUP_FULL: OutcomeText("📦", "group is full", advice="use another group"),
    Outcome.RATE_LIMITED: OutcomeText("⚠️", "rate limited", advice="try again later"),
    Outcome.FAILED: OutcomeText("⚠️", "failed", advice="check the reason before you retry"),
    Outcome.NOT_ATTEMPTED: OutcomeText("⏸️", "not attempted", advice="press Resume to continue"),
    Outcome.UNKNOWN: OutcomeText("❔", "unknown", advice="check in WhatsApp before retrying"),
}


_REMEDIES = {
    Cause.CREDENTIALS: "set a valid token for the connection",
    Cause.PERMISSION: "give the connection's token or account this permission",
    Cause.NO_ADMIN: "make the connection's account a group admin",
    Cause.DISCONNECTED: "reconnect the WhatsApp account",
    Cause.RESTRICTED: "wait until the account is no longer restricted",
    Cause.NO_MEMBER: "they must be in the group first",
}
"""What must be fixed before a retry can succeed."""
_PERMANENT = {
    Cause.NO_GROUP: "check that the connection's account is still in the group",
    Cause.IMPOSSIBLE: "the provider doesn't support this",
    Cause.INVALID: "the same would fail again; change the request",
}
"""Why a retry can't succeed."""


def is_retryable(cause: Cause) -> bool:
    """Return whether a retry can succeed, perhaps after something was fixed."""
    return cause not in _PERMANENT


def advice(outcome: Outcome, cause: Cause = Cause.UNKNOWN) -> str:
    """Return what to do about a person with this outcome and cause.

    >>> advice(Outcome.FAILED, Cause.NO_ADMIN)
    "make the connection's account a group admin; then retry"
    """
    if outcome not in {Outcome.FAILED, Outcome.NOT_ATTEMPTED}:
        return OUTCOME_TEXTS[outcome].advice
    if cause in _PERMANENT:
        return _PERMANENT[cause]
    again = "retry" if outcome is Outcome.FAILED else "resume"
    if cause in _REMEDIES:
        return f"{_REMEDIES[cause]}; then {again}"
    return "try again" if cause is Cause.TRANSIENT and outcome is Outcome.FAILED else OUTCOME_TEXTS[outcome].advice


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcomes of a request, counted. `rejected` items are no people, `things` are about the group itself."""

    counts: tuple[tuple[Outcome, int], ...]
    total: int
    rejected: int = 0
    things: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None], *, rejected: int = 0, things: int = 0) -> "Tally":
        """Count outcomes, None for items without one yet. `rejected` and `things` of them aren't people."""
        counter = Counter(outcomes)
        counts = tuple((o, counter[o]) for o in Outcome if counter[o])
        return cls(counts, sum(counter.values()), rejected, things)

    @property
    def people(self) -> int:
        """The number of people."""
        return self.total - self.rejected - self.things

    @property
    def answered(self) -> int:
        """The number of items with an outcome."""
        return sum(count for _, count in self.counts)

    def count(self, outcome: Outcome) -> int:
        """Return the number of items with this outcome."""
        return dict(self.counts).get(outcome, 0)


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A request with the counts of its outcomes."""

    request: Request
    tally: Tally
