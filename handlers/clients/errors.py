"""Slack's error words, sorted by what can be done about them."""

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
"""Errors that no repetition mends, of the methods with which messages and files are posted and changed: chat.*,
conversations.open and .replies, files.completeUploadExternal (each method's page on docs.slack.dev)."""

_TRIGGER_EXPIRED = frozenset({"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"})
"""Errors of views.open for a trigger older than 3 seconds, or used."""


_MESSAGE_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_blocks_too_long", "msg_too_long"}
)
"""Errors of chat.postMessage and chat.update about what is posted and not about where (docs.slack.dev)."""


def error_code(error: SlackApiError) -> str:
    """Give the word Slack answered with, for example `channel_not_found`; empty where no Slack answered."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else None
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def is_closed(error: SlackApiError) -> bool:
    """Tell whether this place cannot be posted to, now or later."""
    return error_code(error) in _CHANNEL_CLOSED


def is_message_refused(error: SlackApiError) -> bool:
    """Tell whether Slack refuses the message itself: sent again as it is, it would be refused for ever."""
    return error_code(error) in _MESSAGE_REFUSED


def is_trigger_expired(error: SlackApiError) -> bool:
    """Tell whether a form could not be opened because the click or command was too long ago."""
    return error_code(error) in _TRIGGER_EXPIRED
