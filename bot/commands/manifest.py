"""The Slack app's manifest: its commands, its scopes and where Slack sends what happens.

Reference: https://docs.slack.dev/reference/app-manifest, schema version 2 (contracts/slack-manifest.schema.2.0.0.json).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.commands.catalogue import COMMANDS
from bot.commands.usage import Command

EVENTS_PATH = "/slack/events"
"""Where the HTTP server takes commands, interactions and events alike, as Bolt does."""


BOT_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "commands": "the slash commands and the shortcuts",
        "app_mentions:read": "app_mention: what is asked of @Rollcall in a channel or a thread",
        "chat:write": "chat.postMessage, chat.update: requests, progress and results",
        "chat:write.public": "chat.postMessage in public channels that the bot has not joined",
        "files:write": "files.getUploadURLExternal, files.completeUploadExternal: the CSV in a thread",
        "files:read": "files of numbers: those in a form, and those of a message that the shortcut is used on",
        "channels:history": "conversations.history, conversations.replies: after a crash, to find what was posted",
        "groups:history": "the same in private channels that the bot was invited to",
        "im:history": "the same in direct messages with the bot; message.im: what is asked of it there",
        "im:write": "conversations.open: to answer in a direct message when the request's channel is closed to the bot",
        "channels:read": "conversations.info: whether a channel is public, where phone numbers are shortened; "
        "conversations.members: which of those who decide do not see a question there",
        "groups:read": "the same of private channels",
        "usergroups:read": "usergroups.users.list: who is in the user groups that roles and syncs name",
        "users:read": "users.info: the time zone in which a person types a time",
        "users.profile:read": "users.profile.get: the phones of a user group's members, for a sync with them",
    }
)
"""The bot's scopes, each with the methods and events that need it (each one's page on docs.slack.dev)."""

BOT_EVENTS = ("app_home_opened", "app_mention", "message.im")
"""What Slack tells the bot of, besides commands and clicks (each event's page on docs.slack.dev)."""

ADD_NUMBERS, GROUPS = "add_numbers", "whatsapp_groups"
"""The callback ids of the shortcuts."""
_SHORTCUTS: Sequence[Mapping[str, str]] = (
    {
        "name": "Add numbers to a group",
        "type": "message",
        "callback_id": ADD_NUMBERS,
        "description": "Adds the numbers in this message and its files to a WhatsApp group",
    },
    {
        "name": "WhatsApp groups",
        "type": "global",
        "callback_id": GROUPS,
        "description": "Everything that you may do with WhatsApp groups",
    },
)
"""A name has at most 24 characters; it is what people find the shortcut by."""


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
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Rollcall", "always_online": True},
            "shortcuts": [dict(shortcut) for shortcut in _SHORTCUTS],
            "slash_commands": [_slash_command(command, events) for command in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {**({} if events is None else {"request_url": events}), "bot_events": [*BOT_EVENTS]},
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


def _slash_command(command: Command, events: str | None) -> dict[str, Any]:
    where = {} if events is None else {"url": events}
    return {
        "command": command.name,
        **where,
        "description": command.summary,
        "usage_hint": command.usage_hint,
        "should_escape": command.escapes_mentions,
    }
