"""What Wasend's answers say of each person: the verdict of an add, and whether somebody stands in a group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from providers.base import Evidence, Outcome, Person, Presence, Verdict
from providers.identity import lid_of, same_person_keys
from providers.roll import Known, Roll
from providers.wasend.replies import AddReply, Member, digits_of, phone_forms

_MEANINGS: Mapping[str, Outcome] = {
    "SUCCESS": Outcome.ADDED,
    "NOT_FOUND": Outcome.NOT_ON_WHATSAPP,
    "ALREADY_IN_GROUP": Outcome.ALREADY_DONE,
    "200": Outcome.ADDED,
    "403": Outcome.REFUSED,
    "404": Outcome.NOT_ON_WHATSAPP,
    "408": Outcome.RECENTLY_LEFT,
    "409": Outcome.ALREADY_DONE,
    "417": Outcome.REFUSED,
    "419": Outcome.GROUP_FULL,
    "421": Outcome.PENDING,
    "429": Outcome.RATE_LIMITED,
}
"""What a reason means. The words are the ones that the add page shows (x-reason-codes); its set is open.

The numbers are WhatsApp's own participant codes, in case Wasend hands them through; of these, 401 (no admin, or
blocked) and 500 (a wrapper) have no outcome of their own and stay `failed`. No other word is guessed at: `NOT_ADMIN`
is documented for demoting only, where it speaks of the person, not the account.
"""

_STANDS_IN_GROUP = frozenset({Outcome.ADDED, Outcome.ALREADY_DONE})


@dataclass(frozen=True, slots=True)
class _Told:
    added: bool
    reason: str


def verdicts_of(people: Sequence[Person], reply: AddReply) -> tuple[Verdict, ...]:
    """Judge each of `people` by the results that are theirs."""
    told: dict[str, set[_Told]] = {person.key: set() for person in people}
    for added, results in ((True, reply.added), (False, reply.failed)):
        for result in results:
            for person in _whose(result.id, people):
                told[person.key].add(_Told(added, result.reason))
    return tuple(_verdict(person, told[person.key]) for person in people)


def _whose(identifier: str, people: Iterable[Person]) -> list[Person]:
    """Find whom a result means: who was asked for by just this id, else who may be known by it."""
    lid = lid_of(identifier)
    if lid:
        return [person for person in people if person.lid == lid]
    forms = phone_forms(identifier)
    possible = [person for person in people if person.digits in forms]
    return [person for person in possible if person.digits == digits_of(identifier)] or possible


def _verdict(person: Person, told: set[_Told]) -> Verdict:
    codes = ", ".join(sorted({one.reason for one in told} - {""}))
    if not told:
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="Wasend's answer does not name this person.")
    if len(told) > 1:
        return Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, codes, "Wasend's answer contradicts itself.")
    (one,) = told
    outcome = _outcome(one)
    if outcome is Outcome.UNKNOWN:
        listed = "added" if one.added else "failed"
        return Verdict(
            person.key, outcome, Evidence.NONE, codes, f"Listed as {listed}, with a reason that does not say so."
        )
    if outcome is Outcome.NOT_ON_WHATSAPP and len(same_person_keys(person.digits)) > 1:
        words = "Not found as written; WhatsApp may know this number in its other form."
        return Verdict(person.key, Outcome.FAILED, Evidence.REPORTED, codes, words)
    return Verdict(person.key, outcome, Evidence.REPORTED, codes)


def _outcome(told: _Told) -> Outcome:
    """Read a reason in its list; where the two do not fit together, or `added` has a strange word, nothing is known."""
    if told.added and not told.reason:
        return Outcome.ADDED
    meaning = _MEANINGS.get(told.reason)
    if told.added:
        return meaning if meaning in _STANDS_IN_GROUP else Outcome.UNKNOWN
    return Outcome.UNKNOWN if meaning is Outcome.ADDED else meaning or Outcome.FAILED


def presences_of(people: Sequence[Person], members: Sequence[Member]) -> dict[str, Presence]:
    """Look for each of `people` by phone and by LID; a member who cannot be compared leaves absence open."""
    everybody = [(member, Known(next(iter(member.lids), ""), member.phones)) for member in members]
    roll = Roll.of(known for _, known in everybody)
    doubtful = Roll.of(known for member, known in everybody if not member.stands_in_group)
    found = {}
    for person in people:
        known = Known(person.lid, frozenset({person.digits}) if person.digits else frozenset())
        in_doubt = doubtful.find(known) is Presence.PRESENT
        found[person.key] = Presence.UNKNOWN if in_doubt else roll.find(known)
    return found
