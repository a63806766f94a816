"""What each form is about, and where a person may use it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from bot.commands.catalogue import ADD, COMMANDS, CREATE, DEMOTE, INVITE, PROMOTE, REMOVE, SEND, SETTINGS, SYNC
from bot.commands.usage import Command
from bot.domain.access import Actor, Allowed
from bot.domain.groups import KnownGroup
from handlers.services import Services
from providers.base import Ability, Action, Capability

_USUAL = (ADD, REMOVE, SEND, SETTINGS, INVITE, PROMOTE, DEMOTE, SYNC, CREATE)
ACTIONS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {command.verb: command.primary_actions for command in _USUAL}
)
"""The actions of which a person must be able to do one, for a form to be of use; by its verb, the most usual first."""


def can_do_any(services: Services, actor: Actor, group: KnownGroup, *actions: Action) -> bool:
    """Tell whether the person may do one of the actions to the group."""
    return any(isinstance(services.authorizer.check(actor, action, group), Allowed) for action in actions)


def creatable_connections(services: Services, actor: Actor) -> list[str]:
    """Give the connections on which the person may create groups."""
    return [
        name for name in services.connections if can_do_any(services, actor, KnownGroup(name, ""), *ACTIONS["create"])
    ]


def manageable_groups(
    services: Services, actor: Actor, groups: Iterable[KnownGroup]
) -> list[tuple[KnownGroup, Sequence[str]]]:
    """Give the groups that a person may administer, each with the verbs of what they may do to it.

    It asks once for each capability and group, and only for what the person has at all: there may be thousands.
    """
    rights = services.authorizer
    has = {c for c in Capability if isinstance(rights.check_capability(actor, c), Allowed)}
    needs = {name: _needs(line.provider.abilities, has) for name, line in services.connections.items()}
    found: list[tuple[KnownGroup, Sequence[str]]] = []
    for group in groups:
        by_verb = needs.get(group.connection, {})
        wanted = frozenset[Capability]().union(*by_verb.values())
        allowed = {c for c in wanted if isinstance(rights.check_capability(actor, c, group), Allowed)}
        if verbs := tuple(verb for verb, capabilities in by_verb.items() if not allowed.isdisjoint(capabilities)):
            found.append((group, verbs))
    return found


def usable_commands(services: Services, actor: Actor) -> list[Command]:
    """Give the commands whose form a person may use for at least one group or connection, in the usual order."""
    found = {verb for _, verbs in manageable_groups(services, actor, services.directory.known()) for verb in verbs}
    if creatable_connections(services, actor):
        found.add("create")
    return [command for command in COMMANDS if command.verb in found]


def _needs(abilities: Mapping[Action, Ability], has: Collection[Capability]) -> dict[str, frozenset[Capability]]:
    """Give the capabilities, of those that somebody has, of which each verb needs one at a provider."""
    return {
        verb: frozenset(abilities[a].capability for a in actions if a in abilities and abilities[a].capability in has)
        for verb, actions in ACTIONS.items()
        if verb != "create"
    }
