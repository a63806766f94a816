"""How a request's people stand in the group, as far as a list that may be late can be believed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.history import trusted
from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.storage.requests import RequestStore
from providers.base import MembershipStatus
from providers.identity import person_keys


@dataclass(frozen=True, slots=True)
class MembershipSnapshot:
    """By position: what the list tells, and what of that can be believed."""

    listed: Mapping[int, MembershipStatus]
    trusted: Mapping[int, MembershipStatus]


NOTHING_KNOWN = MembershipSnapshot({}, {})


async def read_membership(
    journal: RequestStore, line: Connection, request: Request, people: Sequence[RequestItem]
) -> MembershipSnapshot:
    """Read how those stand whom the operation is to make stand differently.

    A list may be as late as the connection's `verify_after` waits in all: what other requests did within that time
    counts for more than what the list tells. Raises `ProviderError`.
    """
    listed = await line.membership(request, people)
    if not listed:
        return NOTHING_KNOWN
    changes = await journal.recent_changes(request, time.time() - sum(line.verify_after))
    persons = {p.position: p.person for p in people}
    told = {}
    for position, standing in listed.items():
        keys = person_keys(persons[position].phone, persons[position].lid)
        told[position] = trusted(standing, [change for key in keys for change in changes.get(key, ())])
    return MembershipSnapshot(listed, told)
