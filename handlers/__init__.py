"""One module for each Slack surface; `register` hangs all listeners on the Bolt app."""

from slack_bolt.async_app import AsyncApp

from handlers import actions, answering, commands, errors, mentions, modals, shortcuts
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Hang every listener on the app."""
    commands.register(app, services)
    modals.register(app, services)
    actions.register(app, services)
    shortcuts.register(app, services)
    mentions.register(app, services)
    answering.register(app)
    errors.register(app)
