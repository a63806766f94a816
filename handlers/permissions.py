"""Which commands and forms a person may use, and for which groups."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from bot.commands.catalogue import ADD, COMMANDS, CREATE, DEMOTE, INVITE, PROMOTE, REMOVE, SEND, SETTINGS, SYNC
from bot.commands.usage import Command
from bot.domain.access import Actor, Allowed, Capability, DenialCode, Denied
from bot.domain.groups import KnownGroup
from handlers.services import Services
from providers.base import Ability, Action

_USUAL = (ADD, REMOVE, SEND, SETTINGS, INVITE, PROMOTE, DEMOTE, SYNC, CREATE)
ACTIONS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {command.verb: command.primary_actions for command in _USUAL}
)
"""The actions of each form, by its verb, the most frequent form first: a person needs permission for one of them."""
INVITING = (Action.READ_INVITE, Action.SEND_TO_PERSON)
"""The actions that inviting people takes besides adding them."""


def can_do_any(services: Services, actor: Actor, group: KnownGroup, *actions: Action) -> bool:
    """Return whether the person may do one of the actions to the group."""
    return any(isinstance(services.authorizer.check(actor, action, group), Allowed) for action in actions)


def creatable_connections(services: Services, actor: Actor) -> list[str]:
    """Return the connections on which the person may create groups."""
    return [
        name for name in services.connections if can_do_any(services, actor, KnownGroup(name, ""), *ACTIONS["create"])
    ]


def manageable_groups(
    services: Services, actor: Actor, groups: Iterable[KnownGroup]
) -> list[tuple[KnownGroup, Sequence[str]]]:
    """Return the groups that a person may administer, each with the verbs of the forms that they may use for it.

    Each capability is checked once for a group, and only if the person has it at all: there may be thousands of groups.
    """
    authorizer = services.authorizer
    has = {one for one in Capability if isinstance(authorizer.check_capability(actor, one), Allowed)}
    needs = {name: _needs(c.provider.abilities, has) for name, c in services.connections.items()}
    found: list[tuple[KnownGroup, Sequence[str]]] = []
    for group in groups:
        by_verb = needs.get(group.connection, {})
        wanted = frozenset[Capability]().union(*by_verb.values())
        allowed = {c for c in wanted if isinstance(authorizer.check_capability(actor, c, group), Allowed)}
        if verbs := tuple(verb for verb, capabilities in by_verb.items() if not allowed.isdisjoint(capabilities)):
            found.append((group, verbs))
    return found


def usable_commands(services: Services, actor: Actor) -> list[Command]:
    """Return the commands whose form a person may use for a group or connection, in the order of the catalogue."""
    found = {verb for _, verbs in manageable_groups(services, actor, services.directory.known()) for verb in verbs}
    if creatable_connections(services, actor):
        found.add("create")
    return [command for command in COMMANDS if command.verb in found]


def denied_everywhere(services: Services, actor: Actor, verb: str) -> Denied | None:
    """Return why the person can use a form for no group at all; None if they can for some."""
    abilities = [c.provider.abilities.get(action) for c in services.connections.values() for action in ACTIONS[verb]]
    needed = [Capability.required_by(ability) for ability in abilities if ability]
    decisions = [services.authorizer.check_capability(actor, capability) for capability in needed]
    denied = [decision for decision in decisions if isinstance(decision, Denied)]
    if len(denied) < len(decisions):
        return None
    if not denied:
        return Denied(DenialCode.PROVIDER_CANNOT, "No connection's provider can do this. Nothing was done.")
    return denied[0]


def can_invite(services: Services) -> bool:
    """Return whether a connection can send invites to people who can't be added."""
    return any(set(INVITING) <= c.provider.abilities.keys() for c in services.connections.values())


def _needs(abilities: Mapping[Action, Ability], has: AbstractSet[Capability]) -> dict[str, frozenset[Capability]]:
    """Return the capabilities, of those that the person has, of which each verb needs one at a provider."""
    return {
        verb: frozenset(Capability.required_by(abilities[a]) for a in actions if a in abilities) & has
        for verb, actions in ACTIONS.items()
        if verb != "create"
    }
