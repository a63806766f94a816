"""Slack's error codes, by what can be done about them."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

_CHANNEL_CLOSED = frozenset(
    {
        "channel_not_found",
        "invalid_channel",
        "not_in_channel",
        "user_not_in_channel",
        "no_permission",
        "posting_to_channel_denied",
        "is_archived",
        "is_inactive",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "messages_tab_disabled",
        "user_not_found",
        "user_disabled",
        "users_not_found",
        "cannot_dm_bot",
        "thread_not_found",
        "cannot_reply_to_message",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
    }
)
"""Errors that a retry wouldn't resolve, of the methods that post and update messages and files: chat.*,
conversations.open and .replies, files.completeUploadExternal (each method's page on docs.slack.dev)."""

_TRIGGER_EXPIRED = frozenset({"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"})
"""Errors of views.open for a trigger older than 3 seconds, or used already."""

_MESSAGE_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_blocks_too_long", "msg_too_long"}
)
"""Errors of chat.postMessage and chat.update about the message itself, not about its channel (docs.slack.dev)."""


def error_code(error: SlackApiError) -> str:
    """Return the code that Slack answered with, for example `channel_not_found`; empty if Slack didn't answer."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else None
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def is_closed(error: SlackApiError) -> bool:
    """Return whether the channel, thread or message can't be posted to or updated, now or later."""
    return error_code(error) in _CHANNEL_CLOSED


def is_message_refused(error: SlackApiError) -> bool:
    """Return whether Slack refuses the message itself, so that sending it again as it is would fail too."""
    return error_code(error) in _MESSAGE_REFUSED


def is_trigger_expired(error: SlackApiError) -> bool:
    """Return whether a modal couldn't be opened because its trigger had expired."""
    return error_code(error) in _TRIGGER_EXPIRED
