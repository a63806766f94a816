"""The people of a call to WUTS: numbers on WhatsApp, the phones of LIDs, verdicts."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from providers.base import (
    Evidence,
    InvalidRequest,
    MembershipReading,
    NumberCheck,
    Outcome,
    PeopleResult,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    Verdict,
    verdicts_for_error,
)
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import person_keys, same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import NumberVariants
from providers.responses import MAX_PROVIDER_TEXT, PARTICIPANT_CODES, rate_limit_of
from providers.wuts.api import Api
from providers.wuts.errors import ValuesRejected
from providers.wuts.models import CheckReply, MemberRecord, ResolveReply

MAX_IDENTIFIERS = 160
"""The maximum number of identifiers in one `resolveContacts` call, by the contract. `checkContactsOnWhatsApp` has no
documented limit; the same one is used."""

_NUMBER = re.compile(r"[0-9]{10,15}")
"""A number that WUTS accepts (x-conventions.identifiers). A shorter one would fail the check of all others."""

# Number checks and LID look-ups are optional: these errors don't stop the change or the read that needs them
_OPTIONAL_ERRORS = (PermissionMissing, InvalidRequest, ProviderFault)

ADD_OUTCOMES: Mapping[str, Outcome] = PARTICIPANT_CODES
OTHER_OUTCOMES: Mapping[str, Outcome] = {"429": Outcome.RATE_LIMITED}
"""The codes that mean the same for every change. For a removal or a new role, the others aren't documented."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """The JIDs of people, and the verdicts of those who aren't sent: they have no account, or WUTS rejects them."""

    jids: Mapping[Person, str]
    rejected: Mapping[str, Verdict]

    @property
    def participants(self) -> list[str]:
        """The `participants` of a request, without duplicates."""
        return list(dict.fromkeys(self.jids.values()))

    def without(self, rejected: Mapping[str, Verdict]) -> "Addressed":
        """Return a copy without these people, by key."""
        jids = {person: jid for person, jid in self.jids.items() if person.key not in rejected}
        return Addressed(jids, {**self.rejected, **rejected})


class ContactDirectory:
    """The accounts of people: who is on WhatsApp, under which variant of the number, and the phone of each LID.

    Answers are cached for a day.

    Args:
        api: the WUTS API.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._on_whatsapp: TTLCache[bool] = TTLCache(DAY_SECONDS, clock)
        self._variants = NumberVariants(clock)
        self._phone_of_lid: TTLCache[str] = TTLCache(DAY_SECONDS, clock)

    async def address_accounts(self, people: Sequence[Person]) -> Addressed:
        """Address people to add or to write to, who need an account. People without one are left out.

        A number that had no account is checked again, because it may have one now.
        """
        variants = [person_keys(person.phone) for person in people if not self.has_account(person)]
        with suppress(*_OPTIONAL_ERRORS):
            await self._check(frozenset().union(*variants))
        jids = {person: self._jid(person) for person in people}
        absent = {person.key: _not_on_whatsapp(person) for person in people if not jids[person]}
        return Addressed({person: jid for person, jid in jids.items() if jid}, absent)

    def has_account(self, person: Person) -> bool:
        """Return whether a check or a member list showed an account; False also if nothing is known."""
        return bool(self._variants.listed(person) or any(map(self._on_whatsapp.get, person_keys(person.phone))))

    async def address_members(self, people: Sequence[Person]) -> Addressed:
        """Address members. Only numbers with several variants are checked, unless a list has shown which one counts."""
        variants = [person_keys(person.phone) for person in people if not self.has_account(person)]
        with suppress(*_OPTIONAL_ERRORS):
            await self._check(frozenset().union(*(keys for keys in variants if len(keys) > 1)))
        return Addressed({p: self._jid(p) or f"{p.digits}@s.whatsapp.net" for p in people}, {})

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Return by `Person.key` who is on WhatsApp. A person known only by a LID is checked by its phone.

        Raises:
            ProviderError: a check failed; the answers before it are cached.
        """
        phones = await self.resolve({person.lid for person in people if not person.phone})
        digits = {person: person.digits or phones.get(person.lid, "") for person in people}
        variants = {key for number in digits.values() if number for key in same_person_keys(number)}
        await self._check(key for key in variants if self._on_whatsapp.get(key) is None)
        return {person.key: self._number_check(person, number) for person, number in digits.items()}

    async def memberships(self, people: Sequence[Person], members: Sequence[MemberRecord]) -> MembershipReading:
        """Return by key the status of people among members. The phones of LIDs are looked up if they decide it."""
        found = self._compare(people, members, {})
        undecided = [person for person in people if found[person.key].is_member is None]
        if undecided:
            found = self._compare(people, members, await self.resolve(_deciding_lids(undecided, members)))
        return found

    async def resolve(self, lids: Collection[str]) -> dict[str, str]:
        """Return the phones, in digits, of the LIDs that WUTS can resolve (`resolveContacts`)."""
        wanted = sorted(lid for lid in lids if self._phone_of_lid.get(lid) is None)
        with suppress(*_OPTIONAL_ERRORS):
            for start in range(0, len(wanted), MAX_IDENTIFIERS):
                body = {"jids": wanted[start : start + MAX_IDENTIFIERS]}
                for contact in (await self._api.read(ResolveReply, "POST", "/contacts/resolve", body)).items:
                    if contact.lid and contact.phone:
                        self._phone_of_lid.set(contact.lid, contact.phone)
        return {lid: phone for lid in lids if (phone := self._phone_of_lid.get(lid))}

    async def _check(self, variants: Iterable[str]) -> None:
        """Check which numbers are on WhatsApp (`checkContactsOnWhatsApp`). Raises `ProviderError`."""
        wanted = sorted(digits for digits in variants if _NUMBER.fullmatch(digits))
        for start in range(0, len(wanted), MAX_IDENTIFIERS):
            numbers = wanted[start : start + MAX_IDENTIFIERS]
            answer = await self._api.read(CheckReply, "POST", "/contact/check", {"numbers": numbers})
            for number in numbers:
                if (on_whatsapp := answer.data.get(number)) is not None:
                    self._on_whatsapp.set(number, on_whatsapp)

    def _jid(self, person: Person) -> str:
        """Return the JID of a person to send; empty if no variant of the number is on WhatsApp."""
        if not person.phone:
            return person.lid
        if listed := self._variants.listed(person):
            return f"{listed}@s.whatsapp.net"
        checked = {key: self._on_whatsapp.get(key) for key in person_keys(person.phone)}
        if all(answer is False for answer in checked.values()):
            return ""
        other = next((key for key, answer in checked.items() if answer), person.digits)
        digits = other if checked[person.digits] is False else person.digits
        return f"{digits}@s.whatsapp.net"

    def _number_check(self, person: Person, digits: str) -> NumberCheck:
        """Return the answers of the checks. If two variants have an account, the canonical one isn't known."""
        checked = {key: self._on_whatsapp.get(key) for key in same_person_keys(digits)} if digits else {"": None}
        if any(checked.values()):
            canonical = [key for key, answer in checked.items() if answer is not False]
            return NumberCheck(True, f"+{canonical[0]}" if len(canonical) == 1 else "", person.lid)
        on_whatsapp = False if all(answer is False for answer in checked.values()) else None
        return NumberCheck(on_whatsapp, lid=person.lid)

    def _compare(
        self, people: Sequence[Person], members: Sequence[MemberRecord], phones: Mapping[str, str]
    ) -> MembershipReading:
        index = MemberIndex()
        listed = set()
        for member in members:
            digits = member.phone or phones.get(member.lid_jid, "")
            listed.add(digits)
            if member.phone and member.lid_jid:
                self._phone_of_lid.set(member.lid_jid, member.phone)
            index.add(MemberKey(member.lid_jid, frozenset({digits} - {""}), member.status))
        self._variants.learn(people, listed)
        return index.read({person.key: _member_key(person, phones) for person in people})


