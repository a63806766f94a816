"""Who may do what to which group: the roles, checked against what the group's provider needs."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from bot.commands.catalogue import ADD, COMMANDS, CREATE, DEMOTE, INVITE, PROMOTE, REMOVE, SEND, SETTINGS, SYNC
from bot.commands.usage import Command
from bot.domain.access import Actor, Allowed, Capability, Decision, DenialCode, Denied, Role, Target, check_capability
from bot.domain.groups import KnownGroup
from bot.domain.operations import OPERATIONS
from providers.base import Ability, Action, Operation, Provider

T = TypeVar("T")

READ_SIZE = 100
"""Maximum entries of one read of a long list."""
MAX_READS = 50
"""Maximum reads for one page. If the person may see almost nothing, the page ends early."""
_MOST_USED_FIRST = (ADD, REMOVE, SEND, SETTINGS, INVITE, PROMOTE, DEMOTE, SYNC, CREATE)
FORM_ACTIONS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {command.verb: command.primary_actions for command in _MOST_USED_FIRST}
)
"""The actions of each form, by its verb, the most used form first: a person needs permission for one of them."""
INVITE_ACTIONS = OPERATIONS[Operation.INVITE].actions
"""The actions that inviting people takes besides adding them."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Decides by the configuration.

    Attributes:
        providers: the adapter of each connection, for what its actions need.
        roles: the roles of the configuration.
    """

    providers: Mapping[str, Provider]
    roles: Sequence[Role]

    def check(self, actor: Actor, need: Action | Capability, group: KnownGroup | None = None) -> Decision:
        """Check whether a person may do something to a group; None: to any group.

        Args:
            actor: the person.
            need: a capability, or an action: it needs the capability that the group's provider demands.
            group: the group; None is only for a capability.
        """
        target = target_of(group) if group else None
        if isinstance(need, Action):
            if group is None:
                raise ValueError("an action needs a group")
            ability = self.ability(group.connection, need)
            if ability is None:
                reason = f"The provider of the connection `{group.connection}` doesn't support this: {need}."
                return Denied(DenialCode.PROVIDER_CANNOT, reason)
            need = Capability.required_by(ability)
        return check_capability(actor, need, target, self.roles)

    def check_all(self, actor: Actor, needs: Iterable[Action], group: KnownGroup) -> Decision:
        """Check whether a person may do all of these; return the first denial."""
        decisions = (self.check(actor, need, group) for need in needs)
        return next((decision for decision in decisions if isinstance(decision, Denied)), Allowed())

    def allows(self, actor: Actor, need: Action | Capability, group: KnownGroup | None = None) -> bool:
        """Return whether `check` allows it."""
        return isinstance(self.check(actor, need, group), Allowed)

    def allows_any(self, actor: Actor, needs: Iterable[Action], group: KnownGroup) -> bool:
        """Return whether a person may do one of these."""
        return any(self.allows(actor, need, group) for need in needs)

    def capabilities_of(self, actor: Actor) -> tuple[list[Capability], dict[Capability, Denied]]:
        """Return the capabilities that a person has for any group, and why they don't have each of the others."""
        decided = {capability: self.check(actor, capability) for capability in Capability}
        may = [capability for capability, decision in decided.items() if isinstance(decision, Allowed)]
        refused = {c: decision for c, decision in decided.items() if isinstance(decision, Denied)}
        refused.pop(Capability.ADMIN, None)  # for emergencies only, so it isn't listed as missing
        return may, refused

    def ability(self, connection: str, action: Action) -> Ability | None:
        """Return how the provider of a connection does this; None if it can't."""
        return self.providers[connection].abilities.get(action)

    def visible_groups(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
        """Return the groups whose names a person may see: those that they may list or add people to."""
        return [group for group in groups if self.allows_any(actor, (Action.LIST_GROUPS, Action.ADD), group)]

    def creatable_connections(self, actor: Actor) -> list[str]:
        """Return the connections on which a person may create groups."""
        return [name for name in self.providers if self.allows(actor, Action.CREATE, KnownGroup(name, ""))]

    def manageable_groups(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[tuple[KnownGroup, Sequence[str]]]:
        """Return the groups that a person may administer, each with the verbs of the forms that they may use for it.

        Each capability is checked once for a group, and only if the person has it at all: there may be thousands of
        groups.
        """
        own = {capability for capability in Capability if self.allows(actor, capability)}
        needs = {name: _needs(provider.abilities) for name, provider in self.providers.items()}
        found: list[tuple[KnownGroup, Sequence[str]]] = []
        for group in groups:
            by_verb = needs.get(group.connection, {})
            needed = frozenset[Capability]().union(*by_verb.values()) & own
            allowed = {capability for capability in needed if self.allows(actor, capability, group)}
            if verbs := tuple(verb for verb, capabilities in by_verb.items() if not allowed.isdisjoint(capabilities)):
                found.append((group, verbs))
        return found

    def usable_commands(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[Command]:
        """Return the commands whose form a person may use for a group or connection, in the order of the catalogue."""
        found = {verb for _, verbs in self.manageable_groups(actor, groups) for verb in verbs}
        if self.creatable_connections(actor):
            found.add(CREATE.verb)
        return [command for command in COMMANDS if command.verb in found]

    def denied_everywhere(self, actor: Actor, verb: str) -> Denied | None:
        """Return why a person can use a form for no group at all; None if they can for some."""
        needed = [
            Capability.required_by(provider.abilities[action])
            for provider in self.providers.values()
            for action in FORM_ACTIONS[verb]
            if action in provider.abilities
        ]
        denied = [decision for need in needed if isinstance(decision := self.check(actor, need), Denied)]
        if len(denied) < len(needed):
            return None
        if not denied:
            return Denied(DenialCode.PROVIDER_CANNOT, "No connection's provider supports this. Nothing was done.")
        return denied[0]

    def can_invite(self) -> bool:
        """Return whether a connection can send invites to people who can't be added."""
        return any(set(INVITE_ACTIONS) <= provider.abilities.keys() for provider in self.providers.values())


async def visible_page(
    read: Callable[[T | None], Awaitable[Sequence[T]]],
    may_see: Callable[[T], bool],
    size: int,
    max_reads: int = MAX_READS,
) -> tuple[list[T], bool]:
    """Return the next entries that the person may see, and whether there may be more after them.

    Args:
        read: returns at most `READ_SIZE` entries after this one, or the first ones.
        may_see: whether the person may see an entry.
        size: the maximum entries of a page.
        max_reads: the maximum number of reads.
    """
    found: list[T] = []
    last: T | None = None
    for _ in range(max_reads):
        batch = await read(last)
        found += [entry for entry in batch if may_see(entry)]
        if len(found) > size or len(batch) < READ_SIZE:
            return found[:size], len(found) > size
        last = batch[-1]
    return found, False


def target_of(group: KnownGroup) -> Target:
    """Return a group's names for roles and rules. Only those for all groups cover a group that is to be created."""
    return Target(group.scope_names or ("",))


def _needs(abilities: Mapping[Action, Ability]) -> dict[str, frozenset[Capability]]:
    """Return the capabilities of which each form needs one at a provider, by verb."""
    return {
        verb: frozenset(Capability.required_by(abilities[action]) for action in actions if action in abilities)
        for verb, actions in FORM_ACTIONS.items()
        if verb != CREATE.verb
    }
