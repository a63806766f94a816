"""What Wasend's answers say of each person: the verdict of a call, and how somebody stands in a group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import httpx
from pydantic import ValidationError

from providers.base import Action, Evidence, MembershipStatus, Outcome, PeopleResult, Person, Verdict
from providers.http import Reply
from providers.identity import digits_of, lid_of, same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import OTHER_VARIANT, NumberVariants
from providers.participant_codes import PARTICIPANT_CODES, rate_limit_of
from providers.wasend.capabilities import MOST
from providers.wasend.errors import envelope_of, readable, unknown_after
from providers.wasend.records import MemberRow, phone_forms
from providers.wasend.replies import PeopleReply, Result

DONE: Mapping[Action, Outcome] = MappingProxyType(
    {
        Action.ADD: Outcome.ADDED,
        Action.REMOVE: Outcome.REMOVED,
        Action.PROMOTE: Outcome.PROMOTED,
        Action.DEMOTE: Outcome.DEMOTED,
    }
)

_LIMITED = {"429": Outcome.RATE_LIMITED}

_REASONS: Mapping[Action, Mapping[str, Outcome]] = {
    Action.ADD: {
        "NOT_FOUND": Outcome.NOT_ON_WHATSAPP,
        "ALREADY_IN_GROUP": Outcome.ALREADY_DONE,
        **PARTICIPANT_CODES,
    },
    Action.REMOVE: _LIMITED | {"NOT_FOUND": Outcome.UNKNOWN, "404": Outcome.UNKNOWN},
    Action.PROMOTE: _LIMITED,
    Action.DEMOTE: _LIMITED | {"NOT_ADMIN": Outcome.UNKNOWN},
}
"""What a reason means, beside those of `_SUCCESS`. The words are the ones that the add page and the demote page show
(x-reason-codes); their sets are open.