def result_of(
    records: Iterable[MemberRecord], people: Sequence[Person], addressed: Addressed, outcomes: Mapping[str, Outcome]
) -> PeopleResult:
    """Return the verdicts after a success, by the code in each person's record. A record without one proves nothing."""
    coded = [record for record in records if record.participant_code]
    reported = {
        person.key: _verdict(person, record, outcomes)
        for person in addressed.jids
        for record in coded
        if _is_of(person, record)
    }
    known = {**addressed.rejected, **reported}
    verdicts = tuple(known.get(person.key) or Verdict(person.key, Outcome.UNKNOWN) for person in people)
    return PeopleResult(verdicts, rate_limit_of(verdicts))


def rejections(error: ProviderError, addressed: Addressed) -> Mapping[str, Verdict]:
    """Return by key the verdicts of the people whose values a failed call rejected. The others may be fine."""
    values = error.values if isinstance(error, ValuesRejected) else ()
    return {
        person.key: Verdict(
            person.key,
            Outcome.INVALID,
            Evidence.REPORTED,
            error.code,
            (value.message or error.provider_text)[:MAX_PROVIDER_TEXT],
        )
        for person in addressed.jids
        for value in values
        if _is_of(person, MemberRecord(jid=str(value.value), phone_number=str(value.value)))
    }


def result_of_failure(error: ProviderError, people: Sequence[Person], addressed: Addressed) -> PeopleResult:
    """Return the verdicts after a failed call: all people who were sent share the error.

    Raises:
        ProviderError: `error`, if no other verdict is known.
    """
    known = addressed.rejected
    if not known:
        raise error
    return PeopleResult(
        tuple(known.get(person.key) or verdicts_for_error(error, [person])[0] for person in people), error
    )


def _member_key(person: Person, phones: Mapping[str, str]) -> MemberKey:
    own = person.digits or phones.get(person.lid, "")
    return MemberKey(person.lid, same_person_keys(own) if own else frozenset())


def _deciding_lids(undecided: Sequence[Person], members: Sequence[MemberRecord]) -> set[str]:
    """Return the LIDs whose phones can decide the status of these people: the members' for phones, else their own."""
    lids = {person.lid for person in undecided if not person.phone}
    if any(person.phone for person in undecided):
        lids |= {member.lid_jid for member in members if member.lid_jid and not member.phone}
    return lids


def _not_on_whatsapp(person: Person) -> Verdict:
    return Verdict(person.key, Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED, "false", "contact check: false")


def _verdict(person: Person, record: MemberRecord, outcomes: Mapping[str, Outcome]) -> Verdict:
    """Return the verdict by the code of a record. A code without a known outcome is kept; the person is unknown."""
    code = record.participant_code
    text = str(record.message or "")[:MAX_PROVIDER_TEXT]
    return Verdict.reported(person.key, outcomes.get(code, Outcome.UNKNOWN), code, text)


def _is_of(person: Person, record: MemberRecord) -> bool:
    """Return whether a record is certainly this person's."""
    if person.lid and person.lid == record.lid_jid:
        return True
    return bool(person.phone and record.phone) and record.phone in same_person_keys(person.digits)
