"""The people of a call to Wasend: verdicts, membership in a group, number checks."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import httpx

from providers.base import Action, Evidence, MembershipReading, NumberCheck, Outcome, PeopleResult, Person, Verdict
from providers.cache import DAY_SECONDS, TTLCache
from providers.http import Reply
from providers.identity import digits_of, lid_of, same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import OTHER_VARIANT, NumberVariants
from providers.responses import PARTICIPANT_CODES, rate_limit_of
from providers.wasend.api import Api
from providers.wasend.capabilities import MAX_BATCH
from providers.wasend.errors import SESSION_CALL, envelope_of, parse_result, unknown_after
from providers.wasend.models import CheckReply, MemberRecord, PeopleReply, Result, variants_of

MAX_CONCURRENT_CHECKS = 5
"""The number checks in progress at a time: our value, no limit is documented. It leaves half of the client's
connections free."""

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
"""The outcomes of the reasons, besides those of `_SUCCESS`. The words are from the add page and the demote page
(x-reason-codes), whose sets are open.

The numbers are WhatsApp's own, in case Wasend passes them on. No other word is interpreted. A person who isn't found on
removal may not be a member, or be one under another variant of the number: only the member list shows which.
"""

_REASONS_IF_SOME_WERE_DEMOTED = {**_REASONS[Action.DEMOTE], "NOT_ADMIN": Outcome.ALREADY_DONE}
"""`NOT_ADMIN` is documented for demote only. If another person was demoted, it can't mean the session, which must be an
admin. If no one was, the documentation doesn't say which of the two it means.
"""

_SUCCESS = frozenset({"SUCCESS", "200"})


@dataclass(frozen=True, slots=True)
class _Entry:
    done: bool
    reason: str


def check_batch(people: Sequence[Person]) -> None:
    """Raise `ValueError` for more people than one call takes."""
    if len(people) > MAX_BATCH:
        raise ValueError(f"Wasend takes at most {MAX_BATCH} people in one call")


def numbers_of(people: Sequence[Person], variants: NumberVariants) -> Mapping[str, Sequence[str]]:
    """Return the body with phone numbers, as in the documentation of add and demote; the SDK takes it everywhere."""
    return _participants(f"+{variants.digits(person)}" if person.phone else person.lid for person in people)


def jids_of(people: Sequence[Person], variants: NumberVariants) -> Mapping[str, Sequence[str]]:
    """Return the body with JIDs, as in the documentation of remove and promote; the SDK takes it everywhere."""
    return _participants(
        f"{variants.digits(person)}@s.whatsapp.net" if person.phone else person.lid for person in people
    )


def names_people(reply: Reply) -> bool:
    """Return whether a response lists at least one person. A 429 proves nothing."""
    answer = reply.parse_or(PeopleReply())
    return bool(answer.done or answer.failed) and reply.status != httpx.codes.TOO_MANY_REQUESTS


def result_of(action: Action, people: Sequence[Person], reply: Reply) -> PeopleResult:
    """Return the verdict of each person by the entries with the person's id.

    `success` is ignored if a list has an entry: the contract doesn't define it for a partial failure. For the same
    reason a failure without entries leaves the result unknown. Which 2xx means done is not documented; a 202 means
    later. `PeopleResult.error` is set if WhatsApp rate-limited a participant, because the limit is the account's.

    Raises:
        OutcomeUnknown: the response has another format, or reports a failure without entries.
    """
    answer = parse_result(reply, PeopleReply)
    if not answer.done and not answer.failed and envelope_of(reply).reports_failure:
        raise unknown_after(reply, "Wasend reports a failure")
    verdicts = _verdicts_of(action, people, answer)
    if reply.accepted_for_later:
        verdicts = tuple(
            _accepted_for_later(verdict) if verdict.outcome is DONE[action] else verdict for verdict in verdicts
        )
    return PeopleResult(verdicts, rate_limit_of(verdicts))


def created_verdicts(people: Sequence[Person], members: Sequence[MemberRecord]) -> tuple[Verdict, ...]:
    """Return the verdicts of the people of a new group: none is known to be in it. People without a phone weren't sent.

    Whether its record lists people who couldn't be added is not documented, nor what a member's `error` means.
    """
    return tuple(_created_verdict(person, members) for person in people)


def memberships_of(people: Sequence[Person], members: Sequence[MemberRecord]) -> MembershipReading:
    """Look up each of `people` by phone and by LID. A member who can't be compared leaves absence open.

    So does an empty list: the session's own number is in every group that it can administer.
    """
    uncertain_last = sorted(members, key=lambda member: not member.is_certain)
    index = MemberIndex(
        (MemberKey(next(iter(member.lids), ""), member.phones, member.status) for member in uncertain_last),
        complete=bool(members),
    )
    return index.read({person.key: MemberKey.of(person) for person in people})


class NumberChecker:
    """The number checks of one session (checkContactExists).

    A check takes one number, so several run at a time and answers are cached for a day.

    Args:
        api: the API of the session.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._answers = TTLCache[NumberCheck](DAY_SECONDS, clock)

    async def check(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each of `people` once. The first error stops the checks; the answers before it are cached."""
        limit = asyncio.Semaphore(MAX_CONCURRENT_CHECKS)
        tasks: dict[str, asyncio.Task[NumberCheck]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for person in people:
                    if person.key not in tasks:
                        tasks[person.key] = group.create_task(self._check(person, limit))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return {key: task.result() for key, task in tasks.items()}

    async def _check(self, person: Person, limit: asyncio.Semaphore) -> NumberCheck:
        if not person.phone:
            return NumberCheck(None, lid=person.lid)
        answer = self._answers.get(person.digits)
        if answer is None:
            async with limit:
                answer = await self._ask(person.digits)
            self._answers.set(person.digits, answer)
        return answer

    async def _ask(self, digits: str) -> NumberCheck:
        """Check a number as it is, then its other variants if it doesn't exist: WhatsApp decides which one counts."""
        for variant in (digits, *sorted(same_person_keys(digits) - {digits})):
            query = {"session": self._api.session, "phone": variant}
            reply = await self._api.read("/contacts/check-exists", CheckReply, query, SESSION_CALL)
            if reply.exists:
                canonical = digits_of(reply.jid or "")
                return NumberCheck(True, f"+{canonical or variant}", lid_of(reply.jid or ""))
        return NumberCheck(False)


def _created_verdict(person: Person, members: Sequence[MemberRecord]) -> Verdict:
    if not person.phone:
        message = "Wasend needs a phone number to create a group."
        return Verdict(person.key, Outcome.INVALID, provider_message=message)
    own = [member for member in members if person.lid in member.lids or person.digits in member.phones]
    message = "Listed in the answer, which doesn't say who was added." if own else "Not listed in the answer."
    code = next((str(member.error) for member in own if member.error), "")
    return Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, code, message)