The numbers are WhatsApp's own, in case Wasend hands them through. No other word is guessed at. Somebody who was not
found when removed may be no member, or one under another form of the number: only the list of members tells.
"""

_WHERE_SOME_WERE_DEMOTED = {**_REASONS[Action.DEMOTE], "NOT_ADMIN": Outcome.ALREADY_DONE}
"""`NOT_ADMIN` is documented for demoting only. Where somebody was demoted it cannot mean the session, which then is an
admin; where nobody was, no page says whom it means.
"""

_SUCCESS = frozenset({"SUCCESS", "200"})


@dataclass(frozen=True, slots=True)
class _Told:
    done: bool
    reason: str


def fit(people: Sequence[Person]) -> None:
    """Refuse more people than one call takes. Raises `ValueError`."""
    if len(people) > MOST:
        raise ValueError(f"Wasend takes at most {MOST} people in one call")


def numbers_of(people: Sequence[Person], forms: NumberVariants) -> Mapping[str, Sequence[str]]:
    """Name people as the documentation of add and demote does; the SDK takes it everywhere."""
    return _named(f"+{forms.digits(person)}" if person.phone else person.lid for person in people)


def jids_of(people: Sequence[Person], forms: NumberVariants) -> Mapping[str, Sequence[str]]:
    """Name people as the documentation of remove and promote does; the SDK takes it everywhere."""
    return _named(f"{forms.digits(person)}@s.whatsapp.net" if person.phone else person.lid for person in people)


def names_people(reply: Reply) -> bool:
    """Tell whether an answer holds a list with anybody in it; one to a call that was one too many tells nothing."""
    try:
        answer = PeopleReply.model_validate(reply.body)
    except ValidationError:
        return False
    return bool(answer.done or answer.failed) and reply.status != httpx.codes.TOO_MANY_REQUESTS


def judged(action: Action, people: Sequence[Person], reply: Reply) -> PeopleResult:
    """Judge each person by the entries that name them.

    `success` is not read where the lists name anybody: the contract does not define it for a partial failure, and for
    the same reason a failure that names nobody leaves the effect open. Which 2xx says that it was done is not
    documented; a 202 says that it will be. `PeopleResult.error` is set when WhatsApp rate-limited a participant, for
    that concerns the whole sender.
    """
    answer = readable(reply, PeopleReply)
    if not answer.done and not answer.failed and envelope_of(reply).reports_failure:
        raise unknown_after(reply, "Wasend reports a failure")
    verdicts = _verdicts_of(action, people, answer)
    if reply.status == httpx.codes.ACCEPTED:
        verdicts = tuple(_for_later(verdict) if verdict.outcome is DONE[action] else verdict for verdict in verdicts)
    return PeopleResult(verdicts, rate_limit_of(verdicts))


def created_verdicts(people: Sequence[Person], rows: Sequence[MemberRow]) -> tuple[Verdict, ...]:
    """Judge the people of a new group: nobody is known to be in it, and who has no phone was not asked for.

    Whether its record lists people who could not be added is not documented, nor what a row's `error` means.
    """
    return tuple(_created_verdict(person, rows) for person in people)


def memberships_of(people: Sequence[Person], rows: Sequence[MemberRow]) -> dict[str, MembershipStatus]:
    """Look for each of `people` by phone and by LID; a member who cannot be compared leaves absence open.

    So does a list that is empty: the session's own number is in every group that it can administer.
    """
    if not rows:
        return {person.key: MembershipStatus.UNKNOWN for person in people}
    doubtful_last = sorted(rows, key=lambda row: not row.stands_in_group)
    roll = MemberIndex(MemberKey(next(iter(row.lids), ""), row.phones, row.status) for row in doubtful_last)
    return {
        person.key: roll.find(MemberKey(person.lid, frozenset({person.digits} if person.digits else ())))
        for person in people
    }


def _created_verdict(person: Person, rows: Sequence[MemberRow]) -> Verdict:
    if not person.phone:
        words = "Wasend makes groups of phone numbers only."
        return Verdict(person.key, Outcome.INVALID, provider_message=words)
    mine = [row for row in rows if person.lid in row.lids or person.digits in row.phones]
    words = "Listed in the answer, which does not say who got in." if mine else "Not listed in the answer."
    code = next((str(row.error) for row in mine if row.error), "")
    return Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, code, words)


def _named(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    return {"participants": list(dict.fromkeys(names))}


def _verdicts_of(action: Action, people: Sequence[Person], reply: PeopleReply) -> tuple[Verdict, ...]:
    told: dict[str, set[_Told]] = {person.key: set() for person in people}
    for done, results in ((True, reply.done), (False, reply.failed)):
        for result in results:
            for person in _whose(result.id, people):
                told[person.key].add(_Told(done, _reason(action, result)))
    meanings = _WHERE_SOME_WERE_DEMOTED if action is Action.DEMOTE and reply.done else _REASONS[action]
    return tuple(_verdict(action, meanings, person, told[person.key]) for person in people)


def _for_later(verdict: Verdict) -> Verdict:
    words = "Accepted for later by Wasend."
    return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE, provider_message=words)


def _reason(action: Action, result: Result) -> str:
    """Give the reason; a promotion that shows somebody who is no admin contradicts itself, whatever the reason."""
    return "isAdmin: false" if action is Action.PROMOTE and result.is_admin is False else result.reason


def _whose(identifier: str, people: Iterable[Person]) -> list[Person]:
    """Find whom a result means: who was asked for by just this id, else who may be known by it."""
    lid = lid_of(identifier)
    if lid:
        return [person for person in people if person.lid == lid]
    forms = phone_forms(identifier)
    possible = [person for person in people if person.digits in forms]
    return [person for person in possible if person.digits == digits_of(identifier)] or possible


def _verdict(action: Action, meanings: Mapping[str, Outcome], person: Person, told: set[_Told]) -> Verdict:
    codes = ", ".join(sorted({one.reason for one in told} - {""}))
    if not told:
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="Wasend's answer does not name this person.")
    if len(told) > 1:
        return Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, codes, "Wasend's answer contradicts itself.")
    (one,) = told
    outcome = _outcome(action, meanings, one)
    if outcome is Outcome.UNKNOWN:
        listed = DONE[action] if one.done else Outcome.FAILED
        words = f"Listed as {listed}, with a reason that does not say so."
        return Verdict(person.key, outcome, Evidence.NONE, codes, words)
    if outcome is Outcome.NOT_ON_WHATSAPP and not person.phone:
        words = "Not found by the LID: Wasend documents phone numbers here."
        return Verdict(person.key, Outcome.FAILED, Evidence.REPORTED, codes, words)
    if outcome is Outcome.NOT_ON_WHATSAPP and len(same_person_keys(person.digits)) > 1:
        words = f"Not found as written. {OTHER_VARIANT}"
        return Verdict(person.key, Outcome.FAILED, Evidence.REPORTED, codes, words)
    return Verdict(person.key, outcome, Evidence.REPORTED, codes)


def _outcome(action: Action, meanings: Mapping[str, Outcome], told: _Told) -> Outcome:
    """Read a reason in its list; where the two do not fit together, or success has a strange word, nothing is known."""
    success = told.reason in _SUCCESS
    if told.done and (success or not told.reason):
        return DONE[action]
    meaning = meanings.get(told.reason, Outcome.FAILED)
    if told.done:
        return meaning if meaning is Outcome.ALREADY_DONE else Outcome.UNKNOWN
    return Outcome.UNKNOWN if success else meaning
