"""How a request's people stand in the group, as far as a list that may be late can be believed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.history import believed
from bot.domain.requests import Participant, Request
from bot.lines import Line
from bot.runtime.journal import Journal
from providers.base import MembershipStatus
from providers.identity import person_keys


@dataclass(frozen=True, slots=True)
class Standings:
    """By position: what the list tells, and what of that can be believed."""

    listed: Mapping[int, MembershipStatus]
    believed: Mapping[int, MembershipStatus]


NOTHING_TOLD = Standings({}, {})


async def standings(journal: Journal, line: Line, request: Request, people: Sequence[Participant]) -> Standings:
    """Read how those stand whom the operation is to make stand differently.

    A list may be as late as the connection's `verify_after` waits in all: what other requests did within that time
    counts for more than what the list tells. Raises `ProviderError`.
    """
    listed = await line.standing(request, people)
    if not listed:
        return NOTHING_TOLD
    changes = await journal.changes_since(request, time.time() - sum(line.verify_after))
    persons = {p.position: p.person for p in people}
    told = {}
    for position, standing in listed.items():
        keys = person_keys(persons[position].phone, persons[position].lid)
        told[position] = believed(standing, [change for key in keys for change in changes.get(key, ())])
    return Standings(listed, told)
