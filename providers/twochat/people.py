"""What an answer of 2Chat says of each person whom the call was about.

`participants` has three meanings: a map by number (add, create), an object of two lists (remove), and the members of a
group. What a promotion and a demotion answer besides `success` is not known, so both the map and the lists are read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from providers.base import Evidence, Operation, Outcome, Person, Verdict
from providers.http import Reply
from providers.identity import digits_of, same_person_keys
from providers.number_variants import OTHER_VARIANT
from providers.participant_codes import PARTICIPANT_CODES
from providers.provider_text import ProviderText
from providers.twochat.errors import envelope_of

ADDED = 200
"""The only `statusCode` that 2Chat documents. The others are WhatsApp's, as its libraries read them (x-unverified)."""

ACCEPTED: Mapping[Operation, Outcome] = {Operation.ADD: Outcome.ADDED, Operation.REMOVE: Outcome.REMOVED}
"""What acceptance of a number means. Whether one who had the role already is accepted too, is on no page: so promotions
and demotions are read back."""

_INSIDE = frozenset({Outcome.ADDED, Outcome.ALREADY_DONE})
_TIMED_OUT = re.compile(r"time[sd]?[ -]?out", re.IGNORECASE)
_TOO_MANY = re.compile(r"\b429\b|rate-overlimit")


class Entry(BaseModel):
    """What a map says of one number."""

    code: int = Field(alias="statusCode")
    message: ProviderText = ""
    invite_sent: bool | None = Field(None, alias="isInviteV4Sent")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says of numbers, in digits.

    Attributes:
        entries: those with an entry of their own.
        accepted: those of `accepted_numbers`.
        unaccepted: those of `unaccepted_numbers`: invalid, without WhatsApp, or unfit for the change.
        is_open: that somebody was accepted counts for nothing: beside `success` false, which contradicts it, with 202,
            by which it is only accepted for later, and with an error status, for no page says which of these comes
            where some are refused.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    unaccepted: frozenset[str] = frozenset()
    is_open: bool = False

    @classmethod
    def of(cls, reply: Reply) -> "Answer":
        """Read an answer. The lists count wherever they sit, for with add their place is not documented."""
        body = reply.body if isinstance(reply.body, dict) else {}
        is_open = envelope_of(reply).success is False or reply.status == httpx.codes.ACCEPTED or not reply.ok
        accepted, unaccepted = (frozenset(_listed(body, f"{name}_numbers")) for name in ("accepted", "unaccepted"))
        return cls(dict(_entries(body)), accepted, unaccepted, is_open)

    @property
    def names_nobody(self) -> bool:
        """Whether it says nothing about any number."""
        return not (self.entries or self.accepted or self.unaccepted)

    def judge(self, person: Person, operation: Operation) -> Verdict:
        """Judge one person. WhatsApp may have normalised the numbers of the reply, so every form is looked up.

        The contract does not say whether a listed number has an entry too. An entry that tells a reason is kept; one
        that tells success, of a number that is unaccepted, leaves the person unknown.
        """
        if not person.phone:
            return Verdict(person.key, Outcome.INVALID, provider_message="2Chat takes people by phone number only.")
        forms = (person.digits, *same_person_keys(person.digits))
        entry = next((self.entries[form] for form in forms if form in self.entries), None)
        refused = not self.unaccepted.isdisjoint(forms)
        if entry is not None:
            outcome = _meaning(entry, operation)
            if (refused and outcome in _INSIDE) or (self.is_open and outcome is Outcome.ADDED):
                outcome = Outcome.UNKNOWN
            if outcome is Outcome.NOT_ON_WHATSAPP:
                return _absent(person, outcome, str(entry.code), entry.message)
            return _verdict(person, outcome, str(entry.code), entry.message)
        if refused:
            return _unaccepted(person, operation)
        if not self.accepted.isdisjoint(forms):
            outcome = Outcome.UNKNOWN if self.is_open else ACCEPTED.get(operation, Outcome.UNKNOWN)
            return _verdict(person, outcome, "accepted_numbers", "")
        return Verdict(person.key, Outcome.UNKNOWN, provider_message="2Chat's answer does not name this number.")


def names_people(reply: Reply) -> bool:
    """Tell whether an answer says something about any number."""
    return not Answer.of(reply).names_nobody


def _unaccepted(person: Person, operation: Operation) -> Verdict:
    """Judge an unaccepted number: of an addition it is invalid or has no account; else it may be many things."""
    if operation is Operation.ADD:
        words = "The number is invalid or has no WhatsApp account."
        return _absent(person, Outcome.INVALID, "unaccepted_numbers", words)
    words = "2Chat did not accept the number, for example because they are not in the group."
    return _verdict(person, Outcome.UNKNOWN, "unaccepted_numbers", words)


def _absent(person: Person, outcome: Outcome, code: str, words: str) -> Verdict:
    """Judge a number without an account: one that has another form may have its account under that."""
    if len(same_person_keys(person.digits)) == 1:
        return _verdict(person, outcome, code, words)
    known = f"{words} {OTHER_VARIANT}".strip()
    return _verdict(person, Outcome.FAILED, code, known)


def _meaning(entry: Entry, operation: Operation) -> Outcome:
    """Read a participant's code. Only of an addition is it known what the codes other than 200 mean.

    408 is also what a library's own time-out looks like, and 500 wraps other codes. A code that no page and no library
    explains may be a success of a kind, so it leaves the person unknown.
    """
    if entry.code == 429 or (entry.code == 500 and _TOO_MANY.search(entry.message)):  # noqa: PLR2004
        return Outcome.RATE_LIMITED
    if operation is not Operation.ADD:
        return Outcome.UNKNOWN
    if entry.invite_sent:
        return _invited(entry.code)
    if entry.code == ADDED:
        return Outcome.ADDED
    if entry.code == 408 and _TIMED_OUT.search(entry.message):  # noqa: PLR2004
        return Outcome.UNKNOWN
    return PARTICIPANT_CODES.get(str(entry.code), Outcome.UNKNOWN)


def _invited(code: int) -> Outcome:
    """Read `isInviteV4Sent`: a private invitation went out, which whatsapp-web.js sends after a 403.

    Beside a code that says "added" it contradicts that; a member stays one.
    """
    if code == ADDED:
        return Outcome.UNKNOWN
    already = PARTICIPANT_CODES.get(str(code)) is Outcome.ALREADY_DONE
    return Outcome.ALREADY_DONE if already else Outcome.INVITED


def _verdict(person: Person, outcome: Outcome, code: str, words: str) -> Verdict:
    evidence = Evidence.NONE if outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return Verdict(person.key, outcome, evidence, code, words)


def _entries(value: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Find the entries by number under `participants`; what cannot be read is left out, its person stays unknown."""
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
    """Find the digits of the numbers in every list of this name."""
    for key, inner in value.items():
        if key == name:
            yield from _all_digits(inner)
        elif isinstance(inner, dict):
            yield from _listed(inner, name)


def _all_digits(value: Any) -> Iterator[str]:
    """Find every number in a list of strings, in a list of objects or in a map by number."""
    if isinstance(value, str) and (digits := digits_of(value)):
        yield digits
    elif isinstance(value, dict):
        yield from _all_digits([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for inner in value:
            yield from _all_digits(inner)
