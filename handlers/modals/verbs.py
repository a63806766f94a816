"""Where a person may use a form, and what inviting takes."""

from bot.domain.access import Actor, Denied
from handlers.services import Services
from handlers.verbs import ACTIONS
from providers.base import Action

INVITING = (Action.READ_INVITE, Action.SEND_TO_PERSON)
"""What inviting those who refuse takes besides adding."""


def unusable_reason(services: Services, actor: Actor, verb: str) -> Denied | str:
    """Tell why the person can use a form for no group at all; empty where they can for some."""
    abilities = [
        line.provider.abilities.get(action) for line in services.connections.values() for action in ACTIONS[verb]
    ]
    decisions = [services.authorizer.check_capability(actor, ability.capability) for ability in abilities if ability]
    denied = [decision for decision in decisions if isinstance(decision, Denied)]
    if len(denied) < len(decisions):
        return ""
    return denied[0] if denied else "The provider of no connection can do this; nothing was done."


def can_invite(services: Services) -> bool:
    """Tell whether a connection can send invites to those who refuse."""
    return any(set(INVITING) <= line.provider.abilities.keys() for line in services.connections.values())
