"""What an outcome means to people: its icon, its words, whether it is done, and what to do next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.requests import Request
from providers.base import Cause, Outcome


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """How an outcome is shown. `done` is True where the person now is as the request wanted."""

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
    Outcome.INVITED: OutcomeText("✉️", "invited", advice="waits for the person to accept the private invite"),
    Outcome.PENDING: OutcomeText("⏳", "pending", advice="waits for an admin of the group"),
    Outcome.REFUSED: OutcomeText("🚫", "refused by privacy settings", advice="send an invite"),
    Outcome.NOT_ON_WHATSAPP: OutcomeText("❓", "not on WhatsApp", advice="check the number"),
    Outcome.INVALID: OutcomeText("❓", "not a valid number", advice="fix the number"),
    Outcome.RECENTLY_LEFT: OutcomeText("🚫", "left recently", advice="invite, with their consent"),
    Outcome.BLOCKED: OutcomeText("🚫", "blocked", advice="invite, with their consent"),
    Outcome.GROUP_FULL: OutcomeText("📦", "group is full", advice="use another group"),
    Outcome.RATE_LIMITED: OutcomeText("⚠️", "rate limited", advice="try again later"),
    Outcome.FAILED: OutcomeText("⚠️", "failed", advice="the reason stands beside each of them in the results"),
    Outcome.NOT_ATTEMPTED: OutcomeText("⏸️", "not attempted", advice="resume asks for the rest"),
    Outcome.UNKNOWN: OutcomeText("❔", "unknown", advice="look in the group before trying again"),
}


_REMEDIES = {
    Cause.CREDENTIALS: "the connection needs a token that its provider takes",
    Cause.PERMISSION: "the connection's token or account needs the right to do this",
    Cause.NO_ADMIN: "the connection's account has to be an admin of the group",
    Cause.DISCONNECTED: "the WhatsApp account has to be connected again",
    Cause.RESTRICTED: "wait until the account is no longer restricted or used up",
    Cause.NO_MEMBER: "they have to be in the group",
}
"""What has to be put right before the same can succeed."""
_PERMANENT = {
    Cause.NO_GROUP: "the connection's account does not find the group: look whether it is still in it",
    Cause.IMPOSSIBLE: "the provider cannot do this",
    Cause.INVALID: "the same would fail again: ask for something else",
}
"""What makes it of no use to ask for the same once more."""


def is_retryable(cause: Cause) -> bool:
    """Tell whether the same can succeed later, as it is or once something was put right."""
    return cause not in _PERMANENT


def advice(outcome: Outcome, cause: Cause = Cause.UNKNOWN) -> str:
    """Say what to do about somebody with this outcome, of whom it is known why.

    >>> advice(Outcome.FAILED, Cause.NO_ADMIN)
    "the connection's account has to be an admin of the group; then retry"
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
    """How many entries of a request have which outcome; `rejected` name nobody, `things` are about the group itself."""

    counts: tuple[tuple[Outcome, int], ...]
    total: int
    rejected: int = 0
    things: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None], *, rejected: int = 0, things: int = 0) -> "Tally":
        """Count `outcomes`, None for what has none yet, of which so many are no people."""
        counter = Counter(outcomes)
        counts = tuple((o, counter[o]) for o in Outcome if counter[o])
        return cls(counts, sum(counter.values()), rejected, things)

    @property
    def people(self) -> int:
        """How many entries name a person, whom the request is about."""
        return self.total - self.rejected - self.things

    @property
    def answered(self) -> int:
        """How many have an outcome."""
        return sum(count for _, count in self.counts)

    def count(self, outcome: Outcome) -> int:
        """How many have this outcome."""
        return dict(self.counts).get(outcome, 0)


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A request with the counts of its outcomes."""

    request: Request
    tally: Tally
