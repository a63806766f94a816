"""The buttons; every click is checked again here and now, kept, and only then acknowledged."""

from slack_bolt.async_app import AsyncApp

from handlers.actions import details, exports, followups, running, votes
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Hang the buttons on the app."""
    votes.register(app, services)
    details.register(app, services)
    exports.register(app, services)
    followups.register(app, services)
    running.register(app, services)
