"""The people of a call to 2Chat: verdicts, number checks, and changes that the stored lists may not show yet.

In a response, `participants` has three meanings: a map by number (add, create), an object of two lists (remove), and
the members of a group. What promote and demote answer besides `success` is not documented, so both the map and the
lists are read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from providers.base import MembershipStatus, NumberCheck, Operation, Outcome, Person, Verdict
from providers.cache import DAY_SECONDS, TTLCache
from providers.http import Reply
from providers.identity import digits_of, same_person_keys
from providers.number_variants import OTHER_VARIANT
from providers.responses import PARTICIPANT_CODES, ProviderText
from providers.twochat.api import Api
from providers.twochat.errors import NEITHER_NUMBER, envelope_of
from providers.twochat.models import CheckReply

ADDED = 200
"""The only `statusCode` that 2Chat documents. The others are WhatsApp's, as its libraries read them (x-unverified)."""

ACCEPTED: Mapping[Operation, Outcome] = {Operation.ADD: Outcome.ADDED, Operation.REMOVE: Outcome.REMOVED}
"""The outcome of an accepted number. Whether a person who already has the role is accepted too is not documented, so
after promotions and demotions the group is read."""

LIST_DELAY_SECONDS = 600.0
"""The time after which a stored list shows a change: our value, the pages say "a few minutes" (x-conventions,
consistency)."""

_STATUS_AFTER: Mapping[Operation, MembershipStatus] = MappingProxyType(
    {
        Operation.ADD: MembershipStatus.MEMBER,
        Operation.REMOVE: MembershipStatus.ABSENT,
        Operation.PROMOTE: MembershipStatus.ADMIN,
        Operation.DEMOTE: MembershipStatus.MEMBER,
    }
)

_IN_GROUP = frozenset({Outcome.ADDED, Outcome.ALREADY_DONE})
_TIMED_OUT = re.compile(r"time[sd]?[ -]?out", re.IGNORECASE)
_NO_ANSWER = "no answer"
_TOO_MANY = re.compile(r"\b429\b|rate-overlimit")


class Entry(BaseModel):
    """The entry of one number in a map."""

    code: int = Field(alias="statusCode")
    message: ProviderText = ""
    invite_sent: bool | None = Field(None, alias="isInviteV4Sent")


@dataclass(frozen=True, slots=True)
class PeopleReply:
    """The numbers in a response, in digits.

    Attributes:
        entries: the numbers that have an entry of their own.
        accepted: the numbers of `accepted_numbers`.
        unaccepted: the numbers of `unaccepted_numbers`: invalid, without WhatsApp, or not fit for the change.
        is_open: acceptance proves nothing: `success` is false, which contradicts it; or the status is 202, which only
            accepts it for later; or it is an error, because which status comes when some are refused is not documented.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    unaccepted: frozenset[str] = frozenset()
    is_open: bool = False

    @classmethod
    def of(cls, reply: Reply) -> "PeopleReply":
        """Read a response. The lists are found anywhere in the body: their place after an add is not documented."""
        body = reply.body if isinstance(reply.body, dict) else {}
        is_open = envelope_of(reply).success is False or reply.accepted_for_later or not reply.ok
        accepted, unaccepted = (frozenset(_listed(body, f"{name}_numbers")) for name in ("accepted", "unaccepted"))
        return cls(dict(_entries(body)), accepted, unaccepted, is_open)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing about any number."""
        return not (self.entries or self.accepted or self.unaccepted)

    def judge(self, person: Person, operation: Operation) -> Verdict:
        """Return the verdict of one person. WhatsApp may have normalised the numbers, so every variant is looked up.

        The contract does not say whether a listed number has an entry too. An entry with a reason counts. An entry with
        a success, for a number that is unaccepted, leaves the person unknown.
        """
        if not person.phone:
            return Verdict(person.key, Outcome.INVALID, provider_message="2Chat needs a phone number.")
        variants = (person.digits, *same_person_keys(person.digits))
        entry = next((self.entries[digits] for digits in variants if digits in self.entries), None)
        refused = not self.unaccepted.isdisjoint(variants)
        if entry is not None:
            outcome = _outcome_of(entry, operation)
            if (refused and outcome in _IN_GROUP) or (self.is_open and outcome is Outcome.ADDED):
                outcome = Outcome.UNKNOWN
            if outcome is Outcome.NOT_ON_WHATSAPP:
                return _no_account(person, outcome, str(entry.code), entry.message)
            return Verdict.reported(person.key, outcome, str(entry.code), entry.message)
        if refused:
            return _unaccepted(person, operation)
        if not self.accepted.isdisjoint(variants):
            outcome = Outcome.UNKNOWN if self.is_open else ACCEPTED.get(operation, Outcome.UNKNOWN)
            return Verdict.reported(person.key, outcome, "accepted_numbers")
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="2Chat's answer doesn't mention this number.")


def names_people(reply: Reply) -> bool:
    """Return whether a response says something about any number."""
    return not PeopleReply.of(reply).is_empty


