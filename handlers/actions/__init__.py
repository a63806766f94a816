"""The buttons. Every click is checked again when it comes, saved, and only then acknowledged."""

from slack_bolt.async_app import AsyncApp

from handlers.actions import followups, requests, votes
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register the buttons."""
    for module in (votes, requests, followups):
        module.register(app, services)
