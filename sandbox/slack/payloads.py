"""The payloads that Slack sends to an app, field by field.

Source: https://docs.slack.dev/reference/interaction-payloads, https://docs.slack.dev/interactivity/implementing-slash-commands
and https://docs.slack.dev/apis/events-api
"""

from typing import Any

from sandbox.slack.chat import visible
from sandbox.slack.workspace import Channel, Message, SlackView, Workspace

Payload = dict[str, Any]
VERIFICATION = "sandbox-verification"
_CHANNEL_NAMES = {"im": "directmessage", "groups": "privategroup"}


def channel_name(channel: Channel) -> str:
    """Return a channel's name as payloads show it: not that of a private channel or a direct message."""
    return _CHANNEL_NAMES.get(channel.info.kind, channel.info.name)


def command(workspace: Workspace, user: str, channel: str, name: str, text: str, *, response_url: str) -> Payload:
    """Return the form fields of a slash command."""
    seed = workspace.seed
    return {
        "token": VERIFICATION,
        "team_id": seed.team_id,
        "team_domain": seed.team_domain,
        "channel_id": channel,
        "channel_name": channel_name(workspace.channels[channel]),
        "user_id": user,
        "user_name": workspace.users[user].name,
        "command": name,
        "text": text,
        "api_app_id": seed.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.new_trigger(user),
    }


def interaction(workspace: Workspace, kind: str, user: str) -> Payload:
    """Return the fields that all interactions share."""
    seed = workspace.seed
    person = workspace.users[user]
    return {
        "type": kind,
        "team": {"id": seed.team_id, "domain": seed.team_domain},
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": seed.team_id},
        "api_app_id": seed.app_id,
        "token": VERIFICATION,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_action(
    workspace: Workspace, user: str, channel: Channel, message: Message, action: Payload, *, response_url: str
) -> Payload:
    """Return the `block_actions` of an element in a message; an ephemeral message itself is not sent along."""
    ephemeral = bool(message.get("is_ephemeral"))
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.info.id,
        "is_ephemeral": ephemeral,
    }
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
    payload = {
        **interaction(workspace, "block_actions", user),
        "container": container,
        "trigger_id": workspace.new_trigger(user),
        "channel": {"id": channel.info.id, "name": channel_name(channel)},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }
    return payload if ephemeral else {**payload, "message": visible(message)}


def view_action(workspace: Workspace, view: SlackView, state: Payload, action: Payload) -> Payload:
    """Return the `block_actions` of an element in a modal or Home view."""
    return {
        **interaction(workspace, "block_actions", view.user),
        "container": {"type": "view", "view_id": view.body["id"]},
        "trigger_id": workspace.new_trigger(view.user, view.body["id"]),
        "view": _with_state(view, state),
        "actions": [action],
    }


def view_submission(workspace: Workspace, view: SlackView, state: Payload) -> Payload:
    """Return the payload of a submitted modal."""
    return {
        **interaction(workspace, "view_submission", view.user),
        "trigger_id": workspace.new_trigger(view.user, view.body["id"]),
        "view": _with_state(view, state),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, view: SlackView, state: Payload, *, cleared: bool) -> Payload:
    """Return the payload of a closed modal."""
    shared = interaction(workspace, "view_closed", view.user)
    return {**shared, "view": _with_state(view, state), "is_cleared": cleared}


def block_suggestion(
    workspace: Workspace, view: SlackView, state: Payload, block: str, action: str, *, text: str
) -> Payload:
    """Return the request for a select menu's options."""
    return {
        **interaction(workspace, "block_suggestion", view.user),
        "container": {"type": "view", "view_id": view.body["id"]},
        "view": _with_state(view, state),
        "block_id": block,
        "action_id": action,
        "value": text,
    }


def shortcut(workspace: Workspace, user: str, callback_id: str) -> Payload:
    """Return a global shortcut."""
    return {
        **interaction(workspace, "shortcut", user),
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
        "trigger_id": workspace.new_trigger(user),
    }


def message_shortcut(
    workspace: Workspace, user: str, channel: Channel, message: Message, callback_id: str, *, response_url: str
) -> Payload:
    """Return a shortcut on a message (`message_action`)."""
    return {
        **interaction(workspace, "message_action", user),
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
        "trigger_id": workspace.new_trigger(user),
        "channel": {"id": channel.info.id, "name": channel_name(channel)},
        "message_ts": message["ts"],
        "message": visible(message),
        "response_url": response_url,
    }


def event(workspace: Workspace, inner: Payload) -> Payload:
    """Wrap an event as the Events API does."""
    seed = workspace.seed
    return {
        "token": VERIFICATION,
        "team_id": seed.team_id,
        "api_app_id": seed.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": int(workspace.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": seed.team_id,
                "user_id": seed.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": workspace.new_id("4-"),
    }


def _with_state(view: SlackView, values: Payload) -> Payload:
    return {**view.body, "state": {"values": values}}
