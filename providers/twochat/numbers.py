"""Who is on WhatsApp: checkNumber takes one number a call and costs a credit, so nothing is asked twice."""

from collections.abc import Callable, Mapping, Sequence

from providers.base import NumberCheck, Person
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import same_person_keys
from providers.twochat.api import Api
from providers.twochat.errors import NEITHER_NUMBER
from providers.twochat.models import CheckReply

_NOT_TOLD = "not told"


class Numbers:
    """The checks that one connected number makes, one after another: while it asks WhatsApp, it is busy.

    Args:
        api: where to ask.
        clock: gives the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._kept = TTLCache[bool | str](DAY_SECONDS, clock)

    async def check(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each of `people`. The first error ends the asking; what was answered before it is kept."""
        return {person.key: await self._check(person) for person in people}

    async def _check(self, person: Person) -> NumberCheck:
        """Check a number as it is, and only where it has no WhatsApp, its other forms: WhatsApp decides which counts.

        Of several forms that may each have an account nobody knows which is the canonical one. Somebody is not on
        WhatsApp only where that was said of every form.
        """
        if not person.phone:
            return NumberCheck(None, lid=person.lid)
        possible = {person.digits, *same_person_keys(person.digits)}
        for form in (person.digits, *sorted(possible - {person.digits})):
            answer = await self._ask(form)
            if answer is True:
                return NumberCheck(True, f"+{form}" if len(possible) == 1 else "", person.lid)
            if answer is False:
                possible.remove(form)
        return NumberCheck(None if possible else False, lid=person.lid)

    async def _ask(self, form: str) -> bool | str:
        """Ask for one form of a number, once a day (checkNumber, without its extra information for another credit)."""
        kept = self._kept.get(form)
        if kept is None:
            path = f"/open/whatsapp/check-number/{self._api.number}/+{form}"
            answer = (await self._api.read(path, CheckReply, missing=NEITHER_NUMBER)).answer
            kept = _NOT_TOLD if answer is None else answer
            self._kept.set(form, kept)
        return kept
