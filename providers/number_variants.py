"""The variant under which an account is listed, if its number has several (`providers.identity`)."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from providers.base import NumberCheck, Outcome, PeopleResult, Person, ProviderError, verdicts_for_error
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import person_keys

OTHER_VARIANT = "WhatsApp may list this number in another form."
"""The end of the message of a person who wasn't found and whose number has other variants. The outcome is `FAILED`."""

_NOT_ON_WHATSAPP = "The number isn't on WhatsApp in any of its forms."

Check = Callable[[Sequence[Person]], Awaitable[Mapping[str, NumberCheck]]]
Add = Callable[[Sequence[Person]], Awaitable[PeopleResult]]


class NumberVariants:
    """The listed variants of numbers, cached for a day. A server may compare numbers letter by letter.

    Args:
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._listed = TTLCache[str](DAY_SECONDS, clock)

    def listed(self, person: Person) -> str | None:
        """Return the digits under which the number was listed; None if it has one variant or wasn't seen."""
        return self._listed.get(person.digits)

    def digits(self, person: Person) -> str:
        """Return the digits to send: as listed, else as typed; empty for a person without a phone."""
        return self.listed(person) or person.digits

    def learn(self, people: Iterable[Person], listed: Collection[str]) -> None:
        """Learn from the numbers of a member list, in digits. A number that is listed as typed stays as typed."""
        for person in people:
            variants = person_keys(person.phone)
            found = variants.intersection(listed)
            if found and len(variants) > 1:
                self.set(person, person.digits if person.digits in found else min(found))

    def set(self, person: Person, digits: str) -> None:
        """Store the listed variant of a number."""
        self._listed.set(person.digits, digits)


async def retry_with_variants(
    variants: NumberVariants, people: Sequence[Person], first: PeopleResult, *, check: Check, add: Add
) -> PeopleResult:
    """Add the people whom the first call didn't find again, under the variant that the number check confirms.

    Only numbers with several variants are checked, and only if they may be listed under another (`OTHER_VARIANT`). A
    person whose number has no account in any variant is `NOT_ON_WHATSAPP`. If the check doesn't help, the first verdict
    is kept.
    """
    verdicts = {verdict.key: verdict for verdict in first.verdicts}
    missed = [person for person in people if verdicts[person.key].provider_message.endswith(OTHER_VARIANT)]
    if not missed or first.error is not None:
        return first
    try:
        checks = await check(missed)
    except ProviderError:
        return first
    again = []
    for person in missed:
        number = checks[person.key]
        digits = number.phone.removeprefix("+")
        if number.on_whatsapp is False:
            verdicts[person.key] = replace(
                verdicts[person.key], outcome=Outcome.NOT_ON_WHATSAPP, provider_message=_NOT_ON_WHATSAPP
            )
        elif digits in person_keys(person.phone) - {variants.digits(person)}:
            variants.set(person, digits)
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
