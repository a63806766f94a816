"""Who is who at WUTS: numbers that are on WhatsApp, and the phones behind LIDs."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from providers.base import (
    Evidence,
    InvalidRequest,
    MembershipStatus,
    NumberCheck,
    Outcome,
    PermissionMissing,
    Person,
    ProviderFault,
    Verdict,
)
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import same_person_keys
from providers.member_index import MemberIndex, MemberKey
from providers.number_variants import NumberVariants
from providers.wuts.api import Api
from providers.wuts.models import CheckAnswer, Participant, ResolveAnswer

MOST_AT_ONCE = 160
"""Identifiers in one `resolveContacts` call, by the contract. For `checkContactsOnWhatsApp` it tells no limit, and the
sibling's is kept."""

_NUMBER = re.compile(r"[0-9]{10,15}")
"""What WUTS takes as a number (x-conventions.identifiers); a shorter one would spoil the check of all others."""

# A number check or a look-up of LIDs only helps: these do not stop the change or the read that it was for.
_HELP_MAY_FAIL = (PermissionMissing, InvalidRequest, ProviderFault)


@dataclass(frozen=True, slots=True)
class Addressed:
    """How people are named to WUTS; those in `unfit` are not sent: they have no account, or WUTS does not take them."""

    jids: Mapping[Person, str]
    unfit: Mapping[str, Verdict]

    @property
    def participants(self) -> list[str]:
        """The `participants` of a request: nobody twice."""
        return list(dict.fromkeys(self.jids.values()))

    def without(self, unfit: Mapping[str, Verdict]) -> "Addressed":
        """Leave out more people, by their keys."""
        left = {person: jid for person, jid in self.jids.items() if person.key not in unfit}
        return Addressed(left, {**self.unfit, **unfit})


