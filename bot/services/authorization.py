"""Who may do what to which group: the roles, held against what the group's provider needs for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.access import Actor, Allowed, Capability, Decision, DenialCode, Denied, Role, Target, check_capability
from bot.domain.groups import KnownGroup
from bot.execution.connections import Connection
from providers.base import Ability, Action


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Decides by the configuration.

    Attributes:
        lines: the connections, for what each action needs at its provider.
        roles: who has which capabilities.
    """

    lines: Mapping[str, Connection]
    roles: Sequence[Role]

    def check(self, actor: Actor, action: Action, group: KnownGroup) -> Decision:
        """Decide whether the person may, by the provider's own capability for it, and the provider can, do this."""
        ability = self.ability(group.connection, action)
        if ability is None:
            words = f"The provider of the connection `{group.connection}` cannot do this: {action}."
            return Denied(DenialCode.PROVIDER_CANNOT, words)
        return check_capability(actor, Capability.required_by(ability), target_of(group), self.roles)

    def check_all(self, actor: Actor, actions: Iterable[Action], group: KnownGroup) -> Decision:
        """Decide whether the person may do all of these; what they may not do first is the answer."""
        decision: Decision = Allowed()
        for action in actions:
            decision = self.check(actor, action, group)
            if isinstance(decision, Denied):
                return decision
        return decision

    def check_capability(self, actor: Actor, capability: Capability, group: KnownGroup | None = None) -> Decision:
        """Decide whether the person has a capability of Rollcall itself, such as `audit:read`; None: for any group."""
        return check_capability(actor, capability, target_of(group) if group else None, self.roles)

    def ability(self, connection: str, action: Action) -> Ability | None:
        """Tell how the provider of a connection does this; None where it cannot."""
        return self.lines[connection].provider.abilities.get(action)


def target_of(group: KnownGroup) -> Target:
    """Give the names by which roles and rules mean a group; one to be created is meant only by those for all groups."""
    return Target(group.scope_names or ("",))
