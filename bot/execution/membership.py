"""What the member list shows about a request's people, and the verdicts that follow from it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.followups import Followup
from bot.domain.operations import OPERATIONS
from bot.domain.requests import Request, RequestItem
from bot.domain.verdicts import already_satisfied, reconcile_retry, trusted, verdict_from_membership, verify_only
from bot.execution.connections import Connection
from bot.storage.requests import RequestStore
from providers.base import MembershipStatus, Operation, Outcome, PeopleResult, Verdict
from providers.identity import person_keys


@dataclass(frozen=True, slots=True)
class MembershipSnapshot:
    """The membership of people, by position.

    Attributes:
        listed: what the member list shows.
        trusted: what of that can be trusted, since the list may be late.
    """

    listed: Mapping[int, MembershipStatus]
    trusted: Mapping[int, MembershipStatus]


NOTHING_KNOWN = MembershipSnapshot({}, {})


async def read_membership(
    store: RequestStore, connection: Connection, request: Request, people: Sequence[RequestItem]
) -> MembershipSnapshot:
    """Read the membership of the people whose membership or role the request changes.

    A list may be as late as all waits of the connection's `verify_after` together. Within that time, what other
    requests did counts for more than what the list shows. Raises `ProviderError`.
    """
    listed = await connection.membership(request, people)
    if not listed:
        return NOTHING_KNOWN
    changes = await store.recent_changes(request, time.time() - sum(connection.verify_after))
    persons = {p.position: p.person for p in people}
    reliable = {}
    for position, status in listed.items():
        keys = person_keys(persons[position].phone, persons[position].lid)
        reliable[position] = trusted(status, [change for key in keys for change in changes.get(key, ())])
    return MembershipSnapshot(listed, reliable)


def verified_item(p: RequestItem, now: MembershipSnapshot) -> Verdict:
    """Return the verdict on a person of a request that only verifies an earlier one."""
    return verify_only(p, OPERATIONS[p.operation].desired, now.trusted.get(p.position))


def needless_item(request: Request, p: RequestItem, now: MembershipSnapshot) -> Verdict | None:
    """Return the verdict on a person for whom nothing needs to be sent, None if something does.

    A sync leaves admins alone: for that, what the list shows is enough.
    """
    removed_by_sync = request.operation is Operation.SYNC and p.operation is Operation.REMOVE
    listed = now.listed.get(p.position, p.before)
    if removed_by_sync and listed is MembershipStatus.ADMIN and request.options.follow != Followup.UNDO:
        return not_attempted(p, "An admin of the group. A sync doesn't remove admins.")
    return already_satisfied(p.person.key, OPERATIONS[p.operation].desired, now.trusted.get(p.position, p.before))


def observed_verdict(p: RequestItem, now: MembershipSnapshot) -> Verdict | None:
    """Return the verdict that reading the group back proves, None if it proves none."""
    desired = OPERATIONS[p.operation].desired
    if desired is None:
        return None
    status = now.trusted.get(p.position, MembershipStatus.UNKNOWN)
    return verdict_from_membership(p.person.key, desired, p.before, status)


def reconciled_verdicts(people: Sequence[RequestItem], result: PeopleResult) -> list[Verdict]:
    """Correct the verdicts of a call by each person's earlier submissions; this call counts as one more.

    Settings cannot be read back after an interruption, so the failure of one does not show what an earlier
    submission did.
    """
    by_key = {p.person.key: p for p in people}
    verdicts = []
    for verdict in result.verdicts:
        p = by_key[verdict.key]
        verdicts.append(
            reconcile_retry(
                verdict,
                OPERATIONS[p.operation].desired,
                before=p.before,
                submissions=p.submissions + 1,
                call_failed=result.error is not None or OPERATIONS[p.operation].one_batch,
            )
        )
    return verdicts


def not_attempted(p: RequestItem, message: str) -> Verdict:
    """Return the verdict on a person who is not sent, with the reason."""
    return Verdict(p.person.key, Outcome.NOT_ATTEMPTED, provider_message=message)