class NumberChecker:
    """The number checks of one connected number (checkNumber).

    A check takes one number and costs a credit, so answers are cached for a day. Checks run one after another, because
    the connected number is busy during each.

    Args:
        api: the API of the number.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._answers = TTLCache[bool | str](DAY_SECONDS, clock)

    async def check(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each of `people`. The first error stops the checks; the answers before it are cached."""
        return {person.key: await self._check(person) for person in people}

    async def _check(self, person: Person) -> NumberCheck:
        """Check a number as it is. If it has no WhatsApp, check its other variants: WhatsApp decides which one counts.

        If several variants may have an account, the canonical one isn't known. A person is not on WhatsApp only if that
        is the answer for every variant.
        """
        if not person.phone:
            return NumberCheck(None, lid=person.lid)
        possible = {person.digits, *same_person_keys(person.digits)}
        for digits in (person.digits, *sorted(possible - {person.digits})):
            answer = await self._ask(digits)
            if answer is True:
                return NumberCheck(True, f"+{digits}" if len(possible) == 1 else "", person.lid)
            if answer is False:
                possible.remove(digits)
        return NumberCheck(None if possible else False, lid=person.lid)

    async def _ask(self, digits: str) -> bool | str:
        """Check one variant of a number (checkNumber), without the extra information that costs another credit."""
        cached = self._answers.get(digits)
        if cached is None:
            path = f"/open/whatsapp/check-number/{self._api.number}/+{digits}"
            answer = (await self._api.read(path, CheckReply, not_found=NEITHER_NUMBER)).answer
            cached = _NO_ANSWER if answer is None else answer
            self._answers.set(digits, cached)
        return cached


class RecentChanges:
    """The changes that this adapter made lately, or may have made. A list that shows otherwise may only be late.

    Args:
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._changes = TTLCache[Operation](LIST_DELAY_SECONDS, clock)

    def record(self, group_id: str, people: Iterable[Person], operation: Operation) -> None:
        """Record a change of people. The last change of each person counts."""
        for person in people:
            self._changes.set(_change_key(group_id, person), operation)

    def reconcile(self, group_id: str, person: Person, listed: MembershipStatus) -> MembershipStatus:
        """Return the listed status of a person, as far as it can't be due to a late list."""
        change = self._changes.get(_change_key(group_id, person))
        if change is None or listed is _STATUS_AFTER[change]:
            return listed
        still_member = listed.is_member and _STATUS_AFTER[change].is_member
        return MembershipStatus.PRESENT if still_member else MembershipStatus.UNKNOWN


def _change_key(group_id: str, person: Person) -> str:
    return f"{group_id} {min(same_person_keys(person.digits)) if person.phone else person.lid}"


def _unaccepted(person: Person, operation: Operation) -> Verdict:
    """Return the verdict of an unaccepted number: on add it is invalid or has no account, otherwise it is unknown."""
    if operation is Operation.ADD:
        message = "The number is invalid or not on WhatsApp."
        return _no_account(person, Outcome.INVALID, "unaccepted_numbers", message)
    message = "2Chat didn't accept the number, for example because the person isn't in the group."
    return Verdict.reported(person.key, Outcome.UNKNOWN, "unaccepted_numbers", message)


def _no_account(person: Person, outcome: Outcome, code: str, message: str) -> Verdict:
    """Return the verdict of a number without an account. If it has variants, the account may be under another one."""
    if len(same_person_keys(person.digits)) == 1:
        return Verdict.reported(person.key, outcome, code, message)
    return Verdict.reported(person.key, Outcome.FAILED, code, f"{message} {OTHER_VARIANT}".strip())


def _outcome_of(entry: Entry, operation: Operation) -> Outcome:
    """Return the outcome of a participant's code. The meanings of codes other than 200 are known for add only.

    A library's own timeout also looks like 408, and 500 wraps other codes. A code that no page and no library explains
    may be some kind of success, so it leaves the person unknown.
    """
    if entry.code == 429 or (entry.code == 500 and _TOO_MANY.search(entry.message)):  # noqa: PLR2004
        return Outcome.RATE_LIMITED
    if operation is not Operation.ADD:
        return Outcome.UNKNOWN
    if entry.invite_sent:
        return _outcome_if_invited(entry.code)
    if entry.code == ADDED:
        return Outcome.ADDED
    if entry.code == 408 and _TIMED_OUT.search(entry.message):  # noqa: PLR2004
        return Outcome.UNKNOWN
    return PARTICIPANT_CODES.get(str(entry.code), Outcome.UNKNOWN)


def _outcome_if_invited(code: int) -> Outcome:
    """Return the outcome if `isInviteV4Sent`: a private invitation was sent, as whatsapp-web.js does after a 403.

    It contradicts a code that says "added". It doesn't change that a person is already a member.
    """
    if code == ADDED:
        return Outcome.UNKNOWN
    already = PARTICIPANT_CODES.get(str(code)) is Outcome.ALREADY_DONE
    return Outcome.ALREADY_DONE if already else Outcome.INVITED


def _entries(value: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Yield the entries under `participants` by number. Unreadable ones are left out: their people stay unknown."""
    for key, inner in value.items():
        if key == "participants" and isinstance(inner, dict):
            for number, entry in inner.items():
                if digits := digits_of(number):
                    try:
                        yield digits, Entry.model_validate(entry)
                    except ValidationError:
                        continue
        elif isinstance(inner, dict):
            yield from _entries(inner)


def _listed(value: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the digits of the numbers in every list with this name."""
    for key, inner in value.items():
        if key == name:
            yield from _all_digits(inner)
        elif isinstance(inner, dict):
            yield from _listed(inner, name)


def _all_digits(value: Any) -> Iterator[str]:
    """Yield every number in a list of strings, a list of objects or a map by number."""
    if isinstance(value, str) and (digits := digits_of(value)):
        yield digits
    elif isinstance(value, dict):
        yield from _all_digits([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for inner in value:
            yield from _all_digits(inner)
