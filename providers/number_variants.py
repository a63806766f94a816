"""In which of its written forms an account goes, where its number can have several (`providers.identity`)."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from providers.base import NumberCheck, Outcome, PeopleResult, Person, ProviderError, Verdict, verdicts_for_error
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import same_person_keys

OTHER_VARIANT = "WhatsApp may know this number in its other form."
"""Why somebody who was not found counts as failed, where their number has several forms."""

Check = Callable[[Sequence[Person]], Awaitable[Mapping[str, NumberCheck]]]
Add = Callable[[Sequence[Person]], Awaitable[PeopleResult]]


class NumberVariants:
    """Remembers for a day in which form a number was listed. A server may match what it is sent letter by letter.

    Args:
        clock: gives seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._seen = TTLCache[str](DAY_SECONDS, clock)

    def seen(self, person: Person) -> str | None:
        """Give the digits in which the number was listed; None where it has one form, or was not seen."""
        return self._seen.get(person.digits)

    def digits(self, person: Person) -> str:
        """Give the digits to send: as they were listed, else as typed; empty for a person without a phone."""
        return self.seen(person) or person.digits

    def learn(self, people: Iterable[Person], listed: Collection[str]) -> None:
        """Learn from the numbers of a member list, in digits. Who is listed as typed stays so."""
        for person in people:
            found = _variants(person).intersection(listed)
            if found and len(_variants(person)) > 1:
                self.put(person, person.digits if person.digits in found else min(found))

    def put(self, person: Person, digits: str) -> None:
        """Remember one form."""
        self._seen.set(person.digits, digits)


async def retry_with_variants(
    forms: NumberVariants, people: Sequence[Person], first: PeopleResult, *, check: Check, add: Add
) -> PeopleResult:
    """Add those whom a first call did not find, in the form that the number check knows.

    Only numbers with several forms are checked, and only of those to whom that may have happened (`OTHER_FORM`).
    Whoever has no account in any form is told so; where the check does not help, the first verdict stands.
    """
    verdicts = {verdict.key: verdict for verdict in first.verdicts}
    lost = [person for person in people if verdicts[person.key].provider_message.endswith(OTHER_VARIANT)]
    if not lost or first.error is not None:
        return first
    try:
        checked = await check(lost)
    except ProviderError:
        return first
    again = []
    for person in lost:
        known = checked[person.key]
        digits = known.phone.removeprefix("+")
        if known.on_whatsapp is False:
            verdicts[person.key] = _nowhere(verdicts[person.key])
        elif digits in _variants(person) - {forms.digits(person)}:
            forms.put(person, digits)
            again.append(person)
    error = None
    if again:
        try:
            second = await add(again)
        except ProviderError as raised:
            second = PeopleResult(verdicts_for_error(raised, again), raised)
        verdicts |= {verdict.key: verdict for verdict in second.verdicts}
        error = second.error
    return PeopleResult(tuple(verdicts[person.key] for person in people), error)


def _variants(person: Person) -> frozenset[str]:
    return same_person_keys(person.digits) if person.phone else frozenset()


def _nowhere(verdict: Verdict) -> Verdict:
    words = "No form of the number is on WhatsApp."
    return replace(verdict, outcome=Outcome.NOT_ON_WHATSAPP, provider_message=words)