def _participants(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    return {"participants": list(dict.fromkeys(names))}


def _verdicts_of(action: Action, people: Sequence[Person], reply: PeopleReply) -> tuple[Verdict, ...]:
    entries: dict[str, set[_Entry]] = {person.key: set() for person in people}
    for done, results in ((True, reply.done), (False, reply.failed)):
        for result in results:
            for person in _people_of(result.id, people):
                entries[person.key].add(_Entry(done, _reason(action, result)))
    reasons = _REASONS_IF_SOME_WERE_DEMOTED if action is Action.DEMOTE and reply.done else _REASONS[action]
    return tuple(_verdict(action, reasons, person, entries[person.key]) for person in people)


def _accepted_for_later(verdict: Verdict) -> Verdict:
    message = "Wasend will make the change later."
    return replace(verdict, outcome=Outcome.UNKNOWN, evidence=Evidence.NONE, provider_message=message)


def _reason(action: Action, result: Result) -> str:
    """Return the reason of a result. A promotion whose flag says "no admin" contradicts itself, whatever the reason."""
    return "isAdmin: false" if action is Action.PROMOTE and result.is_admin is False else result.reason


def _people_of(identifier: str, people: Iterable[Person]) -> list[Person]:
    """Return the people of an id: those who were sent with it, otherwise those who may have it."""
    lid = lid_of(identifier)
    if lid:
        return [person for person in people if person.lid == lid]
    variants = variants_of(identifier)
    possible = [person for person in people if person.digits in variants]
    return [person for person in possible if person.digits == digits_of(identifier)] or possible


def _verdict(action: Action, reasons: Mapping[str, Outcome], person: Person, entries: set[_Entry]) -> Verdict:
    codes = ", ".join(sorted({entry.reason for entry in entries} - {""}))
    if not entries:
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="Wasend's answer doesn't mention this person.")
    if len(entries) > 1:
        return Verdict(person.key, Outcome.UNKNOWN, Evidence.NONE, codes, "Wasend's answer contradicts itself.")
    (entry,) = entries
    outcome = _outcome(action, reasons, entry)
    if outcome is Outcome.UNKNOWN:
        listed = DONE[action] if entry.done else Outcome.FAILED
        message = f"Listed as {listed}, but with a reason that doesn't say so."
        return Verdict(person.key, outcome, Evidence.NONE, codes, message)
    if outcome is Outcome.NOT_ON_WHATSAPP and not person.phone:
        message = "Not found by the LID. Wasend documents only phone numbers here."
        return Verdict(person.key, Outcome.FAILED, Evidence.REPORTED, codes, message)
    if outcome is Outcome.NOT_ON_WHATSAPP and len(same_person_keys(person.digits)) > 1:
        message = f"Not found as written. {OTHER_VARIANT}"
        return Verdict(person.key, Outcome.FAILED, Evidence.REPORTED, codes, message)
    return Verdict(person.key, outcome, Evidence.REPORTED, codes)


def _outcome(action: Action, reasons: Mapping[str, Outcome], entry: _Entry) -> Outcome:
    """Return the outcome of a reason in its list. If they contradict each other, the outcome is unknown."""
    success = entry.reason in _SUCCESS
    if entry.done and (success or not entry.reason):
        return DONE[action]
    outcome = reasons.get(entry.reason, Outcome.FAILED)
    if entry.done:
        return outcome if outcome is Outcome.ALREADY_DONE else Outcome.UNKNOWN
    return Outcome.UNKNOWN if success else outcome
