"""Who is on WhatsApp: checkContactExists takes one number a call, so some go at once and the answers are kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from providers.base import NumberCheck, Person
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import digits_of, lid_of, same_person_keys
from providers.wasend.api import Api
from providers.wasend.errors import ELSEWHERE
from providers.wasend.replies import CheckReply

AT_ONCE = 5
"""Checks under way at a time: ours, no limit is documented. Half of the client's connections stay free."""


class Numbers:
    """The checks of one session.

    Args:
        api: where to ask.
        clock: gives the time in seconds, from any start.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._kept = TTLCache[NumberCheck](DAY_SECONDS, clock)

    async def check(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each of `people` once. The first error ends the asking; what was answered before it is kept."""
        gate = asyncio.Semaphore(AT_ONCE)
        tasks: dict[str, asyncio.Task[NumberCheck]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for person in people:
                    if person.key not in tasks:
                        tasks[person.key] = group.create_task(self._check(person, gate))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return {key: task.result() for key, task in tasks.items()}

    async def _check(self, person: Person, gate: asyncio.Semaphore) -> NumberCheck:
        if not person.phone:
            return NumberCheck(None, lid=person.lid)
        kept = self._kept.get(person.digits)
        if kept is None:
            async with gate:
                kept = await self._ask(person.digits)
            self._kept.set(person.digits, kept)
        return kept

    async def _ask(self, digits: str) -> NumberCheck:
        """Ask for a number as it is, and where it does not exist, in its other forms: WhatsApp decides which counts."""
        forms = (digits, *sorted(same_person_keys(digits) - {digits}))
        for form in forms:
            query = {"session": self._api.session, "phone": form}
            reply = await self._api.read("/contacts/check-exists", CheckReply, query, ELSEWHERE)
            if reply.exists:
                known_as = digits_of(reply.jid or "")
                return NumberCheck(True, f"+{known_as or form}", lid_of(reply.jid or ""))
        return NumberCheck(False)
