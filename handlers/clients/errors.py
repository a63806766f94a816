"""Slack's errors, by what can be done about them."""

import re

from aiohttp import ClientError, ClientResponse
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

_TRANSIENT = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "team_added_to_org",
    }
)
"""Errors of all methods, and of chat.postMessage, that a later call may not get (each method's page on docs.slack.dev).
`team_added_to_org` lasts while the workspace moves into an organization."""
_TRANSIENT_STATUSES = frozenset({408, 429})
_UPLOAD_FAILED = re.compile(r"\(status: (?:408|429|5\d\d),")
"""In the error with which the client reports a failure of the server that receives a file."""
_SERVER_ERROR = 500
"""The first HTTP status of errors of the server."""

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
"""Errors about the place of a message and not about the message: of chat.*, conversations.open and .replies, and
files.completeUploadExternal (each method's page on docs.slack.dev)."""

_TRIGGER_EXPIRED = frozenset({"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"})
"""Errors of views.open for a trigger older than 3 seconds, or used already."""


READ_ERRORS = (SlackApiError, ClientError, OSError, AttributeError, LookupError, TypeError, ValueError)
"""What a read from Slack raises: Slack refuses or can't be reached, or its answer has another shape."""


class MalformedAnswer(Exception):
    """Slack's answer lacks what its documentation promises."""


def error_code(error: SlackApiError) -> str:
    """Return the code that Slack answered with, for example `channel_not_found`; empty if Slack didn't answer."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else None
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def reason_of(error: Exception) -> str:
    """Return Slack's code for the log, or the type of an error that isn't Slack's."""
    return error_code(error) if isinstance(error, SlackApiError) else type(error).__name__


def is_transient(error: BaseException) -> bool:
    """Return whether the same call may succeed later: the network failed, or Slack did for a while."""
    if isinstance(error, SlackRequestError):
        return bool(_UPLOAD_FAILED.search(str(error)))
    if not isinstance(error, SlackApiError):
        return isinstance(error, ClientError | OSError)
    status = _status(error)
    return error_code(error) in _TRANSIENT or status in _TRANSIENT_STATUSES or status >= _SERVER_ERROR


def is_refusal(error: SlackApiError) -> bool:
    """Return whether Slack refuses the call, with a code, and would refuse it later too."""
    return bool(error_code(error)) and not is_transient(error)


def is_closed(error: SlackApiError) -> bool:
    """Return whether the channel, thread or message can't be posted to or updated, now or later."""
    return error_code(error) in _CHANNEL_CLOSED


def is_trigger_expired(error: SlackApiError) -> bool:
    """Return whether a modal couldn't be opened because its trigger had expired."""
    return error_code(error) in _TRIGGER_EXPIRED


def _status(error: SlackApiError) -> int:
    """Return the HTTP status of the answer; 0 if it isn't known."""
    match error.response:
        case AsyncSlackResponse() as response:
            return response.status_code
        case ClientResponse() as response:
            return response.status
        case _:
            return 0
