"""How a request's people stand in the group, as far as a list that may be late can be believed."""

import time
from collections.abc import Sequence

from bot.domain.history import believed
from bot.domain.requests import Participant, Request
from bot.lines import Line
from bot.runtime.history import keys_of
from bot.runtime.journal import Journal
from providers.base import Standing


async def standings(
    journal: Journal, line: Line, request: Request, people: Sequence[Participant]
) -> dict[int, Standing]:
    """Read by position how those stand whom the operation is to make stand differently.

    A list may be as late as the connection's `verify_after` waits in all: what other requests did within that time
    counts for more than what the list tells. Raises `ProviderError`.
    """
    listed = await line.standing(request, people)
    if not listed:
        return {}
    changes = await journal.changes_since(request, time.time() - sum(line.verify_after))
    persons = {p.position: p.person for p in people}
    return {
        position: believed(
            standing,
            [c for key in keys_of(persons[position].phone, persons[position].lid) for c in changes.get(key, ())],
        )
        for position, standing in listed.items()
    }