class Directory:
    """Remembers for a day who is on WhatsApp, in which form of the number, and who is behind a LID.

    Args:
        api: asks WUTS.
        clock: gives seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._on_whatsapp: TTLCache[bool] = TTLCache(DAY_SECONDS, clock)
        self._listed = NumberVariants(clock)
        self._phone_of_lid: TTLCache[str] = TTLCache(DAY_SECONDS, clock)

    async def check_in(self, people: Sequence[Person]) -> Addressed:
        """Address people who are to be let in or written to, each of whom has to have an account.

        Who had none is asked for again, for they may have one by now.
        """
        forms = [self._forms(p) for p in people if not self.has_account(p)]
        with suppress(*_HELP_MAY_FAIL):
            await self._check({form for of_one in forms for form in of_one})
        jids = {person: self._jid(person) for person in people}
        absent = {person.key: _not_on_whatsapp(person) for person in people if not jids[person]}
        return Addressed({person: jid for person, jid in jids.items() if jid}, absent)

    def has_account(self, person: Person) -> bool:
        """Tell whether a check or a member list showed an account; False too where nothing is known."""
        return bool(self._listed.seen(person) or any(map(self._on_whatsapp.get, self._forms(person))))

    async def address(self, people: Sequence[Person]) -> Addressed:
        """Address members. Only a number that can be written in several forms is checked, if no list has shown it."""
        forms = [self._forms(person) for person in people if not self.has_account(person)]
        with suppress(*_HELP_MAY_FAIL):
            await self._check({form for of_one in forms if len(of_one) > 1 for form in of_one})
        return Addressed({p: self._jid(p) or f"{p.digits}@s.whatsapp.net" for p in people}, {})

    async def check_numbers(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Tell by `Person.key` who is on WhatsApp; a person known by LID alone by the phone behind it.

        Raises:
            ProviderError: a check failed; what came before it is remembered.
        """
        phones = await self.resolve({person.lid for person in people if not person.phone})
        digits = {person: person.digits or phones.get(person.lid, "") for person in people}
        forms = {form for number in digits.values() if number for form in same_person_keys(number)}
        await self._check(form for form in forms if self._on_whatsapp.get(form) is None)
        return {person.key: self._verdict_on(person, number) for person, number in digits.items()}

    async def memberships(
        self, people: Sequence[Person], members: Sequence[Participant]
    ) -> dict[str, MembershipStatus]:
        """Tell by key how people stand among members; the phones behind LIDs are asked for where they decide."""
        found = self._compare(people, members, {})
        unsure = [person for person in people if found[person.key] is MembershipStatus.UNKNOWN]
        if unsure:
            phones = await self.resolve(_deciding_lids(unsure, members))
            found |= self._compare(unsure, members, phones)
        return found

    async def resolve(self, lids: Collection[str]) -> dict[str, str]:
        """Give the phones, in digits, of those LIDs that WUTS can turn into one (`resolveContacts`)."""
        wanted = sorted(lid for lid in lids if self._phone_of_lid.get(lid) is None)
        with suppress(*_HELP_MAY_FAIL):
            for start in range(0, len(wanted), MOST_AT_ONCE):
                body = {"jids": wanted[start : start + MOST_AT_ONCE]}
                for contact in (await self._api.read(ResolveAnswer, "POST", "/contacts/resolve", body)).items:
                    if contact.lid and contact.phone:
                        self._phone_of_lid.set(contact.lid, contact.phone)
        return {lid: phone for lid in lids if (phone := self._phone_of_lid.get(lid))}

    def _forms(self, person: Person) -> frozenset[str]:
        return same_person_keys(person.digits) if person.phone else frozenset()

    async def _check(self, forms: Iterable[str]) -> None:
        """Ask which numbers are on WhatsApp (`checkContactsOnWhatsApp`), and remember. Raises `ProviderError`."""
        wanted = sorted(form for form in forms if _NUMBER.fullmatch(form))
        for start in range(0, len(wanted), MOST_AT_ONCE):
            numbers = wanted[start : start + MOST_AT_ONCE]
            answer = await self._api.read(CheckAnswer, "POST", "/contact/check", {"numbers": numbers})
            for number in numbers:
                if (on_whatsapp := answer.data.get(number)) is not None:
                    self._on_whatsapp.set(number, on_whatsapp)

    def _jid(self, person: Person) -> str:
        """Give the JID under which to name a person; empty for one none of whose numbers is on WhatsApp."""
        if not person.phone:
            return person.lid
        if listed := self._listed.seen(person):
            return f"{listed}@s.whatsapp.net"
        checked = {form: self._on_whatsapp.get(form) for form in self._forms(person)}
        if all(answer is False for answer in checked.values()):
            return ""
        other_form = next((form for form, answer in checked.items() if answer), person.digits)
        digits = other_form if checked[person.digits] is False else person.digits
        return f"{digits}@s.whatsapp.net"

    def _verdict_on(self, person: Person, digits: str) -> NumberCheck:
        """Tell what the checks say. Of two forms that both have an account nobody knows which is the canonical one."""
        checked = {form: self._on_whatsapp.get(form) for form in same_person_keys(digits)} if digits else {"": None}
        if any(checked.values()):
            canonical = [form for form, answer in checked.items() if answer is not False]
            return NumberCheck(True, f"+{canonical[0]}" if len(canonical) == 1 else "", person.lid)
        on_whatsapp = False if all(answer is False for answer in checked.values()) else None
        return NumberCheck(on_whatsapp, lid=person.lid)

    def _compare(
        self, people: Sequence[Person], members: Sequence[Participant], phones: Mapping[str, str]
    ) -> dict[str, MembershipStatus]:
        roll = MemberIndex()
        listed = set()
        for member in members:
            digits = member.phone or phones.get(member.lid_jid, "")
            listed.add(digits)
            roll.add(MemberKey(member.lid_jid, frozenset({digits} - {""}), member.status))
        self._listed.learn(people, listed)
        return {person.key: roll.find(_known(person, phones)) for person in people}


def _known(person: Person, phones: Mapping[str, str]) -> MemberKey:
    own = person.digits or phones.get(person.lid, "")
    return MemberKey(person.lid, same_person_keys(own) if own else frozenset())


def _deciding_lids(unsure: Sequence[Person], members: Sequence[Participant]) -> set[str]:
    """Give the LIDs whose phones can end the doubt about these people: the members' for phones, else their own."""
    lids = {person.lid for person in unsure if not person.phone}
    if any(person.phone for person in unsure):
        lids |= {member.lid_jid for member in members if member.lid_jid and not member.phone}
    return lids


def _not_on_whatsapp(person: Person) -> Verdict:
    return Verdict(person.key, Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED, "false", "contact check: false")
