"""What an outcome means to people: its icon, its words, whether it is done, and what to do next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.operations import Aim
from bot.domain.requests import Participant
from providers.base import Cause, Evidence, MembershipStatus, Operation, Outcome, Verdict


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
    Outcome.CHANGED: Meaning("✅", "changed", done=True),
    Outcome.SENT: Meaning("✅", "sent", done=True),
    Outcome.ALREADY_DONE: Meaning("☑️", "already so", done=True),
    Outcome.INVITED: Meaning("✉️", "invited", advice="waits for the person to accept the private invite"),
    Outcome.PENDING: Meaning("⏳", "pending", advice="waits for an admin of the group"),
    Outcome.REFUSED: Meaning("🚫", "refused by privacy settings", advice="send an invite"),
    Outcome.NOT_ON_WHATSAPP: Meaning("❓", "not on WhatsApp", advice="check the number"),
    Outcome.INVALID: Meaning("❓", "not a valid number", advice="fix the number"),
    Outcome.RECENTLY_LEFT: Meaning("🚫", "left recently", advice="invite, with their consent"),
    Outcome.BLOCKED: Meaning("🚫", "blocked", advice="invite, with their consent"),
    Outcome.GROUP_FULL: Meaning("📦", "group is full", advice="use another group"),
    Outcome.RATE_LIMITED: Meaning("⚠️", "rate limited", advice="try again later"),
    Outcome.FAILED: Meaning("⚠️", "failed", advice="the reason stands beside each of them in the results"),
    Outcome.NOT_ATTEMPTED: Meaning("⏸️", "not attempted", advice="resume asks for the rest"),
    Outcome.UNKNOWN: Meaning("❔", "unknown", advice="look in the group before trying again"),
}


_MEND = {
    Cause.CREDENTIALS: "the connection needs a token that its provider takes",
    Cause.PERMISSION: "the connection's token or account needs the right to do this",
    Cause.NO_ADMIN: "the connection's account has to be an admin of the group",
    Cause.DISCONNECTED: "the WhatsApp account has to be connected again",
    Cause.RESTRICTED: "wait until the account is no longer restricted or used up",
    Cause.NO_MEMBER: "they have to be in the group",
}
"""What has to be put right before the same can succeed."""
_LASTING = {
    Cause.NO_GROUP: "the connection's account does not find the group: look whether it is still in it",
    Cause.IMPOSSIBLE: "the provider cannot do this",
    Cause.INVALID: "the same would fail again: ask for something else",
}
"""What makes it of no use to ask for the same once more."""


def helps_to_repeat(cause: Cause) -> bool:
    """Tell whether the same can succeed later, as it is or once something was put right."""
    return cause not in _LASTING


def advice(outcome: Outcome, cause: Cause = Cause.UNKNOWN) -> str:
    """Say what to do about somebody with this outcome, of whom it is known why.

    >>> advice(Outcome.FAILED, Cause.NO_ADMIN)
    "the connection's account has to be an admin of the group; then retry"
    """
    if outcome not in {Outcome.FAILED, Outcome.NOT_ATTEMPTED}:
        return MEANINGS[outcome].advice
    if cause in _LASTING:
        return _LASTING[cause]
    again = "retry" if outcome is Outcome.FAILED else "resume"
    if cause in _MEND:
        return f"{_MEND[cause]}; then {again}"
    return "try again" if cause is Cause.TRANSIENT and outcome is Outcome.FAILED else MEANINGS[outcome].advice


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


_ALREADY = {
    Operation.ADD: "already in the group",
    Operation.REMOVE: "was not in the group",
    Operation.PROMOTE: "was an admin already",
    Operation.DEMOTE: "was no admin",
}


def words_of(outcome: Outcome, operation: Operation) -> str:
    """Say an outcome in words, as it reads after this operation.

    >>> words_of(Outcome.ALREADY_DONE, Operation.REMOVE)
    'was not in the group'
    """
    if outcome is Outcome.ALREADY_DONE and operation in _ALREADY:
        return _ALREADY[operation]
    return MEANINGS[outcome].words


def read_back(key: str, aim: Aim, before: MembershipStatus, now: MembershipStatus) -> Verdict | None:
    """Judge a person who was submitted and about whom the provider said nothing, from the group before and now.

    Someone who is as wanted now, and of whom nobody knows whether they were before, counts as already done: to say
    that it was brought about would be better than the evidence. None where reading back cannot tell.
    """
    if aim.reached(now) is not True:
        return None
    if aim.reached(before) is False:
        return Verdict(key, aim.done, Evidence.OBSERVED)
    return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)


def settled_before(key: str, aim: Aim | None, before: MembershipStatus) -> Verdict | None:
    """Judge a person for whom nothing needs to be sent: as wanted already, or nobody that this could be done to."""
    if aim is None:
        return None
    if aim.reached(before) is True:
        return Verdict(key, Outcome.ALREADY_DONE, Evidence.OBSERVED)
    if aim.operation is Operation.PROMOTE and before is MembershipStatus.ABSENT:
        return Verdict(key, Outcome.FAILED, Evidence.OBSERVED, "", "They are not in the group.", Cause.NO_MEMBER)
    return None


def looked_only(p: Participant, aim: Aim | None, now: MembershipStatus | None) -> Verdict:
    """Judge a person of a request that only looks: what an earlier request did to them, as the group tells it now."""
    now = now or MembershipStatus.UNKNOWN
    if aim and (verdict := read_back(p.person.key, aim, p.before, now)):
        return verdict
    if aim and aim.reached(now) is False:
        words = "The group shows that it did not happen."
        return Verdict(p.person.key, Outcome.FAILED, Evidence.OBSERVED, "", words, Cause.TRANSIENT)
    return Verdict(p.person.key, Outcome.UNKNOWN, Evidence.NONE, "", "The group does not tell.")


_OF_THE_CALL = frozenset({Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.GROUP_FULL, Outcome.NOT_ATTEMPTED})
"""Outcomes that a failed call gives to everybody in it."""


def settle(
    verdict: Verdict, aim: Aim | None, *, before: MembershipStatus, submissions: int, call_failed: bool
) -> Verdict:
    """Correct a verdict by what is known from before it was asked for.

    A repeated submission that finds the person as wanted, though they were not before the first, confirms that the
    first one brought it about. A repeated submission that fails as a whole says nothing about what the first one did.
    """
    if submissions <= 1:
        return verdict
    if aim and verdict.outcome is Outcome.ALREADY_DONE and aim.reached(before) is False:
        return replace(verdict, outcome=aim.done)
    if call_failed and verdict.outcome in _OF_THE_CALL:
        return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE)
    return verdict


def left_over(key: str, submissions: int, words: str, code: str = "", cause: Cause = Cause.UNKNOWN) -> Verdict:
    """Judge a person whom no call has answered: not attempted, or unknown where they were sent all the same."""
    outcome = Outcome.UNKNOWN if submissions else Outcome.NOT_ATTEMPTED
    return Verdict(key, outcome, provider_code=code, provider_message=words, cause=cause)
