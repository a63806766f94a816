"""What of the configuration the audit journal keeps: everything but the secrets and where they lie."""

from typing import Any

from bot.config.model import Settings

_CONNECTION = {"provider", "base_url", "account", "default_region", "pace", "verify_after"}
_KEPT: dict[str, Any] = {
    "slack": {"api_url", "approvals_channel"},
    "server": True,
    "connections": {"__all__": _CONNECTION},
    "groups": True,
    "roles": True,
    "approvals": True,
}
"""Named one by one: a key that is new is left out until somebody has looked whether it is a secret.

The storage's URL is left out, since it may hold a password.
"""


def summary(settings: Settings) -> dict[str, Any]:
    """Give the configuration without its secrets."""
    return settings.model_dump(include=_KEPT)
