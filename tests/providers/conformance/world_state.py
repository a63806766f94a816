"""What truly happened, and which verdicts it allows: `unknown` always, any other only where it is so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from providers.base import MembershipStatus, Operation, Outcome, Verdict
from sandbox.providers.world import Disposition, Effect, Membership, SimGroup, SimPerson, World

DONE = frozenset({Effect.ADDED, Effect.REMOVED, Effect.PROMOTED, Effect.DEMOTED})
_AS_WANTED = {
    Operation.ADD: frozenset({Effect.ADDED, Effect.ALREADY_MEMBER}),
    Operation.REMOVE: frozenset({Effect.REMOVED, Effect.NOT_A_MEMBER}),
    Operation.PROMOTE: frozenset({Effect.PROMOTED, Effect.ALREADY_ADMIN}),
    Operation.DEMOTE: frozenset({Effect.DEMOTED, Effect.NOT_AN_ADMIN}),
}
_CLAIMS: Mapping[Outcome, frozenset[Effect]] = {
    Outcome.ADDED: frozenset({Effect.ADDED}),
    Outcome.REMOVED: frozenset({Effect.REMOVED}),
    Outcome.PROMOTED: frozenset({Effect.PROMOTED}),
    Outcome.DEMOTED: frozenset({Effect.DEMOTED}),
    Outcome.INVITED: frozenset({Effect.PRIVATE}),
    Outcome.REFUSED: frozenset({Effect.PRIVATE}),
    Outcome.PENDING: frozenset({Effect.AWAITS_ADMIN}),
    Outcome.NOT_ON_WHATSAPP: frozenset({Effect.NO_ACCOUNT}),
    Outcome.INVALID: frozenset({Effect.NO_ACCOUNT}),
    Outcome.RECENTLY_LEFT: frozenset({Effect.RECENTLY_LEFT}),
    Outcome.BLOCKED: frozenset({Effect.BLOCKED}),
    Outcome.GROUP_FULL: frozenset({Effect.GROUP_FULL}),
}


@dataclass(frozen=True, slots=True)
class WorldSnapshot:
    """The world as it was: its groups, how many events there were, and how many texts were sent."""

    groups: Mapping[str, SimGroup]
    events: int
    sent: int

    @classmethod
    def of(cls, world: World) -> "WorldSnapshot":
        groups = {
            group.id: replace(group, members={phone: replace(member) for phone, member in group.members.items()})
            for group in world.groups.values()
        }
        return cls(groups, len(world.events), len(world.sent))


def effects(world: World, start: WorldSnapshot, group_id: str) -> dict[str, Effect]:
    """Return what happened to people in a group since the start, by the phone that the world knows them by."""
    since = world.events[start.events :]
    return {world.canonical(event.phone): event.effect for event in since if event.group_id == group_id}


def phone_of(key: str, world: World) -> str:
    """Return the phone by which the world knows somebody by their key, which may be a LID or another form of it."""
    if key.endswith("@lid"):
        return world.phone_of_lid(key.removesuffix("@lid")) or ""
    return world.canonical(key.removeprefix("+"))


def _members(group: SimGroup | None, world: World) -> dict[str, Membership]:
    """Return a group's members by the phones that the world knows them by: a CRM keeps numbers as it was given them."""
    return {world.canonical(phone): member for phone, member in group.members.items()} if group else {}


def false_verdicts(
    operation: Operation, group_id: str, verdicts: Iterable[Verdict], world: World, start: WorldSnapshot
) -> list[str]:
    """Return the verdicts that are wrong, one line each."""
    happened, before = effects(world, start, group_id), _members(start.groups.get(group_id), world)
    found = []
    for verdict in verdicts:
        phone = phone_of(verdict.key, world)
        effect = happened.get(phone)
        sure = _foregone(operation, before.get(phone), world.person(phone))
        if verdict.outcome is Outcome.INVALID and verdict.key.endswith("@lid") and effect is None:
            continue  # a provider that takes phones alone
        if not _allowed(operation, verdict.outcome, effect, sure):
            found.append(f"{phone} is {verdict.outcome} ({verdict.evidence}), though in truth {effect}")
    return found


def false_statuses(world: World, group_id: str, statuses: Mapping[str, MembershipStatus]) -> list[str]:
    """Return the states that contradict who is in the group, and who of them is an admin."""
    members = _members(world.groups[group_id], world)
    found = []
    for key, status in statuses.items():
        member = members.get(phone_of(key, world))
        admin = member is not None and member.role == "admin"
        if status.is_member not in {None, member is not None} or status.is_admin not in {None, admin}:
            found.append(f"{key} stands as {status}, though in truth {member}")
    return found


def _allowed(operation: Operation, outcome: Outcome, effect: Effect | None, sure: Effect | None) -> bool:
    if outcome is Outcome.UNKNOWN:
        return True
    if outcome is Outcome.CONFIRMED:
        return _is_as_wanted(operation, effect or sure)
    if outcome is Outcome.ALREADY_DONE:
        return _is_as_wanted(operation, effect or sure) and (effect or sure) not in DONE
    if outcome in _CLAIMS:
        return (effect or sure) in _CLAIMS[outcome]
    return effect not in _AS_WANTED[operation]  # failed, rate limited, not attempted: it is not as wanted


def _is_as_wanted(operation: Operation, effect: Effect | None) -> bool:
    return effect in _AS_WANTED[operation] or (operation is Operation.DEMOTE and effect is Effect.NOT_A_MEMBER)


def _foregone(operation: Operation, member: Membership | None, human: SimPerson) -> Effect | None:
    """Return the effect that the operation is sure to have on somebody, so that it need not be asked for; else None."""
    match operation:
        case Operation.ADD if member:
            return Effect.ALREADY_MEMBER
        case Operation.ADD:
            return Effect.NO_ACCOUNT if human.disposition is Disposition.NO_ACCOUNT else None
        case Operation.REMOVE:
            return None if member else Effect.NOT_A_MEMBER
        case Operation.PROMOTE:
            return Effect.ALREADY_ADMIN if member and member.role == "admin" else None
        case _:
            if member is None:
                return Effect.NOT_A_MEMBER
            return Effect.NOT_AN_ADMIN if member.role != "admin" else None
