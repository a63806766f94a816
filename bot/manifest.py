"""The Slack app's manifest: its commands, its scopes and where Slack sends what happens.

Reference: https://docs.slack.dev/reference/app-manifest, schema version 2 (contracts/slack-manifest.schema.2.0.0.json).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import yaml

EVENTS_PATH = "/slack/events"
"""Where the HTTP server takes commands, interactions and events alike, as Bolt does."""


@dataclass(frozen=True, slots=True)
class CommandDeclaration:
    """A slash command as Slack shows it while somebody types; `usage_hint` is what follows the name."""

    name: str
    usage_hint: str
    description: str


COMMANDS = (
    CommandDeclaration("/wa", "[help | add … | groups …]", "Help, and every command as a word after it"),
    CommandDeclaration("/wa-add", "<group> <numbers, …> [reason: …]", "Add people to a WhatsApp group"),
    CommandDeclaration("/wa-groups", "[part of a name]", "List the WhatsApp groups that you may read"),
)
"""The commands that exist. Help and manifest are made from this table."""

BOT_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "commands": "the slash commands",
        "chat:write": "chat.postMessage, chat.update: requests, progress and results",
        "chat:write.public": "chat.postMessage in public channels that the bot has not joined",
        "files:write": "files.getUploadURLExternal, files.completeUploadExternal: the CSV in a thread",
        "channels:history": "conversations.history, conversations.replies: after a crash, to find what was posted",
        "groups:history": "the same in private channels that the bot was invited to",
        "im:history": "the same in direct messages with the bot",
        "im:write": "conversations.open: to answer in a direct message when the request's channel is closed to the bot",
        "usergroups:read": "usergroups.users.list: who is in the user groups that roles name",
    }
)
"""The bot's scopes, each with the methods that need it (each method's page on docs.slack.dev)."""


def manifest(url: str | None = None) -> dict[str, Any]:
    """Make the manifest: for Socket Mode, or with request URLs below `url` when Slack is to call the bot over HTTP.

    Raises `ValueError` for a `url` that is not an https address.
    """
    events = None if url is None else _events_url(url)
    interactivity: dict[str, Any] = {"is_enabled": True}
    if events is not None:
        interactivity |= {"request_url": events, "message_menu_options_url": events}
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Rollcall",
            "description": "Administers WhatsApp groups: every name gets an answer",
            "background_color": "#1f4d3a",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Rollcall", "always_online": True},
            "slash_commands": [_slash_command(command, events) for command in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": events is None,
            "token_rotation_enabled": False,
        },
    }


def manifest_yaml(url: str | None = None) -> str:
    """Write the manifest as YAML, which Slack's app page takes as it is. Raises `ValueError` as `manifest` does."""
    written = yaml.safe_dump(manifest(url), sort_keys=False, allow_unicode=True, width=120)
    return f"# Made by `rollcall manifest`. Create the app from it at https://api.slack.com/apps.\n{written}"


def _events_url(url: str) -> str:
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname or address.query or address.fragment:
        raise ValueError(
            'the URL must be an https address that Slack can reach, such as "https://rollcall.example.com"'
        )
    return url.rstrip("/") + EVENTS_PATH


def _slash_command(command: CommandDeclaration, events: str | None) -> dict[str, Any]:
    where = {} if events is None else {"url": events}
    return {
        "command": command.name,
        **where,
        "description": command.description,
        "usage_hint": command.usage_hint,
        "should_escape": False,
    }
