"""What the member list shows about a request's people, and the verdicts that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.domain.followups import Followup
from bot.domain.operations import OPERATIONS, DesiredState
from bot.domain.requests import Request, RequestItem
from bot.domain.verdicts import (
    Look,
    already_satisfied,
    compare,
    reconcile,
    trusted,
    verdict_from_membership,
    verify_only,
)
from bot.execution.connections import Connection
from bot.storage.requests import RequestStore
from providers.base import MembershipStatus, Operation, Outcome, PeopleResult, Provider, Verdict
from providers.identity import person_keys


@dataclass(frozen=True, slots=True)
class MembershipSnapshot:
    """The membership of people, by position.

    Attributes:
        listed: what the member list shows.
        trusted: what of that can be trusted, beside what was changed recently.
        hidden: the LIDs of the members without a known phone; None if the list can't be compared with an earlier one.
        lids: the LIDs of the listed people, as far as they are known.
        is_late: whether the provider documents that its lists show changes late.
        read_at: when the list was read, aware.
    """

    listed: Mapping[int, MembershipStatus] = field(default_factory=dict)
    trusted: Mapping[int, MembershipStatus] = field(default_factory=dict)
    hidden: frozenset[str] | None = None
    lids: Mapping[int, str] = field(default_factory=dict)
    is_late: bool = False
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def look(self, position: int) -> Look:
        """Return what the list shows about the person at a position."""
        return Look(self.trusted.get(position, MembershipStatus.UNKNOWN), self.hidden, self.lids.get(position, ""))


NOTHING_KNOWN = MembershipSnapshot()


async def read_membership(
    store: RequestStore, connection: Connection, request: Request, people: Sequence[RequestItem]
) -> MembershipSnapshot:
    """Read the membership of the people whose membership or role the request changes.

    A list may be as late as all waits of the connection's `verify_after` together. Within that time, what other
    requests did counts for more than what the list shows. Raises `ProviderError`.
    """
    affected = [p for p in people if OPERATIONS[p.operation].desired]
    if not affected or not request.group_id:
        return NOTHING_KNOWN
    now = await look_up(connection.provider, request.group_id, affected)
    changes = await store.recent_changes(request, now.read_at.timestamp() - sum(connection.verify_after))
    reliable = {}
    for p in affected:
        keys = person_keys(p.person.phone, p.person.lid)
        reliable[p.position] = trusted(now.listed[p.position], [c for key in keys for c in changes.get(key, ())])
    return replace(now, trusted=reliable)


async def look_up(provider: Provider, group_id: str, people: Sequence[RequestItem]) -> MembershipSnapshot:
    """Read the membership of people, without regard to recent changes. Raises `ProviderError`."""
    read_at = datetime.now(UTC)
    reading = await provider.membership(group_id, [p.person for p in people])
    listed = {p.position: reading.get(p.person.key, MembershipStatus.UNKNOWN) for p in people}
    lids = {p.position: reading.lids[p.person.key] for p in people if p.person.key in reading.lids}
    return MembershipSnapshot(listed, listed, reading.hidden, lids, provider.late_lists, read_at)


def verified_item(request: Request, p: RequestItem, now: MembershipSnapshot) -> Verdict:
    """Return the verdict on a person of a request that only verifies an earlier one."""
    desired = OPERATIONS[p.operation].desired
    if desired is None:
        return Verdict(p.person.key, Outcome.UNKNOWN, provider_message="Still can't confirm.")
    late = ""
    if now.is_late:
        late = (
            f"The member list, read at {now.read_at:%H:%M} UTC, doesn't show it."
            " The provider's list can be some minutes late."
        )
    before, status = compare(Look(p.before, request.hidden), now.look(p.position))
    return verify_only(replace(p, before=before), desired, status, late=late)


def needless_item(request: Request, p: RequestItem, now: MembershipSnapshot) -> Verdict | None:
    """Return the verdict on a person for whom nothing needs to be sent, None if something does.

    A list that may be late says that of no one: sending what isn't needed changes nothing. A sync leaves admins alone:
    for that, what the list shows is enough.
    """
    removed_by_sync = request.operation is Operation.SYNC and p.operation is Operation.REMOVE
    listed = now.listed.get(p.position, p.before)
    if removed_by_sync and listed is MembershipStatus.ADMIN and request.options.follow != Followup.UNDO:
        return not_attempted(p, "An admin of the group. A sync doesn't remove admins.")
    if now.is_late:
        return None
    return already_satisfied(p.person.key, OPERATIONS[p.operation].desired, now.trusted.get(p.position, p.before))


def observed_verdict(request: Request, p: RequestItem, now: MembershipSnapshot) -> Verdict | None:
    """Return the verdict that reading the group back proves, None if it proves none."""
    desired = OPERATIONS[p.operation].desired
    if desired is None:
        return None
    before, status = compare(Look(p.before, request.hidden), now.look(p.position))
    was_met = _was_met(desired, before, is_late=now.is_late)
    return verdict_from_membership(p.person.key, desired, status, was_met=was_met)


def reconciled_verdicts(people: Sequence[RequestItem], result: PeopleResult, *, is_late: bool) -> list[Verdict]:
    """Correct the verdicts of a call by each person's earlier submissions; this call counts as one more.

    Settings cannot be read back after an interruption, so the failure of one does not show what an earlier
    submission did.
    """
    by_key = {p.person.key: p for p in people}
    verdicts = []
    for verdict in result.verdicts:
        p = by_key[verdict.key]
        desired = OPERATIONS[p.operation].desired
        verdicts.append(
            reconcile(
                verdict,
                desired,
                was_met=_was_met(desired, p.before, is_late=is_late) if desired else None,
                submissions=p.submissions + 1,
                call_failed=result.error is not None or OPERATIONS[p.operation].one_batch,
            )
        )
    return verdicts


def _was_met(desired: DesiredState, before: MembershipStatus, *, is_late: bool) -> bool | None:
    """Return whether a person was in the desired state before; None if unknown, or if only a late list says so."""
    met = desired.is_met_by(before)
    return None if met and is_late else met


def not_attempted(p: RequestItem, message: str) -> Verdict:
    """Return the verdict on a person who is not sent, with the reason."""
    return Verdict(p.person.key, Outcome.NOT_ATTEMPTED, provider_message=message)
